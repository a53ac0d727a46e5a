"""Workbooks: numbers by their digits, dates by their style, and everything that a table cannot show is said."""

from pathlib import Path

import pytest

from deepwright.core.errors import AskError, DataError, PracticeError
from deepwright.core.recipe import Recipe
from deepwright.data.collect import Collected, collect
from deepwright.data.detect import source_for
from tests.data.workbooks import DATE, DAYS, OWN_DATE, n, row, s, shared, workbook

HEAD = row(s("a"), s("b"), s("y"))
ROWS = [HEAD, row(n("1"), s("r"), s("no")), row(n("2"), s("g"), s("yes")), row(n("3"), s("r"), s("no"))]


def collected(path: Path, **options: object) -> Collected:
    limit = options.pop("max_set_aside", 0.01)
    return collect(
        Recipe.parse({"source": {**source_for(str(path)), **options}, "target": "y", "max_set_aside": limit})
    )


def cells(path: Path, name: str = "a", **options: object) -> list[object]:
    from deepwright.core.families import Source

    return Source.parse({**source_for(str(path)), **options}, "source").read(None).cells[name].tolist()


def refusal(path: Path, kind: type[PracticeError] = DataError, **options: object) -> str:
    with pytest.raises(kind) as caught:
        collected(path, **options)
    return str(caught.value)


def told(found: Collected) -> dict[str, str]:
    return {f.rule: f.text for f in found.findings}


def test_a_workbook_is_known_by_what_it_holds_whatever_its_name(tmp_path):
    found = collected(workbook(tmp_path / "t.bin", {"One": ROWS}))
    assert found.whole.columns["a"].tolist() == [1.0, 2.0, 3.0]
    assert found.whole.columns["b"].tolist() == ["r", "g", "r"]
    assert found.source == f"{tmp_path}/t.bin#One"
    assert [path.name for path in tmp_path.iterdir()] == ["t.bin"]


def test_numbers_keep_the_digits_that_the_file_holds(tmp_path):
    numbers = ["9007199254740993", "0.30000000000000004", "1E-3", "5.0", "-2.5e+20", "00501"]
    path = workbook(tmp_path / "t.xlsx", {"S": [HEAD, *(row(n(v), s("r"), s("no")) for v in numbers)]})
    assert cells(path) == ["9007199254740993", "0.30000000000000004", "0.001", "5", "-2.5e+20", "00501"]


def test_dates_are_known_by_their_style_and_elapsed_time_is_a_number(tmp_path):
    rows = [row(n("45293", DATE)), row(n("45293.75", OWN_DATE)), row(n("59", DATE)), row(n("61", DATE)),
            row(n("0.25", DATE)), row(n("1.5", DAYS)), row(n("45293")), row('<c t="d"><v>2024-01-02</v></c>'),
            row(n("-3", DATE)), row(n("3000000", DATE))]  # fmt: skip
    path = workbook(tmp_path / "t.xlsx", {"S": [row(s("a")), *rows]})
    assert cells(path) == [
        "2024-01-02", "2024-01-02T18:00:00", "1900-02-28", "1900-03-01", "06:00:00", "1.5", "45293", "2024-01-02",
        "-3", "3000000",
    ]  # fmt: skip


def test_a_workbook_that_counts_from_1904_does(tmp_path):
    path = workbook(tmp_path / "t.xlsx", {"S": [row(s("a")), row(n("0", DATE)), row(n("1.5", DATE))]}, is_1904=True)
    assert cells(path) == ["1904-01-01", "1904-01-02T12:00:00"]


def test_shared_texts_come_with_their_runs_and_without_reading_aids(tmp_path):
    texts = ["<si><t>plain &amp; simple</t></si>", "<si><r><t>two </t></r><r><t>runs</t></r></si>",
             "<si><t>漢字</t><rPh sb='0' eb='1'><t>かんじ</t></rPh></si>", "<si><t>a_x000A_b</t></si>"]  # fmt: skip
    path = workbook(tmp_path / "t.xlsx", {"S": [row(s("a")), *(row(shared(i)) for i in range(4))]}, texts=texts)
    assert cells(path) == ["plain & simple", "two runs", "漢字", "a\nb"]


def test_truth_values_errors_and_places_that_are_skipped(tmp_path):
    second = '<c r="A9" t="b"><v>1</v></c><c r="B9" t="e"><v>#N/A</v></c><c r="C9" t="str"><v>yes</v></c>'
    rows = [HEAD, '<row r="5"><c r="C5" t="str"><v>no</v></c></row>', f'<row r="9">{second}</row>']
    path = workbook(tmp_path / "t.xlsx", {"S": rows})
    assert (cells(path, "a"), cells(path, "b"), cells(path, "y")) == ([None, "true"], [None, "#N/A"], ["no", "yes"])


