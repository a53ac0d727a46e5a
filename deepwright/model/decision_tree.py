"""A single decision tree: a baseline that can be read."""

from typing import Any, ClassVar

import numpy as np

from deepwright.core.families import Baseline, Form
from deepwright.core.operations import Operation, TreeEnsemble
from deepwright.core.part import option
from deepwright.core.schema import Problem, Type
from deepwright.model.baselines import require_every_class, rounded_down


class DecisionTree(Baseline, kind="tree"):
    """One decision tree, grown at its best leaf first, as in scikit-learn.

    >>> x = np.arange(40, dtype=np.float32)[:, None]
    >>> tree = DecisionTree(min_rows=1).learn(x, (x[:, 0] > 19).astype(int), "classification", num_classes=2, seed=0)
    >>> tree.apply({"x": x[[0, 39]]})["probability"].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    form: ClassVar[Form] = "ordinal"
    takes: ClassVar[frozenset[Type]] = frozenset({"number", "category", "timestamp", "text"})

    max_leaves: int = option(16, "leaves, at most", low=2, high=65_536, search=(4, 256, "log"))
    min_rows: int = option(5, "rows in a leaf, at least", low=1, search=(1, 100, "log"))

    def learn(
        self,
        x: np.ndarray,
        target: np.ndarray,
        problem: Problem,
        num_classes: int,
        seed: int,
        weight: np.ndarray | None = None,
    ) -> Operation:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        options = {"max_leaf_nodes": self.max_leaves, "min_samples_leaf": self.min_rows, "random_state": seed}
        if problem == "regression":
            model = DecisionTreeRegressor(**options).fit(x, target, sample_weight=weight)
            return one_tree(model.tree_, model.tree_.value[:, 0, :], "value")
        require_every_class(target, num_classes, "tree")
        model = DecisionTreeClassifier(**options).fit(x, target, sample_weight=weight)
        values = model.tree_.value[:, 0, :]
        return one_tree(model.tree_, values / values.sum(axis=1, keepdims=True), "probability")


def one_tree(tree: Any, values: np.ndarray, answer: str) -> TreeEnsemble:
    """scikit-learn's tree with a row of answers [K] at each node, once for each of the K outputs."""
    num_nodes, num_outputs = values.shape
    is_leaf = tree.children_left < 0
    starts = np.arange(num_outputs) * num_nodes

    def each(column: np.ndarray) -> tuple[Any, ...]:
        return tuple(np.tile(column, num_outputs).tolist())

    def children(column: np.ndarray) -> tuple[int, ...]:
        return tuple(np.concatenate([np.where(is_leaf, 0, column + start) for start in starts]).tolist())

    return TreeEnsemble(
        answer=answer,
        roots=tuple(starts.tolist()),
        tree_outputs=tuple(range(num_outputs)),
        features=each(np.where(is_leaf, -1, tree.feature)),
        thresholds=each(np.where(is_leaf, 0.0, rounded_down(tree.threshold))),
        lefts=children(tree.children_left),
        rights=children(tree.children_right),
        nan_left=each(np.where(is_leaf, False, tree.missing_go_to_left.astype(bool))),
        leaf_values=tuple(np.where(is_leaf, values.T, 0.0).ravel().tolist()),
        base=(0.0,) * num_outputs,
    )
