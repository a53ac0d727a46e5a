"""A comparison as one offline HTML file: what it says, and each difference as a dot with its interval beside zero."""

from deepwright.core.text import text
from deepwright.evaluation.axes import padded
from deepwright.evaluation.comparison import Compared, Comparison, num_judged
from deepwright.evaluation.markup import Markup, join, tag
from deepwright.evaluation.page import document
from deepwright.evaluation.wording import count, metric_label, part_label, shown, with_interval


def comparison_page(comparison: Comparison) -> str:
    """The whole page, in the language of `DEEPWRIGHT_LANG`."""
    names = ", ".join(comparison.contestants)
    stamp = text("evaluate.stamp_part", part=part_label(comparison.part), n=count(comparison.rows))
    looks = [text("compare.looks", run=run, looks=seen) for run, seen in comparison.looks.items()]
    header = tag(
        "header",
        tag("p", "Deepwright", class_="brand"),
        tag("h1", text("compare.title")),
        tag("p", names, class_="soft"),
        tag("p", tag("span", stamp, class_="stamp"), [tag("span", seen, class_="stamp seal") for seen in looks]),
    )
    first, *others = [sentence.text for sentence in comparison.verdict]
    words = tag("p", first, class_="headline"), [tag("p", sentence) for sentence in others]
    metrics = dict.fromkeys(each.metric for each in comparison.compared)
    body = tag("section", words), [_metric_section(comparison, metric) for metric in metrics]
    note = text("compare.together", count=num_judged(comparison.compared))
    marks = [tag("p", "° ", text("evaluate.optimistic"), class_="note")] if _is_marked(comparison) else []
    left_out = [tag("p", text("compare.left_out", count=count(comparison.left_out)))] if comparison.left_out else []
    page = tag("main", body, tag("section", tag("p", note, class_="note"), marks, left_out))
    return document(text("compare.title"), join(header, page))


def _is_marked(comparison: Comparison) -> bool:
    return any(each.optimistic for each in comparison.compared)


def _metric_section(comparison: Comparison, metric: str) -> Markup:
    """One metric's differences, all on one scale that holds zero."""
    found = [each for each in comparison.compared if each.metric == metric]
    ends = [end for each in found for end in (each.low, each.high, each.value) if end is not None]
    span = padded(min(0.0, *ends), max(0.0, *ends)) if ends else (-1.0, 1.0)
    values = ", ".join(f"{name} {shown(of[metric])}" for name, of in comparison.values.items())
    is_greater = bool(found) and found[0].greater_is_better
    direction = text("evaluate.higher_is_better") if is_greater else text("evaluate.lower_is_better")
    table = tag("table", tag("tbody", [_row(each, span) for each in found]), class_="board")
    return tag("section", tag("h2", metric_label(metric)), tag("p", f"{values} · {direction}", class_="soft"), table)


def _row(each: Compared, span: tuple[float, float]) -> Markup:
    figure = with_interval(each.value, each.low, each.high) + ("°" if each.optimistic else "")
    return tag(
        "tr",
        tag("th", f"{each.b} − {each.a}", scope="row"),
        tag("td", _drawn(each, span), class_="plot"),
        tag("td", figure, class_="num"),
        tag("td", each.better or "–", class_="num soft"),
        class_="chosen" if each.better else None,
    )


def _drawn(each: Compared, span: tuple[float, float]) -> Markup:
    """The difference and its interval on a line, and where zero is."""

    def place(value: float) -> str:
        return f"{round(2 + 96 * (value - span[0]) / (span[1] - span[0]), 2)}%"

    marks = [tag("line", x1=place(0.0), x2=place(0.0), y1="0%", y2="100%", class_="grid")]
    if each.low is not None and each.high is not None:
        marks.append(tag("line", x1=place(each.low), x2=place(each.high), y1="50%", y2="50%", class_="interval"))
    if each.value is not None:
        marks.append(tag("circle", cx=place(each.value), cy="50%", r=5, class_="dot"))
    title = tag("title", f"{each.b} − {each.a}: {shown(each.value)}")
    return tag("svg", title, join(*marks), class_="whisker", role="img")
