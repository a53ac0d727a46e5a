"""Slices: a planted one is named with its figures, none is named by chance, and only validation rows are searched."""

import numpy as np
import pytest

from benchmarks.slices import is_found, is_quiet, losses_of, table
from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError
from deepwright.core.schema import Feature, Schema
from deepwright.evaluation import slices
from deepwright.evaluation.conditions import words_of
from deepwright.evaluation.slices import bad_slices, search, slice_findings

SIZE = 2000


def dataset(part: str, size: int = SIZE, *, problem: str = "classification", group: bool = False) -> Dataset:
    """Rows with an age, a degree and a target; the same at every call."""
    rng = np.random.default_rng(len(part))
    columns = {
        "age": rng.integers(17, 90, size).astype(np.float64),
        "degree": rng.choice(np.array(["none", "Bachelors", "Masters"], dtype=object), size, p=(0.5, 0.3, 0.2)),
        "y": rng.choice(np.array(["no", "yes"], dtype=object), size)
        if problem == "classification"
        else rng.random(size),
        "person": np.array([f"p{i // 20}" for i in range(size)], dtype=object),
    }
    target = "category" if problem == "classification" else "number"
    features = (
        Feature(name="age", type="number"),
        Feature(name="degree", type="category"),
        Feature(name="y", type=target, role="target", levels=("no", "yes") if target == "category" else ()),
        Feature(name="person", type="category", role="group" if group else "ignore"),
    )
    hashes = rng.permutation(size).astype(np.uint64)
    return Dataset(columns, Schema(features=features), part, np.arange(size) + 1, hashes)


