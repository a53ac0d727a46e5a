"""B: every tampered bundle through the commands that open bundles and through `Bundle.load`; nothing of it is run.

A bundle is a folder; packed ones are not opened, so the cases of zip archives say that they are refused at once.
"""

import re
import shutil
import time
from pathlib import Path

import pytest

from deepwright.core import bundle as bundle_module
from deepwright.core.bundle import Bundle
from deepwright.core.errors import BundleError
from tests.deploy.bundles import flower_bundle
from tests.faults.case import SECONDS, call, files
from tests.faults.tampered import BUNDLES, BundleCase

ROWS = "petal-length,高度,colour\n30,2,=blue\n"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return flower_bundle(tmp_path_factory.mktemp("good") / "bundle").folder


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, good: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    shutil.copytree(good, work / "bundle")
    (work / "rows.csv").write_text(ROWS, encoding="utf-8")
    monkeypatch.chdir(work)
    return work


COMMANDS = [("predict", "rows.csv", "-o", "answers.csv"), ("export", "--to", "onnx", "-o", "exported"), ("serve",)]


def check(case: BundleCase, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused by every command in one sentence, the same as in Python; nothing is written and no code is run."""
    case.make(folder / "bundle")
    started_s = time.monotonic()
    before = files(folder)
    for command, *rest in COMMANDS:
        found = call(capsys, folder, command, case.name, *rest)
        assert (found.code, found.written) == (case.exit, [])
        for words in case.says:
            assert words in found.sentence, found.sentence
        assert found.sentence.startswith(case.name)
    assert time.monotonic() - started_s < SECONDS
    with pytest.raises(BundleError) as caught:
        Bundle.load(case.name)
    assert str(caught.value) == found.sentence
    assert files(folder) == before  # the folder that a loaded pickle would make is not there


@pytest.mark.parametrize("case", BUNDLES, ids=lambda case: case.id)
def test_is_refused_by_every_command_and_nothing_of_it_is_run(case: BundleCase, folder: Path, capsys):
    check(case, folder, capsys)


def test_the_untouched_bundle_is_taken_and_formulas_in_its_answers_are_escaped(folder: Path, capsys):
    found = call(capsys, folder, "predict", "bundle", "rows.csv", "-o", "answers.csv")
    assert (found.code, found.written) == (0, ["answers.csv"])
    assert re.search(r"(^|,)'[=-]", (folder / "answers.csv").read_text(encoding="utf-8"))


CONTROLS = {
    "B1 a flipped bit in the weights": ("_sha256", lambda _: "0"),
    "B3 a pickle as weights": ("_require_sound_weights", lambda _: None),
    "B8 a weight that is NaN": ("_require_sound_weights", lambda _: None),
    "B9 a file that is not listed": ("_check_listing", lambda *_: None),
    "B10 a newer format": ("FORMAT", 2),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_without_its_protection_the_case_fails(name: str, folder: Path, capsys, monkeypatch):
    case = next(case for case in BUNDLES if case.id == name)
    case.make(folder / "bundle")
    attribute, nothing = CONTROLS[name]
    with pytest.raises(BundleError, match=case.says[0]):
        Bundle.load("bundle")
    if name.startswith("B1 "):
        monkeypatch.setattr(bundle_module, "_check_listing", lambda *_: None)
    else:
        monkeypatch.setattr(bundle_module, attribute, nothing)
    try:
        Bundle.load("bundle")
    except BundleError as other:
        assert case.says[0] not in str(other)
