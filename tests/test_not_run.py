"""The last line of a test run counts what was not run for want of a system program."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

PLANTED = """
import pytest

@pytest.mark.needs("no-such-program")
def test_one(): raise AssertionError("never reached")

@pytest.mark.needs("no-such-program")
def test_two(): raise AssertionError("never reached")

@pytest.mark.needs("sh")
def test_three(): pass

def test_four(): pytest.skip("for another reason")
"""


def run(folder: Path, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_planted.py").write_text(source)
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        *options,
        str(folder),
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_missing_programs_are_counted_in_the_very_last_line(tmp_path: Path):
    done = run(tmp_path, PLANTED, "-n", "1")
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert lines[-1] == "NOT RUN: 2 (no-such-program missing: 2)"
    assert "1 passed, 3 skipped" in lines[-2]


def test_a_failure_keeps_its_exit_code_and_the_line_says_zero(tmp_path: Path):
    done = run(tmp_path, "def test_it():\n    assert False\n")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "NOT RUN: 0"
