"""Collect: from a file or an object to typed rows; in = kept + set aside."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from deepwright.core.dataset import Dataset, PartTag
from deepwright.core.errors import AskError, DataError, did_you_mean
from deepwright.core.families import Source
from deepwright.core.recipe import Recipe
from deepwright.core.report import Finding, SetAside, finding
from deepwright.core.schema import Schema
from deepwright.core.seal import TEST, VALIDATION
from deepwright.core.text import text
from deepwright.data.derived import derived_findings
from deepwright.data.frame import read_object
from deepwright.data.given import with_validation
from deepwright.data.large import Large, large_table, read_through
from deepwright.data.leakage import duplicates
from deepwright.data.merged import merge_findings
from deepwright.data.quoted import quoted_findings
from deepwright.data.raw import Asides, Raw
from deepwright.data.read import read, read_chunks
from deepwright.data.relabel import propose_map, relabel
from deepwright.data.roles import declared_roles
from deepwright.data.rows import order_matters, row_hashes
from deepwright.data.table import Table
from deepwright.data.types import Decoded, decode, infer

__all__ = ["Collected", "Raw", "collect", "read", "read_chunks", "read_object"]


@dataclass(frozen=True)
class Collected:
    """whole: the rows kept, part `whole`. test: those of the user's own test file, part `test`.

    rows_in and set_aside count both files: rows_in = kept rows + set-aside counts, always. large: where the table does
    not fit into memory, all of its rows in parts; `whole` is a sample of them then.
    """

    whole: Dataset
    test: Dataset | None
    rows_in: int
    set_aside: tuple[SetAside, ...]
    findings: tuple[Finding, ...]
    source: str
    source_sha256: str
    schema: Schema
    large: Large | None = None

    @property
    def num_kept(self) -> int:
        """Rows that are kept of the table that is split, those beyond a sample too."""
        return len(self.whole) if self.large is None else self.large.kept


def collect(recipe: Recipe, data: object | None = None, test: object | None = None) -> Collected:
    """Read > name values alike > infer types > decode.

    data, test: rows handed over in Python instead of the source's files. Types and schema come from `data` alone; the
    test rows are read by that schema, and of their target only the set of levels is looked at.
    Raises DataError for rows that cannot be used (naming the first ones), AskError for what only the user can decide.
    """
    target = recipe.target or recipe.source.default_target
    table = large_table(recipe.source) if data is None and test is None else None
    if table is not None:
        return _read_through(recipe, table, target)
    raws = _raws(recipe.source, target, data, test)
    if recipe.target is None and target not in raws[0].names:
        target = None  # the source's usual one is not among these columns
    hashes = _hashes(raws)
    named = relabel(raws, must_occur=True)
    inferred = infer(
        named[0],
        target=target,
        problem=recipe.problem,
        labels=recipe.labels,
        ignore=recipe.ignore,
        known_afterwards=recipe.known_afterwards,
        roles=declared_roles(recipe, raws[0].roles),
    )
    schema = inferred.schema
    decoded = [decode(raw, schema, class_numbers=inferred.class_numbers) for raw in named]
    set_aside = _set_aside(raws, decoded)
    rows_in = sum(raw.rows_in for raw in raws)
    kept = sum(int(part.kept.sum()) for part in decoded)
    counted = kept + sum(entry.count for entry in set_aside)
    assert rows_in == counted, f"{rows_in} rows came in, and {counted} are kept or set aside"
    _refuse_loss(raws, decoded, recipe.max_set_aside)
    whole = _dataset(named[0], decoded[0], hashes[0], schema, "whole")
    own_test = _dataset(named[1], decoded[1], hashes[1], schema, "test") if len(named) > 1 else None
    if own_test is not None:
        _refuse_new_labels(whole, own_test, raws[0].options.map)
    findings = (
        *(note for raw in named for note in raw.findings),
        *inferred.findings,
        *_loss_finding(named[0].source, rows_in - kept, rows_in),
        *duplicates(whole),
        *merge_findings(whole),
        *quoted_findings(whole),
        *derived_findings(whole),
    )
    sha256 = raws[0].sha256
    if len(raws) > 1:
        sha256 = hashlib.sha256("".join(raw.sha256 for raw in raws).encode()).hexdigest()
    return Collected(whole, own_test, rows_in, set_aside, findings, named[0].source, sha256, schema)


def _read_through(recipe: Recipe, table: Table, target: str | None) -> Collected:
    """A table larger than memory: types from every cell, and a sample of the rows."""
    found = read_through(
        table,
        target=target,
        problem=recipe.problem,
        labels=recipe.labels,
        ignore=recipe.ignore,
        known_afterwards=recipe.known_afterwards,
        roles=declared_roles(recipe, {}),
    )
    raw, decoded = found.raw, Decoded({}, np.zeros(0, bool), found.set_aside)
    set_aside = _set_aside([raw], [decoded])
    lost = found.rows_in - found.large.kept
    assert lost == sum(entry.count for entry in set_aside), f"{lost} rows are gone, and not all have a reason"
    _refuse_loss([raw], [decoded], recipe.max_set_aside)
    findings = (
        *raw.findings,
        *found.findings,
        *_loss_finding(raw.source, lost, found.rows_in),
        *quoted_findings(found.sample),
        *derived_findings(found.sample),
    )
    return Collected(
        found.sample, None, found.rows_in, set_aside, findings, raw.source, raw.sha256, found.sample.schema, found.large
    )


def _raws(source: Source, target: str | None, data: object | None, test: object | None) -> list[Raw]:
    """The rows that are split, and those of the user's own test part where there is one."""
    options = source if isinstance(source, Table) else Table()
    if data is None:
        whole = _some(source.read(target))
    else:
        whole = source.arrange(_some(read_object(data, options, target=target or "target")))
        if options.validation is not None:
            whole = with_validation(whole, _some(_own(options, options.validation).read(target)))
    if test is not None:
        own = source.arrange(_some(read_object(test, options, target=target or "target")))
        return [whole, _like(own, whole)]
    if options.test is not None:
        return [whole, _like(_some(_own(options, options.test).read(target)), whole)]
    if whole.part is None or not (whole.part == TEST).any():
        return [whole]
    if (whole.part == TEST).all():
        raise DataError("collect.only_test", source=whole.source)
    is_test = whole.part == TEST
    return [replace(whole.take(~is_test), set_aside=whole.set_aside, notes=whole.findings), whole.take(is_test)]


