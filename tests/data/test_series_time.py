"""Times of series: every form becomes the same seconds, and what can be read in two ways is asked."""

from dataclasses import replace

import numpy as np
import pytest

from deepwright.core.errors import AskError, DataError, RecipeError
from deepwright.data.frame import read_object
from deepwright.data.raw import Raw
from deepwright.data.series_time import Moments, moments_of, proposed_time
from deepwright.data.table import Table

HOUR = 3600.0
START = 1_704_067_200.0  # 2024-01-01T00:00:00Z


def raw_of(**columns: list) -> Raw:
    return read_object({name: np.array(cells, dtype=object) for name, cells in columns.items()}, Table())


def read(raw: Raw, *columns: str, unit=None, zone=None, entities=None) -> Moments:
    entities = np.zeros(len(raw), np.int64) if entities is None else np.array(entities)
    return moments_of(raw, columns, entities=entities, unit=unit, zone=zone)


@pytest.mark.parametrize(
    ("cells", "unit"),
    [
        (["2024-01-01 00:00:00", "2024-01-01T01:00", "2024-01-01T02:00:00.000"], None),
        (["2024-01-01T00:00:00Z", "2024-01-01T02:00:00+01:00", "2023-12-31T21:00:00-05:00"], None),
        (["2024/1/1 0:00", "2024/1/1 1:00", "2024/1/1 2:00:00"], None),
        (["2024.01.01 12:00 AM", "2024.01.01 1:00 am", "2024.01.01 2:00 AM"], None),
        (["2024010100", "2024010101", "2024010102"], "digits"),
        (["1704067200", "1704070800", "1704074400"], "s"),
        (["1704067200000", "1704070800000", "1704074400000"], "ms"),
        (["1704067200000000", "1704070800000000", "1704074400000000"], "us"),
    ],
)
def test_every_form_of_a_time_gives_the_same_seconds(cells: list[str], unit: str | None):
    found = read(raw_of(t=cells), "t", unit=unit)
    assert found.seconds.tolist() == [START, START + HOUR, START + 2 * HOUR]
    assert not found.is_count and not found.faults


def test_months_and_days_are_their_first_moment():
    assert read(raw_of(t=["1970-01", "1970-02", "1971-01"]), "t").seconds.tolist() == [0.0, 31 * 86400, 365 * 86400]


def test_columns_of_year_month_day_and_hour_are_joined():
    raw = raw_of(Year=["2024", "2024"], month=["1", "2"], day=["1", "29"], hour=["3", "0"])
    found = read(raw, "Year", "month", "day", "hour")
    assert found.name == "time"
    assert found.seconds.tolist() == [START + 3 * HOUR, START + 59 * 86400]


def test_a_day_that_does_not_exist_is_a_fault_and_no_other_day():
    found = read(raw_of(year=["2023", "2023"], month=["2", "2"], day=["28", "29"]), "year", "month", "day")
    ((reason, rows),) = found.faults.items()
    assert "year,month,day: no such day, such as '2023, 2, 29'" in reason
    assert rows.tolist() == [False, True] and np.isnan(found.seconds[1])


def test_parts_must_begin_at_the_year_without_a_gap():
    raw = raw_of(year=["2024"], month=["1"], day=["1"], hour=["3"])
    for columns in (("year", "day"), ("month", "day"), ("year", "month", "t")):
        with pytest.raises((RecipeError, DataError)):
            read(raw, *columns)


@pytest.mark.parametrize(("first", "unit"), [(1_704_067_200, "s"), (1_704_067_200_000, "ms")])
def test_numbers_that_may_be_times_are_asked_about(first: int, unit: str):
    with pytest.raises(AskError, match=rf"2024-01-01.*--source.unit {unit}, or --source.unit count"):
        read(raw_of(t=[str(first), str(first + 5)]), "t")


def test_small_numbers_are_a_count():
    found = read(raw_of(t=["1", "2", "5"]), "t")
    assert found.is_count and found.seconds.tolist() == [1.0, 2.0, 5.0]


def test_slashes_are_asked_about():
    with pytest.raises(AskError, match=r"--source.dates day_first"):
        read(raw_of(t=["01/02/2024", "02/02/2024"]), "t")


