"""Forms in which times are written, brought to ISO 8601; what names no time stays as it is."""

import re
from typing import Literal

from deepwright.data.cells import seconds_of

Dates = Literal["day_first", "month_first"]

_CLOCK = r"(?:[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?\s*([AaPp][Mm])?\s*(Z|[+-]\d{2}:?\d{2})?)?"
YEAR_FIRST = re.compile(rf"(\d{{4}})([/.-])(\d{{1,2}})\2(\d{{1,2}}){_CLOCK}", re.ASCII)
YEAR_LAST = re.compile(rf"(\d{{1,2}})([/.-])(\d{{1,2}})\2(\d{{4}}){_CLOCK}", re.ASCII)
MONTH = re.compile(r"(\d{4})[-/](\d{1,2})", re.ASCII)
DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})?(\d{2})?)?", re.ASCII)
ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?", re.ASCII)


def as_iso(cell: str, dates: Dates | None) -> str:
    """The same time as ISO 8601; a month is its first day. dates: what comes first in 01/02/2024; None: it stays so.

    >>> [as_iso(cell, "day_first") for cell in ("2016/7/1 0:00", "1/2/2024 3:05 PM", "1949-01", "soon")]
    ['2016-07-01 00:00', '2024-02-01 15:05', '1949-01-01', 'soon']
    """
    if ISO.fullmatch(cell):
        return cell
    if found := YEAR_FIRST.fullmatch(cell):
        return _joined(found[1], found[3], found[4], found.groups()[4:], cell)
    if found := YEAR_LAST.fullmatch(cell):
        if dates is None:
            return cell
        day, month = (found[1], found[3]) if dates == "day_first" else (found[3], found[1])
        return _joined(found[4], month, day, found.groups()[4:], cell)
    if found := MONTH.fullmatch(cell):
        return _known(f"{found[1]}-{int(found[2]):02d}-01", cell)
    return cell


def of_digits(cell: str) -> str:
    """20240131, 2024013113 or 20240131130500 as ISO 8601; anything else stays as it is.

    >>> of_digits("20240131"), of_digits("2024013113"), of_digits("20240231")
    ('2024-01-31', '2024-01-31 13:00', '20240231')
    """
    found = DIGITS.fullmatch(cell)
    if found is None:
        return cell
    day = f"{found[1]}-{found[2]}-{found[3]}"
    clock = f" {found[4]}:{found[5] or '00'}" + (f":{found[6]}" if found[6] else "") if found[4] else ""
    return _known(day + clock, cell)


def is_ambiguous(cell: str) -> bool:
    """Whether day and month may change places in it."""
    return YEAR_LAST.fullmatch(cell) is not None


def _joined(year: str, month: str, day: str, clock: tuple[str | None, ...], cell: str) -> str:
    hour, minute, second, fraction, half, zone = clock
    text = f"{year}-{int(month):02d}-{int(day):02d}"
    if hour is None:
        return text
    number = int(hour)
    if half is not None:
        if not 1 <= number <= 12:
            return cell
        number = number % 12 + (12 if half.lower() == "pm" else 0)
    return f"{text} {number:02d}:{minute}" + (f":{second}{fraction or ''}" if second else "") + (zone or "")


def _known(iso: str, cell: str) -> str:
    return cell if seconds_of(iso) is None else iso
