"""The sections of the page on where the bundle fails, which inputs it uses and what it costs."""

import base64
from collections.abc import Mapping
from html import escape
from typing import Any

from deepwright.core.report import Report
from deepwright.core.text import text
from deepwright.evaluation.conditions import words_of
from deepwright.evaluation.markup import Markup, join, prose, tag
from deepwright.evaluation.wording import count, metric_label, middle_width, part_label, shown
from deepwright.evaluation.worst import Example, Examples

SHOWN_INPUTS = 15
"""Inputs whose importance is shown at once; the others are folded."""
SHOWN_VALUES = 6
"""Values of an example that are shown at once, those of the inputs that matter most."""
SHOWN_ROWS = 5
"""Worst rows that are shown at once."""


def failing_section(report: Report, examples: Examples | None) -> Markup | None:
    """Slices of the rows, then the worst rows themselves."""
    slices = _slices(report)
    if slices is None and examples is None:
        return None
    rows = tag("p", text("failing.no_rows"), class_="soft") if examples is None else _worst(examples)
    return join(slices, tag("h3", text("failing.worst")), rows)


def importance_section(report: Report) -> Markup | None:
    """How much worse the bundle gets without each input, as bars with intervals."""
    found = _of_chosen(report, "validation").get("importance")
    if not found:
        return None
    entries = found["inputs"]
    span = min(0.0, *(entry["low"] for entry in entries)), max(1e-12, *(entry["high"] for entry in entries))
    width = middle_width((entry["low"], entry["high"]) for entry in entries)
    rows = [_input_row(entry, span, width) for entry in entries]
    label = metric_label(found["metric"])
    note = text("failing.importance_note", metric=label, n=count(found["n"]), repeats=found["repeats"])
    at_once = SHOWN_INPUTS if len(rows) > SHOWN_INPUTS + 3 else len(rows)
    table = tag("table", tag("tbody", rows[:at_once]), class_="bars")
    more = rows[at_once:]
    folded = None
    if more:
        title = tag("summary", text("failing.more_inputs", count=len(more)))
        folded = tag("details", title, tag("table", tag("tbody", more), class_="bars"))
    return join(tag("p", note), table, folded)


def cost_section(report: Report) -> Markup | None:
    """Bytes, memory and time of the bundle, and the machine that they are of."""
    cost = report.footprint
    if cost is None:
        return None
    facts = {text("failing.on_disk"): size_words(cost.disk_bytes)}
    if cost.memory_bytes is not None:
        facts[text("failing.in_memory")] = size_words(cost.memory_bytes)
    for each in cost.latency:
        name = text("failing.call_of_one") if each.rows == 1 else text("failing.call_of_many", rows=count(each.rows))
        spent, of_row = time_words(each.median_s), time_words(each.median_s / each.rows)
        facts[name] = spent if each.rows == 1 else text("failing.per_row", seconds=spent, row=of_row)
    facts[text("failing.machine")] = cost.machine
    pairs = [(tag("dt", name), tag("dd", words)) for name, words in facts.items()]
    calls = ", ".join(count(each.calls) for each in cost.latency)
    return join(
        tag("dl", pairs, class_="facts"), tag("p", prose(text("failing.cost_note", calls=calls)), class_="note")
    )


def cost_line(report: Report) -> str | None:
    """The same in one terminal line."""
    cost = report.footprint
    if cost is None:
        return None
    calls = ", ".join(f"{time_words(each.median_s)} / {each.rows}" for each in cost.latency)
    return text("failing.cost_line", disk=size_words(cost.disk_bytes), calls=calls)


def size_words(size: int) -> str:
    """Bytes in the unit that suits.

    >>> size_words(812), size_words(511_712), size_words(3_500_000_000)
    ('812 B', '512 kB', '3.5 GB')
    """
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= limit:
            return f"{size / limit:.3g} {unit}" if size / limit < 100 else f"{size / limit:.0f} {unit}"
    return f"{size} B"


def time_words(seconds: float) -> str:
    """Seconds in the unit that suits.

    >>> time_words(0.000142), time_words(0.0123), time_words(2.0)
    ('142 µs', '12.3 ms', '2 s')
    """
    for limit, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= limit:
            return f"{seconds / limit:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def _of_chosen(report: Report, part: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = report.evidence.get(part, {}).get(report.chosen, {})
    return found