def answers(data: Dataset, wrong: np.ndarray, sure: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    """Class numbers, and probabilities [N, 2] that are right but where they are wrong."""
    target = (data.target == "yes").astype(np.int64)
    said = np.where(wrong, 1 - target, target)
    return target, np.where(np.eye(2, dtype=bool)[said], sure, 1 - sure)


def planted(data: Dataset, wrong_there: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    inside = (data.columns["degree"] == "Masters") & (data.columns["age"] > 59)
    draw = np.random.default_rng(5).random(len(data))
    return inside, draw < np.where(inside, wrong_there, 0.1)


def test_a_planted_slice_is_named_in_words_with_value_interval_n_and_the_rest():
    train, validation = dataset("train"), dataset("validation")
    inside, wrong = planted(validation)
    target, answer = answers(validation, wrong)
    record = bad_slices(train, validation, target, answer)
    first = record["found"][0]
    assert words_of(first["conditions"]) == "age > 59 and degree = Masters"
    assert first["n"] == inside.sum() and first["rest_n"] == SIZE - inside.sum()
    assert first["value"] == pytest.approx((~wrong[inside]).mean())
    assert first["rest"] == pytest.approx((~wrong[~inside]).mean())
    assert first["low"] < first["value"] < first["high"] < first["rest"]
    assert record["searched"] == SIZE and record["candidates"] > 300


def test_a_slice_that_the_member_is_too_sure_of_is_a_warning_and_one_it_knows_to_be_hard_a_note():
    train, validation = dataset("train"), dataset("validation")
    inside, wrong = planted(validation)
    target, answer = answers(validation, wrong)
    (said, *_) = slice_findings(bad_slices(train, validation, target, answer))
    assert (said.rule, said.severity) == ("bad_slice", "warning")
    for piece in ("age > 59 and degree = Masters", f"n = {inside.sum()}", "promise 0.90 there. Look at"):
        assert piece in said.text
    knows = np.where(inside[:, np.newaxis], np.where(answer > 0.5, 0.52, 0.48), answer)
    (known, *_) = slice_findings(bad_slices(train, validation, target, knows))
    assert (known.rule, known.severity) == ("bad_slice", "note")
    assert "say so (0.52)" in known.text


def test_a_threshold_that_decides_is_what_is_judged():
    train, validation = dataset("train"), dataset("validation")
    target, answer = answers(validation, np.zeros(SIZE, bool))
    _, wrong = planted(validation)
    assert bad_slices(train, validation, target, answer)["found"] == []
    decided = np.where(wrong, 1 - target, target)
    assert bad_slices(train, validation, target, answer, decided=decided)["found"]


def test_values_are_judged_by_their_mean_absolute_error():
    train, validation = dataset("train", problem="regression"), dataset("validation", problem="regression")
    target = np.asarray(validation.target, np.float64)
    inside, _ = planted(validation)
    error = np.random.default_rng(1).normal(size=SIZE) * np.where(inside, 3, 1)
    record = bad_slices(train, validation, target, target + error)
    assert record["metric"] == "mae" and record["found"][0]["value"] == pytest.approx(np.abs(error[inside]).mean())
    (said, *_) = slice_findings(record)
    assert said.rule == "bad_slice_of_values" and "age > 59 and degree = Masters" in said.text


def test_one_fault_is_named_once():
    train, validation = dataset("train"), dataset("validation")
    _, wrong = planted(validation)
    assert len(bad_slices(train, validation, *answers(validation, wrong))["found"]) == 1


def test_rows_of_one_group_that_err_together_are_not_taken_for_a_slice():
    """Whole persons are bad, and each person has one degree: rows look like many and are few."""
    rng = np.random.default_rng(0)
    named = {"rows": 0, "groups": 0}
    for seed in range(5):
        rows, cut, _ = table(SIZE, seed)
        person = np.empty(SIZE, np.int64)
        person[np.argsort(rows["category3"], kind="stable")] = np.arange(SIZE) // 50
        loss = (rng.random(SIZE) < np.where(rng.random(40) < 0.3, 0.6, 0.1)[person]).astype(np.float64)
        named["rows"] += bool(search(cut[-2:], loss))
        named["groups"] += bool(search(cut[-2:], loss, groups=person))
    assert named["rows"] >= 4 and named["groups"] <= 1


def test_facts_that_are_handed_in_are_searched_too():
    train, validation = dataset("train"), dataset("validation")
    dark = np.random.default_rng(9).random(SIZE)
    wrong = np.random.default_rng(2).random(SIZE) < np.where(dark < 0.05, 0.7, 0.1)
    record = bad_slices(train, validation, *answers(validation, wrong), facts={"brightness": (dark, dark)})
    assert words_of(record["found"][0]["conditions"]).startswith("brightness ≤ 0.0")


def test_of_many_rows_some_are_searched_and_the_figures_are_of_all(monkeypatch):
    monkeypatch.setattr(slices, "MOST_ROWS", 1500)
    train, validation = dataset("train"), dataset("validation")
    inside, wrong = planted(validation, 0.7)
    record = bad_slices(train, validation, *answers(validation, wrong))
    assert record["searched"] == 1500 and record["found"][0]["n"] > inside.sum() * 0.8


def test_the_same_rows_give_the_same_slices():
    train, validation = dataset("train"), dataset("validation")
    _, wrong = planted(validation)
    given = (train, validation, *answers(validation, wrong))
    assert bad_slices(*given) == bad_slices(*given)


@pytest.mark.parametrize(("first", "second"), [("validation", "validation"), ("train", "train"), ("train", "test")])
def test_only_the_validation_part_is_searched_and_only_the_training_part_cuts(first, second):
    wrong = planted(dataset("validation"))[1]
    with pytest.raises(LeakError):
        bad_slices(dataset(first), dataset(second), *answers(dataset("validation"), wrong))


@pytest.mark.parametrize("losses", [np.zeros(500), np.ones(500), np.arange(100.0)])
def test_losses_that_do_not_differ_and_few_rows_have_no_slice(losses):
    _, cut, _ = table(len(losses), 0)
    assert search(cut, losses) == []


def test_a_small_share_of_the_benchmark():
    assert sum(is_found(5000, seed) for seed in range(5, 8)) >= 2
    assert sum(is_quiet(2000, seed) for seed in range(2)) >= 1


def test_the_benchmark_sees_a_search_without_a_limit(monkeypatch):
    monkeypatch.setattr(slices, "LEVEL", 1.99)
    assert not is_quiet(2000, 0)


def test_a_planted_slice_costs_fifteen_points():
    rng = np.random.default_rng(3)
    inside = np.arange(5000) < 250
    loss = losses_of(inside, rng, regression=False)
    assert loss[inside].mean() - loss[~inside].mean() == pytest.approx(0.15, abs=0.05)
