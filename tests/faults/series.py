"""The cases of time series, S: what is wrong with moments, windows and targets."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from tests.faults.case import Case

START = dt.datetime(2024, 1, 1)
ROWS = 400


@dataclass(frozen=True, kw_only=True)
class SeriesCase(Case):
    """content: the file. flags: what is given from the start. answers: flags, each of which settles an ASK.

    finding: a rule that must be told. kept: rows that are left, after the first answer if there are any. first: the
    first cells of column x. stops: whether it is a run that stops at it, after its rows were read.
    """

    content: Callable[[], str]
    flags: tuple[str, ...] = ("--source.time", "t")
    answers: tuple[tuple[str, ...], ...] = ()
    finding: str | None = None
    kept: int | None = None
    first: tuple[float, ...] = ()
    stops: bool = False
    test: Callable[[], str] | None = None


def moment(hour: float) -> str:
    return (START + dt.timedelta(hours=hour)).isoformat(" ")


def rows(count: int = ROWS) -> list[str]:
    """An hour, a number that counts and a target that has nothing to do with it."""
    return [f"{moment(i)},{i}.5,{(i * 7919) % 101}" for i in range(count)]


def table(lines: list[str], header: str = "t,x,y") -> str:
    return "\n".join([header, *lines, ""])


def repeated() -> str:
    lines = rows()
    return table([*lines[:5], f"{moment(4)},6.5,7", *lines[5:]])


def backwards() -> str:
    lines = rows()
    return table([lines[1], lines[0], *lines[2:]])


def with_gap() -> str:
    lines = rows()
    return table([*lines[:50], *lines[53:]])


def irregular() -> str:
    lines = rows()
    return table([*lines[:50], f"{moment(49.3)},1.5,7", *lines[50:]])


def zones(zoned: str) -> str:
    lines = rows()
    lines[9] = lines[9].replace(moment(9), moment(9) + zoned)
    return table(lines)


def clocks(first: dt.datetime, *, is_real: bool) -> str:
    """Hours as clocks in Berlin show them; else as one counts them who knows of no summer time."""
    zone = ZoneInfo("Europe/Berlin")
    begin = first.replace(tzinfo=zone).astimezone(dt.UTC)
    hours = [
        (begin + dt.timedelta(hours=i)).astimezone(zone).replace(tzinfo=None)
        if is_real
        else first + dt.timedelta(hours=i)
        for i in range(ROWS)
    ]
    return table([f"{hour.isoformat(' ')},{i}.5,{(i * 7919) % 101}" for i, hour in enumerate(hours)])


def given_away() -> str:
    return table([f"{moment(i)},{(i * 7919) % 101},{(i * 7919) % 101}" for i in range(ROWS)])


def ends_differ() -> str:
    """The last row has no target any more."""
    lines = rows(2 * ROWS)
    return table([*lines[:-1], lines[-1].rsplit(",", 1)[0]])


def epoch() -> str:
    return table([f"{1_704_067_200 + 3600 * i},{i}.5,{(i * 7919) % 101}" for i in range(ROWS)])


def case(row: str, what: str, outcome: Any, content: Callable[[], str], *says: str, **options: Any) -> SeriesCase:
    return SeriesCase(row=row, what=what, outcome=outcome, content=content, says=says, **options)


SERIES = [
    case(
        "S1", "a moment that stands twice", "ASK", repeated, "t.csv: 1 rows repeat a moment of 't'",
        "2024-01-01T04:00:00 (rows 5 and 6)", "--source.duplicates first",
        answers=(("--source.duplicates", "first"), ("--source.duplicates", "last"), ("--source.duplicates", "mean")),
        finding="series_merged", kept=ROWS, first=(0.5, 1.5, 2.5, 3.5, 4.5),
    ),
    case(
        "S2", "rows that are not in order", "REPAIR", backwards, "1 rows came before an earlier one",
        finding="series_sorted", kept=ROWS, first=(0.5, 1.5, 2.5),
    ),
    case(
        "S2", "a split that shuffles moments", "REFUSE", lambda: table(rows()), "--split random shuffles moments",
        "--split time", flags=("--source.time", "t", "--split", "random"), exit=2, stops=True,
    ),
    case(
        "S3", "missing moments", "ASK", with_gap, "the step of 't' is 1h, and it is broken 1 times",
        "3 moments are missing, at most 3 in a row", "2024-01-03T01:00:00", "--source.gaps keep",
        "--source.resample 1h", answers=(("--source.gaps", "keep"), ("--source.resample", "1h")),
        finding="series_gaps", kept=ROWS - 3, first=(0.5,),
    ),
    case(
        "S3", "distances that fit no step", "ASK", irregular, "2 distances fit no step", "--source.gaps keep",
        "--source.resample 1h", answers=(("--source.gaps", "keep"), ("--source.resample", "1h")),
        finding="series_gaps", kept=ROWS + 1, first=(0.5,),
    ),
    case(
        "S4", "times with and without a zone", "ASK", lambda: zones("+00:00"),
        "without a zone ('2024-01-01 00:00:00') beside times with one ('2024-01-01 09:00:00+00:00')",
        "--source.zone UTC", answers=(("--source.zone", "UTC"),), kept=ROWS, first=(0.5, 1.5),
    ),
    case(
        "S4", "an hour that clocks skip", "QUAR", lambda: clocks(dt.datetime(2024, 3, 20), is_real=False),
        "t: 2024-03-31 02:00:00 is an hour that clocks in Europe/Berlin skip",
        flags=("--source.time", "t", "--source.zone", "Europe/Berlin"), kept=ROWS - 1, first=(0.5, 1.5),
    ),
    case(
        "S4", "an hour that clocks show twice", "ACCEPT", lambda: clocks(dt.datetime(2024, 10, 20), is_real=True),
        flags=("--source.time", "t", "--source.zone", "Europe/Berlin"), kept=ROWS, first=(0.5, 1.5),
    ),
    case(
        "S4", "seconds since 1970, or a count", "ASK", epoch, "column 't' holds 1704067200", "(2024-01-01)",
        "--source.unit s", "--source.unit count", answers=(("--source.unit", "s"), ("--source.unit", "count")),
        kept=ROWS, first=(0.5, 1.5),
    ),
    case(
        "S5", "a window longer than the series", "REFUSE", lambda: table(rows(40)), "has 40 moments",
        "a window takes 96", "--source.window 40", flags=("--source.time", "t", "--source.window", "96"),
    ),
    case(
        "S6", "the target among the inputs at the same moment", "REFUSE", given_away,
        "x: has the value of y at the same moment, in every row", "--ignore 'x'", exit=4, stops=True,
    ),
    case(
        "S6", "the last column ends before the others", "QUAR", ends_differ, "2 fields where the header has 3",
        kept=2 * ROWS - 1,
    ),
]  # fmt: skip
