"""Texts that are nearly the same: MinHash finds pairs that share most of their short runs of letters.

Broder 1997; banding after Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, chapter 3. Letters: N texts, H
hashes.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

from deepwright.core.operations.words import UNSPACED
from deepwright.data.rows import splitmix

SIMILAR = 0.6
"""Share of common runs among all runs of two texts (Jaccard) from which they are nearly the same: of texts in which one
word of twenty was changed, left out or put in, or a tenth cut off, 94 to 100 % are found (docs/log.md, 2026-11-21)."""
BANDS, PER_BAND = 20, 3
"""Texts that share 0.6 of their runs meet in one of the bands with a chance of 0.99."""
RUN, RUN_UNSPACED = 5, 3
"""Characters of a run; fewer in scripts whose letters say as much as a syllable or a word."""
LEAST_RUNS = 8
MOST_RUNS = 400
"""Of a longer text those with the smallest hashes count, the same in any text that has them."""
MOST_CANDIDATES = 40
"""Texts compared with one text, for each band."""

_UNSPACED = re.compile(f"[{UNSPACED}]")
_OTHER = re.compile(r"[\W_]+")


class Alike:
    """Texts as sets of runs, against which others are held."""

    def __init__(self, texts: Sequence[str | None]) -> None:
        self.runs = [runs_of(text) for text in texts]
        self._bands = bands(self.runs)
        self._order = np.argsort(self._bands, axis=0, kind="stable")
        self._sorted = np.take_along_axis(self._bands, self._order, axis=0)

    def nearest(self, text: str | None) -> tuple[int, float]:
        """The place of the known text that shares the most with a text, and the share; (-1, 0.0) below 0.6."""
        own = runs_of(text)
        if not len(own):
            return -1, 0.0
        best, share = -1, 0.0
        for place in self._candidates(bands([own])[0]):
            found = common_share(own, self.runs[place])
            if found > share:
                best, share = place, found
        return (best, share) if share >= SIMILAR else (-1, 0.0)

    def _candidates(self, keys: np.ndarray) -> list[int]:
        found: dict[int, None] = {}
        for band, key in enumerate(keys):
            column = self._sorted[:, band]
            start = int(np.searchsorted(column, key, "left"))
            end = min(int(np.searchsorted(column, key, "right")), start + MOST_CANDIDATES)
            found.update(dict.fromkeys(self._order[start:end, band].tolist()))
        return [place for place in found if len(self.runs[place])]


def runs_of(text: str | None) -> np.ndarray:
    """uint64, sorted: a hash of each different run of letters and digits, whatever their case and what is between.

    >>> np.array_equal(runs_of("The very same, again!"), runs_of("the VERY same   again"))
    True
    """
    plain = _OTHER.sub(" ", unicodedata.normalize("NFKC", text or "").casefold()).strip()
    size = RUN_UNSPACED if 2 * len(_UNSPACED.findall(plain)) > len(plain) else RUN
    if len(plain) < size + LEAST_RUNS - 1:
        return np.empty(0, np.uint64)
    letters = np.frombuffer(plain.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    mixed = np.zeros(len(letters) - size + 1, np.uint64)
    for place in range(size):
        mixed = splitmix(mixed ^ letters[place : len(letters) - size + 1 + place])
    return np.unique(mixed)[:MOST_RUNS]


def bands(runs: Sequence[np.ndarray]) -> np.ndarray:
    """uint64 [N, BANDS]: texts with an equal key in some band may be nearly the same."""
    salts = splitmix(np.arange(1, BANDS * PER_BAND + 1, dtype=np.uint64))
    least_NH = np.zeros((len(runs), len(salts)), np.uint64)
    for place, own in enumerate(runs):
        if len(own):
            least_NH[place] = _mixed(own[:, None] ^ salts).min(axis=0)
        else:
            least_NH[place] = splitmix(np.full(1, place, np.uint64))  # meets nothing
    keys = np.zeros((len(runs), BANDS), np.uint64)
    for hash_ in range(PER_BAND):
        keys = splitmix(keys ^ least_NH[:, hash_::PER_BAND])
    return keys


def common_share(left: np.ndarray, right: np.ndarray) -> float:
    """Jaccard: what two sets of runs share, of all that stand in one of them."""
    common = len(np.intersect1d(left, right, assume_unique=True))
    return common / (len(left) + len(right) - common)


def near(known: Sequence[str | None], asked: Sequence[str | None]) -> Iterator[tuple[int, int, float]]:
    """(place in asked, place in known, share) of each asked text that is nearly a known one, and not the very same."""
    index, same = Alike(known), set(known)
    for place, text in enumerate(asked):
        if text is None or text in same:
            continue
        found, share = index.nearest(text)
        if found >= 0:
            yield place, found, share


def _mixed(x: np.ndarray) -> np.ndarray:
    """One round that mixes well enough to order by (Fibonacci hashing and a shift)."""
    x = x * np.uint64(0xBF58476D1CE4E5B9)
    return x ^ (x >> np.uint64(29))
