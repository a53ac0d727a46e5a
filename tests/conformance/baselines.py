"""What every baseline must do."""

from typing import Any

import numpy as np

from deepwright.core.families import Baseline
from tests.onnx_runner import in_onnx


def _learning_cases(part: Baseline) -> list[tuple[np.ndarray, np.ndarray, Any, int]]:
    """(x, target, problem, classes or labels) of every problem that it takes."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(300, 4)).astype(np.float32)
    score = x[:, 0] - 0.5 * x[:, 1]
    three = np.digitize(score, [-0.5, 0.5]).astype(np.int64)
    labels = np.stack([score > 0, x[:, 2] > 0.5, np.zeros(300, bool), np.ones(300, bool)], axis=1)
    cases = [
        (x, (score > 0).astype(np.int64), "classification", 2),
        (x, three, "classification", 3),
        (x, score.astype(np.float64), "regression", 0),
        (x, labels, "multi-label", 4),
    ]
    return [case for case in cases if case[2] in part.problems]


def a_baseline_is_the_same_in_numpy_and_onnx(part: Baseline) -> None:
    for x, target, problem, num_classes in _learning_cases(part):
        operation = part.learn(x, target, problem, num_classes, seed=0)
        answer = "value" if problem == "regression" else "probability"
        rows = np.concatenate([x[:50], 100 * x[50:60]]).astype(np.float32)
        found = operation.apply({"x": rows})[answer]
        assert found.dtype == np.float32, found.dtype
        assert found.shape == ((60, num_classes) if num_classes else (60,)), found.shape
        if problem == "classification":
            np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)
        if problem == "multi-label":
            assert ((found >= 0) & (found <= 1)).all()
            assert found[:50, 2].max() < 0.1 and found[:50, 3].min() > 0.9, "a label of no row, and one of every row"
        (in_graph,) = in_onnx([operation], {"x": rows}, [answer])
        np.testing.assert_allclose(in_graph.reshape(found.shape), found, rtol=1e-4, atol=1e-5)


def a_baseline_is_the_same_each_time(part: Baseline) -> None:
    x, target, problem, num_classes = _learning_cases(part)[0]
    first = part.learn(x, target, problem, num_classes, seed=0)
    assert part.learn(x, target, problem, num_classes, seed=0) == first


def a_baseline_counts_rows_by_their_weight(part: Baseline) -> None:
    for x, _, problem, num_classes in _learning_cases(part):
        score = x[:, 0] + np.random.default_rng(1).normal(size=len(x))
        target = score if problem == "regression" else np.digitize(score, np.linspace(-0.5, 0.5, num_classes + 1)[1:-1])
        high = target > np.median(target) if problem == "regression" else target == num_classes - 1
        if problem == "multi-label":
            target = np.stack([target == number for number in range(num_classes)], axis=1)
        weight = np.where(high, 8.0, 1.0)
        answer = "value" if problem == "regression" else "probability"
        given = (x, target, problem, num_classes)
        alike, ones, heavy = (
            part.learn(*given, seed=0, weight=w).apply({"x": x})[answer]
            for w in (None, np.ones(len(x)), weight / weight.mean())
        )
        np.testing.assert_allclose(ones, alike, rtol=1e-3, atol=1e-3)
        alike, heavy = (found[:, -1] if num_classes else found for found in (alike, heavy))
        assert heavy.mean() > alike.mean() + 0.01, f"{problem}: {alike.mean()} > {heavy.mean()}"