def test_an_error_among_numbers_is_set_aside_and_never_a_missing_value(tmp_path):
    rows = [HEAD, *ROWS[1:], row('<c t="e"><v>#DIV/0!</v></c>', s("g"), s("no"))]
    rows += [row(n(str(i)), s("r"), s("yes")) for i in range(9)]
    found = collected(workbook(tmp_path / "t.xlsx", {"S": rows}), max_set_aside=0.5)
    assert [(entry.reason, entry.rows) for entry in found.set_aside] == [("a: no number, such as '#DIV/0!'", (4,))]


def test_formulas_are_told_and_refused_without_a_stored_value(tmp_path):
    rows = [*ROWS, row("<c><f>A2+2</f><v>4</v></c>", s("g"), s("yes"))]
    found = collected(workbook(tmp_path / "t.xlsx", {"S": rows}))
    assert found.whole.columns["a"].tolist()[-1] == 4.0
    assert "1 cells are formulas" in told(found)["excel_formulas"]
    rows = [*ROWS, row("<c><f>A2+2</f></c>", s("g"), s("yes"))]
    assert "1 formulas have no stored value (A5)" in refusal(workbook(tmp_path / "u.xlsx", {"S": rows}))


def test_hidden_rows_and_columns_are_told(tmp_path):
    rows = [HEAD, row(n("1"), s("r"), s("no"), more=' hidden="1"'), *ROWS[2:]]
    path = workbook(tmp_path / "t.xlsx", {"S": rows}, before='<cols><col min="2" max="2" hidden="1"/></cols>')
    found = collected(path)
    assert len(found.whole) == 3
    assert "hidden rows (2) and columns (B) are read too" in told(found)["excel_hidden"]
    assert "excel_hidden" not in told(collected(workbook(tmp_path / "u.xlsx", {"S": ROWS})))


def test_merged_cells_in_the_table_are_refused_and_above_it_are_not(tmp_path):
    merged = '<mergeCells><mergeCell ref="B2:B3"/></mergeCells>'
    path = workbook(tmp_path / "t.xlsx", {"S": ROWS}, after=merged)
    assert "merged cells (B2:B3)" in refusal(path)
    title = '<mergeCells><mergeCell ref="A1:C1"/></mergeCells>'
    path = workbook(tmp_path / "u.xlsx", {"S": [row(s("Visits of 2024")), *ROWS]}, after=title)
    assert "merged cells (A1:C1)" in refusal(path)
    assert len(collected(path, header_row=2).whole) == 3


def test_a_row_that_names_no_columns_is_refused(tmp_path):
    path = workbook(tmp_path / "t.xlsx", {"S": [row(s("Visits")), *ROWS]})
    assert "row 1 does not name the columns B, C" in refusal(path)
    assert "--source.header_row" in refusal(path)


def test_of_several_sheets_one_has_to_be_named_and_hidden_ones_are_told(tmp_path):
    sheets = {"One": ROWS, "Two": ROWS[:3], "Secret": ROWS}
    path = workbook(tmp_path / "t.xlsx", sheets, hidden=("Secret",))
    assert "which sheet is meant? There are: One, Two, Secret" in refusal(path, AskError)
    assert len(collected(path, sheet="Two").whole) == 2
    assert "no sheet 'Too'" in refusal(path, sheet="Too")
    path = workbook(tmp_path / "u.xlsx", {"One": ROWS, "Secret": ROWS}, hidden=("Secret",))
    assert "hidden sheets are not read: Secret" in told(collected(path))["excel_sheets"]


def test_a_document_type_is_refused_since_entities_may_expand(tmp_path):
    path = workbook(tmp_path / "t.xlsx", {"S": ROWS}, before='<!DOCTYPE x [<!ENTITY a "b">]>')
    assert "sheet1.xml' is broken: <!DOCTYPE" in refusal(path)


@pytest.mark.parametrize("cell", ["<c><v>x</v></c>", "<c t='s'><v>7</v></c>", "<c><v>1</v>"])
def test_a_broken_sheet_is_refused(tmp_path, cell):
    assert "sheet1.xml' is broken" in refusal(workbook(tmp_path / "t.xlsx", {"S": [HEAD, row(cell)]}))


def test_a_workbook_bomb_is_refused(tmp_path):
    path = workbook(tmp_path / "t.xlsx", {"S": ROWS}, before=" " * (70 << 20))
    with pytest.raises(DataError, match="as no honest archive does"):
        source_for(str(path))
