"""Fields between spaces: one or several separate alike, but within quotes they belong to the cell."""

from deepwright.data.read import read
from deepwright.data.table import Table


def test_several_spaces_separate_as_one_does(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("a b  c\n1  2 3\n 4 5 6 \n\n7 8\t9\n")
    raw = read(path, Table(delimiter="space"))
    assert [raw.cells[name].tolist() for name in raw.names] == [["1", "4", "7"], ["2", "5", "8"], ["3", "6", "9"]]
    assert raw.set_aside == ()


def test_spaces_within_quotes_belong_to_the_cell_and_short_rows_are_set_aside(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text('a b\n"x  y" 2\nz 3\nz\n')
    raw = read(path, Table(delimiter="space"))
    assert raw.cells["a"].tolist() == ["x  y", "z"]
    assert [entry.rows for entry in raw.set_aside] == [(3,)]
