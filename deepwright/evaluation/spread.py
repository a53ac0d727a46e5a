"""How far results spread over training seeds, as a section of the page and a line of the terminal."""

from deepwright.core.report import Report, Spread
from deepwright.core.text import text
from deepwright.evaluation.markup import Markup, tag
from deepwright.evaluation.wording import metric_label, shown


def spread_lines(report: Report) -> list[str]:
    """The main metric of the member that ships and of the network, where several seeds were learned."""
    members = dict.fromkeys((report.chosen, "network"))
    found = [s for member in members for s in report.spread if (s.member, s.metric) == (member, report.metric)]
    return [_line(spread) for spread in found]


def _line(spread: Spread) -> str:
    named = {"seeds": len(spread.values), "member": spread.member, "metric": metric_label(spread.metric)}
    if spread.sd == 0:
        return text("seeds.same", **named, mean=shown(spread.mean))
    return text("seeds.lines", **named, place=spread.place, **_figures(spread))


def spread_section(report: Report) -> Markup | None:
    """Every member's metrics over the seeds; members that no seed changes are left out."""
    rows = [_row(spread) for spread in report.spread if spread.sd > 0]
    if not rows:
        return None
    titles = ("", "", text("seeds.mean"), text("seeds.sd"), text("seeds.range"), text("seeds.shipped"))
    head = tag("tr", [tag("th", title, scope="col", class_="num" if i > 1 else None) for i, title in enumerate(titles)])
    caption = tag("caption", text("seeds.caption", seeds=len(report.seeds)))
    table = tag("table", caption, tag("thead", head), tag("tbody", rows), class_="numbers")
    return tag("div", table, class_="wide")


def _row(spread: Spread) -> Markup:
    figures = _figures(spread)
    ends = text("evaluate.interval", low=figures["low"], high=figures["high"]).strip("()（）")
    shipped = f"{shown(spread.values[0], spread.high - spread.low)} ({spread.place})"
    cells = (figures["mean"], figures["sd"], ends, shipped)
    return tag(
        "tr",
        tag("th", spread.member, scope="row"),
        tag("td", metric_label(spread.metric)),
        [tag("td", cell, class_="num") for cell in cells],
    )


def _figures(spread: Spread) -> dict[str, str]:
    width = spread.high - spread.low
    return {
        "mean": shown(spread.mean, width),
        "sd": shown(spread.sd, spread.sd),
        "low": shown(spread.low, width),
        "high": shown(spread.high, width),
    }
