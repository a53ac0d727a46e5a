"""Cases: .ts files and wide tables as a series per row, strictly."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import AskError, DataError
from deepwright.core.recipe import Recipe
from deepwright.core.series import series_text
from deepwright.data.cases import Cases, claims
from deepwright.data.collect import collect
from deepwright.data.raw import Raw
from deepwright.data.series_cells import case_reference, read_series
from deepwright.data.ts_file import case_of, parse_ts

HEAD = "#made by hand\n@problemName x\n@timeStamps false\n@univariate false\n@classLabel true up down\n@data\n"


def ts(*cases: str, head: str = HEAD) -> bytes:
    return (head + "\n".join(cases) + "\n").encode()


GOOD = ("1,2,3:4,5,6:up", "1,?:2,3:down", "5:NaN:up")


def fault(line: str, head: str = HEAD) -> str | None:
    return case_of(parse_ts(ts(line, head=head), "x.ts"), 0).fault


def test_dimensions_missing_values_and_unequal_lengths_are_read():
    file = parse_ts(ts(*GOOD), "x.ts")
    first, second, third = (case_of(file, number) for number in range(3))
    assert first.values.tolist() == [[1, 4], [2, 5], [3, 6]] and first.label == "up"
    np.testing.assert_array_equal(second.values, [[1, 2], [np.nan, 3]])
    assert third.values.shape == (1, 2) and np.isnan(third.values[0, 1])


def test_time_stamps_stand_before_their_values():
    head = HEAD.replace("@timeStamps false", "@timeStamps true")
    file = parse_ts(ts("(2024-01-01 00:00:00,1.5),(2024-01-02 00:00:00,2):(0,3),(1,4):up", head=head), "x.ts")
    assert case_of(file, 0).values.tolist() == [[1.5, 3], [2, 4]]
    assert "do not rise" in (fault("(2,1),(1,2):(0,3),(1,4):up", head) or "")
    assert "'soon' is no time" in (fault("(soon,1):(0,3):up", head) or "")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,2:3:up", "unequal lengths (1, 2)"),
        ("1,2", "a case without label"),
        ("1,x:2,3:up", "'x' is no number"),
        ("1,1e400:2,3:up", "'1e400' is no number"),
        ("1,1_0:2,3:up", "'1_0' is no number"),
        ("1,,3:2,3,4:up", "'' is no number"),
        ("1:2:sideways", "the label 'sideways' is not in the header (up, down)"),
        ("?:NaN:up", "every value is missing"),
    ],
)
def test_a_case_that_cannot_be_read_says_why(line: str, reason: str):
    assert reason in (fault(line) or "")


def test_the_header_is_held_to_what_it_says():
    two = HEAD.replace("@class", "@dimensions 2\n@class")
    assert "1 dimensions where the header says 2" in (fault("1,2:up", two) or "")
    equal = HEAD.replace("@class", "@equalLength true\n@seriesLength 3\n@class")
    assert fault("1,2,3:up", equal) is None
    assert "2 moments where the header says that all have 3" in (fault("1,2:up", equal) or "")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"1,2,3:up\n", "x.ts, line 1: '1,2,3:up' stands where a tag"),
        (b"@classLabel true a b\n", "@data is due"),
        (b"@data\n", "0 rows"),
        (b"@classLabel maybe\n@data\n1:a\n", "@classlabel is 'maybe'; allowed: true | false"),
        (b"@dimensions many\n@data\n1:a\n", "@dimensions is 'many'"),
        (b"@univariate true\n@univariate true\n@data\n1\n", "line 2: the tag @univariate stands twice"),
        (b"@data\n1,\xff\n", "byte 8 is no UTF-8"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(content: bytes, says: str):
    with pytest.raises(DataError) as caught:
        parse_ts(content, "x.ts")
    assert says in str(caught.value)


def folder_of(tmp_path: Path) -> Path:
    (tmp_path / "sets" / "One").mkdir(parents=True)
    (tmp_path / "sets" / "One" / "One_TRAIN.ts").write_bytes(ts(*GOOD * 6))
    (tmp_path / "sets" / "One" / "One_TEST.ts").write_bytes(ts("7,8:9,9:up", "1,1,1:2,2,2:down"))
    return tmp_path / "sets"


def archive_of(folder: Path) -> Path:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for file in sorted(folder.rglob("*.ts")):
            archive.write(file, str(file.relative_to(folder)))
    return folder.with_suffix(".zip")


@pytest.mark.parametrize("packed", [False, True])
def test_a_pair_of_files_gives_its_parts_and_cells_refer_to_their_series(tmp_path: Path, packed: bool):
    path = archive_of(folder_of(tmp_path)) if packed else folder_of(tmp_path)
    raw = Cases(path=str(path)).read("label")
    assert raw.part is not None and raw.part.tolist() == [0] * 18 + [2, 2]
    assert raw.origin[[0, 17, 18, 19]].tolist() == [1, 18, 1, 2]
    assert [file.rows for file in raw.files] == [18, 2]
    cells = raw.cells["series"]
    assert [read_series(cells[row]).shape for row in (0, 1, 2, 18, 19)] == [(3, 2), (2, 2), (1, 2), (2, 2), (3, 2)]
    assert ("!" in cells[0]) == packed and cells[19].endswith("One_TEST.ts#1")
    assert "unequal lengths, 1 to 3 moments (median 2), of 2 dimensions; 12 values are missing" in raw.notes[0].text


def test_rows_of_a_test_file_become_the_sealed_part_and_equal_series_have_equal_hashes(tmp_path: Path):
    table = collect(Recipe(source=Cases(path=str(folder_of(tmp_path)))))
    assert len(table.whole) == 18 and table.test is not None and len(table.test) == 2
    assert table.whole.schema["series"].type == "series" and table.whole.schema.problem == "classification"
    assert len(np.unique(table.whole.hashes)) == 3


def test_cases_that_cannot_be_read_are_set_aside_by_number_and_above_the_limit_stop(tmp_path: Path):
    path = tmp_path / "x.ts"
    path.write_bytes(ts(*GOOD[:2] * 60, "1,x:2,3:up"))
    table = collect(Recipe(source=Cases(path=str(path))))
    assert [(entry.count, entry.rows) for entry in table.set_aside] == [(1, (121,))]
    path.write_bytes(ts(*GOOD[:2] * 6, "1,x:2,3:up"))
    with pytest.raises(DataError, match="may be set aside"):
        collect(Recipe(source=Cases(path=str(path))))


def test_series_that_never_change_are_named(tmp_path: Path):
    path = tmp_path / "x.ts"
    path.write_bytes(ts("1,2:3,4:up", "0,0,0:0,0,0:down", "5:6:up"))
    raw = Cases(path=str(path)).read("label")
    assert "1 of 3 series never change" in raw.notes[1].text and "x.ts#1" in raw.notes[1].text


def test_several_data_sets_are_asked_about(tmp_path: Path):
    folder = folder_of(tmp_path)
    (folder / "Two.ts").write_bytes(ts(*GOOD))
    with pytest.raises(AskError, match=r"2 data sets are in it: One, Two. Say which: --source.name One"):
        Cases(path=str(folder)).read("label")
    assert len(Cases(path=str(folder), name="Two").read("label")) == 3
    with pytest.raises(DataError, match=r"no data set 'Twoo'.*Did you mean 'Two'"):
        Cases(path=str(folder), name="Twoo").read("label")


def test_parts_with_other_labels_or_dimensions_are_refused(tmp_path: Path):
    folder = folder_of(tmp_path)
    (folder / "One" / "One_TEST.ts").write_bytes(ts(*GOOD, head=HEAD.replace("up down", "up down left")))
    with pytest.raises(DataError, match="differ in their labels"):
        Cases(path=str(folder)).read("label")
    (folder / "One" / "One_TEST.ts").write_bytes(ts("1,2:up"))
    with pytest.raises(DataError, match="have 1, 2 dimensions"):
        Cases(path=str(folder)).read("label")


def test_values_to_predict_stay_numbers(tmp_path: Path):
    head = "@univariate true\n@targetLabel true\n@data\n"
    (tmp_path / "x.ts").write_bytes(ts(*(f"{i},2,3:{i * 0.37}" for i in range(60)), head=head))
    table = collect(Recipe(source=Cases(path=str(tmp_path / "x.ts"))))
    assert table.whole.schema.problem == "regression" and table.whole.target[2] == 0.74


def wide(tmp_path: Path, *rows: str) -> Raw:
    (tmp_path / "w.csv").write_text("\n".join(["id,m1,m2,m3,y", *rows, ""]))
    return Cases(path=str(tmp_path / "w.csv"), keep=("id",)).read("y")


def test_a_table_with_a_column_per_moment_becomes_series(tmp_path: Path):
    raw = wide(tmp_path, "a,1.5,2,3,up", "b,4,,6,down")
    assert raw.names == ("series", "id", "y") and raw.forms["series"] == "series"
    assert list(raw.cells["series"]) == ["1.5,2,3", "4,?,6"]
    np.testing.assert_array_equal(read_series(raw.cells["series"][1]), [[4], [np.nan], [6]])


def test_a_column_of_a_wide_table_that_is_no_moment_is_refused_by_name(tmp_path: Path):
    with pytest.raises(DataError, match="column 'm2' holds 'red'"):
        wide(tmp_path, "a,1.5,red,3,up", "b,4,blue,6,down")


def test_references_come_back_with_odd_names(tmp_path: Path):
    path = tmp_path / "a#1!b%.ts"
    path.write_bytes(ts(*GOOD))
    assert read_series(case_reference(path, None, 1)).shape == (2, 2)
    with pytest.raises(DataError, match=r"no row|is not there|#9"):
        read_series(case_reference(path, None, 9))


def test_a_changed_file_is_read_anew(tmp_path: Path):
    path = tmp_path / "x.ts"
    path.write_bytes(ts(*GOOD))
    cell = case_reference(path, None, 0)
    assert read_series(cell)[0, 0] == 1
    path.write_bytes(ts("123456,2:3,4:up"))
    assert read_series(cell)[0, 0] == 123456


def test_values_in_a_cell_come_back():
    values = np.array([[0.1, np.nan], [1e-9, -3.0]])
    np.testing.assert_array_equal(read_series(series_text(values)), values)
    with pytest.raises(DataError):
        read_series("1,2,drop table")


def test_what_holds_series_is_claimed_and_other_folders_are_not(tmp_path: Path):
    folder = folder_of(tmp_path)
    assert claims(folder) == {"kind": "cases", "path": str(folder)}
    assert claims(archive_of(folder)) is not None and claims(folder / "One" / "One_TEST.ts") is not None
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "t.csv").write_text("a,b\n1,2\n")
    assert claims(tmp_path / "other") is None and claims(tmp_path / "other" / "t.csv") is None