def _own(options: Table, path: str) -> Table:
    """The options by which a file of another part is read."""
    return options.replace(path=path, validation=None, test=None)


def _some(raw: Raw) -> Raw:
    """Raises DataError when there are no rows."""
    if not raw.rows_in:
        raise DataError("table.no_rows", path=raw.source)
    return raw


def _like(test: Raw, whole: Raw) -> Raw:
    """The test rows with their columns in the order of the training file. Raises DataError when the columns differ."""
    absent = [name for name in whole.names if name not in test.names]
    if absent:
        hint = did_you_mean(absent[0], test.names)
        known = ", ".join(test.names)
        raise DataError("types.column_absent", source=test.source, column=absent[0], known=known, hint=hint)
    extra = [name for name in test.names if name not in whole.names]
    if extra:
        raise DataError("collect.test_columns", source=test.source, columns=", ".join(extra[:10]), whole=whole.source)
    for name, form in whole.forms.items():
        other = test.forms.get(name)
        if form and other and form != other:
            raise DataError(
                "collect.other_type", source=test.source, column=name, found=other, whole=whole.source, due=form
            )
    return replace(test, names=whole.names, cells={name: test.cells[name] for name in whole.names}, part=None)


def _hashes(raws: list[Raw]) -> list[np.ndarray]:
    hashes = [row_hashes(raw) for raw in raws]
    if order_matters(raws[0], hashes[0]):
        return [row_hashes(raw, in_order=True) for raw in raws]
    return hashes


def _dataset(raw: Raw, decoded: Decoded, hashes: np.ndarray, schema: Schema, part: PartTag) -> Dataset:
    kept = decoded.kept
    part_of = None if raw.part is None else raw.part[kept]
    given = None if part_of is None or not (part_of == VALIDATION).any() else part_of
    return Dataset(
        decoded.columns,
        schema,
        part,
        raw.origin[kept],
        hashes[kept],
        raw.source,
        files=tuple(file.name for file in raw.files),
        file_of=None if raw.file_of is None else raw.file_of[kept],
        given=given,
    )


def _set_aside(raws: list[Raw], decoded: list[Decoded]) -> tuple[SetAside, ...]:
    """What was set aside of every file; where there are two, the reasons name theirs."""
    asides = Asides()
    for place, (raw, part) in enumerate(zip(raws, decoded, strict=True)):
        for entry in (*raw.set_aside, *part.set_aside):
            reason = text("aside.in_test", reason=entry.reason) if place else entry.reason
            asides.add(reason, entry.rows, entry.count)
    return asides.records()


def _loss_finding(source: str, count: int, rows_in: int) -> tuple[Finding, ...]:
    return (finding("set_aside", "warning", source, count=count, rows_in=rows_in),) if count else ()


def _refuse_loss(raws: list[Raw], decoded: list[Decoded], limit: float) -> None:
    for raw, part in zip(raws, decoded, strict=True):
        entries = (*raw.set_aside, *part.set_aside)
        count = sum(entry.count for entry in entries)
        share = count / raw.rows_in
        if share > limit or count == raw.rows_in:
            worst = sorted(entries, key=lambda entry: -entry.count)[:4]
            reasons = "; ".join(f"{e.reason} ({_shown_rows(e)})" for e in worst)
            raise DataError(
                "collect.too_many_set_aside",
                source=raw.source,
                count=count,
                rows=raw.rows_in,
                share=f"{share:.2%}",
                limit=f"{limit:.2%}",
                reasons=reasons,
                option=min(1.0, np.ceil(share * 1000 + 1e-9) / 1000),
            )


def _shown_rows(entry: SetAside) -> str:
    first = ", ".join(map(str, entry.rows[:5]))
    return text("collect.rows", count=entry.count, rows=first + (" ..." if entry.count > 5 else ""))


def _refuse_new_labels(whole: Dataset, test: Dataset, current: str | None) -> None:
    """Only the set of the test labels is looked at: one that training never saw could only be answered wrongly."""
    if whole.schema.problem == "regression":
        return
    known, found = set(whole.target), set(test.target)
    if whole.schema.problem == "multi-label":
        known, found = (
            {label for cell in cells for label in whole.schema.target.labels_of(cell)} for cells in (known, found)
        )
    unknown = found - known
    if unknown:
        raise AskError(
            "collect.new_labels",
            source=test.source,
            column=whole.schema.target.name,
            unknown=", ".join(sorted(unknown)[:12]),
            known=", ".join(sorted(known)[:12]),
            line=propose_map(whole.schema.target.name, unknown, known, current).replace("'", "'\\''"),  # for a shell
        )
