"""The sections of the page that are words and tables: verdict, next command, numbers, findings, data, looks, record."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from deepwright.core.report import Finding, Number, Report
from deepwright.core.text import text
from deepwright.evaluation.charts import span_of, whisker
from deepwright.evaluation.markup import Markup, join, prose, tag
from deepwright.evaluation.wording import (
    METHODS,
    PARTS,
    SEVERITIES,
    count,
    leaderboard,
    metric_label,
    part_label,
    sentences,
    shown,
    shown_part,
    width_of,
)


def verdict_section(report: Report) -> Markup:
    """The verdict in words, and every member's main metric as a dot with its interval."""
    first, *others = [sentence.text for sentence in report.verdict] or [text("evaluate.no_verdict")]
    words = tag("p", first, class_="headline"), [tag("p", sentence) for sentence in others]
    part = shown_part(report)
    numbers = leaderboard(report, part)
    if not numbers:
        return join(words)
    higher = numbers[0].greater_is_better
    caption = text(
        "evaluate.board_caption",
        metric=metric_label(report.metric),
        part=part_label(part),
        direction=text("evaluate.higher_is_better") if higher else text("evaluate.lower_is_better"),
    )
    same_n = _same_n(numbers)
    caption = sentences(caption, _each_n(same_n))
    span = span_of(numbers)
    width = width_of(numbers)
    rows = [_board_row(n, span, width, same_n, is_chosen=n.member == report.chosen) for n in numbers]
    board = tag("table", tag("caption", caption), tag("tbody", rows), class_="board")
    is_beyond = any(n.value is not None and not span[0] <= n.value <= span[1] for n in numbers)
    beyond = tag("p", text("evaluate.beyond"), class_="note") if is_beyond else None
    return join(words, board, beyond, _marks(numbers))


def _same_n(numbers: Iterable[Number]) -> int | None:
    """The rows that all numbers are of; None where they differ."""
    counts = {number.n for number in numbers}
    return counts.pop() if len(counts) == 1 else None


def _each_n(same_n: int | None) -> str:
    return "" if same_n is None else text("evaluate.each_n", n=count(same_n))


def _board_row(
    number: Number, span: tuple[float, float], width: float | None, same_n: int | None, *, is_chosen: bool
) -> Markup:
    badge = tag("span", text("evaluate.in_bundle"), class_="badge") if is_chosen else None
    return tag(
        "tr",
        tag("th", number.member, " ", badge, scope="row"),
        tag("td", whisker(number, span), class_="plot"),
        tag("td", _figure(number, width), class_="num"),
        None if same_n is not None else tag("td", f"n = {count(number.n)}", class_="num soft"),
        class_="chosen" if is_chosen else None,
    )


def next_section(commands: list[str]) -> Markup | None:
    if not commands:
        return None
    return tag("ol", [tag("li", tag("pre", tag("code", command))) for command in commands], class_="commands")


def numbers_section(report: Report) -> Markup:
    """Every number of the report, the test part first."""
    parts = [part for part in ("test", "validation", "train") if any(n.part == part for n in report.numbers)]
    return join([_numbers_table(report, part) for part in parts], _marks(report.numbers), _methods(report.numbers))


def _numbers_table(report: Report, part: str) -> Markup:
    found = {(n.metric, n.member): n for n in report.numbers if n.part == part}
    metrics = list(dict.fromkeys(metric for metric, _ in found))
    members = [m for m in report.members if any((metric, m) in found for metric in metrics)]
    same_n = _same_n(found.values())
    head = tag("tr", tag("td"), [_member_head(report, member) for member in members])
    rows = []
    for metric in metrics:
        width = _width([n for (name, _), n in found.items() if name == metric])
        cells = [tag("td", _cell(found.get((metric, m)), same_n, width), data_member=m, class_="num") for m in members]
        rows.append(tag("tr", tag("th", metric_label(metric), scope="row"), cells))
    caption = tag("caption", sentences(text("evaluate.numbers_caption", part=part_label(part)), _each_n(same_n)))
    return tag("div", tag("table", caption, tag("thead", head), tag("tbody", rows), class_="numbers"), class_="wide")


def _width(numbers: Sequence[Number]) -> float | None:
    """What decides the digits of a row: its intervals, or a fifth of the largest value where there are none."""
    return width_of(numbers) or max((abs(n.value) for n in numbers if n.value is not None), default=0.0) / 5 or None


def _member_head(report: Report, member: str) -> Markup:
    badge = tag("span", text("evaluate.in_bundle"), class_="badge") if member == report.chosen else None
    return tag("th", member, " ", badge, scope="col", class_="num")


def _cell(number: Number | None, same_n: int | None, width: float | None) -> Markup:
    if number is None:
        return join("")
    own_n = None if same_n is not None else tag("span", f"n = {count(number.n)}", class_="interval-text")
    return join(_figure(number, width), own_n)


def _figure(number: Number, width: float | None) -> Markup:
    """Value, interval and the mark of optimism; the full value stands in the markup."""
    mark = tag("sup", "°", title=text("evaluate.optimistic")) if number.optimistic else None
    value = tag("span", tag("data", shown(number.value, width), value=number.value), mark, class_="value")
    if number.low is None or number.high is None:
        return value
    low, high = (tag("data", shown(end, width), value=end) for end in (number.low, number.high))
    return join(value, " ", tag("span", *_ends(low, high), class_="interval-text"))


