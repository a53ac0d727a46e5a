"""The map on the page: every row is drawn once, in its colour and shape, and told in words beside it."""

import re
from dataclasses import replace

import numpy as np
import pytest

from deepwright.core.report import Sentence
from deepwright.evaluation.embedding import EmbeddingMap
from deepwright.evaluation.embedding_page import HEIGHT, WIDTH, map_section

RNG = np.random.default_rng(0)


def of_classes(num: int = 60, *, names: tuple[str, ...] = ("猫", "狗"), others: int = 0) -> EmbeddingMap:
    group = np.arange(num) % len(names)
    marked = np.arange(num) % 10 == 0
    return EmbeddingMap(RNG.normal(size=(num, 2)), (0.5, 0.25), num, group, marked, names, others)


def of_values(num: int = 60) -> EmbeddingMap:
    edges = tuple(float(edge) for edge in range(0, 800, 100))
    marked = np.arange(num) % 20 == 0
    return EmbeddingMap(RNG.normal(size=(num, 2)), (0.5, 0.25), num * 9, np.arange(num) % 7, marked, edges=edges)


def drawn(page: str, shape: str) -> dict[str, int]:
    """How many rows each colour has in this shape, on the map itself."""
    (map_,) = re.findall(r'<svg[^>]*class="chart">.*?</svg>', page)
    found = re.findall(rf'<path d="([^"]*)" class="{shape} \w+ (\w+)"', map_)
    starts = {"dots": "h0", "crosses": "m0-"}
    return {colour: path.count(starts[shape]) for path, colour in found}


def test_every_row_is_drawn_once_in_the_colour_of_its_class_and_crossed_where_wrong():
    page = map_section(of_classes())
    assert drawn(page, "dots") == {"c0": 24, "c1": 30} and drawn(page, "crosses") == {"c0": 6}


def test_the_list_says_in_words_what_the_colours_stand_for():
    page = map_section(of_classes())
    assert "猫: 30 rows, 6 wrong" in page and "狗: 30 rows, 0 wrong" in page
    assert "Map of 60 validation rows; 6 of them" in page
    assert "together they show 75% of the spread of the rows (50% across, 25% up)" in page


def test_values_are_told_as_values_and_a_sample_as_a_sample():
    page = map_section(of_values())
    assert sum(drawn(page, "dots").values()) + sum(drawn(page, "crosses").values()) == 60
    assert set(drawn(page, "dots")) == {f"v{step}" for step in range(7)}
    assert "100 to 200" in page and "the 5% of the rows with the largest errors" in page
    assert "one of 60 rows, drawn at random from the 540 of validation" in page and "true class" not in page


def test_classes_without_a_colour_of_their_own_share_one():
    page = map_section(of_classes(names=(*"abcdefghi", ""), others=4))
    assert drawn(page, "dots")["others"] == 6 and "4 other classes: 6 rows" in page


def test_sets_of_labels_are_told_as_such():
    page = map_section(replace(of_classes(names=("fast, loud", "–", ""), others=3), of_labels=True))
    assert "fast, loud: 20 rows" in page and "–: 20 rows" in page and "3 other sets of labels: 20 rows" in page
    assert "The colour is the set of all labels that the row has" in page and "true class" not in page


def test_names_are_shown_as_text():
    page = map_section(of_classes(names=("<b>&", "two")))
    assert "<b>" not in page and "&lt;b&gt;&amp;: 30 rows" in page


@pytest.mark.parametrize("stretch", [(1.0, 1.0), (1.0, 0.01), (0.01, 1.0), (1.0, 0.0)])
def test_no_dot_lies_outside_and_both_axes_have_one_scale(stretch: tuple[float, float]):
    found = of_classes()
    points = found.points * np.array(stretch)
    page = map_section(EmbeddingMap(points, found.shares, 60, found.group, np.zeros(60, bool), found.names))
    width, height = (float(each) for each in re.search(r'viewBox="0 0 (\S+) (\S+)" role', page).groups())
    assert width == WIDTH and 0 < height <= HEIGHT
    places = np.array([[float(x), float(y)] for x, y in re.findall(r"M([\d.]+) ([\d.]+)h0", page.split("</svg>")[0])])
    assert (places > 0).all() and (places < [width, height]).all()
    scale = np.ptp(places, axis=0) / np.maximum(np.ptp(points, axis=0), 1e-9)
    assert stretch[1] == 0 or scale[0] == pytest.approx(scale[1], rel=0.1)


def test_why_there_is_no_map_is_said_with_the_option_as_code():
    told = Sentence(key="embedding.no_network", values={"member": "boosting"})
    assert "boosting ships" in map_section(told) and "<code>--ship network</code>" in map_section(told)
    assert map_section(None) is None
