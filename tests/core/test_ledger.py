"""The ledger: chained, durable, mergeable; a changed byte is found."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import SealError
from deepwright.core.ledger import Ledger, LookLedger, workspace
from deepwright.core.part import canonical_json

ROWS = np.arange(1000, 1200, dtype=np.uint64)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Four entries."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for number in range(4):
        ledger.append("step", number=number, note="中文 \x1f")
    return ledger


def broken_line(path: Path) -> int:
    with pytest.raises(SealError) as caught:
        Ledger(path).entries()
    line = int(caught.value.values["line"])
    assert str(caught.value) == (
        f"{path}, line {line}: this line was changed, cut out or moved after it was written. "
        "Restore the file from a copy (git); looks may not be forgotten."
    )
    return line


def test_entries_come_back_in_order_each_naming_the_last(ledger: Ledger):
    entries = ledger.entries()
    assert [entry["number"] for entry in entries] == [0, 1, 2, 3]
    assert entries[0]["parents"] == []
    assert [e["parents"] for e in entries[1:]] == [[e["hash"]] for e in entries[:-1]]


def test_a_ledger_that_was_never_written_is_empty(tmp_path: Path):
    assert Ledger(tmp_path / "none.jsonl").entries() == []


def test_any_changed_byte_is_found_and_its_line_named(ledger: Ledger):
    content = ledger.path.read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        ledger.path.write_bytes(changed)
        assert broken_line(ledger.path) == content[:place].count(b"\n") + 1, f"byte {place}"


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_line_cut_out_is_found(ledger: Ledger, line: int):
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    ledger.path.write_bytes(b"".join(lines[: line - 1] + lines[line:]))
    assert broken_line(ledger.path) == line


def test_a_moved_line_is_found(ledger: Ledger):
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    ledger.path.write_bytes(b"".join([lines[0], lines[2], lines[1], lines[3]]))
    assert broken_line(ledger.path) == 2


def test_a_line_put_in_is_found(ledger: Ledger):
    first = json.loads(ledger.path.read_bytes().splitlines()[0])
    forged = canonical_json({**first, "number": 9}).encode() + b"\n"
    content = ledger.path.read_bytes()
    ledger.path.write_bytes(content + forged)
    assert broken_line(ledger.path) == 5
    ledger.path.write_bytes(content + b"\n")
    assert broken_line(ledger.path) == 5
    ledger.path.write_bytes(content + b"[" * 100_000 + b"\n")
    assert broken_line(ledger.path) == 5


def test_a_torn_last_line_is_left_out_and_cut_off_by_the_next(ledger: Ledger):
    content = ledger.path.read_bytes()
    start = content[:-1].rfind(b"\n") + 1
    for end in range(start + 1, len(content) - 1):
        ledger.path.write_bytes(content[:end])
        assert len(ledger.entries()) == 3
    ledger.append("step", number=4)
    assert [entry["number"] for entry in ledger.entries()] == [0, 1, 2, 4]


def test_a_last_line_that_lacks_only_its_newline_counts(ledger: Ledger):
    ledger.path.write_bytes(ledger.path.read_bytes()[:-1])
    assert len(ledger.entries()) == 4
    ledger.append("step", number=4)
    assert [entry["number"] for entry in ledger.entries()] == [0, 1, 2, 3, 4]


def test_two_copies_merged_by_union_stay_valid_and_are_joined_by_the_next_entry(ledger: Ledger, tmp_path: Path):
    base = ledger.path.read_text()
    other = Ledger(tmp_path / "other.jsonl")
    other.path.write_text(base)
    ledger.append("step", number="mine")
    other.append("step", number="theirs")
    other.append("step", number="theirs too")
    mine, theirs = ledger.path.read_text(), other.path.read_text()
    ledger.path.write_text(mine + theirs.removeprefix(base))
    joined = ledger.append("step", number="after")
    assert len(ledger.entries()) == 8
    assert len(joined["parents"]) == 2


def test_two_ledgers_begun_apart_can_be_merged(tmp_path: Path):
    one, other = Ledger(tmp_path / "one.jsonl"), Ledger(tmp_path / "other.jsonl")
    one.append("look", number=1)
    other.append("look", number=2)
    one.path.write_bytes(one.path.read_bytes() + other.path.read_bytes())
    assert [entry["number"] for entry in one.entries()] == [1, 2]
    assert len(one.append("look", number=3)["parents"]) == 2


def test_lines_that_a_merge_doubled_count_once(ledger: Ledger):
    content = ledger.path.read_bytes()
    ledger.path.write_bytes(content + b"".join(content.splitlines(keepends=True)[2:]))
    assert [entry["number"] for entry in ledger.entries()] == [0, 1, 2, 3]


def test_git_merges_two_copies_by_union(tmp_path: Path):
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "init.defaultBranch=main")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    looks = LookLedger(tmp_path / ".deepwright")
    git("init", "-q")
    looks.record(ROWS, run="first", bundle="b", reason=None, result_exists=False)
    git("add", ".deepwright")
    git("commit", "-qm", "first")
    tracked = subprocess.run(["git", "ls-files"], cwd=tmp_path, capture_output=True, text=True).stdout.split()
    assert tracked == [".deepwright/.gitattributes", ".deepwright/.gitignore", ".deepwright/looks.jsonl"]
    git("checkout", "-qb", "side")
    looks.record(ROWS, run="side", bundle="b", reason="side", result_exists=True)
    git("commit", "-qam", "side")
    git("checkout", "-q", "main")
    looks.record(ROWS + 500, run="main", bundle="b", reason=None, result_exists=True)
    git("commit", "-qam", "main")
    git("merge", "-q", "side")
    assert sorted(entry["run"] for entry in looks.ledger.entries()) == ["first", "main", "side"]
    assert [look["run"] for look in looks.looks(ROWS)] == ["first", "side"]


def test_eight_processes_append_at_once_and_no_entry_is_lost(tmp_path: Path):
    path = tmp_path / "ledger.jsonl"
    code = (
        "import sys; from pathlib import Path; from deepwright.core.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "for number in range(20): ledger.append('step', who=int(sys.argv[2]), number=number)\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", code, str(path), str(who)]) for who in range(8)]
    assert [worker.wait(timeout=120) for worker in workers] == [0] * 8
    entries = Ledger(path).entries()
    assert {(e["who"], e["number"]) for e in entries} == {(w, n) for w in range(8) for n in range(20)}
    assert len(entries) == 160
    assert all(len(entry["parents"]) == 1 for entry in entries[1:])


def test_a_first_look_is_counted_and_a_second_one_needs_a_reason(tmp_path: Path):
    looks = LookLedger(tmp_path)
    first = looks.record(ROWS, run="a", bundle="b", reason=None, result_exists=False)
    with pytest.raises(SealError) as caught:
        looks.record(ROWS, run="c", bundle="d", reason=None, result_exists=True)
    assert str(caught.value) == (
        f"these 200 test rows have been looked at before (looks: 1; last {first['when']} by run a). A further look "
        "makes the result optimistic: if it must be, give --reason 'why'; it is stamped on every later report."
    )
    assert len(looks.looks(ROWS)) == 1
    looks.record(ROWS, run="c", bundle="d", reason="a colleague asked", result_exists=True)
    assert [(look.number, look.run, look.reason) for look in looks.as_looks(ROWS)] == [
        (1, "a", None),
        (2, "c", "a colleague asked"),
    ]


def test_looks_belong_to_rows_in_any_order_and_any_number(tmp_path: Path):
    looks = LookLedger(tmp_path)
    looks.record(ROWS, run="a", bundle="b", reason=None, result_exists=False)
    for same in (ROWS[::-1], np.concatenate([ROWS, ROWS]), ROWS[:50], np.concatenate([ROWS[:3], ROWS + 10_000])[:203]):
        assert len(looks.looks(same)) == 1, same


def test_rows_that_share_at_most_one_in_a_hundred_are_other_rows(tmp_path: Path):
    looks = LookLedger(tmp_path)
    looks.record(ROWS, run="a", bundle="b", reason=None, result_exists=False)
    strangers = np.arange(50_000, 50_198, dtype=np.uint64)
    assert looks.looks(np.concatenate([strangers, ROWS[:2]])) == []
    assert len(looks.looks(np.concatenate([strangers[:-1], ROWS[:3]]))) == 1
    assert looks.looks(strangers) == []


def test_a_look_that_never_gave_a_result_is_taken_up_and_not_counted_twice(tmp_path: Path):
    looks = LookLedger(tmp_path)
    first = looks.record(ROWS, run="a", bundle="b", reason=None, result_exists=False)
    assert looks.record(ROWS, run="a", bundle="b", reason=None, result_exists=False) == first
    assert len(looks.looks(ROWS)) == 1
    for run, bundle in (("a", "other"), ("other", "b")):
        with pytest.raises(SealError):
            looks.record(ROWS, run=run, bundle=bundle, reason=None, result_exists=False)


def test_a_tampered_ledger_stops_the_look(tmp_path: Path):
    looks = LookLedger(tmp_path)
    looks.record(ROWS, run="a", bundle="b", reason=None, result_exists=False)
    path = looks.ledger.path
    path.write_text(path.read_text().replace('"run":"a"', '"run":"z"'))
    with pytest.raises(SealError):
        looks.record(ROWS + 10_000, run="c", bundle="d", reason=None, result_exists=False)


def test_the_workspace_is_the_named_one_or_the_nearest_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    deep = tmp_path / "project" / "a" / "b"
    deep.mkdir(parents=True)
    assert workspace(deep) == Path(os.environ["DEEPWRIGHT_HOME"])
    monkeypatch.delenv("DEEPWRIGHT_HOME")
    (tmp_path / "project" / ".git").mkdir()
    assert workspace(deep) == tmp_path / "project" / ".deepwright"
    (tmp_path / "project" / "a" / ".deepwright").mkdir()
    assert workspace(deep) == tmp_path / "project" / "a" / ".deepwright"
    monkeypatch.chdir(deep)
    assert workspace() == tmp_path / "project" / "a" / ".deepwright"
