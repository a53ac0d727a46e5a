"""Datasets: immutable, tagged, fingerprinted."""

from collections.abc import Callable

import numpy as np
import pytest

from deepwright.core.dataset import Dataset, Decoded, column_bytes
from deepwright.core.errors import LeakError
from deepwright.core.operations import DecodeImage


def texts(*values: str | None) -> np.ndarray:
    return np.array(values, object)


def test_columns_cannot_be_changed_or_replaced(people: Dataset):
    with pytest.raises(ValueError, match="read-only"):
        people.columns["age"][0] = 1.0
    with pytest.raises(TypeError):
        people.columns["age"] = np.zeros(6)  # type: ignore[index]


def test_every_column_has_as_many_rows_as_there_are_origins(people: Dataset):
    with pytest.raises(AssertionError, match="column 'age' has 2 rows, origin has 6"):
        Dataset({"age": np.zeros(2)}, people.schema, "whole", people.origin, people.hashes)
    with pytest.raises(AssertionError, match="5 hashes for 6 rows"):
        Dataset({}, people.schema, "whole", people.origin, people.hashes[:5])


def test_take_keeps_origin_and_hashes_in_step(people: Dataset):
    some = people.take(np.array([4, 0]), "train")
    assert some.origin.tolist() == [5, 1]
    assert some.hashes.tolist() == [104, 100]
    assert some.columns["note"].tolist() == ["e", "a"]
    assert (some.part, len(some), some.source) == ("train", 2, "people.csv")
    assert repr(some) == "Dataset(train, 2 rows, 4 columns)"


def test_a_mask_takes_rows_too(people: Dataset):
    assert people.take(people.columns["age"] > 40.0).origin.tolist() == [4, 5]


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_part_is_never_left(people: Dataset, part: str):
    rows = people.take(np.arange(3), part)  # type: ignore[arg-type]
    assert rows.take(np.arange(2)).part == part
    for other in {"whole", "train", "validation", "test"} - {part}:
        with pytest.raises(LeakError) as caught:
            rows.take(np.arange(2), other)  # type: ignore[arg-type]
        assert str(caught.value) == (
            f"rows of the {part} part cannot be called {other}: a part is never left. Split the whole again instead."
        )


def test_inputs_hold_neither_target_nor_ignored_columns(people: Dataset):
    assert list(people.inputs) == ["age", "job"]
    assert people.target.tolist() == ["low", "low", "high", "high", "low", "low"]


def test_the_fingerprint_is_of_the_values_and_not_of_their_storage(people: Dataset):
    again = people.take(np.arange(6))
    assert again.fingerprint == people.fingerprint
    assert len(people.fingerprint) == 64
    turned = people.with_schema(people.schema.with_feature("age", unit="a"))
    assert turned.fingerprint == people.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(age=np.array([25.0, 38.0, np.nan, 61.0, 44.0, 18.0])),
        lambda c: c.update(job=texts("cook", "clerk", "smith", None, "cook", None)),
        lambda c: c.update(job=texts("cook", "clerk", "smith", "", "cook", "")),
        lambda c: c.update(other=c.pop("note")),
        lambda c: c.pop("note"),
    ],
)
def test_any_changed_value_changes_the_fingerprint(people: Dataset, change: Callable[[dict], object]):
    columns = dict(people.columns)
    change(columns)
    assert Dataset(columns, people.schema, "whole", people.origin, people.hashes).fingerprint != people.fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (texts(None), texts("")),
        (texts("a", "b"), texts("ab", "")),
        (texts("a\x1f\x01b", "c"), texts("a", "b\x1f\x01c")),
        (texts("a\0", "b"), texts("a", "\0b")),
        (np.array([0.0]), np.array([-0.0])),
    ],
)
def test_different_columns_have_different_bytes(one: np.ndarray, other: np.ndarray):
    assert column_bytes(one) != column_bytes(other)
    assert column_bytes(one) == column_bytes(one.copy())


def test_decoded_images_go_with_their_rows_and_change_no_fingerprint(people: Dataset):
    pixels = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1)
    decoded = people.with_decoded({"age": Decoded(DecodeImage(column="age"), pixels)})
    assert decoded.fingerprint == people.fingerprint
    some = decoded.take(np.array([4, 0]), "train")
    assert some.inputs["age"].reshape(-1).tolist() == [4, 0]
    assert some.columns["age"].tolist() == people.columns["age"][[4, 0]].tolist()
    with pytest.raises(AssertionError, match="2 images in 'age' for 6 rows"):
        people.with_decoded({"age": Decoded(DecodeImage(column="age"), pixels[:2])})
