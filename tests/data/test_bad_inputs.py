"""Bad tables beside those of tests/faults: refused or asked about, set aside, or told; and damage at random."""

import gzip
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import AskError, DataError
from deepwright.core.recipe import Recipe
from deepwright.data.collect import Collected, collect

GOOD_ROWS = 200
FRAME = {"source": {"kind": "table"}, "target": "y"}


def rows(count: int = GOOD_ROWS, mark: str = ",") -> list[str]:
    """`a` counts in halves, `b` has three levels, `y` is the target."""
    return [mark.join((f"{i * 0.5}", "rgb"[i % 3], ("no", "yes")[i % 2])) for i in range(count)]


def table(*extra: str, header: str = "a,b,y", lines: list[str] | None = None, end: str = "\n") -> bytes:
    return (end.join([header, *(lines or rows()), *extra]) + end).encode()


def collected(path: Path, content: bytes, **options: object) -> Collected:
    path.write_bytes(content)
    recipe = {"max_set_aside": 0.05, "target": "y"} | {k: v for k, v in options.items() if k in Recipe.model_fields}
    source = {k: v for k, v in options.items() if k not in Recipe.model_fields}
    return collect(Recipe.parse({"source": {"kind": "table", "path": str(path), **source}, **recipe}))


def replaced(index: int, row: str) -> list[str]:
    lines = rows()
    lines[index] = row
    return lines


@dataclass(frozen=True)
class Refused:
    case: str
    content: bytes
    says: str
    asks: bool = False
    name: str = "t.csv"


REFUSED = [
    Refused("no header", "\n".join(rows()).encode(), "--columns c1,c2,c3", asks=True),
    Refused("two separators", b"1,5;2,no\n" * 20, "--delimiter", asks=True),
    Refused("NA among numbers", table("NA,r,no"), "--missing 'NA'", asks=True),
    Refused("a JSON array of arrays", b"[[1, 2], [3, 4]]", "JSON array of arrays"),
    Refused("a JSON array that is cut", b'[{"a": 1, "y": 2}, {"a": 3', "does not end with the file"),
    Refused("two JSON arrays", b'[{"a": 1, "y": 2}] [{"a": 3, "y": 2}]', "does not end with the file"),
    Refused("pickle", b"\x80\x04\x95" + bytes(20), "pickle"),
    Refused("a bomb of zeros", gzip.compress(bytes(100_000_000) + table()), "is empty"),
    Refused("a fragment of HTML", b"<!-- 404 --><body>a,b</body>", "is HTML or XML"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.case)
def test_is_refused_or_asked(case: Refused, tmp_path: Path):
    with pytest.raises(DataError) as caught:
        collected(tmp_path / case.name, case.content)
    assert case.says in str(caught.value)
    assert isinstance(caught.value, AskError) == case.asks
    assert caught.value.exit_code == 3


@dataclass(frozen=True)
class Aside:
    case: str
    content: bytes
    reason: str
    rows: tuple[int, ...]
    kept: int = GOOD_ROWS


ASIDE = [
    Aside("nan word", table("nan,r,no", "-inf,r,no"), "not finite, such as 'nan'", (201, 202)),
    Aside("missing target", table("1,r,"), "the target is missing", (201,)),
]


@pytest.mark.parametrize("case", ASIDE, ids=lambda case: case.case)
def test_is_set_aside_with_its_row_number(case: Aside, tmp_path: Path):
    table = collected(tmp_path / "t.csv", case.content)
    (entry,) = table.set_aside
    assert case.reason in entry.reason
    assert entry.rows == case.rows
    assert len(table.whole) == case.kept
    assert table.rows_in == case.kept + len(case.rows)
    assert table.schema["a"].type == "number"


def test_identifiers_are_not_used_unless_named(tmp_path: Path):
    lines = [f"{i},u{i},{i % 5},{i % 2}" for i in range(1, 41)]
    found = collected(tmp_path / "t.csv", table(header="n,id,a,y", lines=lines))
    assert [f.name for f in found.schema.inputs] == ["a"]
    assert {"unique", "row_number"} <= {f.rule for f in found.findings}
    kept = collected(tmp_path / "t.csv", table(header="n,id,a,y", lines=lines), types=["n=number", "id=category"])
    assert [f.name for f in kept.schema.inputs] == ["n", "id", "a"]


def test_a_column_of_numbers_and_words_is_told(tmp_path: Path):
    lines = [f"{i if i % 4 else 'x' + str(i % 3)},r,{('no', 'yes')[i % 2]}" for i in range(60)]
    found = collected(tmp_path / "t.csv", table(lines=lines))
    assert found.schema["a"].type == "category"
    (told,) = [f.text for f in found.findings if f.rule == "mixed"]
    assert told.startswith("a: 45 of 60 cells are numbers and the others, such as 'x0', are not")


def test_large_whole_numbers_among_measurements_are_told(tmp_path: Path):
    found = collected(tmp_path / "t.csv", table("9007199254740993,r,no"))
    assert [f.text for f in found.findings if f.rule == "rounded"] == [
        "a: 1 whole numbers beyond 2^53, such as 9007199254740993, count to 16 digits."
    ]


def test_half_a_character_in_a_frame_is_refused_and_a_nul_is_removed():
    with pytest.raises(DataError, match="column 'b', row 2"):
        collect(Recipe.parse(FRAME), data={"b": ["x", "\ud800"] * 20, "y": [0, 1] * 20})
    found = collect(Recipe.parse(FRAME), data={"b": ["x", "z\0z"] * 20, "y": [0, 1] * 20})
    assert set(found.whole.columns["b"]) == {"x", "zz"}
    assert "unicode" in {f.rule for f in found.findings}


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path: Path):
    import os

    (tmp_path / "adult.csv").write_bytes(table())
    os.mkfifo(tmp_path / "pipe.csv")
    for name, says in (("adlut.csv", "Did you mean"), (".", "no regular file"), ("pipe.csv", "no regular file")):
        with pytest.raises(DataError, match=says):
            collect(Recipe.parse({"source": {"kind": "table", "path": str(tmp_path / name)}, "target": "y"}))


