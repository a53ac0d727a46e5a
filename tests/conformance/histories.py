"""What every step that makes numbers of windows must do."""

import numpy as np
import pytest

from deepwright.core.dataset import Dataset, PartTag
from deepwright.core.errors import LeakError
from deepwright.core.families import History
from deepwright.core.schema import Feature, Schema
from deepwright.data.windows import history_columns
from tests.onnx_runner import in_onnx

LENGTH, MOMENTS = 24, 120


def series(seed: int = 0) -> np.ndarray:
    """float64 [M, 2]: a wave of 12 moments and a walk, with noise."""
    generator = np.random.default_rng(seed)
    wave = 5.0 + np.sin(2.0 * np.pi * np.arange(MOMENTS) / 12) + 0.1 * generator.normal(size=MOMENTS)
    return np.stack([wave, np.cumsum(generator.normal(size=MOMENTS))], axis=1)


def windows(values: np.ndarray) -> dict[str, np.ndarray]:
    return history_columns(values, np.array([0, len(values)]), ("load", "price"), LENGTH)


def part_of(columns: dict[str, np.ndarray], part: PartTag) -> Dataset:
    features = (
        *(Feature(name=name, type="series") for name in columns),
        Feature(name="y", type="number", role="target"),
    )
    size = len(columns["load"])
    everything = {**columns, "y": np.arange(float(size))}
    hashes = np.arange(size, dtype=np.uint64)
    return Dataset(everything, Schema(features=features), part, np.arange(1, size + 1), hashes)


def only_training_windows_are_learned_from(part: History) -> None:
    part.fit(part_of(windows(series()), "train"))
    for other in ("validation", "test", "whole"):
        with pytest.raises(LeakError):
            part.fit(part_of(windows(series()), other))


def what_was_learned_is_the_same_in_numpy_and_onnx(part: History) -> None:
    fitted = part.fit(part_of(windows(series()), "train"))
    assert fitted.operations, "nothing is learned"
    values = series(seed=1)
    values[40:43, 0] = np.nan
    columns = windows(values)
    result = fitted.apply(columns)
    made = [name for name in result if result[name] is not columns.get(name)]
    for name, found in zip(made, in_onnx(fitted.operations, columns, made), strict=True):
        due = result[name] if result[name].ndim == 2 else result[name][:, None]
        np.testing.assert_allclose(found, due, rtol=1e-9, atol=1e-12, err_msg=name)


def a_value_after_a_moment_changes_nothing_at_it(part: History) -> None:
    """The future is planted: every value after moment 80 is another; rows answered up to it stay the same bits."""
    fitted = part.fit(part_of(windows(series()), "train"))
    values = series(seed=1)
    other = values.copy()
    other[81:] += 100.0
    before, after = fitted.apply(windows(values)), fitted.apply(windows(other))
    known = 80 - LENGTH + 2  # the last of these windows ends at moment 80
    for name in before:
        np.testing.assert_array_equal(before[name][:known], after[name][:known], err_msg=name)
    assert any(not np.array_equal(before[name][known:], after[name][known:]) for name in before), (
        "nothing sees the change"
    )


def huge_and_missing_values_give_no_infinity(part: History) -> None:
    fitted = part.fit(part_of(windows(series()), "train"))
    values = series(seed=1)
    values[50:60], values[60:100] = 1e300, np.nan
    for name, column in fitted.apply(windows(values)).items():
        if name not in ("load", "price"):
            assert not np.isinf(column).any(), name
