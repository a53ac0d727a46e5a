"""Steps learn from the training part alone."""

import numpy as np
import pytest

from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError, RuleError
from deepwright.core.operations import Fill, Standardise
from deepwright.core.step import Fitted, Step, require_part


class Learner(Step, family="test_step"):
    """A family that only these tests know."""


class Mean(Learner, kind="mean"):
    """Fills with the mean."""

    def learn(self, train: Dataset) -> Fitted:
        return Fitted((Fill(columns=["age"], values=[float(np.nanmean(train.columns["age"]))]),))


def test_a_step_learns_from_the_training_part(people: Dataset):
    fitted = Mean().fit(people.take(np.arange(3), "train"))
    assert fitted.operations == (Fill(columns=["age"], values=[31.5]),)


@pytest.mark.parametrize("part", ["whole", "validation", "test"])
def test_fit_on_any_other_part_is_a_leak(people: Dataset, part: str):
    rows = people if part == "whole" else people.take(np.arange(3), part)  # type: ignore[arg-type]
    with pytest.raises(LeakError) as caught:
        Mean().fit(rows)
    assert str(caught.value) == (
        f"test_step.mean: was given {part}; it may see only the train part. "
        "Pass split.train; fitting anywhere else leaks, and there is no switch for it."
    )
    assert isinstance(caught.value, TypeError) and isinstance(caught.value, RuleError)
    assert caught.value.exit_code == 4


def test_something_that_is_no_dataset_is_a_leak_too(people: Dataset):
    with pytest.raises(LeakError, match="was given dict; it may see only the train part"):
        Mean().fit(dict(people.columns))  # type: ignore[arg-type]


def test_choosing_takes_validation_only(people: Dataset):
    require_part(people.take(np.arange(3), "validation"), "validation", "threshold")
    with pytest.raises(LeakError, match="threshold: was given train; it may see only the validation part"):
        require_part(people.take(np.arange(3), "train"), "validation", "threshold")


def test_applying_runs_the_operations_in_order_and_leaves_the_data(people: Dataset):
    fitted = Fitted((Fill(columns=["age"], values=[38.0]),)).then(
        Fitted((Standardise(columns=["age"], means=[38.0], sds=[13.0]),))
    )
    result = fitted.apply(people.columns)
    assert result["age"].tolist() == pytest.approx([-1.0, 0.0, 0.0, 23 / 13, 6 / 13, -21 / 13])
    assert np.isnan(people.columns["age"][2])


def test_a_step_without_learn_says_so(people: Dataset):
    class Empty(Learner, kind="empty"):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty must define learn\(train\)"):
        Empty().fit(people.take(np.arange(3), "train"))
