"""Top-k accuracy at its edges; test_every_metric.py has the values."""

import numpy as np
import pytest

from deepwright.core.errors import RecipeError
from deepwright.evaluation.classify import Accuracy
from deepwright.evaluation.top_k import TopKAccuracy


def test_of_equally_probable_classes_the_first_levels_are_named():
    answer = np.full((4, 4), 0.25)
    assert [TopKAccuracy(k=2).value(np.array([level]), answer[:1]) for level in range(4)] == [1, 1, 0, 0]
    target = np.arange(4)
    assert TopKAccuracy(k=1).value(target, answer) == Accuracy().value(target, answer)


def test_as_many_as_there_are_classes_is_refused():
    with pytest.raises(RecipeError) as error:
        TopKAccuracy(k=3).value(np.array([0]), np.array([[0.2, 0.3, 0.5]]))
    assert str(error.value) == (
        "top_k_accuracy(k=3): found k = 3 for 3 classes, of which every answer would be right; give k= below the "
        "number of classes."
    )
