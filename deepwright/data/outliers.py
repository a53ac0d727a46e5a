"""Outliers: what is done about numbers far from the rest, by bounds learned on the training part."""

from typing import Literal

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.families import Outliers
from deepwright.core.operations import Bound, IsolationFlag, OutsideFlag, SetMissing
from deepwright.core.part import option
from deepwright.core.report import Finding, finding
from deepwright.core.step import Fitted
from deepwright.data.moments import centre_and_spread
from deepwright.data.narrow import free_names, listed, number_columns
from deepwright.data.spikes import Spike, placeholder

Treat = Literal["clip", "missing", "flag", "delete"]
TREAT_HELP = (
    "clip: held at the bound; missing: called missing; flag: a further 0/1 column; delete: training rows are set aside"
)
NORMAL_MAD = 1.4826
"""Median absolute deviations in the sd of a normal distribution."""

Bounds = dict[str, tuple[float, float]]


class AutoOutliers(Outliers, kind="auto"):
    """Changes nothing but clear placeholders, such as 0 or -999 apart from all other values, which become missing."""

    def learn(self, train: Dataset) -> Fitted:
        clear = {name: spike for name, spike in _placeholders(train).items() if spike.is_clear}
        if not clear:
            return Fitted()
        return Fitted((SetMissing(columns=tuple(clear), values=tuple(spike.value for spike in clear.values())),))

    def findings(self, train: Dataset) -> tuple[Finding, ...]:
        spikes = _placeholders(train)
        found = []
        for is_clear in (True, False):
            some = {name: spike for name, spike in spikes.items() if spike.is_clear == is_clear}
            if not some:
                continue
            entries = [
                f"{name} ({spike.rows} x {spike.value:g}, next {spike.nearest:g})" for name, spike in some.items()
            ]
            names = ",".join(_escaped(name) for name in some)
            if is_clear:
                line = f"{names}: outliers=none"
                found.append(finding("placeholder", "warning", "prepare.outliers", columns=listed(entries), line=line))
            else:
                values = sorted({f"{spike.value:g}" for spike in some.values()})
                line = f"{names}: outliers=placeholder, outliers.values=" + "\\,".join(values)
                found.append(
                    finding("placeholder_kept", "note", "prepare.outliers", columns=listed(entries), line=line)
                )
        return tuple(found)


class Placeholder(Outliers, kind="placeholder"):
    """These exact values stand for missing."""

    values: tuple[float, ...] = option((0.0,), "the placeholders, in the column's unit")

    def learn(self, train: Dataset) -> Fitted:
        pairs = [(name, value) for name in _numbers(train) for value in self.values]
        if not pairs:
            return Fitted()
        columns, values = zip(*pairs, strict=True)
        return Fitted((SetMissing(columns=columns, values=values),))


class Bounded(Outliers):
    """What the kinds with bounds share: a kind says where they lie."""

    treat: Treat = option("clip", TREAT_HELP)

    def bounds(self, values: np.ndarray) -> tuple[float, float] | None:
        """Lowest and highest usual value of the known ones, float64 [n > 0]; None where no spread tells them."""
        raise NotImplementedError

    def _all_bounds(self, train: Dataset) -> Bounds:
        found: Bounds = {}
        for name in _numbers(train):
            present = train.columns[name][~np.isnan(train.columns[name])]
            bounds = self.bounds(present) if len(present) else None
            if bounds is not None:
                found[name] = max(bounds[0], -1.7e308), min(bounds[1], 1.7e308)
        return found

    def learn(self, train: Dataset) -> Fitted:
        bounds = self._all_bounds(train)
        if not bounds or self.treat == "delete":
            return Fitted()
        columns = tuple(bounds)
        lows, highs = zip(*bounds.values(), strict=True)
        if self.treat == "flag":
            outputs = free_names((f"{name} is outlying" for name in columns), train)
            return Fitted((OutsideFlag(columns=columns, lows=lows, highs=highs, outputs=outputs),))
        return Fitted((Bound(columns=columns, lows=lows, highs=highs, treat=self.treat),))

    def unusable(self, train: Dataset) -> np.ndarray:
        rows = np.zeros(len(train), dtype=bool)
        if self.treat == "delete":
            for name, (low, high) in self._all_bounds(train).items():
                rows |= (train.columns[name] < low) | (train.columns[name] > high)
        return rows

    def findings(self, train: Dataset) -> tuple[Finding, ...]:
        entries = []
        for name, (low, high) in self._all_bounds(train).items():
            rows = int(((train.columns[name] < low) | (train.columns[name] > high)).sum())
            if rows:
                entries.append(f"{name} ({rows} outside {low:.4g} .. {high:.4g})")
        if not entries or self.treat == "delete":  # deleted rows are named among those set aside
            return ()
        return (finding("outliers", "note", "prepare.outliers", treat=self.treat, columns=listed(entries)),)


class ZScore(Bounded, kind="z"):
    """More than `limit` standard deviations from the mean."""

    limit: float = option(4.0, "standard deviations", above=0, search=(2.0, 6.0))

    def bounds(self, values: np.ndarray) -> tuple[float, float] | None:
        mean, sd = centre_and_spread(values)
        return _around(mean, mean, self.limit * sd if values.min() < values.max() else 0.0)


