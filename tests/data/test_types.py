"""Types: inferred from the cells, with the reason on record; the target's problem."""

import numpy as np
import pytest

from deepwright.core.errors import AskError, DataError, RecipeError
from deepwright.data.collect import read_object
from deepwright.data.table import Table
from deepwright.data.types import decode, infer

YES_NO = ["no", "yes"]
LONG = [f"This is sentence number {i} of a longer text about nothing." for i in range(40)]


def inferred(column: list, **options: object):
    size = len(column)
    raw = read_object({"a": column, "y": [YES_NO[i % 2] for i in range(size)]}, Table(**options))
    return infer(raw, target="y").schema["a"]


@pytest.mark.parametrize(
    ("column", "type_", "reason"),
    [
        ([1.5, 2.5, None, 7.5] * 10, "number", "30 of 30 cells are numbers"),
        (["1", "2", "x"] * 1 + ["5"] * 30, "number", "32 of 33 cells are numbers"),
        (["red", "green"] * 20, "category", "2 different texts, such as 'red'"),
        (["1", "2", "3", "10+"] * 10, "category", "4 different texts, such as '1'"),
        (["00501", "10001"] * 20, "category", "numbers with leading zeros, such as 00501, are names"),
        (["9007199254740993", "1"] * 20, "category", "whole numbers beyond 2^53, such as 9007199254740993, are names"),
        (["2024-01-02", "2024-01-03T04:05"] * 20, "timestamp", "ISO dates or times, such as 2024-01-02"),
        (LONG, "text", "long texts, 40 different ones in 40 cells"),
        (["数据集的质量决定模型的质量" + chr(0x4E00 + i) * 4 for i in range(40)], "text", "long texts, 40"),
        ([True, False] * 20, "category", "2 different texts, such as 'true'"),
    ],
)
def test_a_column_gets_its_type_and_the_reason(column: list, type_: str, reason: str):
    feature = inferred(column)
    assert feature.type == type_
    assert feature.reason.startswith(reason)


def test_named_types_overrule_inference():
    feature = inferred(["1", "2"] * 20, types=("a=category",))
    assert (feature.type, feature.reason) == ("category", "named in --types")
    with pytest.raises(RecipeError, match=r"'a=categorie'.*number, category, text, timestamp.*Did you mean 'category'"):
        inferred(["1", "2"] * 20, types=("a=categorie",))


def test_texts_named_as_missing_are_missing_in_every_type():
    raw = read_object(
        {"a": ["-999", "1.5", "none"] * 9, "b": ["none", "x", "z"] * 9, "y": ["0", "1", "1"] * 9},
        Table(missing=("-999", "none")),
    )
    found = decode(raw, infer(raw, target="y").schema)
    assert np.isnan(found.columns["a"]).tolist()[:3] == [True, False, True]
    assert found.columns["b"].tolist()[:3] == [None, "x", "z"]


def test_an_ignored_column_is_never_asked_about_and_sets_no_row_aside():
    raw = read_object({"a": ["1,5", "x"] * 20, "b": [*range(38), "oops", 3], "c": [1.5] * 40, "y": YES_NO * 20})
    schema = infer(raw, target="y", ignore=("a",), known_afterwards=("b",)).schema
    assert len(decode(raw, schema).kept) == decode(raw, schema).kept.sum() == 40
    with pytest.raises(AskError):
        infer(read_object({"a": ["1,5", "2,5"] * 20, "y": YES_NO * 20}), target="y")


@pytest.mark.parametrize(
    ("target", "problem", "type_", "reason"),
    [
        ([0, 1] * 30, None, "category", "2 whole numbers"),
        ([0.0, 1.0] * 30, None, "category", "2 whole numbers"),
        ([0, 1] * 30, "regression", "number", "the recipe says regression"),
        (list(range(20)) * 5, None, "category", "20 whole numbers; up to 20 are classes"),
        (list(range(21)) * 5, None, "number", "numbers with 21 different values; up to 20"),
        (list(range(21)) * 5, "classification", "category", "the recipe says classification"),
        ([0.5, 1.5] * 30, None, "number", "numbers with 2 different values"),
        (list(range(12)), None, "number", "numbers with 12 different values; up to 2"),
        (YES_NO * 30, None, "category", "2 different texts"),
    ],
)
def test_the_target_says_which_problem_it_is(target, problem, type_, reason):
    raw = read_object({"a": [0.5 * i for i in range(len(target))], "y": target})
    feature = infer(raw, target="y", problem=problem).schema.target
    assert feature.type == type_
    assert feature.reason.startswith(reason)


@pytest.mark.parametrize(
    ("target", "problem", "says"),
    [
        (YES_NO * 30, "regression", "'no', and regression needs numbers"),
        (["2024-01-02", "2024-01-03"] * 30, None, "is of type timestamp"),
        (LONG, None, "is of type text"),
        ([f"u{i}" for i in range(40)], None, "40 different values in 40 rows"),
        ([None] * 37 + [1, 2, 3], None, "in 3 of 40 rows"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(target, problem, says):
    raw = read_object({"a": [0.5 * i for i in range(len(target))], "y": target})
    with pytest.raises(DataError, match=says):
        infer(raw, target="y", problem=problem)


def test_a_text_among_class_numbers_is_a_fault_and_no_class():
    raw = read_object({"a": [0.5 * i for i in range(61)], "y": [*["0", "1.0"] * 30, "oops"]})
    found = infer(raw, target="y")
    decoded = decode(raw, found.schema, class_numbers=found.class_numbers)
    assert set(decoded.columns["y"]) == {"0", "1"}
    assert decoded.set_aside[0].reason == "y: no number, such as 'oops'"


def test_levels_are_written_alike_whatever_the_format():
    raw = read_object({"a": [*["TRUE", "false"] * 20], "b": [*["1.0", "x"] * 20], "y": YES_NO * 20})
    found = decode(raw, infer(raw, target="y").schema)
    assert set(found.columns["a"]) == {"true", "false"}
    assert set(found.columns["b"]) == {"1", "x"}


def test_a_row_with_two_faults_is_set_aside_once():
    raw = read_object(
        {"a": [*map(str, np.arange(40) / 2), "x"], "b": [*map(str, np.arange(40) / 4), "z"], "y": [*YES_NO * 20, None]}
    )
    decoded = decode(raw, infer(raw, target="y").schema)
    assert [(entry.reason, entry.count, entry.rows) for entry in decoded.set_aside] == [
        ("y: the target is missing", 1, (41,))
    ]


def test_a_table_without_any_input_is_refused():
    with pytest.raises(DataError, match="none is left as input"):
        infer(read_object({"id": [f"u{i}" for i in range(40)], "y": YES_NO * 20}), target="y")
