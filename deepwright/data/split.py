"""Splitters: which part each row belongs to, as a function of the rows and the split's own seed."""

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError, RuleError
from deepwright.core.families import Splitter
from deepwright.core.part import option
from deepwright.core.report import Finding, finding
from deepwright.core.seal import TEST, TRAIN, VALIDATION
from deepwright.data.groups import Groups
from deepwright.data.label_shares import dealt, label_columns
from deepwright.data.periods import Periods
from deepwright.data.rows import column_codes
from deepwright.data.shares import drawn, parts_at, require_rows, required_whole, strata

STRATIFIED_BELOW = 20_000
"""Rows; in larger classification tables random shares of each class are as good."""

SMALL_CLASS = 100
"""Rows; a class of fewer gets uneven random shares in a table of any size."""

MANY_GROUPS = 1000
"""From so many groups on, random shares of groups are as good, and no group moves when rows are added."""

LARGE_GROUP = 0.01
"""A row repeated in more than this share of its class goes to training, else it would tip the shares."""


class Random(Splitter, kind="random"):
    """By a hash of row and seed: a row keeps its part when rows are added or removed; shares are approximate."""

    train: float = option(0.7, "share of rows that the model learns from", above=0, below=1)
    validation: float = option(0.2, "share of rows on which choices are made", above=0, below=1)
    test: float = option(0.1, "share of rows sealed until the one look; 0 with a test file of your own", low=0, below=1)
    seed: int = option(0, "decides the split alone, not the training", low=0, high=2**31 - 1)

    def assign(self, data: Dataset) -> np.ndarray:
        shares = (self.train, self.validation, self.test)
        return parts_at(drawn(data.hashes, self.seed) / 2.0**64, shares)


class Stratified(Splitter, kind="stratified"):
    """In the order of the rows' hashes within each class: the shares are exact in every class, up to half a row. Of
    several labels a row every label gets its shares, as nearly as rows that carry several can be dealt.

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
        shares = (self.train, self.validation, self.test)
        if data.schema.problem == "multi-label":
            return self._by_labels(data, first, counts, drawn(hashes, self.seed))[inverse]
        stratum = strata(data, self.bins)[first]  # equal rows move together, by the first of them
        sizes = np.bincount(stratum, weights=counts).astype(np.int64)
        is_large = counts > np.maximum(LARGE_GROUP * sizes[stratum], 1)
        order = np.lexsort((drawn(hashes, self.seed), ~is_large, stratum))
        ends = np.cumsum(counts[order])
        starts = ends - counts[order]
        offsets = (np.cumsum(sizes) - sizes)[stratum[order]]
        position = np.empty(len(hashes))
        position[order] = ((starts + ends) / 2.0 - offsets) / sizes[stratum[order]]
        return parts_at(position[inverse], shares)

    def _by_labels(self, data: Dataset, first: np.ndarray, counts: np.ndarray, draws: np.ndarray) -> np.ndarray:
        """int8 [H]: the part of each of H distinct rows. first: int64 [H], where it stands in the data."""
        shares = required_whole((self.train, self.validation, self.test))
        columns = label_columns(data.target[first], data.schema.target)
        is_large = counts > max(LARGE_GROUP * counts.sum(), 1)
        order = np.lexsort((draws, ~is_large))
        parts = dealt(columns, counts, order, shares)
        require_rows(parts, shares)
        return parts


class Given(Splitter, kind="given"):
    """As the data themselves say, by folders or files for training and validation; the rest is for training.

    Where the data give no test part, a share of the training rows is sealed, by a hash of row and seed. A validation
    row that stands among the others too goes where they are, so that no row is in two parts.
    """

    test: float = option(0.1, "share of the other rows sealed, where the data give no test part", low=0, below=1)
    seed: int = option(0, "decides the split alone, not the training", low=0, high=2**31 - 1)

    def assign(self, data: Dataset) -> np.ndarray:
        """Raises RuleError when the data give no validation part."""
        if data.given is None or not (data.given == VALIDATION).any():
            raise RuleError("split.none_given", source=data.source)
        is_validation = data.given == VALIDATION
        is_validation &= ~np.isin(data.hashes, data.hashes[~is_validation])
        rest = np.where(drawn(data.hashes, self.seed) / 2.0**64 < self.test, TEST, TRAIN)
        return np.where(is_validation, VALIDATION, rest).astype(np.int8)


def choose_split(whole: Dataset, has_test: bool, *, is_sample: bool = False) -> tuple[Splitter, Finding]:
    """The splitter for a recipe that names none, and why: by time or groups where a column is declared as such.

    is_sample: the rows are some of a table larger than memory, whose others must find their part each for itself.
    """
    if is_sample:
        return Random(), finding("split_random", "note", "split", rows=len(whole))
    splitter, why = _chosen(whole)
    return (without_test(splitter) if has_test else splitter), why


def _chosen(whole: Dataset) -> tuple[Splitter, Finding]:
    rows, time, groups = len(whole), whole.schema.of_role("time"), whole.of_role("group")
    if whole.given is not None:
        moved = int((Given().assign(whole) != VALIDATION)[whole.given == VALIDATION].sum())
        return Given(), finding("split_given", "warning" if moved else "note", "split", rows=rows, moved=moved)
    if time is not None:
        return Periods(), finding("split_by_time", "note", "split", column=time.name)
    if groups is not None:
        count = len(set(groups))
        balanced = count < MANY_GROUPS
        if balanced:
            return Groups(), finding("split_groups", "note", "split", groups=count, limit=MANY_GROUPS)
        return Groups(balanced=False), finding("split_many_groups", "note", "split", groups=count)
    if whole.schema.problem == "regression":
        return Random(), finding("split_random_values", "note", "split", rows=rows)
    has_labels = whole.schema.problem == "multi-label"
    if rows < STRATIFIED_BELOW:
        rule = "split_stratified_labels" if has_labels else "split_stratified"
        return Stratified(), finding(rule, "note", "split", rows=rows, limit=STRATIFIED_BELOW)
    if has_labels:
        return Random(), finding("split_random_labels", "note", "split", rows=rows)
    smallest = int(np.bincount(column_codes(whole.target)).min())
    if smallest < SMALL_CLASS:
        return Stratified(), finding("split_small_class", "note", "split", count=smallest, limit=SMALL_CLASS)
    return Random(), finding("split_random", "note", "split", rows=rows)


def require_order(splitter: Splitter) -> None:
    """Raises RecipeError for a splitter that would shuffle the moments of series."""
    if isinstance(splitter, Random | Stratified):
        raise RecipeError("series.shuffled", kind=splitter.kind)


def without_test(splitter: Splitter) -> Splitter:
    """The same splitter for a table whose test rows come in a file of their own: no test share, the rest rescaled."""
    if isinstance(splitter, Given):
        return splitter.replace(test=0.0)
    if not isinstance(splitter, Random | Stratified | Groups | Periods) or splitter.test == 0:
        return splitter
    rest = splitter.train + splitter.validation
    changes = {"train": splitter.train / rest, "validation": splitter.validation / rest, "test": 0.0}
    return splitter.replace(**changes, **({"test_from": None} if isinstance(splitter, Periods) else {}))