class Quartiles(Bounded, kind="iqr"):
    """More than `limit` quartile distances below the first or above the third quartile (Tukey 1977)."""

    limit: float = option(3.0, "quartile distances; 1.5 is the fence of a box plot", above=0, search=(1.0, 5.0))

    def bounds(self, values: np.ndarray) -> tuple[float, float] | None:
        low, high = (float(q) for q in np.quantile(values, [0.25, 0.75]))
        return _around(low, high, self.limit * (high - low))


class MedianDeviation(Bounded, kind="mad"):
    """More than `limit` scaled median absolute deviations from the median (Iglewicz & Hoaglin 1993)."""

    limit: float = option(5.0, "median absolute deviations times 1.4826", above=0, search=(2.5, 8.0))

    def bounds(self, values: np.ndarray) -> tuple[float, float] | None:
        median = float(np.median(values))
        deviation = float(np.median(np.abs(values - median)))
        return _around(median, median, self.limit * NORMAL_MAD * deviation)


class IsolationForest(Outliers, kind="isolation_forest"):
    """Rows whose numbers together are soonest isolated by random cuts (Liu, Ting & Zhou 2008)."""

    share: float = option(0.01, "share of the training rows that are called outlying", above=0, high=0.5)
    trees: int = option(100, "trees", low=1, high=1000)
    treat: Literal["flag", "delete"] = option("flag", "flag: a further 0/1 column; delete: training rows are set aside")

    def learn(self, train: Dataset) -> Fitted:
        if self.treat == "delete" or not _numbers(train):
            return Fitted()
        return Fitted((self._forest(train),))

    def unusable(self, train: Dataset) -> np.ndarray:
        if self.treat != "delete" or not _numbers(train):
            return np.zeros(len(train), dtype=bool)
        forest = self._forest(train)
        return forest.apply(dict(train.columns))[forest.output] > 0

    def _forest(self, train: Dataset) -> IsolationFlag:
        from sklearn.ensemble import IsolationForest as Forest

        columns = _numbers(train)
        present = [train.columns[name][~np.isnan(train.columns[name])] for name in columns]
        medians = [float(np.median(values)) if len(values) else 0.0 for values in present]
        filled = [
            np.where(np.isnan(train.columns[name]), median, train.columns[name])
            for name, median in zip(columns, medians, strict=True)
        ]
        x = np.clip(np.stack(filled, axis=1), -3e38, 3e38).astype(np.float32)
        grown = Forest(n_estimators=self.trees, random_state=0).fit(x)
        nodes = _nodes_of(grown)
        (output,) = free_names(["row is outlying"], train)
        flag = IsolationFlag(columns=tuple(columns), medians=tuple(medians), limit=1.0, output=output, **nodes)
        depths = flag.mean_depth(dict(train.columns))
        return flag.replace(limit=float(np.quantile(depths, self.share, method="higher")))


class Untouched(Outliers, kind="none"):
    """Every number as it is."""

    def learn(self, train: Dataset) -> Fitted:
        return Fitted()


def _nodes_of(forest: object) -> dict[str, tuple[float, ...]]:
    """The trees as lists of nodes; a leaf's value is its depth, with what its rows would take further, by tree."""
    lists: dict[str, list[float]] = {n: [] for n in ("roots", "features", "thresholds", "lefts", "rights", "depths")}
    estimators = forest.estimators_  # type: ignore[attr-defined]
    for estimator in estimators:
        tree, start = estimator.tree_, len(lists["features"])
        is_leaf = tree.children_left < 0
        depth = np.zeros(tree.node_count)
        for node in range(tree.node_count):  # parents stand before their children
            if not is_leaf[node]:
                depth[[tree.children_left[node], tree.children_right[node]]] = depth[node] + 1
        lists["roots"].append(start)
        lists["features"] += np.where(is_leaf, -1, tree.feature).tolist()
        lists["thresholds"] += np.where(is_leaf, 0.0, _rounded_down(tree.threshold)).tolist()
        lists["lefts"] += np.where(is_leaf, 0, tree.children_left + start).tolist()
        lists["rights"] += np.where(is_leaf, 0, tree.children_right + start).tolist()
        further = np.array([_path_length(int(n)) for n in tree.n_node_samples])
        lists["depths"] += (np.where(is_leaf, depth + further, 0.0) / len(estimators)).tolist()
    return {name: tuple(values) for name, values in lists.items()}


def _rounded_down(thresholds: np.ndarray) -> np.ndarray:
    """As float32, so that float32 inputs take the same branch everywhere."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded).astype(np.float64)


def _path_length(rows: int) -> float:
    """The mean depth of an unsuccessful search in a binary tree of so many rows."""
    if rows <= 1:
        return 0.0
    if rows == 2:
        return 1.0
    return 2.0 * (np.log(rows - 1.0) + np.euler_gamma) - 2.0 * (rows - 1.0) / rows


def _around(low: float, high: float, distance: float) -> tuple[float, float] | None:
    return (low - distance, high + distance) if distance > 0 else None


def _numbers(train: Dataset) -> list[str]:
    """Times are no measurements: they have no outliers."""
    return [name for name in number_columns(train) if train.schema[name].type == "number"]


def _placeholders(train: Dataset) -> dict[str, Spike]:
    found = {name: placeholder(train.columns[name]) for name in _numbers(train)}
    return {name: spike for name, spike in found.items() if spike is not None}


def _escaped(name: str) -> str:
    for mark in ",:;":
        name = name.replace(mark, f"\\{mark}")
    return name
