"""Missing, scale, encode and prepare: learned on train, known answers, every shape of table."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

from deepwright.core.errors import DataError, LeakError
from deepwright.core.operations import Fill, Level, MissingFlag, Standardise
from deepwright.core.recipe import Prepare
from deepwright.data.encode import Levels
from deepwright.data.missing import Mean, Median, MostFrequent
from deepwright.data.prepare import fit_prepare
from deepwright.data.scale import Standard, Unscaled

from .rows_of import dataset

TRAIN = dataset(
    {
        "age": [20, 30, 30, None, 60],
        "rooms": [1, 2, 3, 4, 5],
        "job": ["a", "b", "b", None, "c"],
        "sex": ["m", "f", "f", "f", "m"],
        "y": ["0", "1", "0", "1", "1"],
    }
)


@pytest.mark.parametrize(("imputer", "value"), [(Median(), 30.0), (Mean(), 35.0)])
def test_an_imputer_fills_what_train_shows_and_flags_what_train_misses(imputer, value):
    fitted = imputer.fit(TRAIN)
    assert fitted.operations == (
        MissingFlag(columns=["age"], outputs=["age is missing"]),
        Fill(columns=["age", "rooms"], values=[value, 3.0]),
    )
    applied = fitted.apply({"age": np.array([np.nan, 1.0]), "rooms": np.array([np.nan, 2.0])})
    assert applied["age"].tolist() == [value, 1.0]
    assert applied["rooms"].tolist() == [3.0, 2.0]
    assert applied["age is missing"].tolist() == [1.0, 0.0]


def test_the_most_frequent_value_is_the_smallest_of_equally_common_ones():
    assert MostFrequent().fit(dataset({"a": [3, 1, 3, 1, 9], "y": ["0"] * 5})).operations[-1].values == (1.0,)
    assert MostFrequent().fit(TRAIN).operations[1].values == (30.0, 1.0)


def test_flags_can_be_left_out_and_never_take_a_columns_name():
    assert len(Median(flag=False).fit(TRAIN).operations) == 1
    taken = dataset({"a": [1, None], "a is missing": [1, 2], "y": ["0", "1"]})
    assert Median().fit(taken).operations[0].outputs == ("a is missing'",)


def test_a_column_without_any_value_is_filled_with_zero():
    empty = dataset({"a": [1.0, 2.0], "y": ["0", "1"]})
    columns = {**empty.columns, "a": np.array([np.nan, np.nan])}
    empty = type(empty)(columns, empty.schema, "train", empty.origin, empty.hashes)
    fitted = fit_prepare(empty, Prepare(), "flat")[0]
    assert fitted.apply(empty.inputs)["x"].tolist() == [[0.0, 1.0], [0.0, 1.0]]


def test_standard_scaling_is_that_of_scikit_learn():
    x, y = load_diabetes(return_X_y=True, scaled=False)
    train = dataset({**{f"x{i}": x[:, i].tolist() for i in range(10)}, "y": y.tolist()})
    applied = Standard().fit(train).apply(train.inputs)
    expected = StandardScaler().fit_transform(x)
    np.testing.assert_allclose(np.stack([applied[f"x{i}"] for i in range(10)], axis=1), expected, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, 1e300, -1e-300])
def test_a_constant_column_is_centred_and_never_divided_by_zero(value: float):
    (operation,) = Standard().fit(dataset({"a": [value] * 7, "y": ["0"] * 7})).operations
    assert operation.sds == (1.0,)
    assert operation.apply({"a": np.array([value])})["a"].tolist() == pytest.approx([0.0], abs=1e-12)


def test_huge_numbers_do_not_overflow_the_scale():
    (operation,) = Standard().fit(dataset({"a": [1e308, -1e308, 0.0], "y": ["0"] * 3})).operations
    assert np.isfinite([*operation.means, *operation.sds]).all()


def test_unscaled_learns_nothing():
    assert Unscaled().fit(TRAIN).operations == ()


def test_levels_fall_by_frequency_and_rare_ones_share_the_last_number():
    assert Levels(min_count=1).fit(TRAIN).operations == (
        Level(column="job", levels=["b", "a", "c"]),
        Level(column="sex", levels=["f", "m"]),
    )
    job, _ = Levels().fit(TRAIN).operations
    assert job.levels == ("b",)
    assert job.apply({"job": np.array(["b", "a", None, "new"], object)})["job"].tolist() == [0.0, 1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("form", "names", "widths", "levels"),
    [
        ("mixed", ["numbers", "categories"], [3, 2], [(), (2, 3)]),
        ("flat", ["x"], [3 + 1 + 2], [()]),
        ("ordinal", ["x"], [4], [()]),
    ],
)
def test_a_table_becomes_the_tensors_of_each_form(form, names, widths, levels):
    fitted, tensors = fit_prepare(TRAIN, Prepare(), form)
    assert [t.name for t in tensors] == names
    assert [t.width for t in tensors] == widths
    assert [t.num_codes for t in tensors] == levels
    applied = fitted.apply(TRAIN.inputs)
    for tensor in tensors:
        assert applied[tensor.name].shape == (5, tensor.width)
        assert applied[tensor.name].dtype == tensor.dtype


def test_mixed_holds_scaled_numbers_flags_and_level_numbers():
    applied = fit_prepare(TRAIN, Prepare(), "mixed")[0].apply(TRAIN.inputs)
    rooms = (np.arange(1, 6) - 3) / np.sqrt(2)
    np.testing.assert_allclose(applied["numbers"][:, 1], rooms, rtol=1e-6)
    assert applied["numbers"][:, 2].tolist() == [0, 0, 0, 1, 0]
    assert applied["categories"].tolist() == [[1, 1], [0, 0], [0, 0], [1, 0], [1, 1]]


def test_ordinal_keeps_raw_numbers_and_missing_ones():
    applied = fit_prepare(TRAIN, Prepare(), "ordinal")[0].apply(TRAIN.inputs)["x"]
    assert np.isnan(applied[3, 0])
    assert applied[0].tolist() == [20, 1, 1, 1]


@pytest.mark.parametrize("form", ["mixed", "flat", "ordinal"])
@pytest.mark.parametrize("kept", ["age", "sex"])
def test_tables_of_one_kind_of_column_are_prepared(form: str, kept: str):
    train = dataset({kept: TRAIN.columns[kept].tolist(), "y": TRAIN.target.tolist()})
    fitted, tensors = fit_prepare(train, Prepare(), form)
    (tensor,) = tensors
    assert fitted.apply(train.inputs)[tensor.name].shape == (5, tensor.width)


def test_columns_named_like_tensors_do_no_harm():
    train = dataset({"numbers": [1, 2, 3], "one_hot": ["a", "a", "b"], "y": ["0", "1", "1"]})
    plain = dataset({"n": [1, 2, 3], "o": ["a", "a", "b"], "y": ["0", "1", "1"]})
    found = fit_prepare(train, Prepare(), "flat")[0].apply(train.inputs)["x"]
    assert found.tolist() == fit_prepare(plain, Prepare(), "flat")[0].apply(plain.inputs)["x"].tolist()


def test_rows_never_seen_give_finite_tensors():
    rows = {
        "age": np.array([np.nan]),
        "rooms": np.array([1e308]),
        "job": np.array(["new"], object),
        "sex": np.array([None], object),
    }
    for form in ("mixed", "flat"):
        fitted, tensors = fit_prepare(TRAIN, Prepare(), form)
        applied = fitted.apply(rows)
        assert all(np.isfinite(applied[t.name]).all() for t in tensors)


def test_nothing_is_learned_outside_the_training_part():
    for part in ("whole", "validation", "test"):
        other = dataset({"age": [1, 2], "y": ["0", "1"]}, part=part)
        for learn in (Median().fit, Standard().fit, Levels().fit, lambda d: fit_prepare(d, Prepare(), "ordinal")):
            with pytest.raises(LeakError, match="may see only the train part"):
                learn(other)


def test_a_table_that_leaves_no_input_is_refused():
    with pytest.raises(DataError, match=r"no input column can be used: id \(category\)"):
        fit_prepare(dataset({"id": ["a", "b"], "y": ["0", "1"]}), Prepare(), "mixed")


def test_a_planted_mean_over_all_rows_would_be_seen():
    """The control: with other rows shifted by 50, learning on all moves the scale, learning on train does not."""
    whole = dataset({"a": [float(i % 7) for i in range(100)], "y": ["0", "1"] * 50}, part="whole")
    shifted = dataset({"a": [float(i % 7) + 50 * (i >= 70) for i in range(100)], "y": ["0", "1"] * 50}, part="whole")
    first, last = np.arange(70), np.arange(100)
    (kept,) = Standard().fit(whole.take(first, "train")).operations
    assert Standard().fit(shifted.take(first, "train")).operations == (kept,)
    assert Standard().fit(shifted.take(last, "train")).operations != (kept,)
    assert isinstance(kept, Standardise)
