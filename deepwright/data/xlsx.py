"""XLSX: the cells of a workbook's sheet as Excel stored them, read from its XML; formulas are never computed.

References: ECMA-376, Office Open XML, part 1, chapter 18 (SpreadsheetML).
"""

import datetime as dt
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path, PurePosixPath

from deepwright.core.errors import DataError
from deepwright.data.archive import Archive
from deepwright.data.cells import number_text

WORKBOOK = "xl/workbook.xml"
DATE_FORMATS = frozenset([*range(14, 23), *range(27, 37), *range(50, 59)])
"""Built-in number formats of dates and times of day."""

NOT_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
"""What in a number format is no code: quoted texts, escapes, colours, conditions and locales."""
ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
WHOLE = re.compile(r"-?\d+", re.ASCII)
REFERENCE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
TRUE = ("1", "true")
MAX_COLUMNS = 16_384
MAX_SERIAL = 2_958_466
"""Days from 1900 to the year 10000."""


@dataclass(frozen=True)
class SheetInfo:
    """A sheet by name. member: its part in the archive, None for a chart sheet."""

    name: str
    member: str | None
    is_hidden: bool


@dataclass
class Sheet:
    """Row number > column number > text. What a reader must know beside the cells is counted or listed by place."""

    rows: dict[int, dict[int, str]] = field(default_factory=dict)
    num_formulas: int = 0
    without_value: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)


