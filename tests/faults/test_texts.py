"""X: every bad text through the command line and through Python, up to the split."""

import time
from pathlib import Path
from typing import Any

import pytest

import deepwright
from deepwright.core.errors import AskError, DataError, PracticeError
from deepwright.core.flags import apply_flags
from deepwright.core.recipe import Recipe
from deepwright.data import jsonlines, text_documents
from deepwright.data.collect import Collected
from deepwright.data.detect import source_for
from deepwright.practice import run as line
from tests.faults.case import SECONDS, call
from tests.faults.texts import ROWS, TEXTS, TextCase

KEPT = ("QUAR", "REPAIR", "ACCEPT")
FEW = 40
"""Good documents of which one set aside is more than 1 %."""


class Walked(BaseException):
    """A run that got past its split."""

    def __init__(self, table: Collected) -> None:
        self.table = table
        super().__init__("the run went on to training")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of its own, and runs that stop once they are split."""

    def stop(run: Any, recipe: Recipe, table: Collected, **_: Any) -> None:
        line.split_rows(recipe, table)
        raise Walked(table)

    monkeypatch.setattr(line, "walk", stop)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def write(case: TextCase, folder: Path, rows: int = ROWS) -> list[str]:
    """The case's files; gives the arguments that name them."""
    files = case.content(rows)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return ["run", next(iter(files)).split("/")[0], *case.flags]


def recipe_of(arguments: list[str]) -> Recipe:
    flags = [(flag.removeprefix("--"), value) for flag, value in zip(arguments[2::2], arguments[3::2], strict=True)]
    return Recipe.parse(apply_flags({"source": source_for(arguments[1])}, flags))


def check_kept(case: TextCase, folder: Path, *flags: str) -> None:
    arguments = [*write(case, folder), *flags]
    started_s = time.monotonic()
    with pytest.raises(Walked) as walked:
        deepwright.cli.call(arguments)
    assert time.monotonic() - started_s < SECONDS
    table = walked.value.table
    assert [number for entry in table.set_aside for number in entry.rows] == list(case.rows)
    assert len(table.whole) == case.kept == table.rows_in - len(case.rows)
    texts = table.whole.columns["text"]
    if case.first is not None:
        assert texts[case.first[0]].startswith(case.first[1])
    if case.outcome == "QUAR":
        assert [case.says[0] in entry.reason for entry in table.set_aside] == [True]
    if case.finding is not None:
        assert any(case.says[0] in found.text for found in table.findings if found.rule == case.finding)
    with pytest.raises(Walked) as again:
        deepwright.run(arguments[1], recipe=recipe_of(arguments))
    assert (again.value.table.whole.hashes == table.whole.hashes).all()


@pytest.mark.parametrize("case", [c for c in TEXTS if c.outcome in KEPT], ids=lambda case: case.id)
def test_goes_on_and_what_was_done_is_told(case: TextCase, folder: Path):
    check_kept(case, folder)


@pytest.mark.parametrize("case", [c for c in TEXTS if c.outcome == "ASK"], ids=lambda case: case.id)
def test_is_asked_in_one_sentence_and_the_printed_option_settles_it(case: TextCase, folder: Path, capsys):
    arguments = write(case, folder)
    found = call(capsys, folder, *arguments)
    assert (found.code, found.written) == (case.exit, [])
    assert all(words in found.sentence for words in case.says)
    with pytest.raises(AskError) as caught:
        deepwright.run(arguments[1], recipe=recipe_of(arguments))
    assert str(caught.value) == found.sentence
    for flags in case.answers:
        assert " ".join(flags) in found.sentence
        check_kept(case, folder, *flags)


@pytest.mark.parametrize("case", [c for c in TEXTS if c.outcome == "QUAR"], ids=lambda case: case.id)
def test_more_than_one_percent_set_aside_stop_the_run(case: TextCase, folder: Path, capsys):
    found = call(capsys, folder, *write(case, folder, FEW))
    assert (found.code, found.written) == (3, [])
    assert case.says[0].split(",")[0].split(" such")[0] in found.sentence and "--max-set-aside" in found.sentence


CONTROLS = {
    "X1 a line that is no UTF-8": (text_documents, "_surrogate", lambda _: None),
    "X1 documents in GBK": (text_documents, "_ask_encoding", lambda *_: None),
    "X1 lines in GBK": (text_documents, "find_encoding", lambda *_, **__: "latin-1"),
    "X2 a line of another form": (text_documents, "_cells", lambda *_: ("no", "label here")),
    "X3 a document of 50 MB": (text_documents, "MAX_CHARACTERS", 2**31),
    "X4 the same in a document": (text_documents, "one_form", lambda text: text),
    "X4 NUL, ESC and overrides of the writing direction": (text_documents, "one_form", lambda text: text),
    "X5 half of a surrogate pair in JSON Lines": (jsonlines, "_cell", lambda _, cell: cell),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_without_its_protection_the_case_fails(name: str, folder: Path, monkeypatch):
    case = next(case for case in TEXTS if case.id == name)
    if "50 MB" in name:
        monkeypatch.setattr(line, "split_rows", lambda *_: None)  # what reads 50 MB of text takes its time
    module, attribute, nothing = CONTROLS[name]
    monkeypatch.setattr(module, attribute, nothing)
    with pytest.raises((AssertionError, pytest.fail.Exception, Walked, DataError, UnicodeError)):
        if case.outcome == "ASK":
            with pytest.raises(PracticeError, match="gb18030"):
                arguments = write(case, folder)
                deepwright.run(arguments[1], recipe=recipe_of(arguments))
        else:
            check_kept(case, folder)
