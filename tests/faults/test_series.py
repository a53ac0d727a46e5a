"""S: every bad series through the command line and through `deepwright.run`, up to the split."""

import time
from pathlib import Path
from typing import Any

import pytest

import deepwright
from deepwright.core.errors import AskError, PracticeError
from deepwright.core.flags import apply_flags
from deepwright.core.recipe import Recipe
from deepwright.data import series_findings, series_order, series_overview, series_time, split
from deepwright.data.collect import Collected
from deepwright.practice import run as line
from tests.faults.case import SECONDS, call, files
from tests.faults.series import SERIES, SeriesCase, rows, table

KEPT = ("QUAR", "REPAIR", "ACCEPT")


class Walked(BaseException):
    """A run that got past its split."""

    def __init__(self, table: Collected, rules: set[str]) -> None:
        self.table, self.rules = table, rules
        super().__init__("the run went on to training")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of its own, and runs that stop once they are split."""

    def stop(run: Any, recipe: Recipe, table: Collected, **_: Any) -> None:
        _, findings = line.split_rows(recipe, table)
        raise Walked(table, {finding.rule for finding in findings})

    monkeypatch.setattr(line, "walk", stop)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def write(case: SeriesCase, folder: Path) -> list[str]:
    (folder / "t.csv").write_text(case.content(), encoding="utf-8")
    return ["run", "t.csv", "--target", "y", *case.flags]


def recipe_of(arguments: list[str]) -> Recipe:
    flags = [(flag.removeprefix("--"), value) for flag, value in zip(arguments[2::2], arguments[3::2], strict=True)]
    return Recipe.parse(apply_flags({"source": {"kind": "table", "path": arguments[1]}}, flags))


def check_refused(case: SeriesCase, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    arguments = write(case, folder)
    started_s = time.monotonic()
    found = call(capsys, folder, *arguments)
    assert time.monotonic() - started_s < SECONDS
    assert found.code == case.exit
    assert case.stops or found.written == []
    for words in case.says:
        assert words in found.sentence
    with pytest.raises(PracticeError) as caught:
        deepwright.run("t.csv", recipe=recipe_of(arguments))
    assert str(caught.value) == found.sentence
    assert isinstance(caught.value, AskError) == (case.outcome == "ASK")
    return found.sentence


def check_kept(case: SeriesCase, folder: Path, *flags: str, is_first: bool = True) -> None:
    arguments = [*write(case, folder), *flags]
    with pytest.raises(Walked) as walked:
        deepwright.cli.call(arguments)
    whole, found = walked.value.table.whole, walked.value
    assert found.table.rows_in == len(whole) + sum(entry.count for entry in found.table.set_aside)
    times = whole.of_role("time")
    assert times is not None and (times[1:] > times[:-1]).all()
    if not is_first:
        return
    assert case.kept is None or len(whole) == case.kept
    assert whole.columns["x"][: len(case.first)].tolist() == list(case.first)
    assert case.finding is None or case.finding in found.rules
    if case.outcome == "QUAR":
        assert [case.says[0] in entry.reason for entry in found.table.set_aside] == [True]
    if case.outcome == "REPAIR":
        assert any(case.says[0] in finding.text for finding in found.table.findings)
    with pytest.raises(Walked) as again:
        deepwright.run("t.csv", recipe=recipe_of(arguments))
    assert (again.value.table.whole.hashes == whole.hashes).all()


@pytest.mark.parametrize("case", [c for c in SERIES if c.outcome in ("REFUSE", "ASK")], ids=lambda case: case.id)
def test_is_refused_in_one_sentence(case: SeriesCase, folder: Path, capsys):
    check_refused(case, folder, capsys)
    assert not any("bundle" in name for name in files(folder))


@pytest.mark.parametrize("case", [c for c in SERIES if c.outcome in KEPT], ids=lambda case: case.id)
def test_goes_on_and_what_was_done_is_told(case: SeriesCase, folder: Path):
    check_kept(case, folder)


@pytest.mark.parametrize("case", [c for c in SERIES if c.answers], ids=lambda case: case.id)
def test_each_printed_option_settles_the_question(case: SeriesCase, folder: Path, capsys):
    sentence = call(capsys, folder, *write(case, folder)).sentence
    for number, (flag, value) in enumerate(case.answers):
        assert flag in sentence and value in sentence
        check_kept(case, folder, flag, value, is_first=number == 0)


def test_a_good_series_goes_on_in_silence(folder: Path):
    good = SeriesCase(row="S0", what="control", outcome="ACCEPT", content=lambda: table(rows()), kept=400, first=(0.5,))
    check_kept(good, folder)


CONTROLS = {
    "S1 a moment that stands twice": (series_order, "settled", lambda found, _: found),
    "S2 rows that are not in order": (series_order.np, "lexsort", lambda keys: series_order.np.arange(len(keys[0]))),
    "S2 a split that shuffles moments": (split, "Random", split.Stratified),
    "S3 missing moments": (series_overview.Rhythms, "breaks", 0),
    "S4 times with and without a zone": (series_time, "ZONED", series_time.re.compile("never")),
    "S4 seconds since 1970, or a count": (series_time, "EPOCH_S", (0.0, 0.0)),
    "S5 a window longer than the series": (
        series_overview,
        "_windows",
        lambda *_: series_overview.finding("x", "note", ""),
    ),
    "S6 the target among the inputs at the same moment": (series_findings, "_equals", lambda *_: False),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_without_its_protection_the_case_fails(name: str, folder: Path, capsys, monkeypatch):
    case = next(case for case in SERIES if case.id == name)
    module, attribute, nothing = CONTROLS[name]
    monkeypatch.setattr(module, attribute, nothing)
    with pytest.raises((AssertionError, pytest.fail.Exception, Walked)):
        if case.outcome in ("REFUSE", "ASK"):
            check_refused(case, folder, capsys)
        else:
            check_kept(case, folder)