class Workbook:
    """A workbook in an open archive."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        root = self._parse(WORKBOOK)
        pages = {entry.get("Id", ""): entry for entry in self._parse("xl/_rels/workbook.xml.rels")}
        properties = next(_all(root, "workbookPr"), None)
        self._is_1904 = properties is not None and properties.get("date1904") in TRUE
        self.sheets: list[SheetInfo] = []
        for entry in _all(root, "sheet"):
            key = next((value for name, value in entry.attrib.items() if name.endswith("}id")), "")
            page = pages.get(key)
            is_sheet = page is not None and page.get("Type", "").endswith("/worksheet")
            member = _member(page.get("Target", "")) if page is not None and is_sheet else None
            self.sheets.append(SheetInfo(entry.get("name", ""), member, entry.get("state", "visible") != "visible"))

    def read(self, member: str) -> Sheet:
        """Every cell of a sheet that holds something."""
        sheet = Sheet()
        number = 0
        try:
            for _, element in ET.iterparse(BytesIO(self._bytes(member))):
                tag = _tag(element)
                if tag == "row":
                    number = int(element.get("r") or number + 1)
                    self._row(element, number, sheet)
                    element.clear()
                elif tag == "col" and element.get("hidden") in TRUE:
                    last = min(int(element.get("max", "1")), MAX_COLUMNS)
                    sheet.hidden_columns |= set(range(int(element.get("min", "1")), last + 1))
                elif tag == "mergeCell":
                    sheet.merged.append(element.get("ref", ""))
        except (ET.ParseError, ValueError, IndexError) as error:
            raise DataError("archive.broken_member", path=self._archive.path, name=member, why=error) from None
        return sheet

    def _row(self, row: ET.Element, number: int, sheet: Sheet) -> None:
        if row.get("hidden") in TRUE:
            sheet.hidden_rows.add(number)
        place = 0
        for cell in row:
            place = column_number(cell.get("r", "")) or place + 1
            found = {_tag(child): child for child in cell}
            value = found["v"].text if "v" in found else None
            if "f" in found:
                sheet.num_formulas += 1
                if value is None:
                    sheet.without_value.append(f"{column_name(place)}{number}")
            text = self._text(cell, value, found.get("is"))
            if text is not None:
                sheet.rows.setdefault(number, {})[place] = text

    def _text(self, cell: ET.Element, value: str | None, inline: ET.Element | None) -> str | None:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return None if inline is None else _joined(inline)
        if value is None:
            return None
        if kind == "s":
            return self._texts[int(value)]
        if kind == "b":
            return "true" if value.strip() == "1" else "false"
        if kind in ("str", "e", "d"):
            return value
        value = value.strip()
        if int(cell.get("s", "0")) in self._date_styles:
            return moment(float(value), is_1904=self._is_1904)
        return value if WHOLE.fullmatch(value) else number_text(float(value))

    @cached_property
    def _texts(self) -> list[str]:
        """The texts that cells share."""
        if "xl/sharedStrings.xml" not in self._archive.names:
            return []
        return [_joined(entry) for entry in self._parse("xl/sharedStrings.xml") if _tag(entry) == "si"]

    @cached_property
    def _date_styles(self) -> frozenset[int]:
        """Numbers of the cell styles that show a number as a date or a time of day."""
        if "xl/styles.xml" not in self._archive.names:
            return frozenset()
        root = self._parse("xl/styles.xml")
        own = {int(entry.get("numFmtId", "0")): entry.get("formatCode", "") for entry in _all(root, "numFmt")}
        formats = next(_all(root, "cellXfs"), ())
        numbers = [int(entry.get("numFmtId", "0")) for entry in formats]
        return frozenset(
            place for place, number in enumerate(numbers)
            if (is_date_format(own[number]) if number in own else number in DATE_FORMATS)
        )  # fmt: skip

    def _parse(self, member: str) -> ET.Element:
        try:
            return ET.fromstring(self._bytes(member))
        except ET.ParseError as error:
            raise DataError("archive.broken_member", path=self._archive.path, name=member, why=error) from None

    def _bytes(self, member: str) -> bytes:
        data = self._archive.read(member)
        if b"<!DOCTYPE" in data:  # Excel writes none; it could hold entities that expand
            raise DataError("archive.broken_member", path=self._archive.path, name=member, why="<!DOCTYPE")
        return data


def moment(serial: float, *, is_1904: bool = False) -> str:
    """A day or a time as text, from its number of days; a number that is no day stays a number.

    Excel's 1900 has a 29 February that was not, so days before 1 March 1900 count from another start.

    >>> moment(45293.0), moment(45293.75), moment(0.5), moment(1.0), moment(-1.0)
    ('2024-01-02', '2024-01-02T18:00:00', '12:00:00', '1900-01-01', '-1')
    """
    if not 0 <= serial < MAX_SERIAL:
        return number_text(serial)
    ms = round(serial * 86_400_000)
    time = (dt.datetime.min + dt.timedelta(milliseconds=ms % 86_400_000)).time()
    if serial < 1 and not is_1904:
        return time.isoformat()
    start = dt.date(1904, 1, 1) if is_1904 else dt.date(1899, 12, 31 if serial < 60 else 30)
    day = start + dt.timedelta(days=ms // 86_400_000)
    return day.isoformat() if time == dt.time(0) else f"{day.isoformat()}T{time.isoformat()}"


def is_date_format(code: str) -> bool:
    """Whether a number format shows days or times of day; elapsed time stays a number of days.

    >>> [is_date_format(code) for code in ("yyyy-mm-dd", '0.00 "days"', "[h]:mm", "[Red]0.0", "[$-409]d mmm")]
    [True, False, False, False, True]
    """
    plain = NOT_CODE.sub("", code.split(";")[0])
    return not ELAPSED.search(plain) and bool(re.search(r"[dmyhs]", plain, re.IGNORECASE)) and "General" not in plain


def column_number(reference: str) -> int | None:
    """The column of a cell's reference, from 1.

    >>> column_number("AB12"), column_name(28)
    (28, 'AB')
    """
    match = REFERENCE.fullmatch(reference)
    if match is None:
        return None
    number = 0
    for letter in match[1]:
        number = number * 26 + ord(letter) - 64
    return number


def column_name(number: int) -> str:
    name = ""
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


def is_workbook(path: Path) -> bool:
    """Whether a zip archive holds a workbook."""
    from deepwright.data.archive import is_archive, open_archive

    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return False
    if not is_archive(path):
        return False
    with open_archive(path) as archive:
        return WORKBOOK in archive.names


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _all(root: ET.Element, tag: str) -> Iterator[ET.Element]:
    return (element for element in root.iter() if _tag(element) == tag)


def _joined(element: ET.Element) -> str:
    """The text of an entry with its runs, without the reading aids of East Asian texts."""
    pieces = []
    for child in element:
        if _tag(child) == "t":
            pieces.append(child.text or "")
        elif _tag(child) == "r":
            pieces += [part.text or "" for part in child if _tag(part) == "t"]
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), "".join(pieces))


def _member(target: str) -> str:
    return target.removeprefix("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
