"""The page of bad inputs is what the suite's tables say, and no kind of fault is missing."""

from pathlib import Path

from tests.faults.page import EXPECTED, SECTIONS, page, plain

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.faults.page > docs/faults.md"


def test_every_kind_of_fault_has_a_case():
    for letter, _, cases in SECTIONS:
        numbers = {int(case.row.removeprefix(letter)) for case in cases}
        assert numbers == set(range(1, EXPECTED[letter] + 1))


def test_no_two_cases_have_one_name():
    names = [case.id for *_, cases in SECTIONS for case in cases]
    assert len(names) == len(set(names))


def test_every_refusal_says_something():
    for *_, cases in SECTIONS:
        assert all(case.says for case in cases if case.outcome != "ACCEPT")


def test_marks_of_a_table_do_not_break_it():
    assert plain("a|b\n<c>\0") == "a\\|b \\<c\\>"
