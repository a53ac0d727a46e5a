"""Operations that answer: constant, linear, tree ensemble (the baselines, ready for a bundle); and a temperature.

Each reads one float32 tensor [N, F] and sets `probability` [N, K] or `value` [N], float32; `scale` [N] is how large a
row's error is expected to be.
"""

from typing import Literal

import numpy as np

from deepwright.core.operations.graph import Graph
from deepwright.core.operations.operation import Operation
from deepwright.core.part import option
from deepwright.core.schema import Columns

Answer = Literal["probability", "value", "scale"]


class Constant(Operation, kind="constant"):
    """The same answer for every row: class shares, or a mean."""

    input: str = option("x", "the tensor whose rows are counted")
    answer: Answer = option(help="what is answered")
    values: tuple[float, ...] = option(help="one probability per class, or one value in the target's unit")

    def apply(self, columns: Columns) -> Columns:
        rows = np.tile(np.asarray(self.values, np.float32), (len(columns[self.input]), 1))
        return {**columns, self.answer: _shaped(rows, self.answer)}

    def graph(self, graph: Graph) -> None:
        count = graph.add("Shape", graph.values[self.input], start=0, end=1)
        shape = graph.add("Concat", count, graph.constant([len(self.values)], np.int64), axis=0)
        graph.values[self.answer] = graph.add("Expand", graph.constant([self.values], np.float32), shape)


class Linear(Operation, kind="linear"):
    """x W + b; for classes followed by softmax, for several labels by a sigmoid each."""

    input: str = option("x", "the tensor read")
    answer: Answer = option(help="what is answered")
    weights: tuple[tuple[float, ...], ...] = option(help="[F][K], or [F][1] for a value")
    bias: tuple[float, ...] = option(help="[K], or [1] for a value")
    link: Literal["softmax", "labels"] = option("softmax", "from scores to probabilities; labels: each by itself")

    def apply(self, columns: Columns) -> Columns:
        scores = columns[self.input] @ np.asarray(self.weights, np.float32) + np.asarray(self.bias, np.float32)
        return {**columns, self.answer: _shaped(_link(scores, self.to_answer), self.answer)}

    def graph(self, graph: Graph) -> None:
        product = graph.add("MatMul", graph.values[self.input], graph.constant(self.weights, np.float32))
        scores = graph.add("Add", product, graph.constant(self.bias, np.float32))
        if self.to_answer == "softmax":
            scores = graph.add("Softmax", scores, axis=1)
        elif self.to_answer == "labels":
            scores = graph.add("Sigmoid", scores)
        graph.values[self.answer] = scores

    @property
    def to_answer(self) -> str:
        """From scores to the answer."""
        return self.link if self.answer == "probability" else "identity"


