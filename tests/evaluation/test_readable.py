"""The page can be read on a telephone, on paper, by a screen reader and in Chinese: what holds that by construction."""

import re
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pytest

from deepwright.core.report import Report
from deepwright.evaluation.axes import WIDTH, Axes
from deepwright.evaluation.embedding import EmbeddingMap
from deepwright.evaluation.markup import prose
from deepwright.evaluation.page import render
from tests.evaluation import samples

SAMPLES = (samples.binary, samples.many, samples.regression)
PHONE = 390
MARGINS = 2 * 14 + 2 * 17
"""Of the page and of a folded box in it, at that width."""
FOLDED = {"board", "numbers", "bars", "time"}
"""Tables whose rows become blocks on a telephone, or that have no more than one column of words and one of figures."""
STYLE = resources.files("deepwright.evaluation").joinpath("page.css").read_text(encoding="utf-8")
MAP = EmbeddingMap(
    np.random.default_rng(0).normal(size=(30, 2)), (0.6, 0.2), 30, np.arange(30) % 2, np.arange(30) < 3, ("猫", "狗")
)


class _Elements(HTMLParser):
    """Every element as (name, attributes, the classes of what it stands in, what stands in it directly)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str], list[str], list[str]]] = []
        self._open: list[int] = []
        self.feed(html)

    def handle_starttag(self, name, attributes):
        if self._open:
            self.found[self._open[-1]][3].append(name)
        around = [word for place in self._open for word in self.found[place][1].get("class", "").split()]
        self.found.append((name, {key: value or "" for key, value in attributes}, around, []))
        if name not in ("meta", "img"):
            self._open.append(len(self.found) - 1)

    def handle_endtag(self, name):
        self._open.pop()

    def named(self, name: str):
        return [(attributes, around, inside) for each, attributes, around, inside in self.found if each == name]


def page_of(report: Report) -> str:
    return render(report, next_commands=samples.NEXT, seen=MAP)


def too_wide(style: str) -> list[str]:
    """Rules that ask for more than a telephone has; `min(100%, ...)` and `max-width` ask for nothing."""
    asked = re.findall(r"(?<!-)\b(?:min-)?width:\s*(\d+)px|minmax\((\d+)px", re.sub(r"@media \([^)]*\)", "", style))
    return [pixels for found in asked for pixels in found if pixels and int(pixels) > PHONE - MARGINS]


def test_nothing_asks_for_more_than_a_telephone_has():
    assert too_wide(STYLE) == []
    assert too_wide(".a { min-width: 420px; } .b { grid-template-columns: minmax(400px, 1fr); }") == ["420", "400"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.__name__)
def test_every_table_folds_or_scrolls_by_itself(sample):
    for attributes, around, _ in _Elements(page_of(sample())).named("table"):
        assert "wide" in around or FOLDED & set(attributes.get("class", "").split()), attributes
    for name in FOLDED:
        assert name == "time" or f"  .{name} tr" in STYLE[STYLE.index("@media (max-width") :], name


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.__name__)
def test_every_drawing_scales_and_says_what_it_shows_or_stands_beside_the_words(sample):
    drawings = _Elements(page_of(sample())).named("svg")
    assert len(drawings) > 10
    for attributes, _, inside in drawings:
        if attributes.get("class") == "chart":
            assert attributes.get("viewbox", "").startswith("0 0 "), attributes
        if attributes.get("aria-hidden") != "true" and inside:
            assert attributes.get("role") == "img" and inside[0] == "title", attributes
        assert "width" not in attributes and "height" not in attributes


def test_no_section_is_empty():
    for attributes, _, inside in _Elements(page_of(samples.regression())).named("section"):
        assert set(inside) - {"h2"}, attributes


def test_on_paper_nothing_is_cut_in_two_and_what_is_folded_is_left_out():
    rules = STYLE[STYLE.index("@media print") :]
    whole = re.search(r"([^{}]*)\{ break-inside: avoid; \}", rules).group(1)
    assert {"figure", "p", "tr", "li", ".confusion"} <= {each.strip() for each in whole.split(",")}
    assert "details:not([open]) { display: none; }" in rules and ".wide { overflow: visible; }" in rules


def test_every_colour_of_the_map_is_in_the_style():
    for name in [*(f"c{number}" for number in range(10)), "others", *(f"v{number}" for number in range(7))]:
        assert f".{name} {{ stroke:" in STYLE, name


def test_in_chinese_no_space_stands_between_two_sentences(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEEPWRIGHT_LANG", "zh")
    page = page_of(samples.many())
    assert 'lang="zh-Hans"' in page and "猫：" in page
    assert re.findall(r"[。，；：）] +[\u4e00-\u9fff]", re.sub(r"<[^>]*>", "", page)) == []


def test_options_stay_in_one_piece_and_figures_without_interval_have_few_digits():
    page = page_of(samples.binary())
    calibration = page[page.index(">calibration error</th>") :]
    figures = re.findall(r"<data[^>]*>([^<]*)</data>", calibration[: calibration.index("</tr>")])
    assert figures and all(re.fullmatch(r"0\.\d{2,4}", figure) for figure in figures), figures
    assert ".option { white-space: nowrap; }" in STYLE
    assert '：<code class="option">--prepare.columns</code>' in prose("若表示缺失：--prepare.columns 'a'")


@pytest.mark.parametrize(
    ("across", "up"),
    [
        ((0, 500_000), (0.9811, 0.9837)),
        ((1, 400), (-0.0021, 0.0017)),
        ((-1e6, 1e6), (-40_000, 30_000)),
        ((0, 1), (0, 1)),
    ],
)
def test_no_tick_of_a_chart_is_cut_at_its_edge_or_lies_on_the_label(
    across: tuple[float, float], up: tuple[float, float]
):
    chart = Axes(across, up).draw("title", "x", "y")
    ticks = re.findall(r'<text x="([\d.]+)"[^>]*class="tick (\w+)">([^<]*)<', chart)
    assert len(ticks) > 7
    for x, side, tick in ticks:
        width = 7.6 * len(tick)  # of a wide typeface at 12 pixels
        low, high = (float(x) - width, float(x)) if side == "end" else (float(x) - width / 2, float(x) + width / 2)
        assert low >= 14 and high <= WIDTH, (x, side, tick)  # left of 14 the label of the axis stands


def test_a_member_beyond_the_scale_is_explained_and_only_then():
    for sample in SAMPLES:
        page = page_of(sample())
        assert ('class="beyond"' in page) == ("too far off to be drawn" in page)
    assert any('class="beyond"' in page_of(sample()) for sample in SAMPLES)
