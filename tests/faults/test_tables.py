"""T and P: every bad table through the command line, through `deepwright.run`, and as a frame where that can be.

Runs are followed up to the split: what goes into training is known by then, and nothing was trained for it.
"""

import csv
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepwright
from deepwright.core.errors import AskError, DataError, PracticeError
from deepwright.core.flags import apply_flags
from deepwright.core.recipe import Recipe
from deepwright.data import delimited, encoding, signature, types
from deepwright.data.collect import Collected
from deepwright.data.detect import source_for
from deepwright.practice import run as line
from tests.faults.archives import ARCHIVES
from tests.faults.case import SECONDS, Outcomes, call, files
from tests.faults.tables import ARRAYS, ROWS, TABLES, TableCase

CASES = [*TABLES, *ARRAYS, *ARCHIVES]
FEW = 40
"""Good rows of which one set aside is more than 1 %."""

KEPT = ("QUAR", "REPAIR", "ACCEPT")


class Walked(BaseException):
    """A run that got past its input; it carries what came in."""

    def __init__(self, recipe: Recipe, table: Collected) -> None:
        self.recipe, self.table = recipe, table
        super().__init__("the run went on to training")

    def findings(self, rule: str) -> list[str]:
        """What is told under this rule: while reading, or else of the training part."""
        findings = self.table.findings
        if all(finding.rule != rule for finding in findings):
            findings = line.split_rows(self.recipe, self.table)[1]
        return [finding.text for finding in findings if finding.rule == rule]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of its own, and runs that stop before training."""

    def stop(run: Any, recipe: Recipe, table: Collected, **_: Any) -> None:
        raise Walked(recipe, table)

    monkeypatch.setattr(line, "walk", stop)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def write(case: TableCase, folder: Path, rows: int = ROWS) -> list[str]:
    """The case's files; gives the arguments that name them."""
    (folder / case.name).write_bytes(case.content(rows))
    arguments = ["run", case.name, "--target", case.target, *case.flags]
    if case.test is not None:
        name = f"test{Path(case.name).suffix}"
        (folder / name).write_bytes(case.test(rows))
        arguments += ["--test", name]
    return arguments


def recipe_of(arguments: list[str]) -> Recipe:
    """The recipe that these arguments of `run` make."""
    flags = [(flag.removeprefix("--"), value) for flag, value in zip(arguments[2::2], arguments[3::2], strict=True)]
    return Recipe.parse(apply_flags({"source": source_for(arguments[1])}, flags))


def check_refused(case: TableCase, folder: Path, capsys: pytest.CaptureFixture[str]) -> Outcomes:
    """One sentence with place and fix, the right exit code, nothing written; the same sentence through Python."""
    arguments = write(case, folder)
    started_s = time.monotonic()
    found = call(capsys, folder, *arguments)
    assert time.monotonic() - started_s < SECONDS
    assert found.code == case.exit
    assert found.written == []
    for words in case.says:
        assert words in found.sentence
    assert case.name in found.sentence
    with pytest.raises(PracticeError) as caught:
        deepwright.run(case.name, recipe=recipe_of(arguments))
    assert str(caught.value) == found.sentence
    assert caught.value.exit_code == case.exit
    assert isinstance(caught.value, AskError) == (case.outcome == "ASK")
    return found


def check_kept(case: TableCase, folder: Path, *flags: str) -> None:
    """The rows that go on, exact; the rows set aside, by number and reason; the same through Python."""
    arguments = [*write(case, folder), *flags]
    started_s = time.monotonic()
    with pytest.raises(Walked) as walked:
        deepwright.cli.call(arguments)
    assert time.monotonic() - started_s < SECONDS
    check_table(case, walked.value)
    with pytest.raises(Walked) as again:
        deepwright.run(case.name, recipe=recipe_of(arguments))
    assert_same(again.value.table, walked.value.table)


def check_table(case: TableCase, walked: Walked) -> None:
    table, whole = walked.table, walked.table.whole
    set_aside = [entry for entry in table.set_aside if entry.count]
    assert sorted(number for entry in set_aside for number in entry.rows) == list(case.rows)
    assert table.rows_in == len(whole) + len(case.rows)
    if case.kept is not None:
        assert len(whole) == case.kept
    if case.outcome == "QUAR":
        assert [case.says[0] in entry.reason for entry in set_aside] == [True]
        assert len(whole) >= 0.9 * table.rows_in
    if case.finding is not None:
        told = walked.findings(case.finding)
        assert any(case.says[0] in words for words in told), told
    for name, type_ in case.types:
        assert whole.schema[name].type == type_
    for name, place, due in case.values:
        cell = whole.columns[name][place]
        missing = cell is None or (isinstance(cell, float) and np.isnan(cell))
        assert missing if due is None else cell == due, (name, place, cell)


