"""Append: the rows of several sources with equal columns as one; each row keeps its file and its number there."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deepwright.core.errors import DataError, did_you_mean
from deepwright.core.text import text
from deepwright.data.evidence import MOST, Evidence
from deepwright.data.raw import Asides, Raw, SourceFile, merge

NUMBERS = ("whole", "decimal", "zeros", "big", "overflow")
TIMES = ("day", "time", "no_day")
UNTOLD = ("maybe_missing", "not_finite")
"""Kinds of cells that say nothing about what the others of their column are."""
OPEN = -1


def append(raws: Sequence[Raw], source: str) -> Raw:
    """The rows of all, in order, with the columns in the order of the first. source: what findings call the whole.

    Raises DataError naming the file whose columns are others, or hold another kind of values, than those of the first.
    """
    first = raws[0]
    alike = [first, *(_like(raw, first) for raw in raws[1:])]
    _require_same_kinds(alike)
    files = tuple(file for raw in alike for file in files_of(raw))
    told = [replace(raw, set_aside=_located(raw)) for raw in alike]
    return replace(
        merge(told),
        names=first.names,
        source=source,
        sha256=joint_hash(raws),
        options=first.options,
        forms=_forms(alike),
        files=files,
        file_of=_file_of(alike),
        part=_parts(alike),
        digests=_digests(alike),
    )


def files_of(raw: Raw) -> tuple[SourceFile, ...]:
    """The files that rows came from, also where it is one."""
    return raw.files or (SourceFile(raw.source, raw.sha256, raw.rows_in),)


def joint_hash(raws: Sequence[Raw]) -> str:
    return hashlib.sha256("".join(raw.sha256 for raw in raws).encode()).hexdigest()


def _like(raw: Raw, first: Raw) -> Raw:
    absent = [name for name in first.names if name not in raw.names]
    if absent:
        hint = did_you_mean(absent[0], raw.names)
        raise DataError(
            "append.absent", source=raw.source, column=absent[0], first=first.source, known=", ".join(raw.names),
            hint=hint,
        )  # fmt: skip
    extra = [name for name in raw.names if name not in first.names]
    if extra:
        raise DataError("append.extra", source=raw.source, columns=", ".join(extra[:10]), first=first.source)
    return replace(raw, names=first.names)


def _require_same_kinds(raws: Sequence[Raw]) -> None:
    """Raises DataError for a column that is numbers in one file and words or times in another, unless --types says."""
    forced = {entry.rpartition("=")[0] for entry in raws[0].options.types}
    for name in raws[0].names:
        if name in forced:
            continue
        known: tuple[str, str, Raw] | None = None
        for raw in raws:
            found = _kind(raw, name)
            if found is None:
                continue
            if known is not None and found[0] != known[0]:
                raise DataError(
                    "append.kinds", source=raw.source, column=name, found=_words(found[0]),
                    example=found[1], first=known[2].source, due=_words(known[0]), due_example=known[1],
                )  # fmt: skip
            known = known or (*found, raw)


def _words(kind: str) -> str:
    told = {
        "numbers": text("append.numbers"),
        "times": text("append.times"),
        "truths": text("append.truths"),
        "words": text("append.words"),
    }
    return told[kind]


def _kind(raw: Raw, name: str) -> tuple[str, str] | None:
    """What nearly all cells of a column are, with an example: by the file itself, or by their looks."""
    evidence = Evidence(raw.distinct(name), frozenset(raw.options.missing), raw.source)
    form = raw.forms.get(name)
    base = evidence.present - evidence.of(*UNTOLD)
    if form:
        return {"number": "numbers", "time": "times", "bool": "truths"}.get(form, "words"), evidence.example(
            *evidence.counts
        )
    if not base:
        return None
    for kind, kinds in (("numbers", NUMBERS), ("times", TIMES)):
        if evidence.of(*kinds) >= MOST * base:
            return kind, evidence.example(*kinds)
    words = [kind for kind in evidence.counts if kind not in (*NUMBERS, *TIMES, *UNTOLD)]
    return ("words", evidence.example(*words)) if evidence.of(*words) >= MOST * base else None


def _located(raw: Raw) -> tuple:  # type: ignore[type-arg]
    """What was set aside, with the file in the reason."""
    if raw.files:
        return raw.set_aside
    asides = Asides()
    for entry in raw.set_aside:
        asides.add(text("aside.in_file", file=raw.source, reason=entry.reason), entry.rows, entry.count)
    return asides.records()


def _forms(raws: Sequence[Raw]) -> dict[str, str]:
    """What the files say of a column; an all-empty one says nothing."""
    return {name: next((f for raw in raws if (f := raw.forms.get(name))), "") for name in raws[0].forms}


def _file_of(raws: Sequence[Raw]) -> np.ndarray:
    places, before = [], 0
    for raw in raws:
        own = np.zeros(len(raw), np.int32) if raw.file_of is None else raw.file_of
        places.append(own + np.int32(before))
        before += len(files_of(raw))
    return np.concatenate(places)


def _parts(raws: Sequence[Raw]) -> np.ndarray | None:
    if all(raw.part is None for raw in raws):
        return None
    return np.concatenate([np.full(len(raw), OPEN, np.int8) if raw.part is None else raw.part for raw in raws])


def _digests(raws: Sequence[Raw]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([raw.digests[name] for raw in raws]) for name in raws[0].digests}
