"""Splitters: shares, strata, equal rows together, a row keeps its part."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError, RecipeError
from deepwright.core.recipe import Recipe
from deepwright.core.seal import make_split
from deepwright.data.collect import collect
from deepwright.data.groups import Groups
from deepwright.data.periods import Periods
from deepwright.data.split import Random, Stratified, choose_split, without_test
from deepwright.data.split_audit import split_findings

from .rows_of import dataset, with_roles


def cancer() -> Dataset:
    x, y = load_breast_cancer(return_X_y=True)
    return collect(Recipe.parse({"source": "table", "target": "y"}), data=(x, y)).whole


def counts(parts: np.ndarray) -> list[int]:
    return np.bincount(parts, minlength=3).tolist()


def test_random_gives_about_the_shares():
    big = dataset({"a": list(range(20_000)), "y": [0.5] * 20_000}, part="whole")
    found = np.array(counts(Random().assign(big))) / 20_000
    np.testing.assert_allclose(found, [0.7, 0.2, 0.1], atol=0.015)


def test_a_row_keeps_its_part_when_rows_are_added_in_any_order():
    whole = cancer()
    parts = Random().assign(whole)
    fewer = np.random.default_rng(0).permutation(len(whole))[:400]
    assert (Random().assign(whole.take(fewer)) == parts[fewer]).all()


@pytest.mark.parametrize("splitter", [Random(), Stratified()])
def test_the_split_changes_with_its_own_seed_alone(splitter):
    whole = cancer()
    assert (splitter.assign(whole) == splitter.assign(whole)).all()
    assert (splitter.assign(whole) != splitter.replace(seed=1).assign(whole)).any()


def test_stratified_gives_each_class_its_exact_share():
    whole = cancer()
    parts = Stratified().assign(whole)
    for level, expected in (("0", [148, 43, 21]), ("1", [250, 71, 36])):
        found = np.array(counts(parts[whole.target == level]))
        assert abs(found - np.array(expected)).max() <= 1
    assert counts(parts) == [398, 114, 57]


def test_stratified_does_not_depend_on_the_order_of_the_rows():
    whole = cancer()
    order = np.random.default_rng(1).permutation(len(whole))
    assert (Stratified().assign(whole.take(order)) == Stratified().assign(whole)[order]).all()


def test_numbers_can_be_cut_into_bins_of_exact_shares():
    whole = dataset({"a": list(range(1000)), "y": [float(i) for i in range(1000)]}, part="whole")
    parts = Stratified(bins=10).assign(whole)
    for low in range(0, 1000, 100):
        assert abs(np.array(counts(parts[low : low + 100])) - [70, 20, 10]).max() <= 1


@pytest.mark.parametrize("splitter", [Random(), Stratified(), Stratified(bins=5)])
def test_equal_rows_share_a_part(splitter):
    base = dataset({"a": list(range(300)), "y": [float(i % 9) for i in range(300)]}, part="whole")
    hashes = np.repeat(base.hashes[:60], 5)
    whole = Dataset(base.columns, base.schema, "whole", base.origin, hashes)
    parts = splitter.assign(whole)
    assert all(len(set(parts[hashes == h])) == 1 for h in hashes)
    make_split(whole, parts)


def test_a_row_repeated_very_often_goes_to_training_and_leaves_the_shares_exact():
    base = dataset({"a": list(range(1000)), "y": ["no"] * 1000}, part="whole")
    hashes = base.hashes.copy()
    hashes[:300] = hashes[0]
    whole = Dataset(base.columns, base.schema, "whole", base.origin, hashes)
    for seed in range(40):
        parts = Stratified(seed=seed).assign(whole)
        assert set(parts[:300]) == {0}
        assert counts(parts) == [700, 200, 100]


@pytest.mark.parametrize("splitter", [Random, Stratified])
def test_shares_that_are_no_whole_are_refused(splitter):
    with pytest.raises(
        RecipeError, match=r"train 0.7 \+ validation 0.2 \+ test 0.2 = 1.1; the shares must add up to 1"
    ):
        splitter(test=0.2).assign(cancer())


def test_a_part_that_would_be_empty_is_refused_by_name():
    tiny = dataset({"a": [1, 2, 3], "y": ["0", "1", "1"]}, part="whole")
    with pytest.raises(DataError, match="3 rows leave none for the test part"):
        Stratified().assign(tiny)


@pytest.mark.parametrize("splitter", [Random(), Stratified()])
def test_with_a_test_file_no_row_is_taken_for_test(splitter):
    rescaled = without_test(splitter)
    assert rescaled.train + rescaled.validation == pytest.approx(1.0)
    assert rescaled.train / rescaled.validation == pytest.approx(3.5)
    assert set(rescaled.assign(cancer())) == {0, 1}
    assert without_test(rescaled) == rescaled


@pytest.mark.parametrize(
    ("rows", "target", "kind"),
    [(100, ["0", "1"], "stratified"), (20_000, ["0", "1"], "random"), (100, [0.5, 1.5], "random")],
)
def test_the_choice_of_a_splitter_is_told(rows: int, target: list, kind: str):
    whole = dataset({"a": list(range(rows)), "y": target * (rows // 2)}, part="whole")
    splitter, why = choose_split(whole, has_test=False)
    assert splitter.kind == kind
    assert why.text.startswith("split: ")
    assert choose_split(whole, has_test=True)[0] == without_test(splitter)


@pytest.mark.parametrize(
    ("roles", "groups", "splitter", "rule"),
    [
        ({"when": "time"}, 10, Periods(), "split_by_time"),
        ({"who": "group"}, 10, Groups(), "split_groups"),
        ({"who": "group"}, 1000, Groups(balanced=False), "split_many_groups"),
        ({"who": "group", "when": "time"}, 10, Periods(), "split_by_time"),
    ],
)
def test_declared_groups_and_times_decide_the_splitter(roles, groups, splitter, rule):
    rows = {"a": list(range(2000)), "who": [f"{i % groups}" for i in range(2000)], "when": list(range(2000))}
    whole = with_roles(dataset({**rows, "y": ["0", "1"] * 1000}, part="whole"), **roles)
    found, why = choose_split(whole, has_test=False)
    assert (found, why.rule) == (splitter, rule)
    assert choose_split(whole, has_test=True)[0].test == 0


def test_a_large_table_with_a_small_class_is_stratified():
    whole = dataset({"a": list(range(30_000)), "y": ["0"] * 29_950 + ["1"] * 50}, part="whole")
    splitter, why = choose_split(whole, has_test=False)
    assert (splitter, why.rule) == (Stratified(), "split_small_class")


def test_classes_that_validation_cannot_judge_are_named():
    whole = dataset({"a": list(range(101)), "y": ["0"] * 50 + ["1"] * 50 + ["rare"]}, part="whole")
    parts = Stratified().assign(whole)
    (found,) = split_findings(whole, parts)
    assert (found.rule, found.severity) == ("class_not_validated", "warning")
    assert "rare (1)" in found.text


def test_one_class_in_validation_blocks():
    whole = dataset({"a": list(range(51)), "y": ["0"] * 50 + ["1"]}, part="whole")
    (found,) = split_findings(whole, Stratified().assign(whole))
    assert (found.rule, found.severity) == ("one_class", "blocking")
    assert "all 10 validation rows are of class '0'" in found.text
