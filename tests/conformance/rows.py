"""What every splitter, imputer, scaler and encoder must do."""

import numpy as np
import pytest

from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError
from deepwright.core.families import Encoder, Imputer, Scaler, Splitter
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
    train = part_of_table("train")
    if not isinstance(part, Imputer):
        train = filled(train)
    operations = part.fit(train).operations
    columns = dict(filled(table(seed=1)).inputs) if not isinstance(part, Imputer) else dict(table(seed=1).inputs)
    if isinstance(part, Encoder):
        columns["job"] = np.where(np.arange(400) % 50 == 0, "never seen", columns["job"])
    result = part.fit(train).apply(columns)
    numbers = [name for name, column in result.items() if column.dtype != object]
    assert operations == () or len(numbers) >= 2
    for name, found in zip(numbers, in_onnx(operations, columns, numbers), strict=True):
        np.testing.assert_allclose(found[:, 0], result[name], rtol=1e-9, err_msg=name)


def no_number_is_missing_after_it(part: Imputer) -> None:
    result = part.fit(part_of_table("train")).apply(dict(table(seed=1).inputs))
    for name in ("age", "hours"):
        assert not np.isnan(result[name]).any(), name


def levels_become_numbers_and_a_new_one_has_its_place(part: Encoder) -> None:
    columns = {**filled(part_of_table("train")).inputs}
    codes = part.fit(filled(part_of_table("train"))).apply(
        {**columns, "job": np.array(["cook", None, "x"] * 50, object)}
    )
    assert codes["job"].dtype == np.float64 and np.isfinite(codes["job"]).all()
    assert codes["job"][1] == codes["job"][2] != codes["job"][0]


def a_scaler_gives_finite_numbers_also_for_a_constant_column(part: Scaler) -> None:
    train = filled(part_of_table("train"))
    columns = {**train.columns, "hours": np.full(len(train), 7.0)}
    flat = Dataset(columns, train.schema, "train", train.origin, train.hashes)
    result = part.fit(flat).apply(flat.inputs)
    assert np.isfinite(result["hours"]).all() and np.isfinite(result["age"]).all()
