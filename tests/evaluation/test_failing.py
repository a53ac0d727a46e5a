"""The sections on where the bundle fails, what it uses and what it costs."""

import base64
import re
from dataclasses import replace

import pytest

from deepwright.core.report import Footprint, Latency, Report
from deepwright.evaluation.failing import cost_line, cost_section, failing_section, importance_section
from deepwright.evaluation.page import render
from deepwright.evaluation.worst import Example, Examples
from tests.evaluation import samples
from tests.evaluation.test_page import HOSTILE, _Page

AGE = {"feature": "age", "sign": "above", "low": 50.0}
SLICE = {
    "conditions": [AGE], "value": 0.71, "low": 0.66, "high": 0.76, "n": 361, "rest": 0.87, "rest_n": 900,
    "expected": 0.86, "z": 6.1,
}  # fmt: skip
COST = Footprint(
    disk_bytes=511_712,
    memory_bytes=2_641_920,
    latency=(Latency(rows=1, median_s=0.000142, calls=200), Latency(rows=256, median_s=0.00105, calls=51)),
    machine="A processor, 2 cores",
)


def report(part: str = "validation", **more) -> Report:
    """The sample with further evidence of the bundle on one part."""
    plain = samples.binary().model_dump()
    plain["evidence"][part][plain["chosen"]] |= more
    return Report.model_validate(plain)


def slices(*found):
    return {"metric": "accuracy", "searched": 1261, "candidates": 23456, "found": list(found)}


def inputs(num: int):
    return {
        "metric": "accuracy", "n": 2000, "repeats": 5,
        "inputs": [
            {"feature": f"input {i}", "value": 0.5 - i / 40, "low": 0.4 - i / 40, "high": 0.6 - i / 40, "together": []}
            for i in range(num)
        ],
    }  # fmt: skip


def example(row: int = 12, file: str | None = None, num: int = 4, text: str | None = "x") -> Example:
    return Example(row, file, "yes (1.0%)", "no (99.0%)", 4.6, {f"column {i}": text for i in range(num)})


def words(section) -> str:
    return _Page(str(section)).text


def test_a_slice_stands_with_its_figures_and_what_was_promised():
    text = words(failing_section(report(slices=slices(SLICE)), None))
    for piece in ("Among 23,456 groups of rows", "age > 50", "0.71 (0.66 to 0.76)", "0.87", "0.86", "361"):
        assert piece in text
    assert "The rows of this run are not kept" in text


def test_after_a_look_the_slices_are_told_of_the_test_part_too():
    again = {name: value for name, value in SLICE.items() if name != "z"}
    tested = report("test", slices=slices({**again, "value": 0.80, "low": 0.7, "high": 0.88, "n": 77}))
    both = report(slices=slices(SLICE)).model_dump()
    both["evidence"]["test"] = tested.model_dump()["evidence"]["test"]
    text = words(failing_section(Report.model_validate(both), None))
    assert "accuracy, test" in text and "0.80 (0.70 to 0.88) n = 77" in text and "never saw" in text


def test_where_no_slice_was_found_it_says_among_how_many():
    text = words(failing_section(report(slices=slices()), None))
    assert "Among 23,456 groups of rows, one or two conditions each, there is none" in text


def test_few_rows_are_told_to_be_too_few():
    few = {"metric": "accuracy", "searched": 120, "candidates": 0, "found": []}
    assert "120 rows are too few" in words(failing_section(report(slices=few), None))


def test_of_values_nothing_is_promised():
    text = words(failing_section(report(slices={**slices({**SLICE, "expected": None}), "metric": "mae"}), None))
    assert "MAE" in text and "promised" not in text.lower()


def test_worst_rows_stand_with_truth_answer_and_place():
    shown = Examples((example(43827, "b.csv"), example(2, text=None)), (("a", "b", 7, (example(3),)),), 50, True)
    text = words(failing_section(report(), shown))
    for piece in ("true: yes (1.0%)", "answered: no (99.0%)", "b.csv, row 43,827", "column 0 missing",
                  "“a” taken for “b”, rows: 7"):  # fmt: skip
        assert piece in text


