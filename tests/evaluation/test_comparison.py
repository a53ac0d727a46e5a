"""What a comparison says of contestants that are better, equal, undefined; in words, lines and on the page."""

import numpy as np
import pytest

from deepwright.evaluation.classify import Accuracy, Auc, LogLoss
from deepwright.evaluation.comparison import Contestant, compare_contestants, comparison_lines
from deepwright.evaluation.comparison_page import comparison_page
from deepwright.evaluation.draws import Dependence
from deepwright.evaluation.regress import MaxError, Rmse


def _values(*noises: float, favoured: frozenset[str] = frozenset()):
    generator = np.random.default_rng(0)
    target = generator.normal(size=300)
    answers = [target + noise * generator.normal(size=300) for noise in noises]
    names = ("<old>", "new", "third")
    return target, [Contestant(n, a, a, favoured) for n, a in zip(names, answers, strict=False)]


def test_the_better_one_is_named_by_how_much_whatever_the_order():
    target, contestants = _values(1.0, 0.5)
    for order in (contestants, contestants[::-1]):
        found = compare_contestants(target, order, [Rmse()], part="test", looks={"a": 1})
        (each,) = found.compared
        assert each.better == "new" and each.p < 0.001
        assert each.value == pytest.approx(found.values[each.b]["rmse"] - found.values[each.a]["rmse"])
        assert found.verdict[0].text.startswith("new is better than <old> by 0.")
        assert found.verdict[0].values["low"] > "0"
    assert "may be luck" not in found.verdict[0].text
    assert not any("validation" in sentence.text for sentence in found.verdict)


def test_equals_are_said_to_be_and_validation_is_told_of():
    target, contestants = _values(1.0, 1.0, favoured=frozenset({"rmse"}))
    found = compare_contestants(target, contestants, [Rmse()], part="validation", looks={"a": 0})
    assert found.compared[0].better is None and found.compared[0].optimistic
    assert "cannot be told apart by RMSE" in found.verdict[0].text
    assert "The test part has the last word." in found.verdict[-1].text
    lines = comparison_lines(found)
    assert any(line.startswith("° ") for line in lines)
    assert "a: looks known at its test part: 0" in lines


def test_of_three_the_best_is_set_against_each_and_all_comparisons_are_counted():
    target, contestants = _values(1.0, 0.5, 0.95)
    found = compare_contestants(target, contestants, [Rmse(), MaxError()], part="test", looks={})
    assert [sentence.key for sentence in found.verdict] == [
        *("compare.better_by", "compare.better_by"),
        *("compare.among_pairs", "compare.of_all"),
    ]
    assert found.verdict[-1].values == {"count": 3, "clear": 2}
    assert found.verdict[-2].values == {"count": 3, "clear": 2}
    without = [each for each in found.compared if each.metric == "max_error"]
    assert {(each.low, each.high, each.better) for each in without} == {(None, None, None)}


def test_an_undefined_metric_is_said_to_be():
    target, answer = np.zeros(20, np.int64), np.tile([0.6, 0.4], (20, 1))
    pair = [Contestant("a", answer, answer), Contestant("b", answer[:, ::-1], answer[:, ::-1])]
    found = compare_contestants(target, pair, [Auc(), Accuracy(), LogLoss()], part="test", looks={})
    assert found.compared[0].value is None and found.values["a"]["auc"] is None
    assert "it is undefined on these rows" in found.verdict[0].text
    assert found.record()["verdict"][0] == found.verdict[0].text


def test_the_page_draws_every_difference_beside_zero_and_escapes_names():
    target, contestants = _values(1.0, 0.5, 0.95)
    found = compare_contestants(target, contestants, [Rmse(), MaxError()], part="test", looks={"x": 3}, left_out=7)
    page = comparison_page(found)
    assert page.count('class="whisker"') == 6 and page.count('class="grid"') == 6
    assert page.count('class="interval"') == 3
    assert "new − &lt;old&gt;" in page and "<old>" not in page and "<script" not in page
    assert "x: looks known at its test part: 3" in page and "Left out: 7 rows" in page


def test_rows_that_hang_together_are_compared_together_and_it_is_said():
    target, contestants = _values(1.0, 0.8)
    alone = compare_contestants(target, contestants, [Rmse()], part="test", looks={})
    ways = Dependence(np.repeat(np.arange(30), 10), np.arange(300))
    found = compare_contestants(target, contestants, [Rmse()], part="test", looks={}, dependence=ways)
    assert (alone.drawn, found.drawn) == (("rows",), ("groups", "blocks"))
    assert found.compared[0].value == alone.compared[0].value
    assert found.compared[0].low != alone.compared[0].low
    assert "bootstrap over whole groups, since rows of one group resemble each other." in comparison_lines(found)