def assert_same(one: Collected, other: Collected) -> None:
    assert one.schema == other.schema
    assert (one.whole.hashes == other.whole.hashes).all()
    assert one.set_aside == other.set_aside
    for name, column in one.whole.columns.items():
        assert np.array_equal(column, other.whole.columns[name], equal_nan=column.dtype != object)


@pytest.mark.parametrize("case", [c for c in CASES if c.outcome in ("REFUSE", "ASK")], ids=lambda case: case.id)
def test_is_refused_in_one_sentence_and_nothing_is_written(case: TableCase, folder: Path, capsys):
    check_refused(case, folder, capsys)


@pytest.mark.parametrize("case", [c for c in CASES if c.outcome in KEPT], ids=lambda case: case.id)
def test_goes_on_exactly_and_what_was_done_is_told(case: TableCase, folder: Path):
    check_kept(case, folder)


@pytest.mark.parametrize("case", [c for c in CASES if c.answers], ids=lambda case: case.id)
def test_each_printed_option_settles_the_question(case: TableCase, folder: Path, capsys):
    sentence = call(capsys, folder, *write(case, folder)).sentence
    for number, flags in enumerate(case.answers):
        assert any(f"{flags[0]} {quote}{flags[1]}{quote}" in sentence for quote in ("", "'"))
        settled = case if number == 0 else type(case)(**{**vars(case), "values": (), "kept": None})
        check_kept(settled, folder, *flags)


@pytest.mark.parametrize("case", [c for c in CASES if c.outcome == "QUAR"], ids=lambda case: case.id)
def test_more_than_one_percent_set_aside_stop_the_run(case: TableCase, folder: Path, capsys):
    if case.what == "2024-02-30":  # its rows are fixed in number
        (folder / case.name).write_bytes(
            b"\n".join(case.content(0).splitlines()[:1] + case.content(0).splitlines()[-40:])
        )
        found = call(capsys, folder, "run", case.name, "--target", "y")
    else:
        found = call(capsys, folder, *write(case, folder, FEW))
    assert found.code == 3
    assert found.written == []
    for words in (case.name, case.says[0], "may be set aside", "--max-set-aside"):
        assert words in found.sentence


@pytest.mark.parametrize("case", [c for c in TABLES if c.in_frame], ids=lambda case: case.id)
def test_the_same_cells_in_a_frame_have_the_same_outcome(case: TableCase, folder: Path):
    import polars as pl

    header, *rows = csv.reader(io.StringIO(case.content(ROWS).decode()))
    frame = pl.DataFrame(
        {name: [row[i] or None for row in rows] for i, name in enumerate(header)},
        schema_overrides=dict.fromkeys(header, pl.String),
    )
    if case.outcome in KEPT:
        with pytest.raises(Walked) as walked:
            deepwright.run(frame, target=case.target)
        check_table(case, walked.value)
        return
    with pytest.raises(DataError) as caught:
        deepwright.run(frame, target=case.target)
    assert isinstance(caught.value, AskError) == (case.outcome == "ASK")
    for words in case.says:
        assert words.replace("t.csv", "polars.DataFrame") in str(caught.value)
    assert files(folder) == set()


def test_the_limit_of_columns_can_be_lifted(folder: Path):
    case = next(case for case in TABLES if case.what == "10,006 columns")
    with pytest.raises(Walked) as walked:
        deepwright.cli.call([*write(case, folder), "--source.max_columns", "10006"])
    assert walked.value.table.whole.columns["c7"].tolist() == [2.0, 3.0, 4.0, 0.0]


LIMITS = """
import json, resource, sys, time
from deepwright import cli, parts
import deepwright.data.collect, deepwright.data.arrow, pyarrow.parquet, psutil
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
for name, target, free in json.loads(sys.argv[1]):
    if free:
        memory = psutil.virtual_memory()._replace(available=free << 20)
        psutil.virtual_memory = lambda memory=memory: memory
    before, started = peak(), time.process_time()
    code = cli.call(["run", name, "--target", target])
    print(json.dumps([code, time.process_time() - started, peak() - before]), flush=True)
"""


