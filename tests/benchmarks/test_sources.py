"""The benchmark of public sets: every row of the page is read, and its claims can fail."""

from pathlib import Path

import pytest

from benchmarks import sources
from benchmarks.sources import Set, arguments, claims, not_in, public_sets


def test_every_row_of_the_page_is_a_set():
    rows = sources.PAGE.read_text(encoding="utf-8").split("| set | line | rows |")[1].splitlines()
    assert len(public_sets()) == len([row for row in rows if row.startswith("| ")]) > 50
    assert {each.name for each in public_sets()} >= sources.KNOWN.keys() | sources.ASKED.keys()


def test_a_line_becomes_the_words_of_a_command(tmp_path: Path):
    (tmp_path / "wine").mkdir()
    file, beside = tmp_path / "wine" / "data.txt", tmp_path / "wine" / "class.csv"
    file.touch()
    beside.touch()
    words = arguments("wine/data.txt --columns c1,...,c3 --source.beside label=wine/class.csv --map 'y:a=1'", tmp_path)
    beside_word = f"label={beside}"
    assert words == [str(file), "--columns", "c1,c2,c3", "--source.beside", beside_word, "--map", "y:a=1"]


def test_a_number_only_counts_whole():
    assert not_in("a table of 1500 rows, 2.50 GB", ("1500", "150", "50", "rows")) == ["150", "50"]


@pytest.mark.parametrize(("counts", "holds"), [((3,), True), ((2, 1), True), ((4,), False)])
def test_a_set_holds_where_its_counts_or_their_sum_are_printed(counts: tuple[int, ...], holds: bool, tmp_path: Path):
    (tmp_path / "small.csv").write_text("a,b\n7,x\n8,y\n9,x\n")
    (claim,) = claims(Set("small", "small.csv", counts), tmp_path, tmp_path)
    assert claim.holds is holds
