"""`make new-part` writes a class that registers and a test that fails until it is written."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from deepwright import parts
from deepwright.core.part import FAMILIES

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts" / "new_part.py"


@pytest.fixture
def new_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, writing below another root."""
    spec = importlib.util.spec_from_file_location("new_part", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


@pytest.mark.parametrize("family", [n for n in parts.families() if FAMILIES[n].__module__.startswith("deepwright.")])
def test_the_class_is_clean_and_registers(new_part: ModuleType, tmp_path: Path, family: str):
    assert new_part.main([family, "mine_too"]) == 0
    (source,) = (tmp_path / "deepwright").rglob("mine_too.py")
    (test,) = (tmp_path / "tests").rglob("test_mine_too.py")
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    for path in (source, test):
        assert subprocess.run([*ruff, "format", "--check", "-q", str(path)], cwd=tmp_path).returncode == 0
        found = subprocess.run([*ruff, "check", "-q", str(path)], cwd=tmp_path, capture_output=True, text=True)
        assert found.returncode == 0, found.stdout
    before = set(FAMILIES[family].kinds)
    try:
        spec = importlib.util.spec_from_file_location("mine_too", source)
        assert spec and spec.loader
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
        assert set(FAMILIES[family].kinds) - before == {"mine_too"}
        written = FAMILIES[family].kinds["mine_too"]().dump()
        assert (written["kind"], written["size"]) == ("mine_too", 8)
    finally:
        FAMILIES[family].kinds.pop("mine_too", None)


def test_it_is_written_into_the_stages_folder(new_part: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert new_part.main(["network", "mine"]) == 0
    assert (tmp_path / "deepwright" / "model" / "mine.py").is_file()
    assert (tmp_path / "tests" / "model" / "test_mine.py").is_file()
    assert "BUILT_IN of deepwright/parts.py" in capsys.readouterr().out
    assert new_part.main(["network", "mine"]) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["", ""], "usage: make new-part FAMILY=network KIND=mine"),
        (["netwrk", "mine"], "FAMILY=netwrk: there is none. Known: "),
        (["netwrk", "mine"], "Did you mean 'network'?"),
        (["network", "mlp"], "KIND=mlp: network has it already (deepwright.model.tabular)."),
        (["network", "../x"], "KIND=../x: it takes small letters, digits and '_', beginning with a letter."),
    ],
)
def test_a_wrong_name_is_refused(
    new_part: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
):
    assert new_part.main(arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "deepwright").exists()


def test_the_written_test_fails_until_it_is_written(new_part: ModuleType):
    text = new_part.test_text("loss", "mine", "train")
    assert "def test_build_gives_the_known_answer" in text and "raise AssertionError" in text
