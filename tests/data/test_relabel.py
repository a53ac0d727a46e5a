"""--map: what it renames, how an ambiguous = is read, and the line that is proposed."""

import pytest

from deepwright.core.errors import DataError, RecipeError
from deepwright.data.frame import read_object
from deepwright.data.relabel import parse_map, propose_map, relabel
from deepwright.data.table import Table


def renamed(values: list[str], line: str, must_occur: bool = True) -> list[str]:
    (raw,) = relabel([read_object({"a": values}, Table(map=line))], must_occur=must_occur)
    return raw.cells["a"].tolist()


@pytest.mark.parametrize(
    ("values", "line", "expected"),
    [
        (["<=50K.", ">50K.", "<=50K"], "a:<=50K.=<=50K,>50K.=>50K", ["<=50K", ">50K", "<=50K"]),
        (["F", "M"], "a:F=female", ["female", "M"]),
        (["F", "M"], " a : F = female , M = male ", ["female", "male"]),
        (["x,y", "z"], r"a:x\,y=z", ["z", "z"]),
        (["x;y", "p:q"], r"a:x\;y=one,p\:q=two", ["one", "two"]),
        (["a=b", "c"], "a:a=b=c", ["c", "c"]),
        (["F", "M"], "", ["F", "M"]),
    ],
)
def test_values_are_renamed(values: list[str], line: str, expected: list[str]):
    assert renamed(values, line) == expected


@pytest.mark.parametrize(
    ("line", "error", "says"),
    [
        ("a", RecipeError, "COLUMN:OLD=NEW"),
        ("a:F", RecipeError, "'F' has no ="),
        ("b:F=female", DataError, "no column 'b'"),
        ("a:female=F", DataError, "no value for 'female=F'. Its values are: F, M"),
    ],
)
def test_a_line_that_fits_nothing_is_refused(line: str, error: type, says: str):
    with pytest.raises(error, match=says):
        renamed(["F", "M"], line)


def test_two_readings_of_one_pair_are_refused():
    with pytest.raises(DataError, match="more than one ="):
        renamed(["a", "a=b", "b=c", "c"], "a:a=b=c")


def test_a_chunk_need_not_hold_every_value():
    assert renamed(["M"], "a:F=female", must_occur=False) == ["M"]


def test_the_proposed_line_does_what_it_says():
    unknown, known = ["<=50K.", ">50K.", "a,b; c:"], ["<=50K", ">50K", "a,b; c"]
    line = propose_map("a", unknown, known, None)
    assert renamed(unknown + known, line) == ["<=50K", ">50K", "a,b; c"] * 2


def test_the_proposal_keeps_the_lines_given_before():
    line = propose_map("y", ["No."], ["No", "Yes"], "a:F=female")
    assert line == "a:F=female;y:No.=No"
    assert list(parse_map(line)) == ["a", "y"]


def test_what_was_renamed_is_told_without_counts():
    (raw,) = relabel([read_object({"a": ["F", "F", "M"]}, Table(map="a:F=female,M=M"))], must_occur=True)
    (note,) = raw.findings
    assert note.text == "a: values renamed as --map says in dict: F > female."