def _ends(low: Markup, high: Markup) -> Iterable[object]:
    """`(0.867 to 0.875)` with the two ends as markup."""
    before, between, after = text("evaluate.interval", low="\x00", high="\x00").split("\x00")
    return before, low, between, high, after


def _marks(numbers: Iterable[Number]) -> Markup | None:
    if not any(number.optimistic for number in numbers):
        return None
    return tag("p", tag("sup", "°"), " ", text("evaluate.optimistic"), class_="note")


def _methods(numbers: Iterable[Number]) -> Markup:
    used = [method for method in METHODS if any(n.method == method for n in numbers)]
    by_method = {m: list(dict.fromkeys(metric_label(n.metric) for n in numbers if n.method == m)) for m in used}
    items = [tag("li", ", ".join(by_method[m]), ": ", text(METHODS[m])) for m in used]
    return join(tag("p", text("evaluate.interval_meaning"), class_="note"), tag("ul", items, class_="note"))


def findings_section(report: Report) -> Markup:
    """What was found, the gravest first; and the exemptions that were granted."""
    items = [_finding(f) for severity in SEVERITIES for f in report.findings if f.severity == severity]
    found = tag("ul", items, class_="findings") if items else tag("p", text("evaluate.no_findings"))
    if not report.exemptions:
        return join(found, tag("p", text("evaluate.no_exemptions"), class_="soft"))
    exemptions = tag("ul", [tag("li", sentence.text) for sentence in report.exemptions], class_="exemptions")
    return join(found, tag("h3", text("evaluate.exemptions")), exemptions)


def _finding(found: Finding) -> Markup:
    severity = tag("span", text(SEVERITIES[found.severity]), class_=f"severity {found.severity}")
    return tag("li", severity, tag("div", prose(found.text), " ", tag("code", found.rule, class_="soft")))


def data_section(report: Report) -> Markup:
    """Where every row went."""
    data = report.data
    aside = sum(entry.count for entry in data.set_aside)
    equation = text(
        "evaluate.rows_equation", rows_in=count(data.rows_in), kept=count(data.rows_kept), aside=count(aside)
    )
    rows = [
        tag(
            "tr",
            tag("th", entry.reason, scope="row"),
            tag("td", count(entry.count), class_="num"),
            tag("td", ", ".join(str(row) for row in entry.rows[:10]), class_="soft"),
        )
        for entry in data.set_aside
    ]
    head = [text("evaluate.reason"), text("evaluate.rows"), text("evaluate.first_rows")]
    aside_table = tag(
        "table", tag("thead", tag("tr", [tag("th", h) for h in head])), tag("tbody", rows), class_="plain"
    )
    parts = tag(
        "ul", [_part_item(report, part, data.parts[part]) for part in PARTS if part in data.parts], class_="parts"
    )
    wide = tag("div", aside_table, class_="wide") if rows else None
    return join(tag("p", equation, class_="equation"), parts, wide)


def _part_item(report: Report, part: str, n: int) -> Markup:
    share = n / max(1, sum(report.data.parts.values()))
    bar = tag("svg", tag("rect", width=f"{share:.2%}", height="100%", class_="bar"), class_="share", aria_hidden="true")
    words = text("evaluate.part_rows", part=part_label(part), n=count(n), share=f"{share:.0%}")
    return tag("li", tag("span", words), bar)


def looks_section(report: Report) -> Markup:
    if not report.looks:
        return tag("p", text("evaluate.no_looks"))
    rows = [
        tag(
            "tr",
            tag("td", look.number),
            tag("td", look.when.replace("T", " ", 1)),
            tag("td", look.run),
            tag("td", look.reason or "–"),
        )
        for look in report.looks
    ]
    titles = ("#", text("evaluate.when"), text("evaluate.run"), text("evaluate.reason"))
    head = tag("tr", [tag("th", title) for title in titles])
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="plain")
    known = tag("p", text("evaluate.looks_known", looks=len(report.looks)))
    return join(known, tag("div", table, class_="wide"))


def record_section(report: Report) -> Markup:
    """What it takes to check or repeat this result; what is known of the training stands in its own section."""
    longest_first = sorted(report.seconds.items(), key=lambda entry: (-entry[1], entry[0]))
    seconds = ", ".join(f"{name} {value:.1f} s" for name, value in longest_first)
    fingerprints = report.data.fingerprints
    entries = {
        text("evaluate.recipe_hash"): report.recipe_hash,
        text("evaluate.bundle"): report.bundle,
        text("evaluate.bundle_digest"): report.bundle_digest,
        text("evaluate.source_hash"): report.data.source_sha256,
        **{
            text("evaluate.fingerprint", part=part_label(part)): fingerprints[part]
            for part in PARTS
            if part in fingerprints
        },
        text("evaluate.seconds"): seconds,
        **_flat({name: value for name, value in report.environment.items() if name != "network"}),
    }
    pairs = [(tag("dt", name), tag("dd", value)) for name, value in entries.items()]
    return tag("dl", pairs, class_="record")


def _flat(tree: dict[str, Any], before: str = "") -> dict[str, str]:
    """Nested values under dotted names, in the order of the names."""
    entries: dict[str, str] = {}
    for name, value in sorted(tree.items()):
        if isinstance(value, dict):
            entries |= _flat(value, f"{before}{name}.")
        else:
            words = f"{value:.3g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
            entries[before + name] = value if isinstance(value, str) else words
    return entries
