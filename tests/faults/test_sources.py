"""T and P once more: what is wrong with a table is told alike when it is a member of an archive or one of two files."""

import zipfile
from pathlib import Path

import pytest

from deepwright.core.errors import PracticeError
from deepwright.core.report import SetAside
from deepwright.data.files import is_table_name
from deepwright.data.merge import Merge
from deepwright.data.raw import Raw
from deepwright.data.table import Table
from tests.faults.tables import ARRAYS, TABLES, TableCase

CASES = [case for case in (*TABLES, *ARRAYS) if is_table_name(case.name) and case.outcome != "LIMIT"]
FEW = 40


def options(case: TableCase) -> dict[str, str]:
    """The case's flags that say how its file is cut."""
    flags = dict(zip(case.flags[::2], case.flags[1::2], strict=True))
    named = {flag.removeprefix("--").removeprefix("source."): value for flag, value in flags.items()}
    return {name: value for name, value in named.items() if name in ("delimiter", "encoding", "quote", "decimal")}


def outcome(source: Table | Merge, name: str) -> Raw | str:
    """The rows, or the sentence that refuses them without the file's name."""
    try:
        return source.read(None)
    except PracticeError as error:
        return str(error).replace(name, "FILE")


def same(one: Raw, other: Raw) -> None:
    assert one.names == other.names
    assert one.origin.tolist() == other.origin.tolist()
    for name in one.names:
        assert one.cells[name].tolist() == other.cells[name].tolist()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_member_of_an_archive_is_read_as_the_file_is(case: TableCase, tmp_path: Path):
    path, packed = tmp_path / case.name, tmp_path / "t.zip"
    path.write_bytes(case.content(FEW))
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(case.name, path.read_bytes())
    alone = outcome(Table(path=str(path), **options(case)), str(path))
    member = outcome(Table(path=str(packed), **options(case)), f"{packed}!{case.name}")
    if isinstance(alone, str) or isinstance(member, str):
        assert alone == member
        return
    same(alone, member)
    assert alone.set_aside == member.set_aside


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_of_two_files_each_is_read_as_it_is_alone(case: TableCase, tmp_path: Path):
    path, again = tmp_path / case.name, tmp_path / f"again-{case.name}"
    path.write_bytes(case.content(FEW))
    again.write_bytes(case.content(FEW))
    sources = tuple(Table(path=str(file), **options(case)) for file in (path, again))
    alone = outcome(sources[0], str(path))
    both = outcome(Merge(sources=sources), str(path))
    if isinstance(alone, str) or isinstance(both, str):
        assert alone == both
        return
    same(alone, both.take(both.file_of == 0))
    same(alone, both.take(both.file_of == 1))
    assert both.rows_in == 2 * alone.rows_in
    located = [
        SetAside(reason=f"{file}: {entry.reason}", count=entry.count, rows=entry.rows)
        for file in (path, again)
        for entry in alone.set_aside
    ]
    assert list(both.set_aside) == located


def test_the_cases_cover_every_outcome_but_limits():
    assert {case.outcome for case in CASES} == {"REFUSE", "ASK", "QUAR", "REPAIR", "ACCEPT"}
    assert len(CASES) >= 80
