"""Rows joined by a quote are asked about; cells that hold line breaks are left alone."""

import contextlib
import random
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import AskError, DataError
from deepwright.data import delimited
from deepwright.data.joined import refuse_joined_rows
from deepwright.data.read import read
from deepwright.data.table import Table


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


def with_stray_quotes(seed: int) -> bytes:
    """120 rows of up to five columns; two or four cells begin or end in a quote."""
    draw = random.Random(seed)
    mark = draw.choice(",\t;")
    kinds = [draw.choice(("number", "level", "text", "name")) for _ in range(draw.randint(1, 4))]
    make = {
        "number": lambda i: f"{draw.random() * 9:.2f}",
        "level": lambda i: draw.choice("rgb"),
        "text": lambda i: f"{'word ' * draw.randint(3, 9)}{i}",
        "name": lambda i: f"u{i}",
    }
    rows = [[*(make[kind](i) for kind in kinds), draw.choice(("no", "yes"))] for i in range(120)]
    for _ in range(draw.choice((2, 4))):
        row, place = draw.choice(rows), draw.randrange(len(kinds) + 1)
        row[place] = draw.choice((f'"{row[place]}', f'{row[place]}"'))
    names = [f"c{i}" for i in range(len(kinds))]
    return "\n".join(mark.join(row) for row in [[*names, "y"], *rows, []]).encode()


def num_losing_rows(folder: Path) -> int:
    """Of 60 tables with stray quotes, those that are read with fewer rows than they have, and without a word."""
    lost = 0
    for seed in range(60):
        path = folder / f"{seed}.csv"
        path.write_bytes(with_stray_quotes(seed))
        with contextlib.suppress(DataError):
            lost += read(path, Table()).rows_in < 120
    return lost


def test_stray_quotes_at_random_never_lose_a_row(tmp_path: Path):
    assert num_losing_rows(tmp_path) == 0


def test_without_the_check_they_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(delimited, "refuse_joined_rows", lambda *_: None)
    assert num_losing_rows(tmp_path) > 5


NARROW = [[("ham", "spam")[i % 2], f"message {i}", "9"] for i in range(9)]


def test_lines_of_fewer_fields_that_begin_as_the_rows_do_are_asked_about():
    with pytest.raises(AskError, match="row 10: a quote encloses 3 lines"):
        check([*NARROW, ["ham", "well\r\nham\tyes\r\nspam\twin", "350"]], 3, "\t")


def test_lines_that_begin_with_a_word_of_a_column_without_repeats_are_one_cell():
    rows = [[f"m{i}", f"message {i}", "9"] for i in range(9)]
    check([*rows, ["m9", "well\nm1\tyes\nm2\twin", "350"]], 3, "\t")
    check([*NARROW, ["ham", "well\nham yes\nspam win", "350"]], 3, "\t")
