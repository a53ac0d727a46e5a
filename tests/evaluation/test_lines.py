"""The report in a few terminal lines."""

import pytest

from deepwright.core.report import Report, Spread
from deepwright.evaluation.lines import aligned, summary_lines
from tests.evaluation import samples


def test_the_verdict_comes_first_then_an_aligned_leaderboard():
    report = samples.many()
    lines = summary_lines(report)
    assert lines[0] == report.verdict[0].text
    board = lines[lines.index("accuracy · validation · the test part is sealed") + 1 :][: len(report.members)]
    assert sorted(line.split()[1] if line.startswith("*") else line.split()[0] for line in board) == sorted(
        report.members
    )
    assert len({line.index("n = 359") for line in board}) == 1
    assert all(" to " in line and "(" in line for line in board)
    assert [line[0] for line in board].count("*") == 1


def test_the_best_member_stands_first_and_the_optimistic_ones_are_marked():
    lines = summary_lines(samples.many())
    start = next(i for i, line in enumerate(lines) if line.startswith("accuracy")) + 1
    assert lines[start].startswith(f"*  {samples.many().chosen}")
    assert "°" in lines[start]
    assert any(line.startswith("  ° optimistic") for line in lines)


def test_a_looked_at_test_part_is_what_is_shown():
    assert "accuracy · test · looks known here: 2" in summary_lines(samples.binary())


def test_warnings_are_written_out_and_notes_are_counted():
    lines = summary_lines(samples.regression())
    assert "warning: This is id is unique per row. [sample_warning]" in lines
    assert "notes: 1 (they are in the report)" in lines
    assert any(line.startswith("exemption: ") for line in lines)


def test_a_report_without_numbers_has_its_verdict_alone():
    data = {**samples.many().model_dump(), "numbers": [], "findings": [], "exemptions": []}
    report = Report.model_validate(data)
    assert summary_lines(report) == [sentence.text for sentence in report.verdict]


@pytest.mark.parametrize("rows", [[["模型", "1"], ["ab", "2"]], [["e\u0301", "1"], ["abc", "2"]]])
def test_columns_align_where_characters_are_wide_or_combine(rows: list[list[str]]):
    first, second = aligned(rows)
    spaces = [line.count(" ") for line in (first, second)]
    widths = {"模型": 4, "ab": 2, "e\u0301": 1, "abc": 3}
    assert widths[rows[0][0]] + spaces[0] == widths[rows[1][0]] + spaces[1]


def test_the_spread_over_seeds_is_told_of_the_member_that_ships_and_of_the_network():
    report = samples.regression()
    usual = {"metric": report.metric, "low": 51.0, "high": 55.0, "mean": 53.0, "place": 2}
    luck = Spread(member="network", values=(53.0, 51.0, 55.0), sd=2.0, **usual)
    same = Spread(member=report.chosen, values=(53.0,) * 3, sd=0.0, **{**usual, "low": 53.0, "high": 53.0, "place": 1})
    lines = summary_lines(report.model_copy(update={"seeds": (0, 1, 2), "spread": (luck, same)}))
    told = [line for line in lines if "training seeds" in line]
    assert report.chosen != "network"
    assert told == [
        f"{report.chosen} has RMSE 53.00 with each of 3 training seeds.",
        "Over 3 training seeds network has RMSE 53.0 on average (sd 2.0, 51.0 to 55.0); "
        "the shipped seed is in place 2.",
    ]
