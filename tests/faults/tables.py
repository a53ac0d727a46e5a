"""The cases of tables: T, delimited text, and P, Parquet and arrays."""

import gzip
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.case import Case

Content = Callable[[int], bytes]
"""The bytes of a file with so many good rows."""

ROWS = 200


@dataclass(frozen=True, kw_only=True)
class TableCase(Case):
    """content: the file. name: its name. test: a test file beside it. target: the column to predict.

    answers: flags, each of which settles an ASK or lifts a LIMIT. rows: numbers of the rows set aside. kept: rows that
    are left. values: cells by column and place, exact, after the first answer if there are any. types: of columns.
    finding: a rule that must be told. in_frame: the same cells in a frame have the same outcome. flags: what is given
    from the start. free_mb: memory that is free, if not all of this machine's.
    """

    content: Content
    name: str = "t.csv"
    test: Content | None = None
    target: str = "y"
    answers: tuple[tuple[str, ...], ...] = ()
    rows: tuple[int, ...] = ()
    kept: int | None = None
    values: tuple[tuple[str, int, Any], ...] = ()
    types: tuple[tuple[str, str], ...] = ()
    finding: str | None = None
    in_frame: bool = False
    flags: tuple[str, ...] = ()
    free_mb: int | None = None


def good(count: int, mark: str = ",") -> list[str]:
    """`a` counts in halves, `b` has three levels, `y` is the target."""
    return [mark.join((f"{i * 0.5}", "rgb"[i % 3], ("no", "yes")[i % 2])) for i in range(count)]


def table(*extra: str, header: str = "a,b,y", end: str = "\n", mark: str = ",", tail: bytes = b"") -> Content:
    """Good rows with more below them."""
    return lambda count: (end.join([header, *good(count, mark), *extra]) + end).encode() + tail


def lines(*rows: str, header: str = "a,b,y") -> Content:
    """These rows and no others."""
    return lambda _: ("\n".join([header, *rows]) + "\n").encode()


def these(content: bytes) -> Content:
    return lambda _: content


def replaced(place: int, row: str) -> Content:
    def content(count: int) -> bytes:
        rows = good(count)
        rows[place] = row
        return ("\n".join(["a,b,y", *rows]) + "\n").encode()

    return content


def with_bytes(content: Content, old: bytes, new: bytes) -> Content:
    return lambda count: content(count).replace(old, new)


def columns(cells: Callable[[int], str], count: int = 60) -> list[str]:
    """Rows whose first cell is made by place; the other two are a level and a class."""
    return [f"{cells(i)},{'rgb'[i % 3]},{('no', 'yes')[i % 2]}" for i in range(count)]


def second(cells: Callable[[int], str], count: int = 60) -> list[str]:
    """Rows whose second cell is made by place."""
    return [f"{i}.5,{cells(i)},{('no', 'yes')[i % 2]}" for i in range(count)]


def spam(count: int) -> bytes:
    """Messages of which two begin with a quote, five rows apart: a reader of quoted fields joins the rows between."""
    rows = [f"{('ham', 'spam')[i % 3 == 0]}\tmessage {i}, as it came" for i in range(count)]
    rows[5], rows[9] = 'ham\t"Well there is', 'ham\tor so he said"'
    return ("label\ttext\n" + "\n".join(rows) + "\n").encode()


def counted_spam(count: int) -> bytes:
    """Messages with their length; one holds two more messages, joined before the lengths were counted."""
    rows = [f"{('ham', 'spam')[i % 3 == 0]}\tmessage {i}, as it came\t{30 + i % 7}" for i in range(count)]
    rows[5] = 'ham\t"Well there is\nham\tor so he said\nspam\tyou won"\t38'
    return ("label\ttext\tlength\n" + "\n".join(rows) + "\n").encode()


def spaced(_: int) -> bytes:
    """Numbers between spaces, and no header."""
    return "".join(f"{i}.5{' ' * (1 + i % 3)}{i % 7} {i % 2}{' ' * (i % 2)}\n" for i in range(60)).encode()


def parquet(data: dict[str, Any]) -> Content:
    def content(_: int) -> bytes:
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = io.BytesIO()
        pq.write_table(pa.table(data), sink)
        return sink.getvalue()

    return content


