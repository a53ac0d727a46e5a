"""C: every bad recipe and option through the command line and through `deepwright.run`."""

import functools
import time
from pathlib import Path
from typing import Any

import pytest

import deepwright
from deepwright.core import flags as flags_module
from deepwright.core import recipe_file
from deepwright.core.errors import PracticeError
from deepwright.core.recipe_file import load_recipe
from tests.faults.case import SECONDS, call
from tests.faults.configs import CONFIGS, ConfigCase

TABLE = "a,b,y\n" + "".join(f"{i * 0.5},{'rgb'[i % 3]},{('no', 'yes')[i % 2]}\n" for i in range(60))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    (work / "t.csv").write_text(TABLE)
    monkeypatch.chdir(work)
    return work


def check_refused(case: ConfigCase, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "recipe.yaml").write_bytes(case.content)
    started_s = time.process_time()
    found = call(capsys, folder, "run", "recipe.yaml", *case.flags)
    assert time.process_time() - started_s < (1.0 if case.row in ("C2", "C3") else SECONDS)
    assert found.code == case.exit
    names = {Path(name).name.strip(".") for name in found.written if (folder / name).is_file()}
    assert names <= ({"recipe.yaml", "ledger.jsonl", "ledger.jsonl.lock", "lock"} if case.begun else set())
    assert all(b"done" not in path.read_bytes() for path in folder.rglob("ledger.jsonl"))
    for words in case.says:
        assert words in found.sentence, found.sentence
    if case.flags and case.flags[0] != "--name":
        return
    name = case.flags[1] if case.flags else None
    with pytest.raises(PracticeError) as caught:
        deepwright.run("recipe.yaml", name=name)
    assert str(caught.value) == found.sentence


@pytest.mark.parametrize("case", [c for c in CONFIGS if c.outcome == "REFUSE"], ids=lambda case: case.id)
def test_is_refused_in_one_sentence_and_nothing_is_written(case: ConfigCase, folder: Path, capsys):
    check_refused(case, folder, capsys)


@pytest.mark.parametrize("case", [c for c in CONFIGS if c.outcome == "ACCEPT"], ids=lambda case: case.id)
def test_is_read_as_yaml_1_2_says(case: ConfigCase, folder: Path):
    (folder / "recipe.yaml").write_bytes(case.content)
    recipe = load_recipe(folder / "recipe.yaml")
    for path, due in case.values:
        found: Any = functools.reduce(getattr, path.split("."), recipe)
        assert (found, type(found)) == (due, type(due))


CONTROLS = {
    "C1 a tag that runs code": (recipe_file._Reader, "_value", lambda *_: {"source": "table", "target": "y"}),
    "C3 500 nested mappings by indentation": (recipe_file, "DEPTH_LIMIT", 10_000),
    "C6 a key that stands twice": (recipe_file._Reader, "_mapping", lambda *_: {"target": "y"}),
    "C6 a flag that stands twice": (flags_module, "apply_flags", lambda data, _: data),
    "C9 a number of 500,000 digits": (recipe_file, "DIGITS_LIMIT", 1 << 30),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_without_its_protection_the_case_fails(name: str, folder: Path, capsys, monkeypatch):
    case = next(case for case in CONFIGS if case.id == name)
    monkeypatch.setattr(*CONTROLS[name])
    if name.startswith("C6 a flag"):  # what goes on would train
        case = type(case)(**{**vars(case), "recipe": case.content.decode() + "\nnetwork: mpl\n", "whole": True})
    with pytest.raises(AssertionError):
        check_refused(case, folder, capsys)
