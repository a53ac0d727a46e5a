"""Bad tables, one case each (T: delimited text, P: Parquet and arrays), with the outcome each must have.

REFUSE: DataError naming the fault. ASK: AskError that prints the deciding option. QUAR: the row is set aside with its
reason and the rest is kept. ACCEPT: every value exact.
"""

import gzip
import io
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import AskError, DataError
from deepwright.core.recipe import Recipe
from deepwright.data.collect import Collected, collect

GOOD_ROWS = 200


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


ASK = True
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
HTML = b"<!DOCTYPE html><html><body>404</body></html>"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
DAYS = [f"{d:02d}/02/2024,{'rgb'[d % 3]},{('no', 'yes')[d % 2]}" for d in range(1, 29)]
COMMAS = [f"{i};{i % 7},5;{('no', 'yes')[i % 2]}" for i in range(60)]
THOUSANDS = [f'"{i},234",r,{("no", "yes")[i % 2]}' for i in range(1, 60)]
TRUTHS = [f"{('True', 'yes', '1', 'FALSE')[i % 4]},{i / 2},{('no', 'yes')[i % 2]}" for i in range(60)]
WIDE = [f"{row},9" for row in rows()]
NULLS = ["1,r,no", "2,g,yes"] * 10 + ["1,r,"] * 180

