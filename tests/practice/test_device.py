"""The device of a training: what is not here is refused before anything is read."""

from pathlib import Path

import pytest
import torch

import deepwright.parts  # noqa: F401 - defines every kind
from deepwright import cli
from deepwright.core.errors import ResourceError
from deepwright.core.recipe import Recipe
from deepwright.practice.device import device_of, require_device

SOURCE = {"kind": "table", "path": "t.csv"}
CUDA = Recipe.parse({"source": SOURCE, "train": {"device": "cuda"}})


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.usefixtures("no_cuda")
@pytest.mark.parametrize("flags", [[], ["--dry-run"]], ids=["run", "dry run"])
def test_a_run_for_a_device_that_is_not_here_is_refused_and_nothing_is_written(
    flags: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{n},{n % 2}\n" for n in range(40)))
    assert cli.call(["run", "t.csv", "--target", "y", "--train.device", "cuda", *flags]) == ResourceError.exit_code
    assert "sees no CUDA device here. Give --train.device cpu" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_a_device_that_is_here_is_taken(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    require_device(CUDA)
    assert device_of(CUDA) == torch.device("cuda")


@pytest.mark.usefixtures("no_cuda")
def test_the_processor_is_always_here():
    recipe = Recipe.parse({"source": SOURCE})
    require_device(recipe)
    assert device_of(recipe) == torch.device("cpu")
