"""Groups: no group in two parts, shares of rows and classes, a group keeps its part."""

import numpy as np
import pytest

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError, RecipeError
from deepwright.core.seal import make_split
from deepwright.data.groups import Groups
from deepwright.data.split_audit import split_findings

from .rows_of import dataset, with_roles


def patients(num: int = 60, seed: int = 0) -> Dataset:
    """Patients with 1 to 9 rows each; one in five is ill in all rows."""
    draw = np.random.default_rng(seed)
    names = [f"patient {i}" for i in range(num) for _ in range(draw.integers(1, 10))]
    ill = {f"patient {i}" for i in range(0, num, 5)}
    rows = {"a": list(range(len(names))), "who": names, "y": ["ill" if name in ill else "well" for name in names]}
    return with_roles(dataset(rows, part="whole"), who="group")


def parts_of_groups(whole: Dataset, parts: np.ndarray) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for name, part in zip(whole.of_role("group"), parts.tolist(), strict=True):
        found.setdefault(name, set()).add(part)
    return found


@pytest.mark.parametrize("balanced", [True, False])
def test_no_group_stands_in_two_parts(balanced):
    whole = patients()
    parts = Groups(balanced=balanced).assign(whole)
    assert all(len(found) == 1 for found in parts_of_groups(whole, parts).values())
    assert set(parts.tolist()) == {0, 1, 2}
    assert split_findings(whole, parts)[0].rule == "groups_apart"


def test_balanced_groups_come_close_to_the_shares_of_rows_and_classes():
    for seed in range(20):
        whole = patients(seed=seed)
        parts = Groups(seed=seed).assign(whole)
        for rows in (np.ones(len(whole), bool), whole.target == "ill"):
            shares = np.bincount(parts[rows], minlength=3) / rows.sum()
            np.testing.assert_allclose(shares, [0.7, 0.2, 0.1], atol=0.06)


def test_a_group_keeps_its_part_when_others_come_and_go():
    whole = patients()
    parts = Groups(balanced=False).assign(whole)
    rows = np.flatnonzero([not name.endswith("7") for name in whole.of_role("group")])[::-1]
    assert (Groups(balanced=False).assign(whole.take(rows)) == parts[rows]).all()


def test_the_order_of_rows_does_not_matter():
    whole = patients()
    order = np.random.default_rng(1).permutation(len(whole))
    assert (Groups().assign(whole.take(order)) == Groups().assign(whole)[order]).all()


@pytest.mark.parametrize("balanced", [True, False])
def test_groups_that_share_a_row_hash_go_together(balanced):
    whole = patients()
    hashes = whole.hashes.copy()
    first = [int(np.flatnonzero(whole.of_role("group") == f"patient {i}")[0]) for i in range(0, 60, 3)]
    hashes[first[1:]] = hashes[first[:-1]]  # a chain: 0 with 3, 3 with 6 ...
    hashes[first] = hashes[first[0]]
    whole = Dataset(whole.columns, whole.schema, "whole", whole.origin, hashes)
    parts = Groups(balanced=balanced).assign(whole)
    assert len(set(parts[first])) == 1
    make_split(whole, parts)


def test_as_many_groups_as_parts_fill_them():
    whole = with_roles(
        dataset({"a": [1, 2, 3], "who": ["p", "q", "r"], "y": ["0", "1", "1"]}, part="whole"), who="group"
    )
    assert sorted(Groups().assign(whole).tolist()) == [0, 1, 2]
    with pytest.raises(DataError, match="split groups: 2 groups cannot fill 3 parts"):
        Groups().assign(whole.take(np.array([0, 1])))


def test_without_a_group_column_the_option_is_named():
    with pytest.raises(
        RecipeError, match=r"split groups: no column is declared for it. Add --group COLUMN, one of: a, y"
    ):
        Groups().assign(dataset({"a": [1, 2, 3], "y": ["0", "1", "1"]}, part="whole"))


def test_a_split_that_parts_groups_is_named():
    whole = patients()
    (found,) = split_findings(whole, np.arange(len(whole)) % 3)
    assert found.rule == "groups_straddle"
    assert "--split groups" in found.text


def test_groups_of_the_users_own_test_rows_are_compared_too():
    whole = patients()
    own = Dataset(whole.columns, whole.schema, "test", whole.origin, whole.hashes)
    (found,) = split_findings(whole, Groups(train=0.8, validation=0.2, test=0.0).assign(whole), own)
    assert found.rule == "groups_straddle"
    assert found.sentence.values["count"] == 60
