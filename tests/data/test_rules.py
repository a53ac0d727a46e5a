"""Rules of a row: what each treatment does, and which rows break one."""

import numpy as np
import pytest

from deepwright.core.errors import DataError, RecipeError
from deepwright.core.prepare import Rule
from deepwright.data.rules import breaks, fit_rules, require_numbers, rule_findings

from .rows_of import dataset

TRAIN = dataset(
    {"age": [-1, 40, 130, None], "low": [1, 5, 2, 9], "high": [2, 3, None, 9], "job": ["a"] * 4, "y": ["0"] * 4}
)


def applied(rule: Rule) -> dict[str, list[float]]:
    result = fit_rules(TRAIN, (rule,)).apply(TRAIN.columns)
    return {name: column.tolist() for name, column in result.items() if column.dtype == np.float64}


def test_a_row_that_misses_a_value_breaks_no_rule():
    assert breaks(dict(TRAIN.columns), Rule(rule="0 <= age <= 120")).tolist() == [True, False, True, False]
    assert breaks(dict(TRAIN.columns), Rule(rule="low <= high")).tolist() == [False, True, False, False]


def test_each_treatment_does_what_it_says():
    np.testing.assert_equal(applied(Rule(rule="0 <= age <= 120"))["age"], [np.nan, 40.0, np.nan, np.nan])
    np.testing.assert_equal(applied(Rule(rule="0 <= age <= 120", treat="clip"))["age"], [0.0, 40.0, 120.0, np.nan])
    crossed = applied(Rule(rule="low <= high"))
    np.testing.assert_equal((crossed["low"], crossed["high"]), ([1.0, np.nan, 2.0, 9.0], [2.0, np.nan, np.nan, 9.0]))
    assert applied(Rule(rule="low <= high", treat="flag"))["not low <= high"] == [0.0, 1.0, 0.0, 0.0]
    assert fit_rules(TRAIN, (Rule(rule="low <= high", treat="delete"),)).operations == ()


def test_broken_rules_are_counted():
    (found,) = rule_findings(TRAIN, (Rule(rule="age >= 0"), Rule(rule="high > 0")))
    assert found.text == "age >= 0: 1 of 4 training rows break this rule; treated: missing."


def test_a_rule_on_a_column_without_numbers_is_refused():
    with pytest.raises(RecipeError, match="names column 'job', which is a category with the role input"):
        require_numbers(TRAIN, (Rule(rule="job > 0"),))
    with pytest.raises(DataError, match=r"Did you mean 'age'\?"):
        require_numbers(TRAIN, (Rule(rule="aged > 0"),))
