"""Ingestion killed at its writes: what is there afterwards is what an undisturbed run leaves."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HOME = Path(__file__).parents[2]


def counts(folder: Path, stride: int, *jobs: str) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.data.killed_writes", str(folder), str(stride), *jobs],
        cwd=HOME, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return {record["job"]: record for record in map(json.loads, done.stdout.splitlines())}


def assert_all_equal(found: dict[str, dict[str, Any]]) -> None:
    for job, record in found.items():
        assert record["killed"] == record["tried"] > 0, (job, record)
        assert record["equal"] == record["tried"], (job, record)


def test_stores_killed_at_some_of_their_writes_are_written_anew(tmp_path: Path):
    assert_all_equal(counts(tmp_path, 4, "tokens", "series", "rows", "facts"))


def test_images_and_the_rows_of_a_run_killed_at_some_writes_are_taken_up(tmp_path: Path):
    found = counts(tmp_path, 9, "pixels", "kept")
    assert_all_equal(found)
    assert found["kept"]["calls"] > 40


def test_a_writer_in_place_is_seen_to_fail(tmp_path: Path):
    (record,) = counts(tmp_path, 1, "careless").values()
    assert record["equal"] < record["killed"] == record["tried"]


@pytest.mark.slow
def test_ingestion_killed_at_every_write_ends_in_the_same_content(tmp_path: Path):
    found = counts(tmp_path, 1, "tokens", "series", "rows", "pixels", "facts", "kept")
    assert_all_equal(found)
    assert sum(record["tried"] for record in found.values()) > 120
