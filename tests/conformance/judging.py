"""What every metric must do."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from deepwright.core.errors import LeakError, RecipeError
from deepwright.core.families import Decision, Metric
from deepwright.evaluation.metric import weigher_of
from tests.conformance import samples

Case = tuple[np.ndarray, np.ndarray, np.ndarray]
"""(target, perfect answer, worse answer), of 24 rows."""


def _cases(part: Metric) -> list[Case]:
    """Rows of every problem that the metric judges; it may refuse numbers of classes that its options do not fit."""
    cases = [case for problem in sorted(_problems(part)) for case in OF_PROBLEMS[problem]()]
    taken = [case for case in cases if _is_taken(part, case)]
    assert taken, f"{part.kind} judges none of {sorted(_problems(part))}"
    return taken


def _problems(part: Metric) -> set[str]:
    """Its problems; one that names none is of intervals."""
    return set(part.problems) or {"intervals"}


def _is_taken(part: Metric, case: Case) -> bool:
    try:
        part.value(*case[:2])
    except RecipeError:
        return False
    return True


def _of_classes() -> list[Case]:
    cases = []
    for num_classes in (2, 3, 8):
        target = np.arange(24) % num_classes
        perfect = np.eye(num_classes, dtype=np.float32)[target]
        others = sum(np.roll(perfect, shift, axis=1) * shift for shift in range(1, num_classes))
        worse = others / others.sum(axis=1, keepdims=True)  # the true class is the last that is thought of
        cases.append((target, perfect, (0.02 * perfect + 0.98 * worse).astype(np.float32)))
    return cases


def _of_labels() -> list[Case]:
    target = (np.arange(24)[:, None] >> np.arange(3) & 1) > 0
    target[0] = True  # a row without a label has none that could be missed
    perfect = target.astype(np.float32)
    return [(target, perfect, 0.1 + 0.8 * (1 - perfect))]


def _of_values() -> list[Case]:
    target = np.linspace(1.0, 5.0, 24)
    return [(target, target.copy(), target[::-1].copy())]


def _of_intervals() -> list[Case]:
    target = np.linspace(1.0, 5.0, 24)
    shifted = np.roll(target, 5)
    return [(target, np.stack([target, target], axis=1), np.stack([shifted, shifted + 0.5], axis=1))]


OF_PROBLEMS: dict[str, Callable[[], list[Case]]] = {
    "classification": _of_classes,
    "multi-label": _of_labels,
    "regression": _of_values,
    "intervals": _of_intervals,
}


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
    for target, _, worse in _cases(part):
        for same in (0, -1):
            one = np.full_like(target, target[same]) if target.ndim == 1 else np.tile(target[same], (24, 1))
            assert isinstance(part.value(one, worse), float)
            assert isinstance(part.value(target[same:][:1], worse[same:][:1]), float)
    if target.ndim == 2:
        assert isinstance(part.value(np.zeros_like(target), worse), float)


def several_weightings_at_once_are_each_alone(part: Metric) -> None:
    weights = np.random.default_rng(3).integers(0, 3, (4, 24)).astype(np.float64)
    for target, _, worse in _cases(part):
        alone = [part.value(target, worse, weight) for weight in weights]
        np.testing.assert_allclose(weigher_of(part, target, worse)(weights), alone, rtol=1e-12, atol=1e-12)


def what_it_learns_is_of_the_training_part(part: Metric) -> None:
    train = samples.values_in_time("train")
    fitted = part.fit(train)
    assert part.learns or fitted == part, "one that learns says so"
    assert fitted.kind == part.kind and fitted.name == part.name, "its name stays: what it learned is no choice"
    if fitted != part:
        for other in ("validation", "test", "whole"):
            with pytest.raises(LeakError):
                part.fit(samples.values_in_time(other))


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