REFUSED = [
    Refused("T3 every row wider than the header", table(lines=WIDE), "have 4 fields and the header has 3"),
    Refused("T7 one latin-1 byte", table("1,caf@,no").replace(b"@", b"\xe9"), "--encoding cp1252", ASK),
    Refused("T9 GBK", "a,b,y\n1,数据集的质量,no\n2,模型的训练,yes\n".encode("gbk"), "数据集的质量", ASK),
    Refused("T11 UTF-16 without a mark", table().decode().encode("utf-16-le"), "--encoding utf-16-le", ASK),
    Refused("T13 unterminated quote", table('1,"r,no', "2,r,no"), "row 201 (line 202): a quote opens here"),
    Refused("T15 backslash before a quote", table('1,"a \\"b\\" c",no'), "--source.escape backslash", ASK),
    Refused("T16 space before a quote, cut elsewhere", table(lines=['1, "a,b", no'] * 9), "have 4 fields"),
    Refused("T16 space before a quote", table(lines=['1, "ab",no', "2,c,yes"] * 9), "row 1: \"ab\" has a space"),
    Refused("T19 a dash among numbers", table("-,r,no"), "--missing '-'", ASK),
    Refused("T22 double header", table(header="a,a,y"), "more than once: a"),
    Refused("T23 empty header name", table(header="a,,y"), "columns (by number) have no name"),
    Refused("T24 header only", b"a,b,y\n", "0 rows"),
    Refused("T25 empty file", b"", "is empty"),
    Refused("T25 only blanks", b"\n \n", "is empty"),
    Refused("T29 decimal comma", ("a;b;y\n" + "\n".join(COMMAS) + "\n").encode(), "--source.decimal ,", ASK),
    Refused("T30 thousands", table(lines=THOUSANDS), "--source.thousands ,", ASK),
    Refused("T31 day or month first", table(lines=DAYS), "--source.dates day_first", ASK),
    Refused("T32 mixed truth words", table(lines=TRUTHS), "--map 'a:True=true,yes=true,1=true,FALSE=false'", ASK),
    Refused("T35 100,000 columns", (",".join(f"c{i}" for i in range(100_000)) + "\n").encode(), "100000 columns"),
    Refused("T36 a cell of 1 MB", table(f"{'x' * 1_000_000},r,no"), "longer than 131072 characters"),
    Refused("T37 comment first", b"# made by hand\n" + table(), "--source.comment '#'", ASK),
    Refused("T41 HTML", HTML, "is HTML or XML"),
    Refused("T42 git-LFS pointer", LFS, "git-LFS"),
    Refused("T43 gzip bomb", gzip.compress(bytes(100_000_000) + table()), "is empty"),
    Refused("T43 gzip bomb of rows", gzip.compress(b"a,y\n" + b"1,2\n" * 25_000_000), "expand to more than"),
    Refused("T44 PNG", PNG, "PNG"),
    Refused("T46 target all missing", table(lines=["1,r,"] * 50), "value in 0 of 50 rows"),
    Refused("T47 target absent", table(header="a,b,z"), "no column 'y'"),
    Refused("T47 target all one class", table(lines=["1,r,no", "2,g,no"] * 20), "'no' in all 40 rows"),
    Refused("T47 target 90 % missing", table(lines=NULLS), "the target is missing"),
    Refused("header-less", "\n".join(rows()).encode(), "--columns c1,c2,c3", ASK),
    Refused("two separators", b"1,5;2,no\n" * 20, "--delimiter", ASK),
    Refused("NA among numbers", table("NA,r,no"), "--missing 'NA'", ASK),
    Refused("a JSON array", b'[{"a": 1, "y": 2}]', "one JSON array"),
    Refused("P1 cut footer", b"PAR1" + bytes(50), "is Parquet, but cannot be read"),
    Refused("P5 npy", b"\x93NUMPY\x01\x00" + bytes(100), "NumPy"),
    Refused("P5 npz or xlsx", b"PK\x03\x04" + bytes(100), "ZIP"),
    Refused("pickle", b"\x80\x04\x95" + bytes(20), "pickle"),
]  # fmt: skip


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
    Aside("T1 long row", table(lines=replaced(6, "1,r,no,x")), "4 fields where the header has 3", (7,), 199),
    Aside("T2 short row", table(lines=replaced(6, "1,r")), "2 fields where the header has 3", (7,), 199),
    Aside("T4 NUL in a cell", table("1,r\0,no"), "NUL character", (201,)),
    Aside("T5 NULs at the end", table() + bytes(4096), "torn tail", (201,)),
    Aside("T6 cut last row", table() + b"1.5,r", "truncated file", (201,)),
    Aside("T8 two encodings", table(*["1,é,no"] * 4, "1,@,yes").replace(b"@", b"\xe9"), "no UTF-8", (205,), 204),
    Aside("T17 overflow", table("1e400,r,no", "-1e400,g,yes"), "too large for a number, such as '1e400'", (201, 202)),
    Aside("T21 one text among numbers", table("oops,r,no"), "a: no number, such as 'oops'", (201,)),
    Aside("T40 header again", table("a,b,y", "7,r,no"), "the header again", (201,), 201),
    Aside("T45 full-width digits", table("１２,r,no"), "no number, such as '１２'", (201,)),
    Aside("T45 Arabic digits", table("٣,r,no"), "no number", (201,)),
    Aside("T45 hexadecimal", table("0x1F,r,no"), "no number, such as '0x1F'", (201,)),
    Aside("T45 underscore", table("1_000,r,no"), "no number, such as '1_000'", (201,)),
    Aside("T45 1d5", table("1d5,r,no"), "no number, such as '1d5'", (201,)),
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


def test_t31_a_day_that_does_not_exist_is_set_aside(tmp_path: Path):
    lines = [f"2024-01-{d:02d},r,{('no', 'yes')[d % 2]}" for d in range(1, 29)]
    table_ = collected(tmp_path / "t.csv", table("2024-02-30,r,no", lines=lines))
    assert table_.schema["a"].type == "timestamp"
    assert "no such day, such as '2024-02-30'" in table_.set_aside[0].reason
    assert table_.whole.columns["a"][0] == 1704067200.0


def test_t10_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path):
    assert collected(tmp_path / "t.csv", b"\xef\xbb\xbf" + table()).schema.names == ("a", "b", "y")