def test_too_many_rows_set_aside_stop_the_run_with_rows_and_option(tmp_path: Path):
    with pytest.raises(DataError) as caught:
        collected(tmp_path / "t.csv", table(*["oops,r,no"] * 5), max_set_aside=0.01)
    assert "5 of 205 rows (2.44%)" in str(caught.value)
    assert "5 rows: 201, 202, 203, 204, 205" in str(caught.value)
    assert str(caught.value).endswith("--max-set-aside 0.025")
    assert len(collected(tmp_path / "t.csv", table(*["oops,r,no"] * 5), max_set_aside=0.025).whole) == GOOD_ROWS


def test_p2_a_parquet_of_few_long_values_is_not_decoded(tmp_path: Path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    size = 100_000
    long = pa.DictionaryArray.from_arrays(np.arange(size, dtype=np.int32) % 2, ["x" * 1000, "z" * 1000])
    content = pa.table({"b": long.cast(pa.string()), "y": np.arange(size) % 2})
    pq.write_table(content, tmp_path / "t.parquet")
    del content, long
    before = pa.total_allocated_bytes()
    found = collect(Recipe.parse({"source": {"kind": "table", "path": str(tmp_path / "t.parquet")}, "target": "y"}))
    assert len({id(value) for value in found.whole.columns["b"]}) == 2
    assert pa.total_allocated_bytes() - before < 10_000_000


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_never_loses_or_shifts_a_row(tmp_path: Path, seed: int):
    """Bytes changed, cut and doubled at random: refused by an error of ours, or nearly all rows stay as they were."""
    draw = random.Random(seed)
    whole = bytearray(table())
    for _ in range(draw.randint(1, 4)):
        place = draw.randrange(6, len(whole))
        how = draw.choice(("flip", "cut", "double", "insert"))
        if how == "flip":
            whole[place] = draw.randrange(256)
        elif how == "cut":
            del whole[place : place + draw.randint(1, 30)]
        elif how == "double":
            whole[place:place] = whole[place : place + 20]
        else:
            whole[place:place] = draw.choice((b'"', b",", b"\n", b"\0", b"\xff", b"\r"))
    try:
        found = collected(tmp_path / "t.csv", bytes(whole), max_set_aside=0.2)
    except DataError as refused:
        assert refused.exit_code == 3
        return
    assert found.rows_in == len(found.whole) + sum(entry.count for entry in found.set_aside)
    original = {tuple(row.split(",")) for row in rows()}
    values = zip(found.whole.columns["a"], found.whole.columns["b"], found.whole.columns["y"], strict=True)
    same = sum((str(a), b, y) in original for a, b, y in values)
    assert same >= len(found.whole) - 12