def _slices(report: Report) -> Markup | None:
    found = _of_chosen(report, "validation").get("slices")
    if found is None:
        return None
    values = {"n": count(found["searched"]), "candidates": count(found["candidates"])}
    if not found["candidates"]:
        return tag("p", text("failing.too_few", n=values["n"]))
    if not found["found"]:
        return tag("p", text("failing.no_slices", **values))
    tested = _of_chosen(report, "test").get("slices", {"found": []})["found"]
    on_test = {words_of(one["conditions"]): one for one in tested}
    metric = metric_label(found["metric"])
    promised = any(one["expected"] is not None for one in found["found"])
    titles = [metric, text("failing.rest"), *([text("failing.promised")] if promised else []), "n"]
    titles += [text("failing.on_part", metric=metric, part=part_label("test"))] if on_test else []
    head = tag("tr", tag("th", text("failing.where")), [tag("th", title, class_="num") for title in titles])
    width = middle_width((one["low"], one["high"]) for one in found["found"])
    rows = []
    for one in found["found"]:
        where = words_of(one["conditions"])
        cells = [_with_ends(one, width), join(shown(one["rest"], width))]
        cells += [join(shown(one["expected"], width))] if promised else []
        cells += [join(count(one["n"]))]
        cells += [_with_ends(on_test.get(where), width)] if on_test else []
        named = [tag("td", c, data_member=title, class_="num") for c, title in zip(cells, titles, strict=True)]
        rows.append(tag("tr", tag("th", where, scope="row"), named))
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="numbers slices")
    notes = [tag("p", text("failing.promised_note"), class_="note")] if promised else []
    told = text("failing.slices_note" if not on_test else "failing.slices_note_tested")
    return join(
        tag("p", text("failing.slices", **values)),
        tag("div", table, class_="wide"), notes, tag("p", told, class_="note"),
    )  # fmt: skip


def _with_ends(one: Mapping[str, Any] | None, width: float | None) -> Markup:
    if one is None:
        return join(shown(None))
    ends = None
    if one["low"] is not None:
        words = text("evaluate.interval", low=shown(one["low"], width), high=shown(one["high"], width))
        ends = tag("span", words, class_="interval-text")
    n = tag("span", f"n = {count(one['n'])}", class_="interval-text") if "z" not in one else None
    return join(tag("span", shown(one["value"], width), class_="value"), " ", ends, n)


def _worst(examples: Examples) -> Markup:
    if not examples.worst:
        return tag("p", text("failing.none_wrong", n=count(examples.n)))
    pairs = [
        join(tag("h4", text("evaluate.confused_pair", true=true, predicted=said, n=count(n))), _cards(found))
        for true, said, n, found in examples.confused
    ]
    confused = None
    if pairs:
        confused = tag("details", tag("summary", text("failing.confused_rows")), pairs)
    note = text("failing.worst_note" if examples.has_classes else "failing.worst_note_of_values")
    first, others = examples.worst[:SHOWN_ROWS], examples.worst[SHOWN_ROWS:]
    more = None
    if others:
        more = tag("details", tag("summary", text("failing.more_rows", count=len(others))), _cards(others))
    return join(tag("p", note, class_="note"), _cards(first), more, confused)


def _cards(found: tuple[Example, ...]) -> Markup:
    return tag("ol", [_card(example) for example in found], class_="rows")


def _card(example: Example) -> Markup:
    """True and answered first, then the inputs that matter most; the rest is folded."""
    place = text("failing.row", row=count(example.row))
    place = place if example.file is None else f"{example.file}, {place}"
    head = (
        tag("span", text("failing.truth"), " ", tag("b", example.truth)),
        tag("span", text("failing.said"), " ", tag("b", example.said)),
        tag("span", place, class_="soft"),
    )
    values = [tag("li", tag("span", name, class_="soft"), " ", _value(value)) for name, value in example.values.items()]
    folded = None
    if len(values) > SHOWN_VALUES + 2:
        values, others = values[:SHOWN_VALUES], values[SHOWN_VALUES:]
        title = tag("summary", text("failing.more_values", count=len(others)))
        folded = tag("details", title, tag("ul", others, class_="values"))
    pictures = [_picture(example, name, png) for name, png in example.pictures.items()]
    return tag("li", pictures, tag("p", head, class_="answered"), tag("ul", values, class_="values"), folded)


def _picture(example: Example, name: str, png: bytes) -> Markup:
    words = text("failing.picture", feature=name, row=count(example.row))
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return Markup(f'<img class="picture" src="{source}" alt="{escape(words)}">')


def _value(value: str | None) -> Markup:
    return tag("i", text("failing.missing")) if value is None else tag("span", value)


def _input_row(entry: Mapping[str, Any], span: tuple[float, float], width: float | None) -> Markup:
    """One bar from zero to the value, with the interval as a line over it."""

    def place(value: float) -> float:
        return round(100 * (value - span[0]) / (span[1] - span[0]), 2)

    ends = sorted((place(0.0), place(entry["value"])))
    bar = {"x": f"{ends[0]}%", "width": f"{ends[1] - ends[0]:.2f}%"}
    low, high = f"{place(entry['low'])}%", f"{place(entry['high'])}%"
    zero = tag("line", x1=f"{place(0.0)}%", x2=f"{place(0.0)}%", y1="0%", y2="100%", class_="grid")
    marks = (
        tag("rect", height="60%", y="20%", class_="bar", **bar),
        tag("line", x1=low, x2=high, y1="50%", y2="50%", class_="error"),
        zero,
    )
    words = text("evaluate.interval", low=shown(entry["low"], width), high=shown(entry["high"], width))
    together = ", ".join(entry["together"])
    alike = tag("span", text("failing.together", features=together), class_="interval-text") if together else None
    value = tag("span", shown(entry["value"], width), class_="value"), " ", tag("span", words, class_="interval-text")
    return tag(
        "tr",
        tag("th", entry["feature"], alike, scope="row"),
        tag("td", tag("svg", marks, class_="effect", aria_hidden="true"), class_="plot"),
        tag("td", value, class_="num"),
    )