def test_what_is_too_large_is_refused_before_memory_is_taken(folder: Path):
    cases = [case for case in CASES if case.outcome == "LIMIT"]
    cases.sort(key=lambda case: case.free_mb or 0)  # what lowers the free memory comes last
    jobs = []
    for number, case in enumerate(cases):
        name = f"{number}{case.name}"
        (folder / name).write_bytes(case.content(ROWS))
        jobs.append((name, case.target, case.free_mb))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", LIMITS, json.dumps(jobs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=True)
    results, sentences = done.stdout.splitlines(), done.stderr.splitlines()
    assert len(results) == len(sentences) == len(cases), done.stderr
    for case, result, sentence in zip(cases, results, sentences, strict=True):
        code, seconds, megabytes = json.loads(result)
        assert (code, case.id) == (case.exit, case.id)
        assert seconds <= 2.0, case.id
        assert megabytes < 256, case.id
        assert all(words in sentence for words in case.says), sentence
    assert {path.name for path in folder.iterdir()} == {name for name, *_ in jobs}


def test_a_process_of_its_own_says_it_in_one_line_too(folder: Path):
    case = next(case for case in TABLES if case.what == "two stray quotes that join rows")
    command = [sys.executable, "-c", "from deepwright.cli import main; main()", *write(case, folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1 and all(words in done.stderr for words in case.says)
    assert files(folder) == {case.name}


def test_a_whole_run_lists_rows_set_aside_and_repairs_in_its_report(folder: Path, capsys, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(folder / "home"))
    monkeypatch.chdir(folder)
    forms = ("café", "cafe\u0301")
    rows = [f"{i * 0.5},{'rgb'[i % 3]},{forms[i % 2]},{('no', 'yes')[i % 2]}" for i in range(ROWS)]
    text = "\n".join(["a,b,c,y", *rows, "oops,r,café,no"]) + "\n"
    (folder / "t.csv").write_text(text, encoding="utf-8")
    quick = [
        "--network",
        "mlp",
        "--train.epochs",
        "1",
        "--baselines",
        "constant",
        "--train.threads",
        "1",
        "--name",
        "run",
    ]
    assert call(capsys, folder, "run", "t.csv", "--target", "y", *quick).code == 0
    report = json.loads((folder / "runs/run/report.json").read_bytes())
    assert [(entry["count"], entry["rows"]) for entry in report["data"]["set_aside"]] == [(1, [201])]
    assert "a: no number, such as 'oops'" in report["data"]["set_aside"][0]["reason"]
    assert "unicode" in {finding["rule"] for finding in report["findings"]}
    page = (folder / "runs/run/report.html").read_text(encoding="utf-8")
    assert "no number, such as" in page and "one Unicode form" in page


CONTROLS = {
    "T13 two stray quotes that join rows": (delimited, "refuse_joined_rows", lambda *_: None),
    "T15 a quote after a backslash": (delimited, "_has_backslash_quote", lambda *_: False),
    "T16 a space before a quote": (delimited, "_refuse_quote_after_space", lambda *_: None),
    "T8 two encodings, most latin-1": (delimited, "is_utf8_read_as", lambda *_: False),
    "T11 UTF-16 without a mark": (encoding, "silent_utf16", lambda _: None),
    "T37 a comment first": (delimited, "_refuse_comment", lambda *_: None),
    "T44 bytes of no known format": (signature, "_is_binary", lambda _: False),
    "T6 last row cut within a word": (delimited, "_ends_within_a_word", lambda *_: False),
    "T22 a header that stands twice": (delimited, "check_names", lambda *_: None),
    "T19 a dash among numbers": (types, "type_of", lambda *_, **__: ("category", "")),
    "T28 leading zeros": (types, "type_of", lambda *_, **__: ("number", "")),
    "T47 one class": (types, "_target_type", lambda *_: ("category", "", False)),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_without_its_protection_the_case_fails(name: str, folder: Path, capsys, monkeypatch):
    case = next(case for case in CASES if case.id == name)
    module, attribute, nothing = CONTROLS[name]
    monkeypatch.setattr(module, attribute, nothing)
    with pytest.raises((AssertionError, pytest.fail.Exception, Walked, DataError)):
        if case.outcome in ("REFUSE", "ASK") and not name.startswith("T8"):
            check_refused(case, folder, capsys)
        else:
            check_kept(case, folder, *(case.answers[0] if case.answers else ()))
