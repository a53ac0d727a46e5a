"""Rows joined by a quote are asked about; cells that hold line breaks are left alone."""

from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import AskError
from deepwright.data.joined import refuse_joined_rows


def check(rows: list[list[str]], width: int, delimiter: str = ",") -> None:
    refuse_joined_rows(rows, np.arange(1, len(rows) + 1), width, delimiter, Path("t.csv"))


SPAM = [["ham", "hello"], ["spam", "win"], ["ham", "bye"]]


def test_lines_that_begin_as_the_first_column_does_are_asked_about():
    with pytest.raises(AskError) as caught:
        check([*SPAM, ["ham", "well,\nspam\tnow\nham\tbye"]], 2, "\t")
    assert str(caught.value) == (
        "t.csv, row 4: a quote encloses 3 lines, and each looks like a row of its own, such as: spam\tnow . If quotes "
        "are plain characters here: --source.quote none  If the lines are one cell: --source.joined keep"
    )


def test_lines_that_end_as_the_last_column_does_are_asked_about():
    rows = [[f"text {i}", "no" if i % 2 else "yes"] for i in range(9)]
    with pytest.raises(AskError, match="row 10"):
        check([*rows, ["one,no\r\nother", "yes"]], 2)


def test_lines_that_begin_with_a_number_as_the_column_does_are_asked_about():
    rows = [[str(i), "text"] for i in range(9)]
    with pytest.raises(AskError, match="2 lines"):
        check([*rows, ["77", "one\n78,other"]], 2)


@pytest.mark.parametrize(
    ("row", "width"),
    [
        (["9", "dear all,\nmany thanks"], 2),  # a comma, but `many thanks` stands in no column
        (["9", "line\nline\nline"], 2),
        (["a", "b\nc", "d"], 3),
        (["9", ""], 2),
    ],
)
def test_a_cell_of_several_lines_is_left_alone(row: list[str], width: int):
    rows = [[str(i), *["text"] * (width - 1)] for i in range(9)]
    check([*rows, row], width)


def test_a_table_of_nothing_but_such_cells_is_left_alone():
    check([["a,b\nc", "d"]] * 5, 2)
