"""Forms of times: each becomes ISO 8601 or stays, and none becomes another time."""

import pytest

from deepwright.data.time_forms import as_iso, is_ambiguous, of_digits


@pytest.mark.parametrize(
    ("cell", "iso"),
    [
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31 05:06:07.125+01:00", "2024-01-31 05:06:07.125+01:00"),
        ("2024/1/5", "2024-01-05"),
        ("2024.1.5 7:08", "2024-01-05 07:08"),
        ("2024-1-5T7:08:09", "2024-01-05 07:08:09"),
        ("2024/1/5 12:30 AM", "2024-01-05 00:30"),
        ("2024/1/5 12:30 pm", "2024-01-05 12:30"),
        ("2024/01/05 07:08Z", "2024-01-05 07:08Z"),
        ("1949-01", "1949-01-01"),
        ("1949/7", "1949-07-01"),
    ],
)
def test_year_first_needs_no_answer(cell: str, iso: str):
    assert as_iso(cell, None) == as_iso(cell, "day_first") == as_iso(cell, "month_first") == iso
    assert not is_ambiguous(cell)


@pytest.mark.parametrize(
    ("cell", "day_first", "month_first"),
    [
        ("1/2/2024", "2024-02-01", "2024-01-02"),
        ("01.02.2024 13:05", "2024-02-01 13:05", "2024-01-02 13:05"),
        ("1-2-2024 1:05:06 PM", "2024-02-01 13:05:06", "2024-01-02 13:05:06"),
    ],
)
def test_day_and_month_are_as_said_and_else_stay(cell: str, day_first: str, month_first: str):
    assert (as_iso(cell, "day_first"), as_iso(cell, "month_first")) == (day_first, month_first)
    assert as_iso(cell, None) == cell and is_ambiguous(cell)


@pytest.mark.parametrize("cell", ["soon", "2024", "1/2/24", "2024/1-5", "13:00", "2024/1/5 13:00 PM", "1949-13", "1.5"])
def test_what_is_no_form_of_a_time_stays(cell: str):
    assert as_iso(cell, "day_first") == cell


@pytest.mark.parametrize("cell", ["2024013", "20241331", "2024013125", "x20240131", "202401310560"])
def test_digits_that_are_no_date_stay(cell: str):
    assert of_digits(cell) == cell
