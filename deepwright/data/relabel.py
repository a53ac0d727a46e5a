"""--map: renames values of a column, and proposes such a line where two files write their labels differently."""

import difflib
import re
from collections.abc import Iterable, Mapping

import numpy as np

from deepwright.core.errors import DataError, RecipeError, did_you_mean
from deepwright.core.report import finding
from deepwright.data.raw import Raw

Splits = tuple[tuple[str, str], ...]
"""Every way to cut `old=new` at a =; which is meant, the values in the data tell."""


def parse_map(line: str | None) -> dict[str, list[Splits]]:
    """Column > for each pair the ways to cut it. A comma, semicolon or colon inside a value stands after a backslash.

    >>> parse_map("sex:F=female,M=male")
    {'sex': [(('F', 'female'),), (('M', 'male'),)]}
    >>> parse_map("income:<=50K.=<=50K")["income"][0][1]
    ('<=50K.', '<=50K')
    """
    found: dict[str, list[Splits]] = {}
    for part in _cut(line or "", ";"):
        if not part.strip():
            continue
        head, *rest = _cut(part, ":")
        if not rest:
            raise RecipeError("map.no_column", found=part.strip())
        pairs = [_splits(pair) for pair in _cut(":".join(rest), ",")]
        found.setdefault(_plain(head).strip(), []).extend(pairs)
    return found


def relabel(raws: Iterable[Raw], *, must_occur: bool) -> list[Raw]:
    """The same rows with values renamed as `options.map` says; several files of one table are looked at together.

    must_occur: a value that no file holds is an error (it is none in a chunk of rows).
    Raises DataError for an unknown column or value, and where `=` can be read in two ways.
    """
    raws = list(raws)
    for column, pairs in parse_map(raws[0].options.map).items():
        if not any(column in raw.names for raw in raws):
            if not must_occur:
                continue
            known = raws[0].names
            hint = did_you_mean(column, known)
            raise DataError("schema.no_column", column=column, known=", ".join(known), hint=hint)
        present = {value for raw in raws if column in raw.names for value in raw.distinct(column).values}
        renamed = dict(filter(None, (_choose(column, splits, present, must_occur) for splits in pairs)))
        raws = [_renamed(raw, column, renamed) for raw in raws]
    return raws


def propose_map(column: str, unknown: Iterable[str], known: Iterable[str], current: str | None) -> str:
    """The --map line that turns each unknown label into the known label whose text is nearest.

    >>> propose_map("income", ["<=50K.", ">50K."], ["<=50K", ">50K"], None)
    'income:<=50K.=<=50K,>50K.=>50K'
    """
    known = sorted(known)
    pairs = []
    for label in sorted(unknown):
        nearest = max(known, key=lambda other: difflib.SequenceMatcher(None, label, other).ratio())
        pairs.append(f"{_escaped(label)}={_escaped(nearest)}")
    line = f"{_escaped(column)}:{','.join(pairs)}"
    return f"{current};{line}" if current else line


def _choose(column: str, splits: Splits, present: set[str | None], must_occur: bool) -> tuple[str, str] | None:
    occurring = [split for split in splits if split[0] in present]
    if len(occurring) > 1:
        occurring = [split for split in occurring if split[1] in present] or occurring
    if len(occurring) == 1:
        return occurring[0]
    shown = "=".join(splits[0])
    if len(occurring) > 1:
        raise DataError("map.two_ways", column=column, pair=shown)
    if must_occur:
        values = sorted(value for value in present if value is not None)
        hint = did_you_mean(splits[0][0], values)
        raise DataError("map.no_value", column=column, pair=shown, known=", ".join(values[:12]), hint=hint)
    return None


def _renamed(raw: Raw, column: str, renamed: Mapping[str, str]) -> Raw:
    if column not in raw.names:
        return raw
    distinct = raw.distinct(column)
    changed = {value: renamed[value] for value in distinct.values if value in renamed and renamed[value] != value}
    if not changed:
        return raw
    shown = ", ".join(f"{old} > {new}" for old, new in sorted(changed.items()))
    note = finding("mapped", "note", column, source=raw.source, pairs=shown)  # no counts: it may be the test target
    values = np.empty(len(distinct.values), dtype=object)
    values[:] = [value if value is None else changed.get(value, value) for value in distinct.values]
    return raw.with_cells({column: values[distinct.codes]}, (note,))


def _splits(pair: str) -> Splits:
    parts = _cut(pair, "=")
    if len(parts) < 2:
        raise RecipeError("map.no_pair", found=pair.strip())
    ways = [(_plain("=".join(parts[:i])).strip(), _plain("=".join(parts[i:])).strip()) for i in range(1, len(parts))]
    return tuple(way for way in ways if way[0]) or (ways[0],)


def _cut(line: str, mark: str) -> list[str]:
    """The parts between marks that have no backslash before them."""
    return re.split(rf"(?<!\\){re.escape(mark)}", line)


def _plain(text: str) -> str:
    return re.sub(r"\\([,;:=\\])", r"\1", text)


def _escaped(text: str) -> str:
    return re.sub(r"([,;:\\])", r"\\\1", text)
