"""Images that look alike: a 64-bit difference hash finds pairs, and their small grey pictures confirm them.

A difference hash (dHash, Krawetz 2013) has one bit for each pair of neighbouring points: whether it gets lighter to
the right. It stays nearly the same when an image is packed again, resized or made lighter. Mirrored images are
compared too.
"""

from collections.abc import Iterator

import numpy as np

from deepwright.core.image import LOOK_HEIGHT, LOOK_WIDTH

MAX_DISTANCE = 10
"""Bits that may differ. Hashes that differ in 7 share one of eight bytes for certain, in 10 nearly always."""
CORRELATION = 0.97
"""Both measured on 150 photographs (docs/log.md): of copies cut by 2 % at each side 97 % are found, of others none."""
FLAT_SD = 4.0
"""In grey levels; a picture below it is one colour, and its differences are chance."""
BUDGET = 150_000_000
"""Pairs of hashes looked at, at most; large groups of one byte are left out beyond it."""
TOO_MANY = 20
"""Candidates an image, on average, from which hashes do not tell images of a collection apart."""


def looks_of(looks: list[bytes]) -> np.ndarray:
    """uint8 [N, 8, 9] of the small pictures."""
    return np.frombuffer(b"".join(looks), np.uint8).reshape(-1, LOOK_HEIGHT, LOOK_WIDTH)


def difference_hash(looks: np.ndarray) -> np.ndarray:
    """uint64 [N] of uint8 [N, 8, 9].

    >>> left = np.tile(np.arange(9, dtype=np.uint8), (1, 8, 1))
    >>> [hex(int(h[0])) for h in (difference_hash(left), difference_hash(left[:, :, ::-1]))]
    ['0xffffffffffffffff', '0x0']
    """
    bits = (looks[:, :, 1:] > looks[:, :, :-1]).reshape(len(looks), 64)
    return np.packbits(bits, axis=1).view(">u8").reshape(-1).astype(np.uint64)


def near_pairs(looks: np.ndarray) -> np.ndarray | None:
    """int64 [P, 2] of images (first < second) that show the same but for packing, size, light or a mirror.

    looks: uint8 [N, 8, 9]. None where nearly all images look alike in so small a picture, as written digits do.
    """
    usable = np.flatnonzero(looks.reshape(len(looks), LOOK_HEIGHT * LOOK_WIDTH).std(axis=1) >= FLAT_SD)
    looks = looks[usable]
    standard = _standard(looks)
    found, room = [np.zeros((0, 2), np.int64)], TOO_MANY * len(looks) + 1000
    for mirrored in (False, True):
        other = _standard(looks[:, :, ::-1]) if mirrored else standard
        for pairs in _candidates(looks, mirrored):
            room -= len(pairs)
            if room < 0:
                return None
            alike = np.einsum("ij,ij->i", standard[pairs[:, 0]], other[pairs[:, 1]]) / standard.shape[1]
            found.append(usable[pairs[alike >= CORRELATION]])
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def _candidates(looks: np.ndarray, mirrored: bool) -> Iterator[np.ndarray]:
    """Pairs whose hashes share a byte and differ in few bits."""
    one = difference_hash(looks)
    other = difference_hash(looks[:, :, ::-1]) if mirrored else one
    budget = BUDGET
    for place in range(8):
        shift = np.uint64(8 * place)
        left, right = _groups(one >> shift), _groups(other >> shift)
        for rows, columns in sorted(zip(left, right, strict=True), key=lambda group: len(group[0]) * len(group[1])):
            size = len(rows) * len(columns)
            if size and size <= budget:
                budget -= size
                yield from _near(one, other, rows, columns)


def _groups(values: np.ndarray) -> list[np.ndarray]:
    """The places of each lowest byte from 0 to 255."""
    lowest = values & np.uint64(255)
    order = np.argsort(lowest, kind="stable")
    return np.split(order, np.searchsorted(lowest[order], np.arange(1, 256)))


def _near(one: np.ndarray, other: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> Iterator[np.ndarray]:
    step = max(1, 4_000_000 // len(columns))
    for low in range(0, len(rows), step):
        some = rows[low : low + step]
        distance = np.bitwise_count(one[some][:, None] ^ other[columns][None, :])
        left, right = np.nonzero(distance <= MAX_DISTANCE)
        pairs = np.stack([some[left], columns[right]], axis=1)
        yield pairs[pairs[:, 0] < pairs[:, 1]]


def _standard(looks: np.ndarray) -> np.ndarray:
    """float32 [N, 72] with mean 0 and sd 1: what is left of a picture without its light and contrast."""
    x = looks.reshape(len(looks), LOOK_HEIGHT * LOOK_WIDTH).astype(np.float32)
    standard: np.ndarray = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    return standard