def dictionary_bomb(_: int) -> bytes:
    """20 kB that hold 5,000,000 rows of 1,000 characters each."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    size = 250_000
    words = pa.DictionaryArray.from_arrays(np.arange(size, dtype=np.int8) % 2, ["x" * 1000, "z" * 1000])
    piece = pa.table({"b": words, "y": words})
    with pq.ParquetWriter(sink, piece.schema, compression="zstd") as writer:
        for _ in range(20):
            writer.write_table(piece)
    return sink.getvalue()


def pickled_array(_: int) -> bytes:
    import numpy as np

    sink = io.BytesIO()
    np.save(sink, np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    return sink.getvalue()


def npz_bomb(_: int) -> bytes:
    import numpy as np

    sink = io.BytesIO()
    np.savez_compressed(sink, a=np.zeros(80_000_000, np.uint8))
    return sink.getvalue()


def wide(_: int) -> bytes:
    """A few columns more than are allowed."""
    header = ",".join([*(f"c{i}" for i in range(10_005)), "y"])
    rows = [",".join([*(str((i + k) % 5) for k in range(10_005)), ("no", "yes")[i % 2]]) for i in range(4)]
    return "\n".join([header, *rows, ""]).encode()


def noise(_: int) -> bytes:
    return random.Random(0).randbytes(5000)


CLASS = [("no", "yes")[i % 2] for i in range(ROWS)]
BOM = b"\xef\xbb\xbf"
E_LATIN = b"\xe9"
DAYS = [f"{day:02d}/02/2024,{'rgb'[day % 3]},{('no', 'yes')[day % 2]}" for day in range(1, 29)]
ISO_DAYS = [f"2024-01-{1 + i % 28:02d},{'rgb'[i % 3]},{('no', 'yes')[i % 2]}" for i in range(150)]
GERMAN = ["a;b;y", *(f"{i};{i % 7},5;{('no', 'yes')[i % 2]}" for i in range(60))]
GROUPED = [f'"{i},234",r,{("no", "yes")[i % 2]}' for i in range(1, 60)]
TRUTHS = columns(lambda i: ("True", "yes", "1", "FALSE", "")[i % 5])
BIG = 9_007_199_254_740_993
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
HTML = b"<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>"
VARIANTS = ("café", "cafe\u0301", "ca\u200bfé")
FORMULAS = ("=HYPERLINK(1)", "+cmd", "@SUM")


def case(row: str, what: str, outcome: Any, content: Content, *says: str, **options: Any) -> TableCase:
    return TableCase(row=row, what=what, outcome=outcome, content=content, says=says, **options)


TABLES = [
    case("T1", "a row too long", "QUAR", replaced(6, "1,r,no,x"), "4 fields where the header has 3", rows=(7,)),
    case("T2", "a row too short", "QUAR", replaced(6, "1,r"), "2 fields where the header has 3", rows=(7,)),
    case(
        "T3",
        "every row one field wider than the header",
        "REFUSE",
        lines(*(f"{row},9" for row in good(60))),
        "60 of 60 rows have 4 fields and the header has 3",
        "--delimiter",
    ),
    case("T4", "NUL in a cell", "QUAR", table("1,r\0,no"), "a NUL character in a cell", rows=(201,)),
    case("T5", "4 kB of NUL at the end", "QUAR", table(tail=bytes(4096)), "torn tail", rows=(201,)),
    case("T6", "last row cut", "QUAR", table(tail=b"1.5,r"), "truncated file", rows=(201,)),
    case("T6", "last row cut within a word", "QUAR", table(tail=b"1.5,r,ye"), "truncated file", rows=(201,)),
    case(
        "T6", "last row without a line break", "REPAIR", table(tail=b"1.5,r,yes"),
        "the last row ends without a line break", finding="no_line_end", values=(("y", -1, "yes"),),
    ),
    case(
        "T7", "one latin-1 byte", "ASK", with_bytes(table("1,caf@,no"), b"@", E_LATIN),
        "t.csv, line 202", "café", "--encoding cp1252", answers=(("--encoding", "cp1252"),),
        values=(("b", -1, "café"),),
    ),
    case(
        "T8", "two encodings, most UTF-8", "QUAR",
        with_bytes(table(*["1,é,no"] * 4, "1,@,yes"), b"@", E_LATIN), "bytes that are no UTF-8 in a cell", rows=(205,),
    ),
    case(
        "T8", "two encodings, most latin-1", "ASK",
        with_bytes(table(*["1,@,no"] * 4, "1,é,yes"), b"@", E_LATIN), "--encoding cp1252",
        answers=(("--encoding", "cp1252"),), values=(("b", -1, "é"), ("y", -1, "no")), rows=(205,), kept=204,
    ),
    case(
        "T9", "GBK", "ASK", these("a,b,y\n1,数据集的质量,no\n2,模型的训练,yes\n".encode("gbk") + b"3,x,no\n" * 9),
        "line 2", "数据集的质量", "--encoding gb18030",
        answers=(("--encoding", "gb18030"),), values=(("b", 1, "模型的训练"),),
    ),
    case("T10", "UTF-8 with its mark", "ACCEPT", lambda n: BOM + table()(n), values=(("a", 1, 0.5),)),
    case(
        "T11", "UTF-16 with its mark", "REPAIR", lambda n: table()(n).decode().encode("utf-16"),
        "read as utf-16, as the mark at its start says", finding="encoding", values=(("a", 1, 0.5),),
    ),
    case(
        "T11", "UTF-16 without a mark", "ASK", lambda n: table()(n).decode().encode("utf-16-le"),
        "--encoding utf-16-le", answers=(("--encoding", "utf-16-le"),), values=(("a", 1, 0.5),),
    ),
    case(
        "T12", "separator and line break in quotes", "ACCEPT", table('1,"r, g\nb",no', '2,"r, g\nb",no'),
        values=(("b", -1, "r, g\nb"), ("y", -1, "no")), kept=202,
    ),
    case(
        "T13", "a quote that never closes", "REFUSE", table('1,"r,no', "2,r,no"),
        "t.csv, row 201 (line 202): a quote opens here and never closes", "--source.quote none",
    ),
    case(
        "T13", "two stray quotes that join rows", "ASK", spam,
        "t.csv, row 6: a quote encloses 5 lines", "--source.quote none", "--source.joined keep", target="label",
        answers=(
            ("--source.quote", "none", "--types", "text=text,label=category"),
            ("--source.joined", "keep", "--types", "text=text,label=category"),
        ), values=(("text", 5, '"Well there is'),), kept=200,
    ),
    case(
        "T13", "a quote that encloses rows of fewer fields", "ASK", counted_spam,
        "t.csv, row 6: a quote encloses 3 lines", "--source.quote none", "--source.joined keep", target="label",
        answers=(("--source.joined", "keep", "--types", "text=text,label=category"),), kept=200,
    ),
    case(
        "T13", "two stray quotes that join rows to one too short", "ASK",
        table('1,"r,no', "2,g,yes", '3,b,no"', "4,b,no"), "row 201: a quote encloses 3 lines",
        "--source.quote none", answers=(("--source.quote", "none"),), values=(("y", 201, "yes"),), kept=204,
    ),
    case("T14", "a quote inside a field", "ACCEPT", table('1,5" pipe,no'), values=(("b", -1, '5" pipe'),)),
    case(
        "T14", "a quote inside a quoted field", "REFUSE", table('1,"5" pipe",no'),
        "row 201 (line 202): a quote stands inside a quoted field", "--source.quote none",
    ),
    case(
        "T15", "a quote after a backslash", "ASK", table('1,"a \\"b\\" c",no'),
        "row 201 (line 202): a quote stands after a backslash", "--source.escape backslash",
        answers=(("--source.escape", "backslash"),), values=(("b", -1, 'a "b" c'),),
    ),
    case(
        "T15", "a quote after a backslash at the end", "ASK", table('1,"5\\"",no', "2,r,yes"),
        "--source.escape backslash", answers=(("--source.escape", "backslash"),), values=(("b", -2, '5"'),),
    ),
    case(
        "T38", "numbers between spaces", "ASK", spaced, "every row is cut by spaces into 3 fields", "--delimiter space",
        target="y", answers=(("--delimiter", "space", "--columns", "a,b,y"),), kept=60, values=(("a", 1, 1.5),),
    ),
    case(
        "T16", "a space before a quote, fields cut apart", "REFUSE", lines(*['1, "a,b", no'] * 9),
        "9 of 9 rows have 4 fields and the header has 3",
    ),
    case(
        "T16", "a space before a quote", "REFUSE", lines(*['1, "ab",no', "2,c,yes"] * 9),
        'row 1: "ab" has a space before its quote', "--source.quote none",
    ),
    case(
        "T17", "1e400 and -1e400", "QUAR", table("1e400,r,no", "-1e400,g,yes"),
        "a: too large for a number, such as '1e400'", rows=(201, 202), in_frame=True,
    ),
    case(
        "T18", "1e-400", "ACCEPT", table("1e-400,r,no"), "too small for float64 and count as 0",
        finding="underflow", values=(("a", -1, 0.0),), in_frame=True,
    ),
    case(
        "T19", "a lone question mark", "REPAIR", table("?,?,no"), "are a lone ? and were read as missing",
        finding="question_mark", values=(("a", -1, None), ("b", -1, None)), in_frame=True,
    ),
    case(
        "T19", "a dash among numbers", "ASK", table("-,r,no"), "t.csv: column 'a' holds '-'", "--missing '-'",
        answers=(("--missing", "-"), ("--types", "a=category")), values=(("a", -1, None), ("a", 1, 0.5)), in_frame=True,
    ),
    case(
        "T20", "the country NA", "ACCEPT", table("1,NA,no", "1,None,no"),
        values=(("b", -2, "NA"), ("b", -1, "None")), in_frame=True,
    ),
    case(
        "T21", "30,000 numbers and one text", "QUAR", lambda n: table("oops,r,no")(n if n < ROWS else 30_000),
        "a: no number, such as 'oops'", rows=(30_001,), kept=30_000, types=(("a", "number"),),
    ),
    case("T22", "a header that stands twice", "REFUSE", table(header="a,a,y"), "t.csv", "stand more than once: a"),
    case("T23", "an empty header", "REFUSE", table(header="a,,y"), "2 of 3 columns", "have no name in the header"),
    case("T24", "a header alone", "REFUSE", these(b"a,b,y\n"), "0 rows"),
    case("T25", "an empty file", "REFUSE", these(b""), "t.csv is empty"),
    case("T25", "blanks alone", "REFUSE", these(b"\n \n"), "t.csv is empty"),
    case(
        "T26", "blank lines", "ACCEPT", table("", "7,r,no", "   ", "\t", ""), values=(("a", -1, 7.0),), kept=201,
    ),
    case(
        "T27", "whole numbers beyond 2^53", "ACCEPT", lines(*columns(lambda i: str(BIG + i % 7))),
        values=(("a", 0, str(BIG)),), types=(("a", "category"),), in_frame=True,
    ),
    case(
        "T28", "leading zeros", "ACCEPT", lines(*columns(lambda i: f"{(501, 90210, 12345)[i % 3]:05d}")),
        values=(("a", 0, "00501"),), types=(("a", "category"),), in_frame=True,
    ),
    case(
        "T29", "; and decimal commas", "ASK", these("\n".join(GERMAN).encode() + b"\n"),
        "column 'b' holds '0,5'", "--source.decimal ,", answers=(("--source.decimal", ","),), values=(("b", 1, 1.5),),
    ),
    case(
        "T29", "a point where the comma is the mark", "ASK",
        these("\n".join([*GERMAN, "61;1.234;no"]).encode() + b"\n"), "column 'b' holds '1.234'",
        "--source.thousands .", flags=("--source.decimal", ","),
        answers=(("--source.thousands", "."),), values=(("b", -1, 1234.0),),
    ),
    case(
        "T30", "1,234", "ASK", lines(*GROUPED), "column 'a' holds '1,234'", "--source.thousands ,",
        answers=(("--source.thousands", ","),), values=(("a", 1, 2234.0),), in_frame=True,
    ),
    case(
        "T31", "01/02/2024 and 13/02/2024", "ASK", lines(*DAYS), "column 'a' holds '01/02/2024'",
        "--source.dates day_first", answers=(("--source.dates", "day_first"),), values=(("a", 1, 1706832000.0),),
        in_frame=True,
    ),
    case(
        "T31", "2024-02-30", "QUAR", lines(*ISO_DAYS, "2024-02-30,r,no"), "a: no such day, such as '2024-02-30'",
        rows=(151,), kept=150, types=(("a", "timestamp"),), values=(("a", 0, 1704067200.0),), in_frame=True,
    ),
    case(
        "T32", "True, yes, 1, FALSE and blank", "ASK", lines(*TRUTHS), "column 'a' writes true and false",
        "--map 'a:True=true,yes=true,1=true,FALSE=false'",
        answers=(("--map", "a:True=true,yes=true,1=true,FALSE=false"),),
        values=(("a", 1, "true"), ("a", 3, "false"), ("a", 4, None)), in_frame=True,
    ),
    case("T33", "lines ended by CR", "ACCEPT", table(end="\r"), values=(("a", 1, 0.5),), kept=ROWS),
    case(
        "T34", "CRLF and LF mixed", "ACCEPT", lambda n: table()(n).replace(b"\n", b"\r\n", 90),
        values=(("y", 1, "yes"), ("y", -1, "yes")), kept=ROWS,
    ),
    case(
        "T35", "100,000 columns", "LIMIT", lambda _: (",".join(f"c{i}" for i in range(100_000)) + ",y\n").encode(),
        "100001 columns, and 10000 are allowed", "--source.max_columns 100001",
    ),
    case(
        "T35", "10,006 columns", "LIMIT", wide, "10006 columns, and 10000 are allowed",
        "--source.max_columns 10006",
    ),
    case("T36", "a cell of 1 MB", "LIMIT", table(f"{'x' * 1_000_000},r,no"), "row 201", "longer than 131072"),
    case(
        "T37", "a comment first", "ASK", lambda n: b"# made by hand\n" + table()(n), "begins with '# made by hand'",
        "--source.comment '#'", answers=(("--source.comment", "#"),), values=(("a", 1, 0.5),),
    ),
    case(
        "T38", "tabs in .csv", "REPAIR", table(header="a\tb\ty", mark="\t"), "fields are separated by tab",
        finding="delimiter", values=(("b", 1, "g"),), kept=ROWS,
    ),
    case(
        "T39", "a separator at every end", "REPAIR", lines(*(f"{row}," for row in good(60)), header="a,b,y,"),
        "the empty column behind it was dropped", finding="trailing_separator", values=(("y", 1, "yes"),), kept=60,
    ),
    case(
        "T40", "the header again", "QUAR", table("a,b,y", "7,r,no"), "the header again", rows=(201,), kept=201,
        types=(("a", "number"),),
    ),
    case(
        "T40", "the header again with a mark", "QUAR", table("\ufeffa,b,y", "7,r,no"), "the header again",
        rows=(201,), kept=201, types=(("a", "number"),),
    ),
    case("T41", "an HTML page", "REFUSE", these(HTML), "t.csv is HTML or XML", "fetch the file again"),
    case("T42", "a git-LFS pointer", "REFUSE", these(LFS), "t.csv is a git-LFS file", "git lfs pull"),
    case(
        "T43", "gzip named .csv", "REPAIR", lambda n: gzip.compress(table()(n)), "is gzip by its first bytes",
        finding="unpacked", values=(("a", 1, 0.5),), kept=ROWS,
    ),
    case("T43", "gzip cut", "REFUSE", lambda n: gzip.compress(table()(n))[:-20], "is gzip, but broken"),
    case("T43", "gzip within gzip", "REFUSE", lambda n: gzip.compress(gzip.compress(table()(n))), "gzip (within gzip)"),
    case(
        "T43", "a gzip bomb", "LIMIT", lambda _: gzip.compress(b"a,y\n" + b"1,2\n" * 25_000_000, 1),
        "expand to more than", name="t.csv.gz",
    ),
    case("T44", "PNG named .csv", "REFUSE", these(b"\x89PNG\r\n\x1a\n" + bytes(100)), "t.csv is a PNG file"),
    case("T44", "bytes of no known format", "REFUSE", noise, "t.csv is no text"),
    case("T45", "full-width digits", "QUAR", table("１２,r,no"), "no number, such as '１２'", rows=(201,)),
    case("T45", "Arabic digits", "QUAR", table("٣,r,no"), "no number, such as '٣'", rows=(201,), in_frame=True),
    case("T45", "0x1F", "QUAR", table("0x1F,r,no"), "no number, such as '0x1F'", rows=(201,), in_frame=True),
    case("T45", "1_000", "QUAR", table("1_000,r,no"), "no number, such as '1_000'", rows=(201,), in_frame=True),
    case("T45", "1d5", "QUAR", table("1d5,r,no"), "no number, such as '1d5'", rows=(201,), in_frame=True),
    case(
        "T46", "a column without a value", "REPAIR",
        lines(*(f"{i}.5,,{('no', 'yes')[i % 2]}" for i in range(50))), "no value in 50 rows; the column is not used",
        finding="all_missing", values=(("a", 1, 1.5),), in_frame=True,
    ),
    case(
        "T46", "a target without a value", "REFUSE", lines(*["1,r,", "2,g,"] * 25),
        "target 'y' has a value in 0 of 50 rows", in_frame=True,
    ),
    case("T47", "no target column", "REFUSE", table(header="a,b,x"), "t.csv: column 'y' is not there", "a, b, x"),
    case(
        "T47", "one class", "REFUSE", lines(*["1,r,no", "2,g,no"] * 20), "target 'y' is 'no' in all 40 rows",
        "--target", in_frame=True,
    ),
    case(
        "T47", "90 % of the target missing", "REFUSE", lines(*["1,r,no", "2,g,yes"] * 10, *["3,b,"] * 180),
        "the target is missing", "180 of 200 rows (90.00%)", in_frame=True,
    ),
    case(
        "T48", "a constant column", "REPAIR", lines(*(f"7,{i % 20},{('no', 'yes')[i % 3 == 0]}" for i in range(80))),
        "'7.0' in all", finding="constant", types=(("a", "number"),),
    ),
    case(
        "T48", "an identifier", "REPAIR", lines(*second(lambda i: f"u{i}")), "it names rows and is not used",
        finding="unique", in_frame=True,
    ),
    case(
        "T49", "three forms of one word", "REPAIR", lines(*second(lambda i: VARIANTS[i % 3])),
        "40 cells of b were brought to one Unicode form", finding="unicode",
        values=(("b", 0, "café"), ("b", 1, "café"), ("b", 2, "café")), in_frame=True,
    ),
    case(
        "T50", "formulas", "ACCEPT", lines(*second(lambda i: FORMULAS[i % 3])),
        values=(("b", 0, "=HYPERLINK(1)"), ("b", 1, "+cmd"), ("b", 2, "@SUM")), in_frame=True,
    ),
]  # fmt: skip

NUMBERS = [i * 0.5 for i in range(ROWS)]
ARRAYS = [
    case(
        "P1", "a cut footer", "REFUSE", lambda n: parquet({"a": NUMBERS, "y": CLASS})(n)[:-40],
        "t.parquet is Parquet, but cannot be read", name="t.parquet",
    ),
    case(
        "P1", "a flipped byte", "REFUSE", lambda n: parquet({"a": NUMBERS, "y": CLASS})(n)[:-9] + b"\xff" * 5 + b"PAR1",
        "t.parquet is Parquet, but cannot be read", name="t.parquet",
    ),
    case(
        "P2", "a dictionary bomb of 10,000,000 cells", "LIMIT", dictionary_bomb, "t.parquet: reading it takes about",
        name="t.parquet", exit=5, free_mb=100,
    ),
    case(
        "P3", "types that differ between files", "REFUSE", parquet({"a": NUMBERS, "y": CLASS}),
        "test.parquet: column 'a' is text, and in t.parquet it is number", name="t.parquet",
        test=parquet({"a": [str(i) for i in range(ROWS)], "y": CLASS}),
    ),
    case(
        "P4", "a nested column", "REFUSE", parquet({"a": [[1], [2]] * 100, "y": CLASS}),
        "t.parquet: column 'a' is list", "Flatten the column", name="t.parquet",
    ),
    case(
        "P4", "a column of bytes", "REFUSE", parquet({"a": [b"x", b"z"] * 100, "y": CLASS}),
        "t.parquet: column 'a' is binary", name="t.parquet",
    ),
    case(
        "P5", "an array of pickled objects", "REFUSE", pickled_array, "t.npy holds Python objects (a pickle)",
        name="t.npy",
    ),
    case("P5", "an .npz bomb", "LIMIT", npz_bomb, "t.npz: ", "as no honest archive does", name="t.npz"),
]  # fmt: skip
