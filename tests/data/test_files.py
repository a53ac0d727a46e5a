"""Tables in folders, globs and archives: rows below each other, each with its file; what does not fit is refused."""

import gzip
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import DataError, PracticeError
from deepwright.core.recipe import Recipe
from deepwright.data.collect import Collected, collect
from deepwright.data.table import Table

A = "a,b,y\n1,r,no\n2,g,yes\n3,b,no\n"
B = "b,a,y\ng,4,yes\nr,5,no\n"


def folder_of(root: Path, **files: str) -> Path:
    for name, content in files.items():
        (root / f"{name}.csv").write_text(content)
    return root


def collected(path: Path | str, **options: object) -> Collected:
    limit = options.pop("max_set_aside", 0.01)
    return collect(Recipe(source=Table(path=str(path), **options), target="y", max_set_aside=limit))


def refusal(path: Path | str, **options: object) -> str:
    with pytest.raises(PracticeError) as caught:
        collected(path, **options)
    assert isinstance(caught.value, DataError)
    return str(caught.value)


def test_the_files_of_a_folder_stand_below_each_other_by_column_name(tmp_path):
    found = collected(folder_of(tmp_path, one=A, two=B))
    whole = found.whole
    assert whole.columns["a"].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert whole.columns["b"].tolist() == ["r", "g", "b", "g", "r"]
    assert [Path(name).name for name in whole.files] == ["one.csv", "two.csv"]
    assert whole.file_of.tolist() == [0, 0, 0, 1, 1]
    assert whole.origin.tolist() == [1, 2, 3, 1, 2]
    assert found.rows_in == 5


def test_the_same_rows_in_one_file_have_the_same_hashes(tmp_path):
    folder = folder_of(tmp_path, one=A, two=B)
    (tmp_path / "whole.txt").write_text(A + "4,g,yes\n5,r,no\n")
    both = collected(str(folder / "*.csv"))
    one = collected(tmp_path / "whole.txt")
    assert np.array_equal(both.whole.hashes, one.whole.hashes)


def test_a_change_in_any_file_changes_the_hash_of_the_source(tmp_path):
    folder = folder_of(tmp_path, one=A, two=B)
    before = collected(folder).source_sha256
    assert collected(folder).source_sha256 == before
    folder_of(tmp_path, two=B + "b,6,no\n")
    assert collected(folder).source_sha256 != before


def test_a_glob_takes_the_files_that_fit_it(tmp_path):
    folder_of(tmp_path, one=A, two=B, other="c\n1\n")
    assert len(collected(str(tmp_path / "[ot][nw][eo].csv")).whole) == 5
    assert "no file has such a name" in refusal(tmp_path / "*.parquet")


def test_what_is_no_table_by_its_name_is_left_and_named(tmp_path):
    folder_of(tmp_path, one=A, two=B)
    (tmp_path / "README.md").write_text("words")
    (tmp_path / ".hidden.csv").write_text("words")
    (tmp_path / ".DS_Store").write_bytes(b"\0")
    (told,) = [f.text for f in collected(tmp_path).findings if f.rule == "files_left"]
    assert "README.md" in told
    assert ".DS_Store" not in told


def test_a_folder_without_tables_is_refused(tmp_path):
    (tmp_path / "README.md").write_text("words")
    assert "holds no table" in refusal(tmp_path)


def test_a_link_out_of_the_folder_and_a_pipe_in_it_are_refused(tmp_path):
    (tmp_path / "secret.csv").write_text(A)
    (tmp_path / "inner").mkdir()
    inner = folder_of(tmp_path / "inner", one=A)
    (inner / "two.csv").symlink_to(tmp_path / "secret.csv")
    assert "two.csv is a link that leaves the folder" in refusal(inner)
    (inner / "two.csv").unlink()
    os.mkfifo(inner / "two.csv")
    assert "two.csv is no regular file" in refusal(inner)


def test_a_file_with_other_columns_is_named(tmp_path):
    folder_of(tmp_path, one=A, two="a,c,y\n1,r,no\n")
    sentence = refusal(tmp_path)
    assert "two.csv: column 'b' is not there" in sentence and "one.csv has it" in sentence
    folder_of(tmp_path, two="a,b,c,y\n1,r,9,no\n")
    assert "two.csv: columns c are not in" in refusal(tmp_path)


def test_a_file_whose_column_holds_another_kind_of_values_is_named_unless_the_type_is_given(tmp_path):
    folder_of(tmp_path, one=A, two="a,b,y\nx,r,no\nz,g,yes\n")
    sentence = refusal(tmp_path)
    assert "two.csv: column 'a' holds texts, such as 'x', and in" in sentence
    assert "one.csv it holds numbers, such as '1'" in sentence
    found = collected(tmp_path, types=("a=category",))
    assert found.whole.columns["a"].tolist() == ["1", "2", "3", "x", "z"]