def test_t11_utf16_with_its_mark_is_read(tmp_path: Path):
    assert len(collected(tmp_path / "t.csv", table().decode().encode("utf-16")).whole) == GOOD_ROWS


def test_t12_quoted_separators_and_newlines_stay_in_their_cell(tmp_path: Path):
    found = collected(tmp_path / "t.csv", table('1,"r, g\nb",no', '2,"r, g\nb",no')).whole
    assert found.columns["b"][-1] == "r, g\nb"
    assert found.origin[-1] == 202


def test_t14_a_quote_inside_an_unquoted_field_is_a_character(tmp_path: Path):
    assert collected(tmp_path / "t.csv", table('1,5" pipe,no')).whole.columns["b"][-1] == '5" pipe'


def test_t18_a_number_below_float64_counts_as_zero_and_is_told(tmp_path: Path):
    found = collected(tmp_path / "t.csv", table("1e-400,r,no"))
    assert found.whole.columns["a"][-1] == 0.0
    assert [f.where for f in found.findings if f.rule == "underflow"] == ["a"]


def test_t19_a_lone_question_mark_is_missing_and_is_told(tmp_path: Path):
    found = collected(tmp_path / "t.csv", table("?,?,no"))
    assert np.isnan(found.whole.columns["a"][-1])
    assert found.whole.columns["b"][-1] is None
    assert [f.where for f in found.findings if f.rule == "question_mark"] == ["a", "b"]


def test_t20_na_is_a_country_among_categories(tmp_path: Path):
    assert collected(tmp_path / "t.csv", table("1,NA,no", "1,None,no")).whole.columns["b"][-2:].tolist() == [
        "NA",
        "None",
    ]


@pytest.mark.parametrize("blank", ["", "   ", "\t"])
def test_t26_blank_lines_are_no_rows(tmp_path: Path, blank: str):
    found = collected(tmp_path / "t.csv", table(blank, "7,r,no", blank, blank))
    assert len(found.whole) == found.rows_in == GOOD_ROWS + 1


def test_t27_integers_beyond_float64_stay_exact(tmp_path: Path):
    lines = [f"{9007199254740993 + i % 7},r,{('no', 'yes')[i % 2]}" for i in range(40)]
    found = collected(tmp_path / "t.csv", table(lines=lines))
    assert found.schema["a"].type == "category"
    assert found.whole.columns["a"][0] == "9007199254740993"


def test_t28_leading_zeros_stay(tmp_path: Path):
    lines = [f"{(501, 90210, 12345)[i % 3]:05d},r,{('no', 'yes')[i % 2]}" for i in range(40)]
    found = collected(tmp_path / "t.csv", table(lines=lines))
    assert found.schema["a"].type == "category"
    assert found.whole.columns["a"][0] == "00501"


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_t33_carriage_returns_end_lines(tmp_path: Path, end: str):
    assert len(collected(tmp_path / "t.csv", table(end=end)).whole) == GOOD_ROWS


def test_t34_line_ends_may_be_mixed(tmp_path: Path):
    content = table().replace(b"\n", b"\r\n", 90)
    assert len(collected(tmp_path / "t.csv", content).whole) == GOOD_ROWS


@pytest.mark.parametrize("mark", ["\t", ";", "|"])
def test_t38_another_separator_is_found_and_told(tmp_path: Path, mark: str):
    found = collected(tmp_path / "t.csv", table(header=mark.join("aby"), lines=rows(mark=mark)))
    assert found.schema.names == ("a", "b", "y")
    assert [f.rule for f in found.findings] == ["delimiter"]


@pytest.mark.parametrize("header", ["a,b,y", "a,b,y,"])
def test_t39_a_separator_at_every_end_is_dropped_and_told(tmp_path: Path, header: str):
    found = collected(tmp_path / "t.csv", table(header=header, lines=[f"{row}," for row in rows()]))
    assert found.schema.names == ("a", "b", "y")
    assert "trailing_separator" in {f.rule for f in found.findings}


