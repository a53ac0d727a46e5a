"""Row hashes: equal for the same row in any file format, column order and naming.

A row's hash is BLAKE2b-8 over its sorted canonical cells (see `cells.canonical`). Where sorting would make one row of
rows that differ (tables of many 0/1 columns), the cells stay in the order of the columns instead.
"""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from deepwright.core.schema import Columns
from deepwright.data.cells import canonical
from deepwright.data.distinct import Distinct
from deepwright.data.numbers import OTHER, Numbers, canonical_texts
from deepwright.data.raw import Column, Raw

CONFUSED_SHARE = 0.01
"""Share of distinct rows that sorting may confuse before the order of the columns counts."""


def row_hashes(raw: Raw, *, in_order: bool = False) -> np.ndarray:
    """uint64 [N]. in_order: keep the cells in the order of the columns."""
    columns = [_canonical_column(raw, name) for name in raw.names]
    arrange = tuple if in_order else sorted
    hashes = [
        blake2b("\x1f".join(arrange(row)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for row in zip(*columns, strict=True)
    ]
    return np.frombuffer(b"".join(hashes), dtype="<u8").astype(np.uint64)


def order_matters(raw: Raw, hashes: np.ndarray) -> bool:
    """Whether hashes over sorted cells confuse more rows of this table than they may."""
    exact = len(np.unique(mixed_codes([_codes(raw.column(name)) for name in raw.names])))
    return bool(exact - len(np.unique(hashes)) > CONFUSED_SHARE * exact)


def input_keys(parts: Sequence[Columns]) -> list[np.ndarray]:
    """uint64 [N] per part: equal where rows are equal in every column, also across the parts."""
    names = list(parts[0])
    sizes = np.cumsum([len(part[names[0]]) for part in parts])[:-1]
    codes = [column_codes(np.concatenate([part[name] for part in parts])) for name in names]
    return np.split(mixed_codes(codes), sizes)


def column_codes(column: np.ndarray) -> np.ndarray:
    """int64 [N]: equal where values are equal; missing ones are equal to each other."""
    if column.dtype != object:
        return np.unique(column, return_inverse=True)[1].astype(np.int64)
    number = {value: index for index, value in enumerate(dict.fromkeys(column))}
    return np.fromiter(map(number.__getitem__, column), np.int64, len(column))


def mixed_codes(codes: Sequence[np.ndarray]) -> np.ndarray:
    """uint64 [N]: one number per row of codes; rows that differ share one with a chance of 2**-64 a pair."""
    mixed = np.zeros(len(codes[0]), np.uint64)
    for place, column in enumerate(codes):
        salt = np.uint64(place * 0x9E3779B97F4A7C15 % 2**64)
        mixed = splitmix(mixed ^ splitmix(column.astype(np.uint64) + salt))
    return mixed


def splitmix(x: np.ndarray) -> np.ndarray:
    """uint64 [N] > uint64 [N], one to one and well mixed (Steele, Lea & Flood 2014, SplitMix64)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _codes(column: Column) -> np.ndarray:
    """uint64 [N]: equal where cells are equal."""
    if isinstance(column, Distinct):
        return column.codes.astype(np.uint64)
    bits = np.array(column.values).view(np.uint64) ^ column.decimals.astype(np.uint64)
    bits[column.decimals == OTHER] = column.others.codes
    return bits


def _canonical_column(raw: Raw, name: str) -> list[str]:
    if name in raw.digests:
        return raw.digests[name].tolist()
    column = raw.column(name)
    if isinstance(column, Numbers):
        texts = np.array(canonical_texts(column), dtype=object)
        texts[column.decimals == OTHER] = _texts_of(column.others)
        return list(texts)
    return _texts_of(column)


def _texts_of(distinct: Distinct) -> list[str]:
    texts = [
        "" if value is None else canonical(value, kind)
        for value, kind in zip(distinct.values, distinct.kinds, strict=True)
    ]
    return [texts[code] for code in distinct.codes.tolist()]
