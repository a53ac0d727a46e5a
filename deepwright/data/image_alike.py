"""Images that look alike: a 64-bit difference hash finds pairs, and their small grey pictures confirm them.

A difference hash (dHash, Krawetz 2013) has one bit for each pair of neighbouring points: whether it gets lighter to
the right. It stays nearly the same when an image is packed again, resized or made lighter. Mirrored images are
compared too.
"""

import numpy as np

from deepwright.core.image import LOOK_HEIGHT, LOOK_WIDTH

MAX_DISTANCE = 10
"""Bits that may differ. Hashes that differ in 7 share one of eight bytes for certain, in 10 nearly always."""
CORRELATION = 0.97
"""Both measured on 150 photographs (docs/log.md): of copies cut by 2 % at each side 97 % are found, of others none."""
FLAT_SD = 4.0
"""In grey levels; a picture below it is one colour, and its differences are chance."""
BUDGET = 150_000_000
"""Pairs looked at, at most; large groups of one byte are left out beyond it."""


def looks_of(looks: list[bytes]) -> np.ndarray:
    """uint8 [N, 8, 9] of the small pictures."""
    return np.frombuffer(b"".join(looks), np.uint8).reshape(-1, LOOK_HEIGHT, LOOK_WIDTH)


def difference_hash(looks: np.ndarray) -> np.ndarray:
    """uint64 [N] of uint8 [N, 8, 9].

    >>> left = np.tile(np.arange(9, dtype=np.uint8), (1, 8, 1))
    >>> [hex(int(h[0])) for h in (difference_hash(left), difference_hash(left[:, :, ::-1]))]
    ['0xffffffffffffffff', '0x0']
    """
    bits = (looks[:, :, 1:] > looks[:, :, :-1]).reshape(len(looks), -1)
    return np.packbits(bits, axis=1).view(">u8").reshape(-1).astype(np.uint64)


def near_pairs(looks: np.ndarray) -> np.ndarray:
    """int64 [P, 2] of images (first < second) that show the same but for packing, size, light or a mirror.

    looks: uint8 [N, 8, 9].
    """
    flat = looks.reshape(len(looks), -1).astype(np.float32)
    usable = np.flatnonzero(flat.std(axis=1) >= FLAT_SD)
    pairs = [
        _confirmed(looks, usable, candidates, mirrored)
        for mirrored in (False, True)
        for candidates in _candidates(looks[usable], mirrored)
    ]
    found = np.concatenate([np.zeros((0, 2), np.int64), *pairs])
    return np.unique(np.sort(found, axis=1), axis=0)


def _candidates(looks: np.ndarray, mirrored: bool) -> list[np.ndarray]:
    """Pairs whose hashes share a byte and differ in few bits, one array a byte."""
    one = difference_hash(looks)
    other = difference_hash(looks[:, :, ::-1]) if mirrored else one
    found, budget = [], BUDGET
    for place in range(8):
        shift = np.uint64(8 * place)
        left, right = (one >> shift) & np.uint64(255), (other >> shift) & np.uint64(255)
        by_left, by_right = np.argsort(left, kind="stable"), np.argsort(right, kind="stable")
        starts = np.searchsorted(left[by_left], np.arange(257)), np.searchsorted(right[by_right], np.arange(257))
        groups = [
            (by_left[starts[0][v] : starts[0][v + 1]], by_right[starts[1][v] : starts[1][v + 1]]) for v in range(256)
        ]
        for rows, columns in sorted(groups, key=lambda group: len(group[0]) * len(group[1])):
            size = len(rows) * len(columns)
            if not size or size > budget:
                continue
            budget -= size
            found += _near(one, other, rows, columns)
    return found


def _near(one: np.ndarray, other: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> list[np.ndarray]:
    found = []
    step = max(1, 4_000_000 // len(columns))
    for low in range(0, len(rows), step):
        some = rows[low : low + step]
        distance = np.bitwise_count(one[some][:, None] ^ other[columns][None, :])
        left, right = np.nonzero(distance <= MAX_DISTANCE)
        pairs = np.stack([some[left], columns[right]], axis=1)
        found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    return found


def _confirmed(looks: np.ndarray, usable: np.ndarray, pairs: np.ndarray, mirrored: bool) -> np.ndarray:
    """Those of the pairs whose small pictures are the same up to light and contrast."""
    if not len(pairs):
        return np.zeros((0, 2), np.int64)
    left = _standard(looks[usable[pairs[:, 0]]])
    right = _standard(looks[usable[pairs[:, 1]]][:, :, ::-1] if mirrored else looks[usable[pairs[:, 1]]])
    same: np.ndarray = usable[pairs[(left * right).mean(axis=1) >= CORRELATION]]
    return same


def _standard(looks: np.ndarray) -> np.ndarray:
    x = looks.reshape(len(looks), -1).astype(np.float32)
    standard: np.ndarray = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    return standard
