"""What every metric must do."""

import math

import numpy as np

from deepwright.core.families import Decision, Metric


def _cases(part: Metric) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(target, perfect answer, worse answer) of every problem that the metric judges."""
    cases = []
    if "classification" in (part.problems or ()):
        for num_classes in (2, 3):
            target = np.arange(24) % num_classes
            perfect = np.eye(num_classes, dtype=np.float32)[target]
            worse = 0.4 * perfect + 0.6 * np.roll(perfect, 1, axis=0)
            cases.append((target, perfect, worse.astype(np.float32)))
    if "regression" in (part.problems or ()):
        target = np.linspace(1.0, 5.0, 24)
        cases.append((target, target.copy(), target[::-1].copy()))
    assert cases, "a metric names its problems"
    return cases


def a_perfect_answer_is_best(part: Metric) -> None:
    for target, perfect, worse in _cases(part):
        best, other = part.value(target, perfect), part.value(target, worse)
        assert math.isfinite(best) and math.isfinite(other), (best, other)
        assert (best > other) if part.greater_is_better else (best < other), f"{best} and {other}"


def weights_count_rows(part: Metric) -> None:
    for target, _, worse in _cases(part):
        weight = 1.0 + np.random.default_rng(5).integers(0, 4, len(target))
        repeated = np.repeat(np.arange(len(target)), weight.astype(int))
        expected = part.value(target[repeated], worse[repeated])
        found = part.value(target, worse, weight)
        assert math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9), (found, expected)
        plain, ones = part.value(target, worse), part.value(target, worse, np.ones(len(target)))
        assert math.isclose(plain, ones, rel_tol=1e-9), (plain, ones)


def the_order_of_rows_does_not_matter(part: Metric) -> None:
    order = np.random.default_rng(0).permutation(24)
    for target, _, worse in _cases(part):
        one, other = part.value(target, worse), part.value(target[order], worse[order])
        assert math.isclose(one, other, rel_tol=1e-9), (one, other)


def one_class_or_one_value_gives_a_number_or_nan(part: Metric) -> None:
    if "classification" in (part.problems or ()):
        answer = np.tile(np.array([[0.3, 0.7]], np.float32), (5, 1))
        assert isinstance(part.value(np.ones(5, np.int64), answer), float)
        assert isinstance(part.value(np.zeros(5, np.int64), answer), float)
    if "regression" in (part.problems or ()):
        assert isinstance(part.value(np.zeros(5), np.linspace(0.0, 1.0, 5)), float)
        assert isinstance(part.value(np.zeros(1), np.ones(1)), float)


def a_decision_gives_a_probability_or_none(part: Decision) -> None:
    target, probability = _undecided()
    for weight in (None, np.linspace(0.0, 2.0, len(target))):
        threshold = part.choose(target, probability, weight)
        assert threshold is None or 0.0 <= threshold <= 1.0, threshold
        assert threshold is None or threshold == float(np.float32(threshold)), "a float32 compares alike everywhere"


def a_decision_does_not_depend_on_the_order_of_rows(part: Decision) -> None:
    target, probability = _undecided()
    order = np.random.default_rng(1).permutation(len(target))
    assert part.choose(target[order], probability[order]) == part.choose(target, probability)


def _undecided() -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    target = (draw.random(300) < 0.2).astype(np.int64)
    score = np.clip(0.3 * target + draw.random(300) * 0.5, 0, 1).astype(np.float32)
    return target, np.stack([1 - score, score], axis=1)
