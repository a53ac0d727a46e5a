"""Array files as tables: columns by the arrays' names, parts by their endings, answers from a file beside."""

from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import DataError, ResourceError
from deepwright.core.recipe import Recipe
from deepwright.data.collect import Collected, collect
from deepwright.data.detect import source_for

X = np.arange(60.0).reshape(20, 3)
Y = np.arange(20) % 2


def collected(path: Path, target: str = "y", **options: object) -> Collected:
    return collect(Recipe.parse({"source": {**source_for(str(path)), **options}, "target": target}))


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        collected(path, **options)
    return str(caught.value)


def test_the_arrays_of_an_npz_are_columns(tmp_path):
    path = tmp_path / "t.npz"
    np.savez(path, x=X, level=np.array(["a", "b"] * 10), y=Y)
    whole = collected(path).whole
    assert list(whole.columns) == ["x0", "x1", "x2", "level", "y"]
    assert whole.columns["x1"].tolist() == X[:, 1].tolist()
    assert whole.columns["level"].tolist() == ["a", "b"] * 10
    assert whole.schema["y"].type == "category"


def test_a_matrix_takes_its_answers_from_a_file_beside_and_names_from_an_option(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "answers.npy", Y)
    found = collected(tmp_path / "x.npy", labels=str(tmp_path / "answers.npy"), columns=("a", "b", "c"))
    assert list(found.whole.columns) == ["a", "b", "c", "y"]
    assert found.whole.target.tolist() == ["0", "1"] * 10
    assert [Path(name).name for name in found.whole.files] == ["x.npy", "answers.npy"]


def test_one_target_column_of_a_matrix_is_chosen_by_name(tmp_path):
    np.save(tmp_path / "x.npy", X)
    assert collected(tmp_path / "x.npy", target="x2").whole.target.tolist() == X[:, 2].tolist()


def test_arrays_that_end_in_a_part_are_that_part(tmp_path):
    path = tmp_path / "t.npz"
    np.savez(path, x_train=X, y_train=Y, x_val=X[:4] + 100, y_val=Y[:4], x_test=X[:5] + 200, y_test=Y[:5])
    found = collected(path)
    assert len(found.whole) == 24 and found.whole.given.tolist() == [0] * 20 + [1] * 4
    assert found.test.columns["x0"].tolist() == (X[:5, 0] + 200).tolist()


def test_arrays_of_unequal_lengths_are_refused_and_can_be_chosen(tmp_path):
    path = tmp_path / "t.npz"
    np.savez(path, x=X, y=Y, weights=np.zeros(7))
    assert "x (20, 3), y (20,), weights (7,)" in refusal(path)
    assert list(collected(path, keys=("x", "y")).whole.columns) == ["x0", "x1", "x2", "y"]
    assert "no array 'Z'" in refusal(path, keys=("x", "Z"))


def test_an_array_with_more_axes_is_refused_with_the_others_named(tmp_path):
    path = tmp_path / "t.npz"
    np.savez(path, x=X, cube=np.zeros((20, 2, 2)), y=Y)
    assert "array 'cube' has the shape (20, 2, 2)" in refusal(path)
    assert "--source.keys x,y" in refusal(path)


def test_too_many_or_too_few_names_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", X)
    assert "--columns has 2 names and the rows have 3" in refusal(tmp_path / "x.npy", columns=("a", "y"))


def test_whole_numbers_beyond_what_floats_hold_stay_exact(tmp_path):
    big = np.arange(20) + 9_007_199_254_740_993
    np.savez(tmp_path / "t.npz", code=big, x=X, y=Y)
    assert collected(tmp_path / "t.npz").whole.columns["code"][0] == "9007199254740993"


def test_a_table_that_does_not_fit_is_refused_before_it_is_read(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", X)
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 2000}))
    with pytest.raises(ResourceError, match=r"x\.npy: reading it takes about"):
        collected(tmp_path / "x.npy", target="x2")
