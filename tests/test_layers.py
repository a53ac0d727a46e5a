"""The house's contracts are kept, and each was seen to break on a planted import."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import deepwright

ROOT = Path(deepwright.__file__).parents[1]
LINT = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(LINT), "--no-logo", "--no-cache"], cwd=folder, capture_output=True, text=True)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The package and its contracts in another folder, to plant faults in."""
    shutil.copytree(ROOT / "deepwright", tmp_path / "deepwright", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("core/errors.py", "import deepwright.practice", "the house"),
        ("core/errors.py", "def f():\n    import torch", "core needs no"),
        ("model/layers.py", "from deepwright.train import loop", "the house"),
        ("train/loop.py", "def f():\n    from deepwright import parts", "the house"),
        ("parts.py", "from deepwright import cli", "the house"),
        ("helpers.py", "", "the house"),
    ],
)
def test_a_planted_import_breaks_the_contract(copied: Path, file: str, line: str, contract: str):
    with (copied / "deepwright" / file).open("a") as source:
        source.write(f"\n\n{line}\n")
    done = lint(copied)
    assert done.returncode == 1
    assert any(row.startswith(contract) and row.endswith("BROKEN") for row in done.stdout.splitlines()), done.stdout
