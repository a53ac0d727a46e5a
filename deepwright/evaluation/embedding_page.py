"""The section of the page with the embedding map: dots coloured by class or value, crosses where it errs."""

import numpy as np

from deepwright.core.report import Sentence
from deepwright.core.text import text
from deepwright.evaluation.embedding import NUM_STEPS, WORST_SHARE, EmbeddingMap
from deepwright.evaluation.markup import Markup, join, prose, tag
from deepwright.evaluation.wording import count, sentences, shown

WIDTH, HEIGHT, LEAST_HEIGHT, MARGIN = 360, 270, 90, 10
FEW_ROWS = 400
"""Up to which dots are large."""
CROSS = 2.5
"""Half of a cross, in units of the drawing."""


def map_section(found: EmbeddingMap | Sentence | None) -> Markup | None:
    """The map, how to read it and how not to; or why there is none. None: the run keeps no rows."""
    if found is None:
        return None
    if isinstance(found, Sentence):
        return tag("p", prose(found.text))
    drawn = {"n": count(len(found.points)), "rows": count(found.rows)}
    of_rows = text("embedding.of_all" if drawn["n"] == drawn["rows"] else "embedding.of_some", **drawn)
    across, up = (f"{share:.0%}" for share in found.shares)
    spread = text("embedding.spread", share=f"{sum(found.shares):.0%}", first=across, second=up)
    meaning, may = text("embedding.meaning"), text("embedding.may")
    if found.edges:
        meaning, may = text("embedding.meaning_of_values"), text("embedding.may_of_values")
    elif found.of_labels:
        meaning, may = text("embedding.meaning_of_labels"), text("embedding.may_of_labels")
    return join(
        tag("p", sentences(of_rows, meaning)),
        tag("figure", _drawing(found), tag("figcaption", _key(found)), class_="map"),
        tag("p", may, class_="note"),
        tag("p", sentences(text("embedding.may_not"), spread), class_="note"),
    )


def _drawing(found: EmbeddingMap) -> Markup:
    """Both axes on one scale, or distances would mislead; the rarer classes and then the marked rows on top."""
    places, height = _places(found.points)
    size = "few" if len(places) <= FEW_ROWS else "many"
    layers = []
    for is_marked, name in ((False, "dots"), (True, "crosses")):
        for group in np.unique(found.group[found.marked == is_marked]).tolist():
            rows = places[(found.group == group) & (found.marked == is_marked)]
            layers.append(tag("path", d=_strokes(rows, is_marked), class_=f"{name} {size} {_colour(found, group)}"))
    title = text("embedding.alternative", n=count(len(places)), marked=count(int(found.marked.sum())))
    box = f"0 0 {WIDTH} {height:g}"
    return tag("svg", tag("title", title), layers, viewBox=box, role="img", class_="chart")


def _places(points: np.ndarray) -> tuple[np.ndarray, float]:
    """float64 [N, 2], across and down in the drawing, and how high it is."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array([WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN])
    scale = float((room / np.maximum(high - low, 1e-12)).min())
    height = max(LEAST_HEIGHT, round((high - low)[1] * scale + 2 * MARGIN, 1))
    away = (points - (low + high) / 2) * scale * np.array([1.0, -1.0])
    return np.array([WIDTH / 2, height / 2]) + away, height


def _strokes(places: np.ndarray, is_marked: bool) -> str:
    """Dots as lines of no length with round ends: some bytes for each of thousands."""
    if not is_marked:
        return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places.tolist())
    arm = f"l{2 * CROSS} {2 * CROSS}m0-{2 * CROSS}l-{2 * CROSS} {2 * CROSS}"
    return "".join(f"M{x - CROSS:.1f} {y - CROSS:.1f}{arm}" for x, y in places.tolist())


def _colour(found: EmbeddingMap, group: int) -> str:
    if found.edges:
        last = len(found.edges) - 2
        return f"v{round(group * (NUM_STEPS - 1) / last) if last > 0 else NUM_STEPS // 2}"
    return "others" if found.num_others and group == len(found.names) - 1 else f"c{group}"


def _key(found: EmbeddingMap) -> Markup:
    """What the colours and shapes stand for, with the rows of each: the map in words."""
    num_colours = max(1, len(found.edges) - 1) if found.edges else len(found.names)
    entries = [_entry(found, group) for group in range(num_colours)]
    share = f"{WORST_SHARE:.0%}"
    wrong = text("embedding.wrong_labels" if found.of_labels else "embedding.wrong")
    crosses = text("embedding.largest_errors", share=share) if found.edges else wrong
    return tag("ul", entries, tag("li", _sign("crosses few plain", is_marked=True), crosses), class_="key-list")


def _entry(found: EmbeddingMap, group: int) -> Markup:
    is_in = found.group == group
    if found.edges:
        width = found.edges[-1] - found.edges[0]
        low, high = found.edges[group], found.edges[min(group + 1, len(found.edges) - 1)]
        words = text("embedding.values", low=shown(low, width / 10), high=shown(high, width / 10))
    else:
        wrong = int((is_in & found.marked).sum())
        name = found.names[group] or text(
            "embedding.other_sets" if found.of_labels else "embedding.others", count=count(found.num_others)
        )
        words = text("embedding.class_rows", level=name, n=count(int(is_in.sum())), wrong=count(wrong))
    return tag("li", _sign(f"dots few {_colour(found, group)}", is_marked=False), words)


def _sign(class_: str, *, is_marked: bool) -> Markup:
    stroke = tag("path", d=_strokes(np.array([[6.0, 6.0]]), is_marked), class_=class_)
    return tag("svg", stroke, viewBox="0 0 12 12", class_="sign", aria_hidden="true")
