"""Small workbooks as Excel writes them: a zip of XML parts."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
REFERENCES = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
PACKAGE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
DATE, DAYS, OWN_DATE = 1, 2, 3
"""Styles of a cell: dd/mm/yyyy, elapsed hours, and a format of one's own."""

STYLES = (
    f'<styleSheet {SPACE}><numFmts count="2"><numFmt numFmtId="164" formatCode="[h]:mm"/>'
    '<numFmt numFmtId="165" formatCode="yyyy&quot;year&quot;mm"/></numFmts><cellXfs count="4"><xf numFmtId="0"/>'
    '<xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>'
)


def n(value: str, style: int = 0) -> str:
    """A number in the digits that the file stores."""
    return f'<c s="{style}"><v>{value}</v></c>'


def s(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def shared(place: int) -> str:
    return f'<c t="s"><v>{place}</v></c>'


def row(*cells: str, more: str = "") -> str:
    return f"<row{more}>{''.join(cells)}</row>"


def workbook(
    path: Path,
    sheets: dict[str, Sequence[str]],
    *,
    after: str = "",
    before: str = "",
    hidden: Sequence[str] = (),
    texts: Sequence[str] = (),
    is_1904: bool = False,
) -> Path:
    """sheets: name > rows. before, after: XML around the rows. texts: the XML of the texts that cells share."""
    entries, pages = [], []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, rows) in enumerate(sheets.items(), 1):
            state = ' state="hidden"' if name in hidden else ""
            entries.append(f'<sheet name="{name}" sheetId="{number}"{state} r:id="rId{number}"/>')
            pages.append(f'<Relationship Id="rId{number}" Type="{KIND}" Target="worksheets/sheet{number}.xml"/>')
            body = f"<worksheet {SPACE}>{before}<sheetData>{''.join(rows)}</sheetData>{after}</worksheet>"
            archive.writestr(f"xl/worksheets/sheet{number}.xml", body)
        start = f'<workbookPr date1904="{int(is_1904)}"/>'
        book = f"<workbook {SPACE} {REFERENCES}>{start}<sheets>{''.join(entries)}</sheets></workbook>"
        archive.writestr("xl/workbook.xml", book)
        archive.writestr("xl/_rels/workbook.xml.rels", f"<Relationships {PACKAGE}>{''.join(pages)}</Relationships>")
        archive.writestr("xl/styles.xml", STYLES)
        if texts:
            archive.writestr("xl/sharedStrings.xml", f"<sst {SPACE}>{''.join(texts)}</sst>")
    return path
