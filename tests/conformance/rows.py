"""What every splitter and every step of preparing must do."""

import numpy as np
import pytest

from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError
from deepwright.core.families import Dates, Encoder, Extractor, Imputer, Outliers, Scaler, Splitter
from deepwright.core.step import Step
from tests.conformance.samples import filled, part_of_table, table, table_with_roles
from tests.onnx_runner import in_onnx


def a_splitter_gives_all_three_parts_and_no_other(part: Splitter) -> None:
    parts = part.assign(table_with_roles())
    assert parts.shape == (400,) and np.issubdtype(parts.dtype, np.integer), (parts.shape, parts.dtype)
    assert set(parts.tolist()) == {0, 1, 2}, set(parts.tolist())
    shares = np.bincount(parts, minlength=3) / 400
    assert shares[0] > shares[1] > shares[2], f"shares {shares}"


def equal_rows_get_equal_parts(part: Splitter) -> None:
    whole = table_with_roles()
    parts = part.assign(whole)
    assert parts[:20].tolist() == parts[200:220].tolist()


def a_split_depends_on_rows_and_not_on_their_order(part: Splitter) -> None:
    whole = table_with_roles()
    order = np.random.default_rng(1).permutation(len(whole))
    assert part.assign(whole.take(order)).tolist() == part.assign(whole)[order].tolist()


def only_the_training_part_is_learned_from(part: Step) -> None:
    part.fit(filled(part_of_table("train")))
    for other in ("validation", "test"):
        with pytest.raises(LeakError):
            part.fit(part_of_table(other))
    with pytest.raises(LeakError):
        part.fit(table())


def what_was_learned_is_the_same_in_numpy_and_onnx(part: Step) -> None:
    may_miss = isinstance(part, Imputer | Outliers)
    train = part_of_table("train") if may_miss else filled(part_of_table("train"))
    operations = part.fit(train).operations
    columns = dict((table(seed=1) if may_miss else filled(table(seed=1))).inputs)
    if isinstance(part, Encoder):
        columns["job"] = np.where(np.arange(400) % 50 == 0, "never seen", columns["job"])
    result = part.fit(train).apply(columns)
    numbers = [name for name, column in result.items() if column.dtype != object]
    assert operations == () or len(numbers) >= 2
    if not all(operation.has_graph for operation in operations):
        return  # an export refuses it
    for name, found in zip(numbers, in_onnx(operations, columns, numbers), strict=True):
        np.testing.assert_allclose(found[:, 0], result[name], rtol=1e-9, err_msg=name)


def no_number_is_missing_after_it(part: Imputer) -> None:
    result = part.fit(part_of_table("train")).apply(dict(table(seed=1).inputs))
    for name in ("age", "hours"):
        assert not np.isnan(result[name]).any(), name


def levels_become_numbers_and_a_new_one_has_its_place(part: Encoder) -> None:
    columns = {**filled(part_of_table("train")).inputs}
    rows = {**columns, "job": np.array(["cook", "clerk", None, "x"] * 50, object)}
    result = part.fit(filled(part_of_table("train"))).apply(rows)
    made = [name for name in result if name == "job" or name not in columns]
    assert made and all(result[name].dtype == np.float64 and np.isfinite(result[name]).all() for name in made)
    assert any(result[name][0] != result[name][1] for name in made), "two levels become the same"


def numbers_in_the_middle_stay(part: Outliers) -> None:
    columns = dict(part_of_table("train").inputs)
    result = part.fit(part_of_table("train")).apply(columns)
    for name in ("age", "hours"):
        low, high = np.nanquantile(columns[name], [0.25, 0.75])
        middle = (columns[name] >= low) & (columns[name] <= high)
        np.testing.assert_array_equal(result[name][middle], columns[name][middle], err_msg=name)


def times_give_finite_numbers(part: Dates) -> None:
    fitted = part.fit(filled(part_of_table("train")))
    for moment in (0.0, -1e10, 1e300):
        result = fitted.apply({**filled(part_of_table("train")).inputs, "seen": np.full(200, moment)})
        assert all(np.isfinite(column).all() for column in result.values() if column.dtype == np.float64)


def huge_numbers_give_finite_ones(part: Extractor) -> None:
    fitted = part.fit(filled(part_of_table("train")))
    columns = {**filled(part_of_table("train")).inputs, "age": np.full(200, 1e300), "hours": np.full(200, -1e300)}
    result = fitted.apply(columns)
    assert len(result) > len(columns), "nothing is made"
    assert all(np.isfinite(column).all() for column in result.values() if column.dtype == np.float64)


def a_scaler_gives_finite_numbers_also_for_a_constant_column(part: Scaler) -> None:
    train = filled(part_of_table("train"))
    columns = {**train.columns, "hours": np.full(len(train), 7.0)}
    flat = Dataset(columns, train.schema, "train", train.origin, train.hashes)
    result = part.fit(flat).apply(flat.inputs)
    assert np.isfinite(result["hours"]).all() and np.isfinite(result["age"]).all()
