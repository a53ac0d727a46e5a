"""Markup escapes by construction."""

from deepwright.evaluation.markup import Markup, join, tag


def test_texts_and_attributes_are_escaped_and_markup_is_not_escaped_twice():
    inner = tag("b", "<&>")
    assert tag("p", inner, title='"<') == '<p title="&quot;&lt;"><b>&lt;&amp;&gt;</b></p>'


def test_nothing_and_false_leave_no_trace():
    assert tag("p", None, class_=None, open=False) == "<p></p>"
    assert tag("details", open=True) == "<details open></details>"


def test_lists_are_joined_and_numbers_written():
    assert join(["a", 1, [Markup("<i>")]], ("<",)) == "a1<i>&lt;"
