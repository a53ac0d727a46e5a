"""Splitters: which part each row belongs to, as a function of the rows and the split's own seed."""

import math

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError, RecipeError
from deepwright.core.families import Splitter
from deepwright.core.part import option
from deepwright.core.report import Finding, finding
from deepwright.data.rows import column_codes, splitmix

STRATIFIED_BELOW = 20_000
"""Rows; in larger classification tables random shares of each class are as good."""

LARGE_GROUP = 0.01
"""A row repeated in more than this share of its class goes to training, else it would tip the shares."""

PARTS = ("train", "validation", "test")


class Random(Splitter, kind="random"):
    """By a hash of row and seed: a row keeps its part when rows are added or removed; shares are approximate."""

    train: float = option(0.7, "share of rows that the model learns from", above=0, below=1)
    validation: float = option(0.2, "share of rows on which choices are made", above=0, below=1)
    test: float = option(0.1, "share of rows sealed until the one look; 0 with a test file of your own", low=0, below=1)
    seed: int = option(0, "decides the split alone, not the training", low=0, high=2**31 - 1)

    def assign(self, data: Dataset) -> np.ndarray:
        shares = (self.train, self.validation, self.test)
        return _parts_at(_drawn(data.hashes, self.seed) / 2.0**64, shares)


class Stratified(Splitter, kind="stratified"):
    """In the order of the rows' hashes within each class: the shares are exact in every class, up to half a row.

    When rows are added, those near a part's edge can change their part; `random` never moves a row.
    """

    train: float = option(0.7, "share of rows that the model learns from", above=0, below=1)
    validation: float = option(0.2, "share of rows on which choices are made", above=0, below=1)
    test: float = option(0.1, "share of rows sealed until the one look; 0 with a test file of your own", low=0, below=1)
    seed: int = option(0, "decides the split alone, not the training", low=0, high=2**31 - 1)
    bins: int = option(1, "bins of equally many rows that a target of numbers is cut into", low=1, high=1000)

    def assign(self, data: Dataset) -> np.ndarray:
        hashes, first, inverse, counts = np.unique(
            data.hashes, return_index=True, return_inverse=True, return_counts=True
        )
        stratum = _strata(data, self.bins)[first]  # equal rows move together, by the first of them
        sizes = np.bincount(stratum, weights=counts).astype(np.int64)
        is_large = counts > np.maximum(LARGE_GROUP * sizes[stratum], 1)
        order = np.lexsort((_drawn(hashes, self.seed), ~is_large, stratum))
        ends = np.cumsum(counts[order])
        starts = ends - counts[order]
        offsets = (np.cumsum(sizes) - sizes)[stratum[order]]
        position = np.empty(len(hashes))
        position[order] = ((starts + ends) / 2.0 - offsets) / sizes[stratum[order]]
        return _parts_at(position[inverse], (self.train, self.validation, self.test))


def choose_split(whole: Dataset, has_test: bool) -> tuple[Splitter, Finding]:
    """The splitter for a recipe that names none, and why."""
    rows = len(whole)
    if whole.schema.problem == "regression":
        splitter: Splitter = Random()
        why = finding("split_random_values", "note", "split", rows=rows)
    elif rows < STRATIFIED_BELOW:
        splitter, why = Stratified(), finding("split_stratified", "note", "split", rows=rows, limit=STRATIFIED_BELOW)
    else:
        splitter, why = Random(), finding("split_random", "note", "split", rows=rows)
    return (without_test(splitter) if has_test else splitter), why


def without_test(splitter: Splitter) -> Splitter:
    """The same splitter for a table whose test rows come in a file of their own: no test share, the rest rescaled."""
    if not isinstance(splitter, Random | Stratified) or splitter.test == 0:
        return splitter
    rest = splitter.train + splitter.validation
    return splitter.replace(train=splitter.train / rest, validation=splitter.validation / rest, test=0.0)


def _parts_at(position: np.ndarray, shares: tuple[float, float, float]) -> np.ndarray:
    """int8 [N]: the part at each position in [0, 1]. Raises RecipeError for shares that are no whole, DataError for an
    empty part."""
    train, validation, test = shares
    total = train + validation + test
    if not math.isclose(total, 1.0, abs_tol=1e-9):
        raise RecipeError("split.sum", train=train, validation=validation, test=test, sum=round(total, 9))
    edges = [train, train + validation] if test > 0 else [train]
    parts = np.searchsorted(edges, position, side="right").astype(np.int8)
    for number, share in enumerate(shares):
        if share > 0 and not (parts == number).any():
            raise DataError("split.empty_part", part=PARTS[number], rows=len(position), share=f"{share:.1%}")
    return parts


def _drawn(hashes: np.ndarray, seed: int) -> np.ndarray:
    """uint64 [N]: a draw for each row hash under this seed."""
    salt = splitmix(np.array([seed], np.uint64))
    return splitmix(hashes ^ salt)


def _strata(data: Dataset, bins: int) -> np.ndarray:
    """int64 [N]: the class of each row, or the bin of its number."""
    target = data.target
    if target.dtype == object:
        return column_codes(target)
    edges = np.unique(np.quantile(target, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, target, side="left"), return_inverse=True)[1].astype(np.int64)
