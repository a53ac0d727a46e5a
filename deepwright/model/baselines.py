"""Baselines: a constant, a linear model, boosted trees; each is learned by one call and becomes one operation."""

import warnings
from typing import Any, ClassVar

import numpy as np

from deepwright.core.errors import DataError, PracticeError
from deepwright.core.families import Baseline, Form
from deepwright.core.operations import Constant, Linear, Operation, TreeEnsemble
from deepwright.core.part import option
from deepwright.core.schema import Problem, Type
from deepwright.model.folds import best_of
from deepwright.model.labels import linear_of_labels, trees_of_labels

FLOAT32_MAX = float(np.finfo(np.float32).max)
STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
"""Penalties that are tried where none is given."""

PARITY_ROWS = 1000
PARITY = 1e-5


class ConstantBaseline(Baseline, kind="constant"):
    """The same answer for every row: each class's share, or the mean. A model that does not beat it learned nothing.

    >>> x, target = np.zeros((4, 1), np.float32), np.array([0, 1, 1, 1])
    >>> ConstantBaseline().learn(x, target, "classification", num_classes=2, seed=0).values
    (0.25, 0.75)
    """

    form: ClassVar[Form] = "ordinal"  # it only counts rows: the form with the fewest columns
    problems: ClassVar[tuple[Problem, ...]] = ("classification", "regression", "multi-label")

    def learn(
        self,
        x: np.ndarray,
        target: np.ndarray,
        problem: Problem,
        num_classes: int,
        seed: int,
        weight: np.ndarray | None = None,
    ) -> Operation:
        if problem == "classification":
            counts = np.bincount(target, weights=weight, minlength=num_classes)
            shares = counts / counts.sum()
            return Constant(answer="probability", values=tuple(shares.tolist()))
        if problem == "multi-label":
            shares = np.average(target, axis=0, weights=weight)
            return Constant(answer="probability", values=tuple(shares.tolist()))
        return Constant(answer="value", values=(float(np.average(target, weights=weight)),))


class LinearBaseline(Baseline, kind="linear"):
    """Logistic regression for classes (of several labels one each), ridge regression for values, with scikit-learn's
    defaults.

    >>> x = np.array([[-2.0], [-1.0], [1.0], [2.0]], np.float32)
    >>> fitted = LinearBaseline(alpha=1e-6).learn(x, x[:, 0] * 3.0 + 1.0, "regression", num_classes=0, seed=0)
    >>> round(fitted.weights[0][0], 4), round(fitted.bias[0], 4)
    (3.0, 1.0)
    """

    form: ClassVar[Form] = "wide"
    problems: ClassVar[tuple[Problem, ...]] = ("classification", "regression", "multi-label")

    c: float | None = option(
        1.0,
        "inverse strength of the L2 penalty on class scores; none: the best of 7 on five folds of the training part",
        above=0,
        search=(1e-3, 1e3, "log"),
    )
    alpha: float | None = option(
        1.0,
        "strength of the L2 penalty for values; none: the best of 7 on five folds of the training part",
        low=0,
        search=(1e-3, 1e3, "log"),
    )
    max_iter: int = option(1000, "steps of the class solver, at most", low=1, high=1_000_000)

    def learn(
        self,
        x: np.ndarray,
        target: np.ndarray,
        problem: Problem,
        num_classes: int,
        seed: int,
        weight: np.ndarray | None = None,
    ) -> Operation:
        if problem == "multi-label":
            return linear_of_labels(each_label(self, x, target, seed, weight), target, x.shape[1])
        from sklearn.linear_model import LogisticRegression, Ridge

        # float64: the solver stops early on the noise of float32 sums.
        x64 = x.astype(np.float64)
        given = {"is_classes": problem == "classification", "weight": weight, "seed": seed}

        def ridge(alpha: float) -> Any:
            return Ridge(alpha=alpha, random_state=seed)

        def logistic(c: float) -> Any:
            return LogisticRegression(C=c, max_iter=self.max_iter, random_state=seed)

        if problem == "regression":
            alpha = best_of(STRENGTHS, ridge, x64, target, **given) if self.alpha is None else self.alpha
            model = ridge(alpha).fit(x64, target, weight)
            return Linear(
                answer="value",
                weights=tuple((float(w),) for w in np.ravel(model.coef_)),
                bias=(float(np.ravel(model.intercept_)[0]),),
            )
        require_every_class(target, num_classes, "linear")
        from sklearn.exceptions import ConvergenceWarning

        with warnings.catch_warnings():
            # The penalty makes every iterate a usable model, and validation judges it as it is.
            warnings.simplefilter("ignore", ConvergenceWarning)
            c = best_of(STRENGTHS, logistic, x64, target, **given) if self.c is None else self.c
            model = logistic(c).fit(x64, target, weight)
        weights, bias = model.coef_.T, model.intercept_
        if num_classes == 2:  # scikit-learn keeps the positive class alone; softmax over (0, s) is sigmoid(s)
            weights = np.concatenate([np.zeros_like(weights), weights], axis=1)
            bias = np.concatenate([np.zeros_like(bias), bias])
        return Linear(answer="probability", weights=_rows(weights), bias=tuple(bias.tolist()))