def test_codes_with_leading_zeros_in_one_file_alone_are_codes_in_both(tmp_path):
    folder_of(tmp_path, one="a,y\n00501,no\n00502,yes\n", two="a,y\n10501,no\n10502,yes\n")
    whole = collected(tmp_path).whole
    assert whole.schema["a"].type == "category"
    assert whole.columns["a"].tolist() == ["00501", "00502", "10501", "10502"]


def test_a_column_that_is_empty_in_one_file_is_what_the_other_says(tmp_path):
    folder_of(tmp_path, one=A, two="a,b,y\n,r,no\n,g,yes\n")
    assert collected(tmp_path).whole.schema["a"].type == "number"


def test_rows_set_aside_are_told_with_their_file(tmp_path):
    folder_of(tmp_path, one=A * 1 + "4,r,no,9\n", two=A + "oops,r,no\n")
    found = collected(tmp_path, max_set_aside=0.5, types=("a=number",))
    told = {Path(entry.reason.split(":")[0]).name: entry.rows for entry in found.set_aside}
    assert told == {"one.csv": (4,), "two.csv": (4,)}
    assert found.rows_in == 8 and len(found.whole) == 6


def test_rows_that_stand_in_two_files_are_named_with_file_and_row(tmp_path):
    folder_of(tmp_path, one=A, two="a,b,y\n9,r,no\n2,g,yes\n")
    (told,) = [f.text for f in collected(tmp_path).findings if f.rule == "repeated_across"]
    assert f"1 rows stand in several files, such as (file, row): {tmp_path}/one.csv 2 = {tmp_path}/two.csv 2" in told


def test_equal_rows_with_equal_answers_are_no_contradiction(tmp_path):
    folder_of(tmp_path, one=A, two="a,b,y\n9,r,no\n2,g,yes\n")
    assert "contradicting_across" not in {f.rule for f in collected(tmp_path).findings}


def test_rows_repeated_within_one_file_are_not_told_as_across(tmp_path):
    folder_of(tmp_path, one=A + "2,g,yes\n", two=B)
    assert "repeated_across" not in {f.rule for f in collected(tmp_path).findings}


def test_equal_inputs_with_another_answer_in_another_file_are_named(tmp_path):
    folder_of(tmp_path, one=A, two="a,b,y\n9,r,no\n2,g,no\n")
    (told,) = [f.text for f in collected(tmp_path).findings if f.rule == "contradicting_across"]
    assert (
        f"2 rows have equal inputs and other answers in other files, such as (file, row): {tmp_path}/one.csv 2" in told
    )


def test_the_tables_of_a_zip_are_read_without_unpacking_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("x/one.csv", A)
        archive.writestr("x/two.csv.gz", gzip.compress(B.encode()))
        archive.writestr("x/readme.md", "words")
        archive.writestr("__MACOSX/x/._one.csv", "junk")
    found = collected(tmp_path / "t.zip")
    assert found.whole.columns["a"].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert found.whole.files == (f"{tmp_path}/t.zip!x/one.csv", f"{tmp_path}/t.zip!x/two.csv.gz")
    assert [f.text for f in found.findings if f.rule == "files_left"] == [
        f"{tmp_path}/t.zip: not read, as no tables by their names: readme.md."
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["t.zip"]


def test_a_member_is_chosen_by_name_or_glob(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("x/one.csv", A)
        archive.writestr("y/other.csv", "c\n1\n")
    assert "y/other.csv: column 'a' is not there" in refusal(tmp_path / "t.zip")
    assert len(collected(tmp_path / "t.zip", member="x/*").whole) == 3
    assert "no member fits z.csv. Its members are: x/one.csv, y/other.csv" in refusal(
        tmp_path / "t.zip", member="z.csv"
    )
    folder_of(tmp_path, plain=A)
    assert "is no archive, and --source.member x" in refusal(tmp_path / "plain.csv", member="x")


def test_a_fault_within_a_member_is_told_with_its_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("one.csv", A + '4,"r\n')
        archive.writestr("two.csv", A)
    assert "t.zip!one.csv, row 4 (line 5): a quote opens here" in refusal(tmp_path / "t.zip")
    with zipfile.ZipFile(tmp_path / "u.zip", "w") as archive:
        archive.writestr("one.csv", A + '4,"5\\"",no\n')
    assert "u.zip!one.csv" in refusal(tmp_path / "u.zip")
    assert "--source.escape backslash" in refusal(tmp_path / "u.zip")


def test_parquet_files_whose_column_types_differ_are_refused_by_name(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1.5, 2.5], "y": ["no", "yes"]}), tmp_path / "one.parquet")
    pq.write_table(pa.table({"a": ["1.5", "2.5"], "y": ["no", "yes"]}), tmp_path / "two.parquet")
    assert "two.parquet: column 'a' holds texts, such as '1.5', and in" in refusal(tmp_path)
    pq.write_table(pa.table({"a": [3, None], "y": ["no", "yes"]}), tmp_path / "two.parquet")
    assert collected(tmp_path).whole.columns["a"].tolist()[:3] == [1.5, 2.5, 3.0]
