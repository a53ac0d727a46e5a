"""Missing, scale, encode and prepare: learned on train, known answers, every shape of table."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

from deepwright.core.errors import DataError, LeakError, RecipeError
from deepwright.core.operations import Fill, Level, MissingFlag, Standardise
from deepwright.core.recipe import Prepare
from deepwright.data.encode import Levels
from deepwright.data.missing import AutoImputer, Constant, DropColumns, DropRows, Mean, Median, MostFrequent
from deepwright.data.prepare import fit_prepare, prepare_findings
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


def test_the_most_frequent_level_and_a_constant_fill_categories_too():
    frequent = MostFrequent().fit(TRAIN).apply(TRAIN.inputs)
    assert frequent["job"].tolist() == ["a", "b", "b", "b", "c"]
    constant = Constant(value=-1.0, level="none").fit(TRAIN).apply(TRAIN.inputs)
    assert constant["job"][3] == "none" and constant["age"][3] == -1.0


def test_auto_gives_a_category_that_is_missing_a_level_of_its_own_and_says_so():
    fitted = AutoImputer().fit(TRAIN)
    assert fitted.apply(TRAIN.inputs)["job"].tolist() == ["a", "b", "b", "(missing)", "c"]
    numbers, categories = AutoImputer().findings(TRAIN)
    assert "age (20.0%)" in numbers.text and "rooms" not in numbers.text
    assert "job (20.0%)" in categories.text and "sex" not in categories.text
    taken = dataset({"job": ["(missing)", None, "a"], "y": ["0"] * 3})
    assert AutoImputer().fit(taken).apply(taken.inputs)["job"].tolist() == ["(missing)", "(missing)'", "a"]


def test_columns_and_rows_that_miss_too_much_go():
    train = dataset({"a": [1, None, None], "b": [1, 2, None], "y": ["0"] * 3})
    fitted, (tensor,) = fit_prepare(train, Prepare(imputer=DropColumns(share=0.5)), "mixed")
    assert set(fitted.apply(train.inputs)) == {"b", "b is missing", "numbers"} and tensor.width == 2
    (found, _) = DropColumns(share=0.5).findings(train)
    assert found.severity == "warning" and "a (66.7%)" in found.text
    assert DropRows(share=0.5).unusable(train).tolist() == [False, False, True]
    assert DropRows().unusable(train).tolist() == [False, True, True]


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


def test_a_column_gets_the_steps_that_are_chosen_for_it():
    choice = {"columns": ["rooms"], "scaler": "none", "imputer": {"kind": "constant", "value": 9.0}}
    fitted, _ = fit_prepare(TRAIN, Prepare(columns=[choice]), "mixed")
    applied = fitted.apply({**TRAIN.inputs, "rooms": np.array([1.0, np.nan, 3.0, 4.0, 5.0])})
    assert applied["rooms"].tolist() == [1.0, 9.0, 3.0, 4.0, 5.0]
    assert applied["age"].tolist() == fit_prepare(TRAIN, Prepare(), "mixed")[0].apply(TRAIN.inputs)["age"].tolist()


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (
            [{"columns": ["agee"], "scaler": "none"}],
            r"no input column 'agee'\. Did you mean 'age'\?|Did you mean 'age'",
        ),
        ([{"columns": ["y"], "encoder": "levels"}], "no input column 'y'"),
        ([{"columns": ["job"], "scaler": "none"}], "column 'job' is a category; scaler takes: number, timestamp"),
        ([{"columns": ["age"], "encoder": "ordinal"}], "column 'age' is a number; encoder takes: category"),
        ([{"columns": ["age"], "scaler": "none"}, {"columns": ["age"], "scaler": "log"}], "'age' is chosen twice"),
    ],
)
def test_a_choice_that_fits_no_column_is_refused(choices, message):
    for use in (lambda p: fit_prepare(TRAIN, p, "mixed"), lambda p: prepare_findings(TRAIN, p)):
        with pytest.raises(RecipeError, match=message):
            use(Prepare(columns=choices))


def test_steps_run_in_their_order_each_on_what_the_one_before_left():
    """A placeholder is set missing by the rule, filled and flagged, and the scale is that of the filled column."""
    train = dataset({"a": [1.0, 2.0, 3.0, 999.0], "y": ["0"] * 4})
    fitted, _ = fit_prepare(train, Prepare(rules=[{"rule": "a <= 100"}], scaler="min_max"), "flat")
    assert [operation.kind for operation in fitted.operations] == [
        "require", "missing_flag", "fill", "standardise", "stack"
    ]  # fmt: skip
    assert fitted.apply(train.inputs)["x"].tolist() == [[0.0, 0.0], [0.5, 0.0], [1.0, 0.0], [0.5, 1.0]]


EVERYTHING = Prepare(
    rules=[{"rule": "0 <= rooms <= 9", "treat": "flag"}],
    outliers={"kind": "iqr", "treat": "missing"},
    imputer="iterative",
    encoder="one_hot",
    scaler="quantile",
    features=["pca", {"kind": "interactions", "pairs": ["age * rooms"]}],
)


@pytest.mark.parametrize("form", ["mixed", "flat", "ordinal"])
@pytest.mark.parametrize("imputer", ["iterative", "k_nearest"])
def test_every_step_together_gives_the_tensors_also_for_rows_never_seen(form: str, imputer: str):
    prepare = EVERYTHING.replace(imputer=imputer)
    fitted, tensors = fit_prepare(TRAIN, prepare, form)
    for rows in (TRAIN.inputs, {name: column[:0] for name, column in TRAIN.inputs.items()}):
        applied = fitted.apply(rows)
        assert all(applied[t.name].shape == (len(rows["age"]), t.width) for t in tensors)
    far = {
        "age": np.array([1e308, np.nan]),
        "rooms": np.array([-1e308, np.nan]),
        "job": np.array(["new", None], object),
        "sex": np.array(["f", None], object),
    }
    applied = fitted.apply(far)
    if form != "ordinal":
        assert all(np.isfinite(applied[t.name]).all() for t in tensors)


def test_hashed_categories_are_codes_for_a_network_and_columns_for_a_linear_model():
    prepare = Prepare(imputer="median", encoder={"kind": "hashing", "buckets": 4})
    _, tensors = fit_prepare(TRAIN, prepare, "mixed")
    assert tensors[1].num_codes == (5, 5)
    fitted, (x,) = fit_prepare(TRAIN, prepare, "flat")
    assert x.width == 3 + 2 * 4
    assert fitted.apply(TRAIN.inputs)["x"][3, 3:7].tolist() == [0, 0, 0, 0]  # its job is missing


def test_trees_get_numbers_unfilled_and_placeholders_as_missing():
    train = dataset({"a": [1.0, 2.0, None, 999.0], "y": ["0"] * 4})
    applied = fit_prepare(train, Prepare(outliers={"kind": "placeholder", "values": [999.0]}), "ordinal")[0].apply(
        train.inputs
    )
    np.testing.assert_equal(applied["x"][:, 0], np.array([1.0, 2.0, np.nan, np.nan], np.float32))


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
