"""What the tests of this folder share: a metric as a user writes one."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pytest

from deepwright.core.families import Metric


@pytest.fixture
def median_error() -> Iterator[Metric]:
    """The median absolute error, by `value` alone; its kind is forgotten after the test."""

    class MedianError(Metric, kind="median_error_of_a_test"):
        greater_is_better: ClassVar[bool] = False

        def value(self, target: np.ndarray, answer: np.ndarray, weight: np.ndarray | None = None) -> float:
            weight = np.ones(len(target)) if weight is None else weight
            return float(np.median(np.repeat(np.abs(target - answer), weight.astype(int))))

    yield MedianError()
    del Metric.kinds["median_error_of_a_test"]
