"""The run's folder: facts, committed files, locks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deepwright.core.errors import DataError, ResourceError, SealError, UsageError
from deepwright.core.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path / "runs", "adult", recipe="abc", columns=("a", "b"))


def test_a_run_is_taken_up_with_the_same_facts(run: Run, tmp_path: Path):
    again = Run.create(tmp_path / "runs", "adult", recipe="abc", columns=("a", "b"))
    assert again.folder == run.folder
    assert [entry["what"] for entry in again.ledger.entries()] == ["started"]


def test_a_run_of_other_facts_needs_another_name(run: Run, tmp_path: Path):
    with pytest.raises(UsageError) as caught:
        Run.create(tmp_path / "runs", "adult", recipe="xyz", columns=("a",))
    assert str(caught.value) == (
        "run 'adult' exists already with another recipe, columns. Give the new run another --name."
    )


def test_a_run_is_found_by_folder_and_by_name(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert Run.open(run.folder).name == "adult"
    monkeypatch.chdir(tmp_path)
    assert Run.open("adult").folder == Path("runs/adult")
    with pytest.raises(UsageError) as caught:
        Run.open("adul")
    assert str(caught.value) == "there is no run 'adul'. Runs here: adult. Did you mean 'adult'?"


def test_without_any_run_the_list_is_a_dash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        Run.open("adult")
    assert str(caught.value) == "there is no run 'adult'. Runs here: -."


def test_a_committed_file_is_read_back(run: Run):
    digest = run.write("profile.json", b"{}")
    assert run.read("profile.json") == b"{}"
    entry = run.entry("file profile.json")
    assert entry is not None and entry["sha256"] == digest


def test_a_file_that_was_changed_is_not_read(run: Run):
    run.write("profile.json", b"{}")
    (run.folder / "profile.json").write_bytes(b"[]")
    with pytest.raises(DataError) as caught:
        run.read("profile.json")
    assert str(caught.value) == (
        "run 'adult': profile.json was changed after it was written. Nothing is computed from it; restore it from a "
        "copy, or run again under another --name."
    )


@pytest.mark.parametrize("was_written", [True, False])
def test_a_file_that_is_not_there_was_not_finished(run: Run, was_written: bool):
    if was_written:
        run.write("profile.json", b"{}")
        (run.folder / "profile.json").unlink()
    else:
        (run.folder / "profile.json").write_bytes(b"{}")
    with pytest.raises(DataError) as caught:
        run.read("profile.json")
    assert str(caught.value) == (
        "run 'adult' has no profile.json yet: it was not finished. Run the same command again; it goes on where it "
        "stopped."
    )


def test_the_same_commit_is_not_written_twice(run: Run):
    first = run.commit("epoch", number=1, values=(1, 2))
    assert run.commit("epoch", number=1, values=(1, 2)) == first
    assert run.commit("epoch", number=2, values=(1, 2)) != first
    assert [entry["what"] for entry in run.ledger.entries()] == ["started", "epoch", "epoch"]


def test_json_is_written_in_one_form(run: Run):
    run.write_json("profile.json", {"b": 1, "a": "中"})
    assert json.loads(run.read("profile.json")) == {"a": "中", "b": 1}
    assert run.read("profile.json").endswith(b'"b": 1\n}\n')
    assert "中".encode() in run.read("profile.json")


def test_a_run_is_done_when_its_ledger_says_so(run: Run):
    assert not run.is_done and "not finished" in repr(run)
    run.commit("done")
    assert run.is_done and "done" in repr(run)


def test_a_tampered_ledger_stops_everything(run: Run):
    path = run.folder / "ledger.jsonl"
    path.write_text(path.read_text().replace("abc", "abd"))
    with pytest.raises(SealError):
        run.entry("started")


def test_a_run_in_use_names_the_process(run: Run):
    code = (
        "import sys; from pathlib import Path; from deepwright.core.run import Run\n"
        "from deepwright.core.errors import ResourceError\n"
        "try:\n"
        "    with Run(Path(sys.argv[1])).writing(): print('taken')\n"
        "except ResourceError as error: print(error.values['pid'])\n"
    )
    command = [sys.executable, "-c", code, str(run.folder)]
    with run.writing():
        assert subprocess.run(command, capture_output=True, text=True).stdout.strip() == str(os.getpid())
        with pytest.raises(ResourceError), run.writing():
            pass
    assert subprocess.run(command, capture_output=True, text=True).stdout.strip() == "taken"


@pytest.mark.parametrize("name", ["../up", "a/b", ""])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str):
    with pytest.raises(UsageError, match="run name"):
        Run.create(tmp_path, name)


def test_a_run_has_no_report_before_it_has_one(run: Run):
    with pytest.raises(DataError, match=r"has no report\.json yet"):
        _ = run.report
