"""Writes are whole or not there; locks are freed; names stay inside their folder."""

import hashlib
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deepwright.core.disk import append_line, lock, safe_name, sha256_file, write_atomic
from deepwright.core.errors import ResourceError, UsageError


@contextmanager
def full_disk(limit_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond the limit, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_gives_the_contents_hash_and_makes_the_folders(tmp_path: Path):
    path = tmp_path / "a" / "b" / "file.bin"
    digest = write_atomic(path, b"content")
    assert path.read_bytes() == b"content"
    assert digest == sha256_file(path) == hashlib.sha256(b"content").hexdigest()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("limit", [0, 1, 4096, 99_999])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, limit: int):
    path = tmp_path / "file.bin"
    write_atomic(path, b"old")
    with full_disk(limit), pytest.raises(ResourceError) as caught:
        write_atomic(path, b"x" * 100_000)
    free = caught.value.values["free"]
    assert str(caught.value) == (
        f"{path}: the disk is full: 100000 bytes wanted, {free} bytes free. Free some space and run the same command "
        "again; the last good state is intact."
    )
    assert caught.value.exit_code == 5
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    write_atomic(path, b"x" * 100_000)
    assert path.stat().st_size == 100_000


def test_a_full_disk_leaves_the_lines_before(tmp_path: Path):
    path = tmp_path / "lines.jsonl"
    append_line(path, b"first")
    with full_disk(20), pytest.raises(ResourceError, match="the disk is full: 101 bytes wanted"):
        append_line(path, b"x" * 100)
    assert path.read_bytes() == b"first\n"
    append_line(path, b"second")
    assert path.read_bytes() == b"first\nsecond\n"


def test_a_lock_on_a_full_disk_says_so(tmp_path: Path):
    with full_disk(0), pytest.raises(ResourceError, match="the disk is full"), lock(tmp_path / ".lock"):
        pass


@pytest.mark.parametrize("name", ["file/below", "x" * 300])
def test_a_place_that_cannot_be_written_is_named_with_the_reason(tmp_path: Path, name: str):
    (tmp_path / "file").write_text("a file, no folder")
    path = tmp_path / name
    with pytest.raises(ResourceError) as caught:
        write_atomic(path, b"")
    why = caught.value.values["why"]
    assert str(caught.value) == (
        f"{path}: cannot be written ({why}). Choose a folder that you may write to, or change its rights."
    )
    with pytest.raises(ResourceError), lock(path / "lock"):
        pass


def test_a_crash_before_the_rename_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "file.bin"
    write_atomic(path, b"old")
    code = (
        "import os, sys; from pathlib import Path; from deepwright.core.disk import write_atomic\n"
        "Path.replace = lambda *_: os._exit(9)\n"
        "write_atomic(Path(sys.argv[1]), b'new')\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == 9
    assert path.read_bytes() == b"old"


def test_a_taken_lock_names_the_process_that_holds_it(tmp_path: Path):
    path = tmp_path / ".lock"
    with lock(path), pytest.raises(ResourceError) as caught, lock(path, wait=False):
        pass
    assert str(caught.value) == (
        f"{path}: process {os.getpid()} is working on this run. Wait until it ends, or stop it."
    )
    with lock(path, wait=False):
        pass


def test_a_killed_process_frees_its_lock(tmp_path: Path):
    path = tmp_path / ".lock"
    code = (
        "import os, sys; from pathlib import Path; from deepwright.core.disk import lock\n"
        "with lock(Path(sys.argv[1])): os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == -9
    with lock(path, wait=False):
        assert path.read_text() == str(os.getpid())


@pytest.mark.parametrize("name", ["adult", "Adult_2", "a.b-c", "_x", "a" * 128])
def test_a_plain_name_is_taken_as_it_is(name: str):
    assert safe_name(name, "run") == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "/etc", "a\\b", ".hidden", "-x", "a\0", "a\n", "ä", "a b", "a" * 129, "a:b"]
)
def test_a_name_that_could_leave_its_folder_is_refused(name: str):
    with pytest.raises(UsageError) as caught:
        safe_name(name, "run")
    assert str(caught.value) == (
        f"run name {name!r} is not allowed. It takes letters, digits, '.', '_' and '-', at most 128, "
        "not beginning with a '.' or '-'."
    )
