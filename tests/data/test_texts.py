"""Texts in: files, lines and paragraphs as documents, decoded strictly, each kept or set aside with its reason."""

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import AskError, DataError, PracticeError, RecipeError
from deepwright.core.recipe import Recipe
from deepwright.core.seal import VALIDATION
from deepwright.data.collect import Collected, collect
from deepwright.data.detect import source_for
from deepwright.data.raw import Raw
from deepwright.data.text_documents import compiled
from deepwright.data.texts import Texts

SENTENCES = [f"This is document number {i} of them all, {'dull' if i % 2 else 'good'} to read." for i in range(120)]


def lines(folder: Path, content: bytes, name: str = "t.txt") -> Raw:
    (folder / name).write_bytes(content)
    return Texts(path=str(folder / name)).read(None)


def classes(root: Path, count: int = 40, start: int = 0, names: tuple[str, str] = ("bad", "good")) -> Path:
    for place in range(start, start + count):
        folder = root / names[place % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{place:03}.txt").write_text(f"{SENTENCES[place % 120]} {place}")
    return root


def collected(**source: object) -> Collected:
    return collect(Recipe.parse({"source": {"kind": "texts", **source}}))


def test_each_line_is_a_document_whatever_ends_it(tmp_path: Path):
    raw = lines(tmp_path, "one, two\r\nthree\rfour\n\n  \nfünf\u2028still five".encode())
    assert raw.cells["text"].tolist() == ["one, two", "three", "four", "fünf\u2028still five"]
    assert raw.origin.tolist() == [1, 2, 3, 4]
    assert [(note.rule, "2 blank" in note.text) for note in raw.findings] == [("blank_lines", True)]
    assert raw.forms == {"text": "document"}


def test_a_mark_at_the_start_is_no_character(tmp_path: Path):
    assert lines(tmp_path, b"\xef\xbb\xbfone\ntwo").cells["text"].tolist() == ["one", "two"]
    assert lines(tmp_path, "eins\nzwei".encode("utf-16")).cells["text"].tolist() == ["eins", "zwei"]


def test_paragraphs_stand_between_blank_lines(tmp_path: Path):
    (tmp_path / "t.txt").write_bytes(b"First:\r\nwe are\r\n\r\n \r\nAll:\r\nspeak\r\n")
    raw = Texts(path=str(tmp_path / "t.txt"), unit="paragraph").read(None)
    assert raw.cells["text"].tolist() == ["First:\nwe are", "All:\nspeak"]


def test_a_file_as_a_whole_keeps_every_character(tmp_path: Path):
    with gzip.open(tmp_path / "t.txt.gz", "wb") as file:
        file.write(b"\n First:\nwe are\n\nAll\n")
    raw = Texts(path=str(tmp_path / "t.txt.gz"), unit="file").read(None)
    assert raw.cells["text"].tolist() == ["\n First:\nwe are\n\nAll\n"]


def test_a_form_cuts_lines_into_columns_and_a_line_of_another_form_is_set_aside(tmp_path: Path):
    (tmp_path / "t").write_text("DESC:manner How did it: so?\nLOC:city Where is it?\nnothing of this\n")
    raw = Texts(path=str(tmp_path / "t"), form="{label}:{} {text}").read("label")
    assert raw.cells["label"].tolist() == ["DESC", "LOC"]
    assert raw.cells["text"].tolist() == ["How did it: so?", "Where is it?"]
    (aside,) = raw.set_aside
    assert (aside.rows, "'nothing of this'" in aside.reason) == ((3,), True)
    assert compiled("{text}\t{label}").fullmatch("a\tb\tc").groups() == ("a\tb", "c")


@pytest.mark.parametrize("form", ["{label} only", "{text} {text}", "{a}{a}{text}"])
def test_a_form_without_one_text_is_refused(form: str):
    with pytest.raises(RecipeError, match=r"source\.form: '.*' names the columns"):
        Texts(path="t", form=form)


def test_a_line_that_is_no_utf8_is_set_aside_with_its_byte(tmp_path: Path):
    good = "".join(f"grün {i}\n" for i in range(9))
    raw = lines(tmp_path, good.encode() + b"gr\xfcn\nlast one\n")
    assert raw.cells["text"].tolist()[-1] == "last one" and len(raw) == 10
    offset = len(good.encode()) + 2
    assert [(entry.reason, entry.rows) for entry in raw.set_aside] == [
        (f"bytes that are no UTF-8, first at byte {offset} of the file", (10,))
    ]
    assert raw.rows_in == 11


def test_a_text_of_another_encoding_is_asked_about_and_read_as_told(tmp_path: Path):
    content = "".join(f"数据集的质量 {i}\n" for i in range(20)).encode("gbk")
    with pytest.raises(AskError, match="gb18030"):
        lines(tmp_path, content)
    told = Texts(path=str(tmp_path / "t.txt"), encoding="gb18030").read(None)
    assert told.cells["text"][0] == "数据集的质量 0"


def test_a_folder_per_class_gives_labels_and_folders_above_give_parts(tmp_path: Path):
    classes(tmp_path / "train")
    classes(tmp_path / "val", 10, 50)
    classes(tmp_path / "test", 6, 70)
    (tmp_path / "train" / "bad" / ".hidden").write_text("x")
    table = collected(path=str(tmp_path))
    assert (len(table.whole), len(table.test)) == (50, 6)
    assert (table.whole.given == VALIDATION).sum() == 10
    assert set(table.whole.columns["label"]) == {"bad", "good"}
    assert table.whole.schema["text"].type == "text" and table.whole.schema["label"].role == "target"
    assert "texts_ignored" in {finding.rule for finding in table.findings}


def test_folders_called_by_numbers_are_classes(tmp_path: Path):
    for place in range(60):
        (tmp_path / str(place % 30)).mkdir(exist_ok=True)
        (tmp_path / str(place % 30) / f"{place}.txt").write_text(f"{SENTENCES[place]} {place}")
    table = collected(path=str(tmp_path))
    assert table.whole.schema.problem == "classification"


def test_an_archive_gives_the_rows_of_its_folder(tmp_path: Path):
    root = classes(tmp_path / "reviews")
    with zipfile.ZipFile(tmp_path / "r.zip", "w") as archive:
        for path in sorted(root.rglob("*.txt")):
            archive.write(path, str(path.relative_to(tmp_path)))
    packed, plain = collected(path=str(tmp_path / "r.zip")), collected(path=str(root))
    assert packed.whole.columns["text"].tolist() == plain.whole.columns["text"].tolist()
    assert np.array_equal(packed.whole.hashes, plain.whole.hashes)


def test_empty_and_undecodable_files_are_set_aside_and_too_many_stop(tmp_path: Path):
    root = classes(tmp_path / "r", 118)
    (root / "bad" / "blank.txt").write_bytes(b" \n\n")
    (root / "bad" / "é.txt").write_text("fünf", encoding="utf-8")
    (root / "bad" / "ü.txt").write_text("grün", encoding="utf-8")
    (root / "bad" / "latin.txt").write_bytes(b"gr\xfcn")
    raw = Texts(path=str(root)).read("label")
    assert len(raw) == 120
    reasons = sorted(entry.reason for entry in raw.set_aside)
    assert reasons == [
        "bytes that are not of the encoding, such as bad/latin.txt at byte 2",
        "no text in the document",
    ]
    with pytest.raises(DataError, match="2 of 122 rows"):
        collected(path=str(root))


def test_a_folder_of_another_encoding_is_asked_about(tmp_path: Path):
    for place in range(6):
        (tmp_path / f"{place}.txt").write_bytes(f"数据集的质量 {place}".encode("gbk"))
    with pytest.raises(AskError, match="gb18030"):
        Texts(path=str(tmp_path)).read(None)
    assert len(Texts(path=str(tmp_path), encoding="gb18030").read(None)) == 6


def test_what_cannot_be_seen_is_taken_out_and_counted(tmp_path: Path):
    raw = lines(tmp_path, "one\0\x1b[31m two\u202e\nthree\ncafe\u0301\n".encode())
    assert raw.cells["text"].tolist() == ["one[31m two", "three", "café"]
    assert [finding.rule for finding in raw.findings] == ["unicode"]


def test_a_long_document_is_cut_and_told(tmp_path: Path):
    (tmp_path / "t.txt").write_text("a" * 500 + "\nshort\n")
    raw = Texts(path=str(tmp_path / "t.txt"), max_characters=100).read(None)
    assert [len(cell) for cell in raw.cells["text"]] == [100, 5]
    assert [(note.rule, note.severity) for note in raw.findings] == [("text_cut", "warning")]


def test_files_of_the_other_parts_are_named(tmp_path: Path):
    for name, count in (("a", 60), ("b", 8), ("c", 7)):
        rows = [f"{('no', 'yes')[i % 2]}|{SENTENCES[i]} {name}" for i in range(count)]
        (tmp_path / f"{name}.txt").write_text("\n".join(rows))
    paths = {part: str(tmp_path / f"{name}.txt") for part, name in (("path", "a"), ("validation", "b"), ("test", "c"))}
    table = collected(**paths, form="{label}|{text}")
    assert (len(table.whole), len(table.test)) == (68, 7)
    assert (table.whole.given == VALIDATION).sum() == 8


def test_a_pipe_a_page_and_nothing_at_all_are_refused(tmp_path: Path):
    (tmp_path / "page.txt").write_text("<!DOCTYPE html><html>404</html>")
    with pytest.raises(DataError, match="HTML"):
        Texts(path=str(tmp_path / "page.txt")).read(None)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="no document"):
        Texts(path=str(tmp_path / "none")).read(None)
    with pytest.raises(PracticeError, match="no such file"):
        Texts(path=str(tmp_path / "absent.txt")).read(None)


def test_a_bare_path_of_texts_is_known_and_a_table_stays_a_table(tmp_path: Path):
    (tmp_path / "names.txt").write_text("emma\nolivia\nava\n")
    (tmp_path / "table.txt").write_text("a\tb\n词汇阅读\t2\n境外\t4\n", encoding="utf-8")
    assert source_for(str(tmp_path / "names.txt"))["kind"] == "texts"
    assert source_for(str(tmp_path / "table.txt"))["kind"] == "table"
    assert source_for(str(classes(tmp_path / "folder")))["kind"] == "texts"
