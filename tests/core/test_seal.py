"""The split, and the test part that opens once for its rows."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError, RuleError, SealError
from deepwright.core.ledger import LookLedger
from deepwright.core.seal import Sealed, make_split

PARTS = np.array([0, 0, 0, 1, 1, 2], np.int8)


@pytest.fixture
def sealed(people: Dataset) -> Sealed:
    return make_split(people, PARTS).test


def test_every_row_stands_in_the_part_that_was_assigned(people: Dataset):
    split = make_split(people, PARTS)
    assert split.train.origin.tolist() == [1, 2, 3]
    assert split.validation.origin.tolist() == [4, 5]
    assert (split.train.part, split.validation.part, len(split.test)) == ("train", "validation", 1)


def test_the_users_own_test_part_is_sealed_and_takes_no_row_of_the_whole(people: Dataset):
    own = Dataset(people.columns, people.schema, "test", people.origin, people.hashes + np.uint64(900))
    split = make_split(people, np.array([0, 0, 0, 1, 1, 1], np.int8), own)
    assert len(split.train) + len(split.validation) == 6
    assert len(split.test) == 6
    with pytest.raises(RuleError, match="1 of 6 rows would stand in no part"):
        make_split(people, PARTS, own)


@pytest.mark.parametrize(
    ("parts", "count", "given"), [([0, 0, 0, 1, 3, -1], 2, 6), ([0, 0, 1, 1, 2], 6, 5), ([0, 0, 0, 1, 1, 9], 1, 6)]
)
def test_no_row_may_vanish(people: Dataset, parts: list[int], count: int, given: int):
    with pytest.raises(RuleError) as caught:
        make_split(people, np.array(parts, np.int8))
    assert str(caught.value) == (
        f"{count} of 6 rows would stand in no part: the splitter gave {given} numbers, and each must be one of "
        "(0, 1, 2) (0 train, 1 validation, 2 test; with a test file of your own there is no 2). Correct the splitter; "
        "no row may vanish."
    )
    assert caught.value.exit_code == 4


def test_equal_rows_may_not_stand_in_two_parts(people: Dataset):
    twins = Dataset(people.columns, people.schema, "whole", people.origin, np.array([1, 2, 3, 1, 5, 6], np.uint64))
    with pytest.raises(LeakError) as caught:
        make_split(twins, PARTS)
    assert str(caught.value) == (
        "1 equal rows stand in two parts. A splitter must give rows with equal hashes the same part."
    )
    make_split(twins, np.array([0, 0, 0, 0, 1, 2], np.int8))


def test_a_closed_test_part_shows_its_size_and_nothing_else(sealed: Sealed):
    assert repr(sealed) == "Sealed(1 rows)"
    assert len(sealed) == 1
    assert sealed.hashes.tolist() == [105]
    assert not hasattr(sealed, "columns") and not hasattr(sealed, "target")


def test_audits_get_inputs_and_no_label(sealed: Sealed):
    assert set(sealed.audit_inputs()) == {"age", "job"}


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_closed_test_part_cannot_be_copied_or_sent(sealed: Sealed, duplicate: Callable[[Sealed], object]):
    with pytest.raises(SealError) as caught:
        duplicate(sealed)
    assert str(caught.value) == (
        "the sealed test part cannot be copied or sent elsewhere. Open it with `deepwright test RUN`."
    )


@pytest.mark.parametrize("part", ["whole", "train", "validation"])
def test_only_test_rows_can_be_sealed(people: Dataset, part: str):
    rows = people if part == "whole" else people.take(np.arange(2), part)  # type: ignore[arg-type]
    with pytest.raises(LeakError, match=f"Sealed: was given {part}; it may see only the test part"):
        Sealed(rows)


def test_opening_writes_the_look_first_and_gives_the_rows(sealed: Sealed, tmp_path: Path):
    looks = LookLedger(tmp_path)
    rows = sealed.open(looks, run="a", bundle="b")
    assert rows.part == "test" and rows.target.tolist() == ["low"]
    assert [look["run"] for look in looks.looks(sealed.hashes)] == ["a"]


def test_a_second_look_is_refused_without_a_reason_and_gives_no_rows(sealed: Sealed, tmp_path: Path):
    looks = LookLedger(tmp_path)
    sealed.open(looks, run="a", bundle="b")
    with pytest.raises(SealError, match="looked at before"):
        sealed.open(looks, run="a", bundle="b", result_exists=True)
    assert len(sealed.open(looks, run="a", bundle="b", reason="asked", result_exists=True)) == 1
    assert len(looks.looks(sealed.hashes)) == 2


def test_a_ledger_that_cannot_be_written_keeps_the_part_closed(sealed: Sealed, tmp_path: Path):
    (tmp_path / "file").write_text("a file, no folder")
    with pytest.raises(Exception, match="cannot be written"):
        sealed.open(LookLedger(tmp_path / "file"), run="a", bundle="b")


def test_rows_are_given_again_for_a_counted_look_only(sealed: Sealed, tmp_path: Path):
    looks = LookLedger(tmp_path)
    with pytest.raises(SealError) as caught:
        sealed.reopen(looks, "0" * 64)
    assert str(caught.value) == (
        f"{tmp_path / 'looks.jsonl'} knows no look 000000000000 at these rows: the ledger was replaced. "
        "Restore it from a copy."
    )
    sealed.open(looks, run="a", bundle="b")
    (look,) = looks.looks(sealed.hashes)
    assert len(sealed.reopen(looks, look["hash"])) == 1
    assert len(looks.looks(sealed.hashes)) == 1


def test_a_look_at_other_rows_does_not_reopen_these(sealed: Sealed, people: Dataset, tmp_path: Path):
    looks = LookLedger(tmp_path)
    other = Sealed(people.take(np.arange(3), "test"))
    other.open(looks, run="a", bundle="b")
    (look,) = looks.looks(other.hashes)
    with pytest.raises(SealError):
        sealed.reopen(looks, look["hash"])


def test_a_schema_of_the_training_part_fits_all_three(people: Dataset):
    schema = people.schema.with_feature("age", high=61.0)
    split = make_split(people, PARTS).with_schema(schema)
    assert split.train.schema == split.validation.schema == schema
    assert len(split.test) == 1