class TreeEnsemble(Operation, kind="tree_ensemble"):
    """Sums of regression trees: go left where x[feature] <= threshold or (nan_left and x is NaN); leaves add up.

    Nodes stand in one list; a tree starts at roots[t], adds to output tree_outputs[t], and a leaf has feature -1.
    Thresholds are rounded down to float32 when fitted, so float32 inputs take the same branch in numpy and in ONNX.
    """

    input: str = option("x", "the tensor read")
    answer: Answer = option(help="what is answered")
    roots: tuple[int, ...] = option(help="index of each tree's first node")
    tree_outputs: tuple[int, ...] = option(help="which output each tree adds to")
    features: tuple[int, ...] = option(help="per node; -1 marks a leaf")
    thresholds: tuple[float, ...] = option(help="per node; 0 at a leaf")
    lefts: tuple[int, ...] = option(help="per node: the node for <=")
    rights: tuple[int, ...] = option(help="per node: the node for >")
    nan_left: tuple[bool, ...] = option(help="per node: whether NaN goes left")
    leaf_values: tuple[float, ...] = option(help="per node; 0 at a branch")
    base: tuple[float, ...] = option(help="what the sums start from, one per output")
    link: Literal["identity", "sigmoid", "softmax", "exp", "labels"] = option(
        "identity", "from sums to answer; sigmoid gives two classes, labels the probability of each output by itself"
    )

    def apply(self, columns: Columns) -> Columns:
        x = columns[self.input]
        features = np.asarray(self.features)
        thresholds = np.asarray(self.thresholds, np.float32)
        lefts, rights = np.asarray(self.lefts), np.asarray(self.rights)
        nan_left = np.asarray(self.nan_left, bool)
        leaf_values = np.asarray(self.leaf_values, np.float32)
        sums = np.tile(np.asarray(self.base, np.float32), (len(x), 1))
        rows = np.arange(len(x))
        for root, output in zip(self.roots, self.tree_outputs, strict=True):
            node = np.full(len(x), root)
            while (features[node] >= 0).any():
                value = x[rows, np.maximum(features[node], 0)]
                left = (value <= thresholds[node]) | (np.isnan(value) & nan_left[node])
                node = np.where(features[node] >= 0, np.where(left, lefts[node], rights[node]), node)
            sums[:, output] += leaf_values[node]
        return {**columns, self.answer: _shaped(_link(sums, self.link), self.answer)}

    def graph(self, graph: Graph) -> None:
        tree_of, node_of = self._numbering()
        is_leaf = [f < 0 for f in self.features]
        order = range(len(self.features))
        leaves = [i for i in order if is_leaf[i]]
        sums = graph.add(
            "TreeEnsembleRegressor",
            graph.values[self.input],
            domain="ai.onnx.ml",
            n_targets=len(self.base),
            nodes_treeids=[tree_of[i] for i in order],
            nodes_nodeids=[node_of[i] for i in order],
            nodes_featureids=[max(f, 0) for f in self.features],
            nodes_values=[float(t) for t in self.thresholds],
            nodes_modes=["LEAF" if leaf else "BRANCH_LEQ" for leaf in is_leaf],
            nodes_truenodeids=[0 if is_leaf[i] else node_of[self.lefts[i]] for i in order],
            nodes_falsenodeids=[0 if is_leaf[i] else node_of[self.rights[i]] for i in order],
            nodes_missing_value_tracks_true=[int(n) for n in self.nan_left],
            target_treeids=[tree_of[i] for i in leaves],
            target_nodeids=[node_of[i] for i in leaves],
            target_ids=[self.tree_outputs[tree_of[i]] for i in leaves],
            target_weights=[float(self.leaf_values[i]) for i in leaves],
        )
        # ONNX Runtime forgets the base value of an output that no tree adds to, so it is added outside
        sums = graph.add("Add", sums, graph.constant([self.base], np.float32))
        if self.link == "sigmoid":
            half = graph.add("Mul", sums, graph.constant(0.5, np.float32))
            sums = graph.add("Softmax", graph.add("Concat", graph.add("Neg", half), half, axis=1), axis=1)
        elif self.link == "softmax":
            sums = graph.add("Softmax", sums, axis=1)
        elif self.link == "labels":
            sums = graph.add("Sigmoid", sums)
        elif self.link == "exp":
            sums = graph.add("Exp", sums)
        graph.values[self.answer] = sums

    def _numbering(self) -> tuple[list[int], list[int]]:
        """Per node: its tree, and its number inside that tree."""
        ends = [*self.roots[1:], len(self.features)]
        tree_of, node_of = [], []
        for tree, (start, end) in enumerate(zip(self.roots, ends, strict=True)):
            tree_of += [tree] * (end - start)
            node_of += list(range(end - start))
        return tree_of, node_of


class Temperature(Operation, kind="temperature"):
    """Probabilities p to p^(1/T), scaled to sum to 1: the softmax of a network's outputs divided by T, for any model.

    Which class is the most probable stays; a probability of 0 stays 0.

    References: Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks", arXiv 1706.04599.

    >>> Temperature(temperature=2.0).apply({"probability": np.array([[0.8, 0.2]])})["probability"].round(4).tolist()
    [[0.6667, 0.3333]]
    """

    temperature: float = option(help="T; above 1 it makes answers less sure, below 1 surer", above=0)

    def apply(self, columns: Columns) -> Columns:
        with np.errstate(divide="ignore"):  # the logarithm of 0 is -inf, which comes out as 0 again
            logs = np.log(columns["probability"]) * np.float32(1.0 / self.temperature)
        return {**columns, "probability": _link(logs, "softmax")}

    def graph(self, graph: Graph) -> None:
        logs = graph.add("Log", graph.values["probability"])
        scaled = graph.add("Mul", logs, graph.constant(1.0 / self.temperature, np.float32))
        graph.values["probability"] = graph.add("Softmax", scaled, axis=1)


def _link(sums: np.ndarray, link: str) -> np.ndarray:
    if link == "identity":
        return sums
    if link == "sigmoid":
        sums = np.concatenate([-0.5 * sums, 0.5 * sums], axis=1)  # 1 less the other would keep no digits of the rarer
    if link == "labels":
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * sums)))
    if link == "exp":
        return np.asarray(np.exp(sums))
    shifted: np.ndarray = np.exp(sums - sums.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def _shaped(rows: np.ndarray, answer: Answer) -> np.ndarray:
    return rows if answer == "probability" else rows[:, 0]