def test_days_and_months_are_in_the_order_that_is_said():
    raw = raw_of(t=["1/2/2024 13:00", "2/2/2024 1:30 PM"])
    raw = replace(raw, options=Table(dates="day_first"))
    assert read(raw, "t").seconds.tolist() == [START + 31 * 86400 + 13 * HOUR, START + 32 * 86400 + 13.5 * HOUR]
    raw = replace(raw, options=Table(dates="month_first"))
    assert read(raw, "t").seconds[0] == START + 86400 + 13 * HOUR


def test_dates_in_digits_are_asked_about_and_other_numbers_are_not():
    with pytest.raises(AskError, match=r"20240131, which may be a time .2024-01-31.*--source.unit digits"):
        read(raw_of(t=["20240131", "20240201"]), "t")
    assert read(raw_of(t=["20240131", "20240231"]), "t").is_count  # no such day: it is no date


def test_times_with_and_without_zone_are_asked_about_and_a_zone_settles_it():
    raw = raw_of(t=["2024-01-01 00:00", "2024-01-01T01:00:00Z"])
    with pytest.raises(AskError, match=r"--source.zone UTC"):
        read(raw, "t")
    assert read(raw, "t", zone="UTC").seconds.tolist() == [START, START + HOUR]
    assert read(raw, "t", zone="Asia/Shanghai").seconds.tolist() == [START - 8 * HOUR, START + HOUR]


def test_the_hour_that_clocks_skip_is_a_fault():
    found = read(raw_of(t=["2024-03-31 01:30", "2024-03-31 02:30", "2024-03-31 03:30"]), "t", zone="Europe/Berlin")
    ((reason, rows),) = found.faults.items()
    assert "an hour that clocks in Europe/Berlin skip" in reason and rows.tolist() == [False, True, False]
    assert found.seconds[2] - found.seconds[0] == HOUR


def test_the_hour_that_clocks_show_twice_is_two_hours():
    cells = ["2024-10-27 01:30", "2024-10-27 02:30", "2024-10-27 02:30", "2024-10-27 03:30"]
    found = read(raw_of(t=cells), "t", zone="Europe/Berlin")
    assert np.diff(found.seconds).tolist() == [HOUR, HOUR, HOUR] and found.assumed == 0
    apart = read(raw_of(t=cells), "t", zone="Europe/Berlin", entities=[0, 0, 1, 1])
    assert np.diff(apart.seconds).tolist() == [HOUR, 0.0, 2 * HOUR] and apart.assumed == 2


def test_a_column_without_times_is_refused_with_what_it_holds():
    with pytest.raises(DataError, match="column 't' holds 'red', which is no time"):
        read(raw_of(t=["red", "blue", "2024-01-01"]), "t")


def test_single_cells_that_are_no_time_are_faults_by_reason():
    found = read(raw_of(t=["2024-01-01", "soon", None, "2024-02-30", *["2024-01-02"] * 5]), "t")
    assert [rows.tolist().index(True) for rows in found.faults.values()] == [2, 3, 1]
    assert np.isnan(found.seconds[[1, 2, 3]]).all()


def test_a_month_that_does_not_exist_is_a_fault():
    found = read(raw_of(t=["2024-12", "2024-13", "2024-11"]), "t")
    ((reason, rows),) = found.faults.items()
    assert "no date or time, such as '2024-13'" in reason and rows.tolist() == [False, True, False]


def test_an_unknown_zone_is_named():
    with pytest.raises(RecipeError, match="there is no time zone 'Mars/Base'"):
        read(raw_of(t=["2024-01-01"]), "t", zone="Mars/Base")


def test_the_time_is_proposed_by_names_of_parts_or_by_what_a_column_holds():
    assert proposed_time(raw_of(year=["2024"], month=["1"], day=["1"], x=["1"])) == ("year", "month", "day")
    assert proposed_time(raw_of(x=["1", "2"], when=["2024-01", "2024-02"])) == ("when",)
    assert proposed_time(raw_of(x=["1", "2"], colour=["red", "blue"])) == ()
