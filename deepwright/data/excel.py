"""Excel: a sheet of an .xlsx workbook as a table, read without Excel; what a reader cannot see is said."""

from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.disk import sha256_file
from deepwright.core.errors import AskError, DataError, did_you_mean
from deepwright.core.part import option
from deepwright.core.report import Finding, finding
from deepwright.core.text import text
from deepwright.data.archive import open_archive
from deepwright.data.interpret import Interpreted
from deepwright.data.names import check_names
from deepwright.data.narrow import listed
from deepwright.data.raw import Asides, Raw
from deepwright.data.signature import regular_file
from deepwright.data.tidy import Tidied, tidy
from deepwright.data.xlsx import Sheet, SheetInfo, Workbook, column_name, is_workbook


class Excel(Interpreted, kind="excel"):
    """A sheet of an .xlsx file. Numbers keep their digits, dates become ISO dates, formulas give their stored values.

    >>> Excel(path="visits.xlsx", sheet="2024").header_row
    1
    """

    path: str = option(help="the .xlsx file")
    sheet: str | None = option(None, "the sheet's name; none: the only visible one")
    header_row: int = option(1, "the row that names the columns; rows above it are left out", low=1, high=1_048_576)

    def read(self, target: str | None) -> Raw:
        path = regular_file(self.path)
        if not is_workbook(path):
            raise DataError("excel.no_workbook", path=path)
        with open_archive(path) as archive:
            workbook = Workbook(archive)
            info, notes = self._sheet(workbook)
            assert info.member is not None, f"sheet {info.name} was chosen among those with cells"
            sheet = workbook.read(info.member)
        where = f"{path}#{info.name}"
        self._require_plain(sheet, where)
        return self._raw(sheet, where, sha256_file(path), (*notes, *_findings(sheet, where)))

    def _sheet(self, workbook: Workbook) -> tuple[SheetInfo, list[Finding]]:
        """The sheet asked for, or the only one; hidden ones are told and have to be asked for."""
        sheets = [info for info in workbook.sheets if info.member is not None]
        names = [info.name for info in sheets]
        if self.sheet is not None:
            chosen = [info for info in sheets if info.name == self.sheet]
            if not chosen:
                hint = did_you_mean(self.sheet, names)
                raise DataError("excel.no_sheet", path=self.path, sheet=self.sheet, known=", ".join(names), hint=hint)
            return chosen[0], []
        visible = [info for info in sheets if not info.is_hidden]
        if len(visible) != 1:
            example = (visible or sheets or [SheetInfo("NAME", None, False)])[0].name
            raise AskError("excel.which", path=self.path, known=", ".join(names), example=example)
        hidden = [info.name for info in sheets if info.is_hidden]
        return visible[0], [finding("excel_sheets", "note", self.path, sheets=listed(hidden))] if hidden else []

    def _require_plain(self, sheet: Sheet, where: str) -> None:
        """Raises DataError for formulas without a stored value, and for merged cells in the table."""
        if sheet.without_value:
            cells = listed(sheet.without_value, 5)
            raise DataError("excel.no_value", source=where, count=len(sheet.without_value), cells=cells)
        merged = [ref for ref in sheet.merged if _last_row(ref) >= self.header_row]
        if merged:
            raise DataError("excel.merged", source=where, cells=listed(merged, 5))

    def _raw(self, sheet: Sheet, where: str, sha256: str, notes: tuple[Finding, ...]) -> Raw:
        header = sheet.rows.get(self.header_row, {})
        body = [row for number, row in sorted(sheet.rows.items()) if number > self.header_row and _holds(row)]
        width = max([0, *(place for row in (header, *body) for place, cell in row.items() if cell.strip())])
        places = [place for place in range(1, width + 1) if place in header or any(place in row for row in body)]
        names = tuple(header.get(place, "").strip() for place in places)
        unnamed = [column_name(place) for place, name in zip(places, names, strict=True) if not name]
        if unnamed or not names:
            raise DataError("excel.header", source=where, row=self.header_row, columns=listed(unnamed or ["A"], 5))
        options = self.reading
        check_names(where, names, options.max_columns)
        asides = Asides()
        bad = np.array([any("\0" in cell for cell in row.values()) for row in body], dtype=bool)
        asides.add(text("aside.nul"), np.flatnonzero(bad) + 1)
        kept = [row for row, out in zip(body, bad, strict=True) if not out]
        tidied = Tidied()
        cells = {
            name: tidy(name, [row.get(place) for row in kept], options, tidied)
            for name, place in zip(names, places, strict=True)
        }
        origin = np.flatnonzero(~bad) + 1
        return Raw(names, cells, origin, where, sha256, options, asides.records(), tidied, notes)


def claims(path: Path) -> dict[str, Any] | None:
    """The source of an .xlsx file, whatever its name."""
    return {"kind": "excel", "path": str(path)} if path.is_file() and is_workbook(path) else None


def _findings(sheet: Sheet, where: str) -> list[Finding]:
    found = []
    if sheet.num_formulas:
        found.append(finding("excel_formulas", "note", where, count=sheet.num_formulas))
    hidden = [str(row) for row in sorted(sheet.hidden_rows & sheet.rows.keys())]
    used = {place for row in sheet.rows.values() for place in row}
    columns = [column_name(place) for place in sorted(sheet.hidden_columns & used)]
    if hidden or columns:
        rows = listed(hidden, 5) or "-"
        found.append(finding("excel_hidden", "warning", where, rows=rows, columns=listed(columns, 5) or "-"))
    return found


def _holds(row: dict[int, str]) -> bool:
    return any(cell.strip() for cell in row.values())


def _last_row(reference: str) -> int:
    digits = "".join(c for c in reference.rpartition(":")[2] if c.isdigit())
    return int(digits or 0)
