"""The cases of texts, X: bytes that are none, documents without text or without end, characters that cannot be seen."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.case import Case

ROWS = 150
Files = dict[str, bytes]


@dataclass(frozen=True, kw_only=True)
class TextCase(Case):
    """content: the files by name, of which the first path's top is the source. flags: what is given from the start.

    answers: flags that settle an ASK. rows: numbers of the documents set aside. kept: documents that are left.
    finding: a rule that must be told. first: how the document at a place begins.
    """

    content: Callable[[int], Files]
    flags: tuple[str, ...] = ()
    answers: tuple[tuple[str, str], ...] = ()
    rows: tuple[int, ...] = ()
    kept: int | None = None
    finding: str | None = None
    first: tuple[int, str] | None = None


FORM = ("--source", "texts", "--source.form", "{label}|{text}")


def sentence(place: int) -> str:
    return f"Number {place} was a {('dull', 'good')[place % 2]} film, and long enough for übermorgen."


def listed(count: int) -> list[bytes]:
    return [f"{('no', 'yes')[i % 2]}|{sentence(i)}".encode() for i in range(count)]


def lines(*further: bytes, place: int = 3, end: bytes = b"\n", mark: bytes = b"") -> Callable[[int], Files]:
    """Good lines with others among them."""

    def content(count: int) -> Files:
        rows = listed(count)
        rows[place:place] = further
        return {"t.txt": mark + end.join(rows) + end}

    return content


def folder(*further: bytes) -> Callable[[int], Files]:
    """A good document per file, and others."""

    def content(count: int) -> Files:
        files = {f"t/{('no', 'yes')[i % 2]}/{i:04}.txt": sentence(i).encode() for i in range(count)}
        return files | {f"t/no/z{place}.txt": data for place, data in enumerate(further)}

    return content


def jsonl(*further: bytes) -> Callable[[int], Files]:
    def content(count: int) -> Files:
        rows = [f'{{"text": "{sentence(i)}", "label": "{("no", "yes")[i % 2]}"}}'.encode() for i in range(count)]
        return {"t.jsonl": b"\n".join([*rows, *further]) + b"\n"}

    return content


def in_gbk(count: int) -> Files:
    return {"t.txt": "".join(f"{('no', 'yes')[i % 2]}|第{i}部电影很好看\n" for i in range(count)).encode("gbk")}


def folder_in_gbk(count: int) -> Files:
    return {f"t/{('no', 'yes')[i % 2]}/{i}.txt": f"第{i}部电影很好看".encode("gbk") for i in range(count)}


TEXTS: list[TextCase] = [
    TextCase(
        row="X1", what="a line that is no UTF-8", outcome="QUAR", says=("no UTF-8, first at byte 194",),
        content=lines(b"no|a gr\xfcn film"), flags=FORM, rows=(4,), kept=ROWS,
    ),
    TextCase(
        row="X1", what="a document that is no UTF-8", outcome="QUAR", says=("such as no/z0.txt at byte 4",),
        content=folder(b"a gr\xfcn film"), rows=(76,), kept=ROWS,
    ),
    TextCase(
        row="X1", what="half of a character at the end", outcome="QUAR", says=("no UTF-8, first at byte",),
        content=lines("no|ein Film für Ü".encode()[:-1], place=ROWS), flags=FORM, rows=(ROWS + 1,), kept=ROWS,
    ),
    TextCase(
        row="X1", what="lines in GBK", outcome="ASK", says=("gb18030", "--encoding"), content=in_gbk, flags=FORM,
        answers=(("--encoding", "gb18030"),), kept=ROWS, first=(0, "第0部电影"),
    ),
    TextCase(
        row="X1", what="documents in GBK", outcome="ASK", says=("gb18030", "--encoding"), content=folder_in_gbk,
        answers=(("--encoding", "gb18030"),), kept=ROWS, first=(0, "第0部电影"),
    ),
    TextCase(
        row="X1", what="a byte order mark and line ends of three kinds", outcome="ACCEPT",
        content=lambda count: {
            "t.txt": b"\xef\xbb\xbf" + b"".join(r + (b"\n", b"\r\n", b"\r")[i % 3] for i, r in enumerate(listed(count)))
        },
        flags=FORM, kept=ROWS, first=(0, "Number 0 was"),
    ),
    TextCase(
        row="X2", what="an empty document", outcome="QUAR", says=("no text in the document",), content=folder(b""),
        rows=(76,), kept=ROWS,
    ),
    TextCase(
        row="X2", what="a document of blanks", outcome="QUAR", says=("no text in the document",),
        content=folder(" \n\t\u3000\n".encode()), rows=(76,), kept=ROWS,
    ),
    TextCase(
        row="X2", what="a label without a text", outcome="QUAR", says=("no text in the document",),
        content=lines(b"no|  "), flags=FORM, rows=(4,), kept=ROWS,
    ),
    TextCase(
        row="X2", what="a line of another form", outcome="QUAR", says=("not of the form {label}|{text}",),
        content=lines(b"no label here"), flags=FORM, rows=(4,), kept=ROWS,
    ),
    TextCase(
        row="X3", what="a document of 50 MB", outcome="REPAIR",
        says=("1 documents were longer than 1000000 characters",),
        content=folder(b"a film " * 7_500_000), kept=ROWS + 1, finding="text_cut", first=(75, "a film a film"),
    ),
    TextCase(
        row="X4", what="NUL, ESC and overrides of the writing direction", outcome="REPAIR",
        says=("1 cells of text were brought to one Unicode form",), finding="unicode",
        content=lines("no|go\0od\x1b[31m \u202efilm\u2066".encode()), flags=FORM, kept=ROWS + 1,
        first=(3, "good[31m film"),
    ),
    TextCase(
        row="X4", what="the same in a document", outcome="REPAIR",
        says=("1 cells of text were brought to one Unicode form",), finding="unicode",
        content=folder("go\0od\x1b[31m \u202efilm\u2066".encode()), kept=ROWS + 1, first=(75, "good[31m film"),
    ),
    TextCase(
        row="X5", what="half of a surrogate pair in JSON Lines", outcome="QUAR", says=("no UTF-8 in a cell",),
        content=jsonl(b'{"text": "half \\ud83d of it", "label": "no"}'), flags=("--target", "label"),
        rows=(ROWS + 1,), kept=ROWS,
    ),
    TextCase(
        row="X5", what="a whole surrogate pair", outcome="ACCEPT",
        content=jsonl(b'{"text": "whole \\ud83d\\ude00 it is", "label": "no"}'), flags=("--target", "label"),
        kept=ROWS + 1, first=(ROWS, "whole \U0001f600"),
    ),
]  # fmt: skip