def test_t43_gzip_is_known_by_its_bytes(tmp_path: Path):
    assert len(collected(tmp_path / "t.csv", gzip.compress(table())).whole) == GOOD_ROWS


def test_t46_an_empty_column_is_not_used_and_is_told(tmp_path: Path):
    found = collected(
        tmp_path / "t.csv", table(header="a,b,e,y", lines=[f"{i},{'rg'[i % 2]},,{i % 2}" for i in range(50)])
    )
    assert found.schema["e"].role == "ignore"
    assert "all_missing" in {f.rule for f in found.findings}


def test_t48_identifiers_are_not_used_unless_named(tmp_path: Path):
    lines = [f"{i},u{i},{i % 5},{i % 2}" for i in range(1, 41)]
    found = collected(tmp_path / "t.csv", table(header="n,id,a,y", lines=lines))
    assert [f.name for f in found.schema.inputs] == ["a"]
    assert {"unique", "row_number"} <= {f.rule for f in found.findings}
    kept = collected(tmp_path / "t.csv", table(header="n,id,a,y", lines=lines), types=["n=number", "id=category"])
    assert [f.name for f in kept.schema.inputs] == ["n", "id", "a"]


def test_t49_unicode_variants_are_one_level_and_told(tmp_path: Path):
    variants = ("café", "cafe\u0301", "ca\u200bfé")
    lines = [f"{i},{variants[i % 3]},{i % 2}" for i in range(60)]
    found = collected(tmp_path / "t.csv", table(lines=lines))
    assert set(found.whole.columns["b"]) == {"café"}
    assert [f.sentence.values["count"] for f in found.findings if f.rule == "unicode"] == [40]


def test_t50_formulas_are_texts(tmp_path: Path):
    lines = [f"{i},{('=HYPERLINK(1)', '+cmd', '@SUM')[i % 3]},{i % 2}" for i in range(60)]
    assert set(collected(tmp_path / "t.csv", table(lines=lines)).whole.columns["b"]) == {
        "=HYPERLINK(1)",
        "+cmd",
        "@SUM",
    }


@pytest.mark.parametrize(
    ("content", "options", "column", "value"),
    [
        (("a;b;y\n" + "\n".join(COMMAS) + "\n").encode(), {"decimal": ","}, "b", 1.5),
        (table(lines=THOUSANDS), {"thousands": ","}, "a", 2234.0),
        (table(lines=DAYS), {"dates": "day_first"}, "a", 1706832000.0),
        (table("-,r,no"), {"missing": ["-"]}, "a", 0.5),
        (b"# by hand\n" + table(), {"comment": "#"}, "a", 0.5),
        ("\n".join(rows()).encode(), {"columns": ["a", "b", "y"]}, "a", 0.5),
        (table('1,"a \\"b\\"",no'), {"escape": "backslash"}, "a", 0.5),
        (table('1,"r,no', "2,r,no"), {"quote": "none", "max_set_aside": 0.1}, "a", 0.5),
        (table(lines=TRUTHS), {"map": "a:True=true,yes=true,1=true,FALSE=false"}, "a", "true"),
        (table().decode().encode("utf-16-le"), {"encoding": "utf-16-le"}, "a", 0.5),
        ("a,b,y\n1,质量,no\n2,训练,yes\n".encode("gbk") * 1, {"encoding": "gbk"}, "b", "训练"),
    ],
)
def test_the_printed_option_answers_the_question(tmp_path: Path, content, options, column, value):
    assert collected(tmp_path / "t.csv", content, **options).whole.columns[column][1] == value


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


def test_p4_nested_parquet_columns_are_refused(tmp_path: Path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [[1], [2]], "y": ["no", "yes"]}), sink)
    with pytest.raises(DataError, match="column 'a' is list"):
        collected(tmp_path / "t.parquet", sink.getvalue())


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