class Boosting(Baseline, kind="boosting"):
    """Histogram gradient boosting with scikit-learn's defaults; the bar that a network on a table has to clear.

    Categories enter as plain ordinal numbers, since native categorical splits do not convert to ONNX. It stops after
    `iterations`, without early stopping, because only the training part is given.

    >>> x = np.arange(40, dtype=np.float32)[:, None]
    >>> fitted = Boosting(iterations=5).learn(x, (x[:, 0] > 19).astype(int), "classification", num_classes=2, seed=0)
    >>> fitted.apply({"x": x[[0, 39]]})["probability"].astype(float).round(2).tolist()
    [[0.7, 0.3], [0.3, 0.7]]
    """

    form: ClassVar[Form] = "ordinal"
    problems: ClassVar[tuple[Problem, ...]] = ("classification", "regression", "multi-label")
    takes: ClassVar[frozenset[Type]] = frozenset({"number", "category", "timestamp", "text"})

    iterations: int = option(100, "rounds of boosting", low=1, high=100_000, search=(50, 1000, "log"))
    lr: float = option(0.1, "weight of each new tree", above=0, high=1, search=(0.01, 0.3, "log"))
    max_leaves: int = option(31, "leaves of one tree, at most", low=2, high=65_536, search=(7, 127, "log"))
    min_rows: int = option(20, "rows in a leaf, at least", low=1, search=(5, 100, "log"))
    l2: float = option(0.0, "penalty on the leaves' values", low=0)

    def learn(
        self,
        x: np.ndarray,
        target: np.ndarray,
        problem: Problem,
        num_classes: int,
        seed: int,
        weight: np.ndarray | None = None,
    ) -> Operation:
        """Raises PracticeError when the operation does not answer as scikit-learn's model does."""
        if problem == "multi-label":
            return trees_of_labels(each_label(self, x, target, seed, weight), target)
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        options = {
            "max_iter": self.iterations,
            "learning_rate": self.lr,
            "max_leaf_nodes": self.max_leaves,
            "min_samples_leaf": self.min_rows,
            "l2_regularization": self.l2,
            "early_stopping": False,
            "random_state": seed,
        }
        if problem == "regression":
            model = HistGradientBoostingRegressor(**options).fit(x, target, sample_weight=weight)
            operation = tree_ensemble(model, "value", "identity")
            expected = model.predict(x[:PARITY_ROWS])
        else:
            require_every_class(target, num_classes, "boosting")
            model = HistGradientBoostingClassifier(**options).fit(x, target, sample_weight=weight)
            operation = tree_ensemble(model, "probability", "sigmoid" if num_classes == 2 else "softmax")
            expected = model.predict_proba(x[:PARITY_ROWS])
        found = operation.apply({"x": x[:PARITY_ROWS]})[operation.answer]
        difference = float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30))
        if not difference <= PARITY:
            raise PracticeError("model.trees_differ", difference=f"{difference:.1e}", allowed=f"{PARITY:.0e}")
        return operation


def each_label(
    baseline: Baseline, x: np.ndarray, target: np.ndarray, seed: int, weight: np.ndarray | None
) -> list[Operation | None]:
    """The baseline learned for each label by itself; None for one that every row has, or none."""
    return [
        baseline.learn(x, has_label.astype(np.int64), "classification", 2, seed, weight)
        if has_label.any() and not has_label.all()
        else None
        for has_label in target.T
    ]


def tree_ensemble(model: Any, answer: str, link: str) -> TreeEnsemble:
    """scikit-learn's fitted HistGradientBoosting model as an operation.

    A threshold is rounded down to float32: for float32 inputs `x <= threshold` then holds for the very same rows.
    """
    nodes: dict[str, list[Any]] = {name: [] for name in _NODE_FIELDS}
    roots, outputs = [], []
    for trees in model._predictors:
        for output, tree in enumerate(trees):
            start = len(nodes["features"])
            roots.append(start)
            outputs.append(output)
            _add_tree(nodes, tree.nodes, start)
    return TreeEnsemble(
        answer=answer,
        roots=tuple(roots),
        tree_outputs=tuple(outputs),
        base=tuple(np.ravel(model._baseline_prediction).astype(float).tolist()),
        link=link,
        **{name: tuple(values) for name, values in nodes.items()},
    )


_NODE_FIELDS = ("features", "thresholds", "lefts", "rights", "nan_left", "leaf_values")


def _add_tree(nodes: dict[str, list[Any]], tree: np.ndarray, start: int) -> None:
    """Append one tree's nodes, whose first stands at `start` in the common list."""
    is_leaf = tree["is_leaf"].astype(bool)
    nodes["features"] += np.where(is_leaf, -1, tree["feature_idx"].astype(np.int64)).tolist()
    nodes["thresholds"] += np.where(is_leaf, 0.0, rounded_down(tree["num_threshold"])).tolist()
    nodes["lefts"] += np.where(is_leaf, 0, tree["left"].astype(np.int64) + start).tolist()
    nodes["rights"] += np.where(is_leaf, 0, tree["right"].astype(np.int64) + start).tolist()
    nodes["nan_left"] += np.where(is_leaf, False, tree["missing_go_to_left"].astype(bool)).tolist()
    nodes["leaf_values"] += np.where(is_leaf, tree["value"], 0.0).tolist()


def rounded_down(thresholds: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above each threshold, as float64.

    A split of missing against all else has the threshold infinity; every prepared number lies below float32's bound.

    >>> rounded_down(np.array([0.5, 0.1, np.inf])).tolist()
    [0.5, 0.09999999403953552, 3.4028234663852886e+38]
    """
    near = np.clip(thresholds, -FLOAT32_MAX, FLOAT32_MAX).astype(np.float32)
    below = np.nextafter(near, np.float32(-np.inf))
    return np.where(near.astype(np.float64) > thresholds, below, near).astype(np.float64)


def require_every_class(target: np.ndarray, num_classes: int, who: str) -> None:
    """Raises DataError naming a class without rows."""
    counts = np.bincount(target, minlength=num_classes)
    absent = np.flatnonzero(counts[:num_classes] == 0)
    if len(absent):
        raise DataError("model.class_absent", who=who, number=int(absent[0]), of=num_classes)


def _rows(matrix: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())