def test_of_many_values_and_rows_some_are_folded_and_none_is_lost():
    shown = Examples(tuple(example(row, num=40) for row in range(10)), (), 50, True)
    section = str(failing_section(report(), shown))
    assert section.count("further inputs: 34") == 10 and "Further rows: 5" in section
    assert section.count("column 39") == 10


def test_where_nothing_is_wrong_it_says_so():
    assert "All 50 rows are answered right." in words(failing_section(report(), Examples((), (), 50, True)))


def test_importance_stands_as_bars_on_one_scale_with_zero():
    found = inputs(3)
    found["inputs"][0]["together"] = ["input 1"]
    found["inputs"][2] |= {"value": -0.2, "low": -0.4, "high": 0.0}
    section = importance_section(report(importance=found))
    assert "much the same: input 1" in words(section) and "n = 2,000, 5 times each" in words(section)
    assert 'x="40.0%"' in str(section) and 'x="20.0%"' in str(section)  # from zero to 0.5, from -0.2 to zero


@pytest.mark.parametrize(("num", "folded"), [(18, False), (19, True)])
def test_many_inputs_are_folded(num, folded):
    section = str(importance_section(report(importance=inputs(num))))
    assert ("<details>" in section) == folded and section.count("<tr>") == num


def test_the_cost_stands_with_its_machine():
    told = report().model_copy(update={"footprint": COST})
    text = words(cost_section(told))
    for piece in ("On disk 512 kB", "In memory 2.64 MB", "One row 142 µs", "256 rows at once 1.05 ms, 4.1 µs a row",
                  "A processor, 2 cores", "calls (200, 51)"):  # fmt: skip
        assert piece in text
    assert cost_line(told) == "bundle: 512 kB on disk; time / rows of a call on this machine: 142 µs / 1, 1.05 ms / 256"
    unknown = told.model_copy(update={"footprint": COST.model_copy(update={"memory_bytes": None})})
    assert "In memory" not in words(cost_section(unknown))


def test_an_older_report_has_none_of_these_sections():
    assert failing_section(report(), None) is None and importance_section(report()) is None
    assert cost_section(report()) is None and cost_line(report()) is None


def test_the_summary_for_machines_has_the_cost():
    assert report().summary()["footprint"] is None
    found = report().model_copy(update={"footprint": COST}).summary()["footprint"]
    assert found["disk_bytes"] == 511_712 and found["latency"][1]["rows"] == 256


def test_the_page_has_the_pictures_of_its_examples_in_itself_and_loads_no_other():
    shown = replace(example(), pictures={'a "photo"': b"PNG"})
    html = render(report(), next_commands=[], examples=Examples((shown,), (), 5, True))
    (image,) = re.findall(r"<img [^>]*>", html)
    source = f"data:image/png;base64,{base64.b64encode(b'PNG').decode()}"
    words = "a &quot;photo&quot; of row 12, as the bundle sees it"
    assert image == f'<img class="picture" src="{source}" alt="{words}">'
    assert re.findall(r"img-src ([^;\"]*)", html) == ["data:"] and "default-src 'none'" in html


def test_rows_and_names_of_the_user_are_shown_as_text():
    hostile = Example(1, HOSTILE, HOSTILE, HOSTILE, 1.0, {HOSTILE: HOSTILE})
    evil = {**SLICE, "conditions": [{**AGE, "feature": HOSTILE}]}
    found = inputs(2)
    found["inputs"][0] |= {"feature": HOSTILE, "together": [HOSTILE]}
    told = report(slices=slices(evil), importance=found).model_copy(
        update={"footprint": COST.model_copy(update={"machine": HOSTILE})}
    )
    examples = Examples((hostile,), ((HOSTILE, HOSTILE, 1, (hostile,)),), 5, True)
    html = render(told, next_commands=[], examples=examples)
    assert "<script" not in html
    assert _Page(html).text.count("<script>alert(1)</script>") >= 15
