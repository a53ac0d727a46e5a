"""The .ts format of the UCR and UEA archives: a header of tags, then a case a line, `1.0,2.0,?:3.0,4.0,5.0:label`.

Dimensions are separated by colons, values by commas, `?` and NaN are missing; with time stamps a value is
`(time,value)`.
"""

import math
import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from deepwright.core.errors import DataError
from deepwright.core.series import numbers
from deepwright.core.text import text
from deepwright.data.cells import seconds_of

STAMPED = re.compile(r"\(([^(),]*),([^()]*)\)")
BETWEEN = re.compile(r":(?=\(|[^()]*$)")
"""Colons between dimensions; those of a time stamp stand in brackets."""


@dataclass(frozen=True)
class Header:
    """labels: the classes that may occur; empty where the file names none. has_label: the last field is the label."""

    has_times: bool = False
    dimensions: int | None = None
    length: int | None = None
    labels: tuple[str, ...] = ()
    has_label: bool = False
    is_classes: bool = False


@dataclass(frozen=True, eq=False)
class TsFile:
    """lines: one per case, not read yet. first: the number of the first in the file, from 1."""

    name: str
    header: Header
    lines: tuple[str, ...]
    first: int


@dataclass(frozen=True, eq=False)
class Case:
    """values: float64 [T, D], NaN where missing."""

    values: np.ndarray
    label: str | None = None
    fault: str | None = field(default=None)
    """Why it cannot be read, if it cannot."""


def parse_ts(data: bytes, name: str) -> TsFile:
    """The header and the cases' lines. Raises DataError where the header is broken or there are no cases."""
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError("ts.encoding", path=name, at=error.start) from None
    tags: dict[str, list[str]] = {}
    for place, line in enumerate(lines):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if not words[0].startswith("@"):
            raise DataError("ts.no_data", path=name, line=place + 1, found=line[:60])
        tag = words[0][1:].lower()
        if tag in tags:
            raise DataError("ts.twice", path=name, line=place + 1, tag=words[0])
        tags[tag] = words[1:]
        if tag == "data":
            cases = [line for line in lines[place + 1 :] if line.strip() and not line.startswith("#")]
            if not cases:
                raise DataError("table.no_rows", path=name)
            return TsFile(name, _header(tags, name), tuple(cases), place + 2)
    raise DataError("ts.no_data", path=name, line=len(lines), found=lines[-1][:60] if lines else "")


def case_of(file: TsFile, number: int) -> Case:
    """One case, from 0; with its `fault` where it is not as the header says."""
    header = file.header
    line = file.lines[number].strip()
    fields = BETWEEN.split(line) if header.has_times else line.split(":")
    label = None
    if header.has_label:
        if len(fields) < 2:
            return _bad(text("aside.ts_label_missing"))
        label = fields.pop().strip()
        if header.labels and label not in header.labels:
            return _bad(text("aside.ts_label", found=label[:40], allowed=", ".join(header.labels[:12])))
    if header.dimensions is not None and len(fields) != header.dimensions:
        return _bad(text("aside.ts_dimensions", found=len(fields), due=header.dimensions))
    columns: list[list[float]] = []
    for one in fields:
        values = _stamped(one) if header.has_times else _values(one.split(","))
        if isinstance(values, str):
            return _bad(values)
        columns.append(values)
    sizes = {len(column) for column in columns}
    if len(sizes) > 1:
        return _bad(text("aside.ts_unequal", sizes=", ".join(map(str, sorted(sizes)))))
    if header.length is not None and sizes != {header.length}:
        return _bad(text("aside.ts_length", found=sizes.pop(), due=header.length))
    array = np.array(columns, dtype=np.float64).T
    if np.isnan(array).all():
        return _bad(text("aside.ts_empty"))
    return Case(np.ascontiguousarray(array), label)


def _header(tags: dict[str, list[str]], name: str) -> Header:
    def truth(tag: str) -> bool:
        words = tags.get(tag, ["false"])
        if not words or words[0].lower() not in ("true", "false"):
            raise DataError("ts.tag", path=name, tag=f"@{tag}", found=" ".join(words)[:60], due="true | false")
        return words[0].lower() == "true"

    def count(*names: str) -> int | None:
        words = next((tags[tag] for tag in names if tag in tags), None)
        if words is None:
            return None
        if not words or not words[0].isdecimal() or int(words[0]) < 1:
            raise DataError("ts.tag", path=name, tag=f"@{names[0]}", found=" ".join(words)[:60], due="1, 2, 3 ...")
        return int(words[0])

    is_classes, is_values = truth("classlabel"), truth("targetlabel")
    dimensions = count("dimensions", "dimension") or (1 if truth("univariate") else None)
    length = count("serieslength") if truth("equallength") else None
    labels = tuple(tags["classlabel"][1:]) if is_classes else ()
    return Header(truth("timestamps"), dimensions, length, labels, is_classes or is_values, is_classes)


def _values(words: list[str]) -> list[float] | str:
    """Numbers, NaN where missing; or the reason why a word is none."""
    try:
        return numbers(words)
    except ValueError as error:
        return text("aside.ts_value", found=error)


def _stamped(words: str) -> list[float] | str:
    """The values of `(time,value)` pairs, whose times must rise; or the reason why they cannot be read."""
    pairs = STAMPED.findall(words)
    if not pairs or STAMPED.sub("", words).strip(", "):
        return text("aside.ts_value", found=words[:40])
    times = [_time(when.strip()) for when, _ in pairs]
    if any(math.isnan(when) for when in times):
        return text("aside.ts_time", found=pairs[[math.isnan(when) for when in times].index(True)][0][:40])
    if any(later <= when for when, later in pairwise(times)):
        return text("aside.ts_order")
    return _values([value for _, value in pairs])


def _time(words: str) -> float:
    try:
        return float(words)
    except ValueError:
        found = seconds_of(words)
        return math.nan if found is None else found


def _bad(reason: str) -> Case:
    return Case(np.zeros((0, 0)), None, reason)


def is_ts(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith(".ts")
