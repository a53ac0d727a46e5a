"""One cell: what it looks like, its canonical text, its time."""

import datetime as dt
import decimal
import math
import re
from typing import Any

NUMBER = re.compile(r"[+-]?(?:(\d+)(\.\d*)?|(\.\d+))([eE][+-]?\d+)?", re.ASCII)
PLAIN = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?", re.ASCII)
"""What nearly all numbers look like; told apart by their point alone."""
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
ISO_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)
SLASH_DAY = re.compile(r"\d{1,2}([/.-])\d{1,2}\1\d{4}", re.ASCII)
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
DECIMAL_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+", re.ASCII)

NOT_FINITE = frozenset({"nan", "inf", "-inf", "+inf", "infinity", "-infinity", "+infinity"})
MAYBE_MISSING = frozenset(
    {"-", "--", ".", "na", "n/a", "n.a", "n.a.", "#n/a", "<na>", "nat", "null", "none", "nil"}
    | {"missing", "unknown", "unavailable"}
)
"""Texts that often mean missing; among numbers or times they are asked about, among categories they are levels."""

EXACT = 2**53
"""Whole numbers up to here are exact in float64."""

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def kind_of(cell: str) -> str:
    """What a cell looks like.

    whole, decimal: numbers. zeros: a whole number with leading zeros. big: beyond 2**53. overflow: beyond float64.
    day, time: ISO 8601. no_day: the form of a date that does not exist. slash_day: 1/2/2024. thousands: 1,234.
    decimal_comma: 1,5. not_finite: nan, inf. maybe_missing: NA, -, null. question: ?. other: any other text.

    >>> [kind_of(cell) for cell in ("39", "-1.5e3", "00501", "9007199254740993", "1e400", "2024-02-30", "1,234", "abc")]
    ['whole', 'decimal', 'zeros', 'big', 'overflow', 'no_day', 'thousands', 'other']
    """
    match = NUMBER.fullmatch(cell)
    if match is not None:
        digits, fraction, _, exponent = match.groups()
        if digits is not None and fraction is None and exponent is None:
            if len(digits) == 1:
                return "whole"
            if digits[0] == "0":
                return "zeros"
            return "whole" if len(digits) < 16 or (len(digits) == 16 and int(digits) <= EXACT) else "big"
        return "decimal" if abs(float(cell)) <= 1.7976931348623157e308 else "overflow"
    return _kind_of_text(cell)


def _kind_of_text(cell: str) -> str:
    if cell == "?":
        return "question"
    first = cell[0]
    if first in "+-.0123456789":
        if ISO_DAY.fullmatch(cell) or ISO_TIME.fullmatch(cell):
            return "no_day" if seconds_of(cell) is None else ("day" if len(cell) == 10 else "time")
        if THOUSANDS.fullmatch(cell):
            return "thousands"
        if DECIMAL_COMMA.fullmatch(cell):
            return "decimal_comma"
        if SLASH_DAY.fullmatch(cell):
            return "slash_day"
    lower = cell.lower()
    if lower in NOT_FINITE:
        return "not_finite"
    return "maybe_missing" if lower in MAYBE_MISSING else "other"


def seconds_of(cell: str) -> float | None:
    """An ISO date or time as seconds since 1970 in UTC, None where there is no such day; a time without zone is UTC.

    >>> seconds_of("1970-01-02"), seconds_of("1970-01-01T01:00:00+01:00"), seconds_of("2024-02-30")
    (86400.0, 0.0, None)
    """
    try:
        moment = dt.datetime.fromisoformat(cell)
        moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return (moment - EPOCH).total_seconds()


def canonical(cell: str, kind: str) -> str:
    """The one text of a value, whatever format it came in.

    >>> [canonical(cell, kind_of(cell)) for cell in ("39.0", "+39", "1e-1", "00501", "TRUE", "2024-01-02 00:00:00")]
    ['39', '39', '0.1', '00501', 'true', '2024-01-02']
    """
    if kind in ("whole", "big"):
        text = cell.removeprefix("+")
        return "0" if text == "-0" else text
    if kind == "decimal":
        return number_text(float(cell))
    if kind in ("day", "time"):
        return _moment_text(cell)
    lower = cell.lower()
    return lower if lower in ("true", "false") else cell


def number_text(value: float) -> str:
    """The shortest text of a finite number: whole values without a point."""
    text = repr(value).removesuffix(".0")
    return "0" if text == "-0" else text


def value_text(value: Any) -> str | None:
    """A Python or NumPy value as a cell: numbers in the shortest text of their own precision, None for missing and NaN.

    Raises TypeError for what is no single value.

    >>> import numpy as np
    >>> [value_text(value) for value in (39.0, np.float32(0.1), True, None, float("nan"), dt.date(2024, 1, 2))]
    ['39', '0.1', 'true', None, None, '2024-01-02']
    """
    if value is None or isinstance(value, str):
        return value
    name = type(value).__name__
    if name in ("NAType", "NaTType"):
        return None
    if isinstance(value, bool) or name in ("bool", "bool_"):
        return "true" if value else "false"
    if isinstance(value, int) or name.startswith(("int", "uint")):
        return str(int(value))
    if isinstance(value, float) or name.startswith("float"):
        if math.isnan(value):
            return None
        return str(value) if math.isinf(value) else number_text(float(str(value)))
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    raise TypeError(name)


def level_text(cell: str) -> str:
    """A cell as a category's level: `True` as `true`, a whole number written with `.0` without it, the rest as it is.

    >>> [level_text(cell) for cell in ("1.0", "3.10", "TRUE", "00501", "blue")]
    ['1', '3.10', 'true', '00501', 'blue']
    """
    whole, point, zeros = cell.partition(".")
    if point and not zeros.strip("0") and zeros and NUMBER.fullmatch(whole) and kind_of(whole) == "whole":
        return canonical(whole, "whole")
    lower = cell.lower()
    return lower if lower in ("true", "false") else cell


def _moment_text(cell: str) -> str:
    moment = dt.datetime.fromisoformat(cell)
    if moment.tzinfo is not None:
        moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    return moment.date().isoformat() if moment.time() == dt.time(0) else moment.isoformat()
