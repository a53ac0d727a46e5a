"""The cases of archives: Z, what a zip or tar can do besides holding tables."""

import io
import stat
import tarfile
import warnings
import zipfile
from typing import Any

from tests.faults.tables import Content, TableCase, case, table

GOOD = table()


def zipped(*members: tuple[str | zipfile.ZipInfo, Content | bytes]) -> Content:
    """A zip of these members."""

    def content(count: int) -> bytes:
        sink = io.BytesIO()
        with warnings.catch_warnings(), zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            warnings.simplefilter("ignore")  # of double names
            for name, data in members:
                archive.writestr(name, data if isinstance(data, bytes) else data(count))
        return sink.getvalue()

    return content


def tarred(*members: tuple[str, bytes], **special: Any) -> Content:
    """A tar of the good table and of a further entry."""

    def content(count: int) -> bytes:
        sink = io.BytesIO()
        with tarfile.open(fileobj=sink, mode="w") as archive:
            for name, data in (("t.csv", GOOD(count)), *members):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
            if special:
                info = tarfile.TarInfo("more.csv")
                for name, value in special.items():
                    setattr(info, name, value)
                archive.addfile(info)
        return sink.getvalue()

    return content


def linked() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link.csv")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def flipped(content: Content, place: int) -> Content:
    def changed(count: int) -> bytes:
        data = bytearray(content(count))
        data[place] ^= 1
        return bytes(data)

    return changed


def behind(content: Content) -> Content:
    return lambda count: content(count) * 2


def cut(content: Content) -> Content:
    return lambda count: content(count)[:-30]


def encrypted(count: int) -> bytes:
    data = bytearray(zipped(("t.csv", GOOD))(count))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


OTHER = b"a,c,y\n1,r,no\n"
KINDS = b"a,b,y\nx,r,no\nz,g,yes\n"
OUT = "could lead out of the archive"

ARCHIVES: list[TableCase] = [
    case("Z1", "a name with ..", "REFUSE", zipped(("../t.csv", GOOD)), OUT, "'../t.csv'", name="t.zip"),
    case("Z1", "an absolute name", "REFUSE", zipped(("/tmp/t.csv", GOOD)), OUT, name="t.zip"),
    case("Z1", "a name with a drive", "REFUSE", zipped(("C:\\t.csv", GOOD)), OUT, name="t.zip"),
    case("Z1", "a name with .. in a tar", "REFUSE", tarred(("a/../../t.csv", b"")), OUT, name="t.tar"),
    case("Z2", "a link", "REFUSE", zipped((linked(), b"/etc/passwd")), "is a link", name="t.zip"),
    case("Z2", "a link in a tar", "REFUSE", tarred(type=tarfile.SYMTYPE, linkname="t.csv"), "is a link", name="t.tar"),
    case("Z2", "a pipe in a tar", "REFUSE", tarred(type=tarfile.FIFOTYPE), "a device", name="t.tar"),
    case("Z3", "two members of one name", "REFUSE", zipped(("t.csv", GOOD), ("t.csv", GOOD)), "one name", name="t.zip"),
    case("Z3", "names of other case", "REFUSE", zipped(("t.csv", GOOD), ("T.CSV", GOOD)), "one name", name="t.zip"),
    case("Z4", "an encrypted member", "REFUSE", encrypted, "is encrypted", name="t.zip"),
    case("Z5", "a cut zip", "REFUSE", cut(zipped(("t.csv", GOOD))), "t.zip", "broken", name="t.zip"),
    case("Z5", "two tars in one file", "REFUSE", behind(tarred()), "breaks off at byte", name="t.tar"),
    case("Z5", "a broken header in a tar", "REFUSE", flipped(tarred(("u.csv", b"1")), 150), "broken", name="t.tar"),
    case("Z6", "a bomb", "LIMIT", zipped(("t.csv", bytes(80 << 20))), "as no honest archive does", name="t.zip"),
    case("Z7", "no table in it", "REFUSE", zipped(("a.md", b"x")), "no member fits", "--source.member", name="t.zip"),
    case(
        "Z8", "tables of different columns", "REFUSE", zipped(("t.csv", GOOD), ("u.csv", OTHER)),
        "t.zip!u.csv: column 'b' is not there", "t.zip!t.csv has it", name="t.zip",
    ),
    case(
        "Z8", "a column of numbers in one table and of texts in another", "REFUSE",
        zipped(("t.csv", GOOD), ("u.csv", KINDS)), "t.zip!u.csv: column 'a' holds texts, such as 'x'", "numbers",
        name="t.zip",
    ),
    case(
        "Z9", "two tables", "ACCEPT", zipped(("t.csv", GOOD), ("u.csv", b"y,b,a\nno,r,7.5\n")),
        name="t.zip", kept=201, values=(("a", -1, 7.5), ("b", -1, "r")),
    ),
    case(
        "Z9", "a row in both of two tables", "REPAIR", zipped(("t.csv", GOOD), ("u.csv", b"a,b,y\n0.5,g,yes\n")),
        "1 rows stand in several files", name="t.zip", kept=201, finding="repeated_across",
    ),
]  # fmt: skip
