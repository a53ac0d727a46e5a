"""The section of the page with each member's exhibits: confusions, curves and residuals."""

from typing import Any

from deepwright.core.report import Report
from deepwright.core.text import text
from deepwright.evaluation import charts
from deepwright.evaluation.charts import figure
from deepwright.evaluation.markup import Markup, join, tag
from deepwright.evaluation.wording import count, metric_label, middle_width, part_label, shown

MOST_COLUMNS = 20
"""Classes up to which the confusion matrix is drawn; beyond, the most confused pairs are listed."""


def evidence_section(report: Report) -> Markup | None:
    """The bundle's evidence open, that of the other members folded; the test part first."""
    exhibits: list[Markup] = []
    for part in ("test", "validation", "train"):
        members = report.evidence.get(part, {})
        others = [name for name in report.members if name in members and name != report.chosen]
        for member in [report.chosen, *others] if report.chosen in members else others:
            title = text("evaluate.evidence_title", member=member, part=part_label(part), n=count(members[member]["n"]))
            body = _body(members[member], report)
            first = not exhibits and member == report.chosen
            exhibits.append(tag("details", tag("summary", title), body, open=first))
    return join(exhibits) if exhibits else None


def _body(found: dict[str, Any], report: Report) -> Markup:
    if report.problem == "regression":
        return _regression(found)
    return _labels(found) if report.problem == "multi-label" else _classes(found, report)


def _labels(found: dict[str, Any]) -> Markup:
    drawn = figure(charts.reliability(found), text("evaluate.reliability"), text("evaluate.reliability_note"))
    return join(_class_table(found, text("evaluate.by_label")), tag("div", drawn, class_="charts"))


def _classes(found: dict[str, Any], report: Report) -> Markup:
    if "positive" in found:
        words = text("evaluate.positive_class", level=found["positive"])
    else:
        words = text("evaluate.curves_of_many", num=len(found["classes"]))
    drawn = (
        figure(charts.roc(found), text("evaluate.roc"), text("evaluate.roc_note")),
        figure(charts.precision_recall(found), text("evaluate.pr"), text("evaluate.pr_note")),
        figure(charts.reliability(found), text("evaluate.reliability"), text("evaluate.reliability_note")),
    )
    matrix = _confusion(found, report.levels) if len(report.levels) <= MOST_COLUMNS else None
    pairs = _most_confused(found) if len(report.levels) > 2 else None
    table = _class_table(found, text("evaluate.by_class"))
    return join(matrix, pairs, table, tag("p", words), tag("div", drawn, class_="charts"))


def _regression(found: dict[str, Any]) -> Markup:
    outside = found["density"]["outside"]
    density_note = text("evaluate.density_note", outside=count(outside)) if outside else None
    drawn = (
        figure(charts.predicted_against_true(found), text("evaluate.predicted_against_true"), density_note),
        figure(
            charts.residuals_by_prediction(found),
            text("evaluate.residuals_by_prediction"),
            text("evaluate.residuals_by_prediction_note"),
        ),
        figure(charts.residual_histogram(found), text("evaluate.residuals"), _histogram_note(found)),
    )
    return join(tag("div", drawn, class_="charts"), _quantiles(found["residuals"]))


def _histogram_note(found: dict[str, Any]) -> str | None:
    outside = found["residuals"]["histogram"]["outside"]
    return text("evaluate.density_note", outside=count(outside)) if outside else None


def _quantiles(residuals: dict[str, Any]) -> Markup:
    quantiles = residuals["quantiles"]
    span = max(quantiles.values()) - min(quantiles.values())
    head = tag("tr", [tag("th", f"{float(q):.0%}", class_="num") for q in quantiles])
    row = tag("tr", [tag("td", shown(value, span), class_="num") for value in quantiles.values()])
    table = tag("table", tag("thead", head), tag("tbody", row), class_="plain")
    caption = tag("p", text("evaluate.residual_quantiles"), class_="note")  # outside: it is not to scroll away
    return join(caption, tag("div", table, class_="wide"))


def _confusion(found: dict[str, Any], levels: tuple[str, ...]) -> Markup:
    """Counts of rows, true classes down and predicted ones across; shaded by the share of the true class."""
    head = tag("tr", tag("th", text("evaluate.true_and_predicted"), class_="corner"), [tag("th", x) for x in levels])
    rows = []
    for number, (level, counts) in enumerate(zip(levels, found["confusion"], strict=True)):
        total = sum(counts) or 1
        cells = [
            tag("td", count(n), class_=f"num s{charts.shade(n / total)}{' hit' if place == number else ''}")
            for place, n in enumerate(counts)
        ]
        rows.append(tag("tr", tag("th", level, scope="row"), cells))
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="confusion")
    return join(tag("h3", text("evaluate.confusion")), tag("div", table, class_="wide"))


def _most_confused(found: dict[str, Any]) -> Markup | None:
    pairs = found["confused"][:5]
    if not pairs:
        return None
    items = [tag("li", text("evaluate.confused_pair", true=t, predicted=p, n=count(n))) for t, p, n in pairs]
    return join(tag("h3", text("evaluate.most_confused")), tag("ul", items))


def _class_table(found: dict[str, Any], title: str) -> Markup:
    names = ("precision", "recall", "f1")
    head = tag(
        "tr", tag("td"), [tag("th", metric_label(name), class_="num") for name in names], tag("th", "n", class_="num")
    )
    width = middle_width((entry[name] or (0, None, None))[1:] for entry in found["classes"] for name in names)
    rows = []
    for entry in found["classes"]:
        cells = [tag("td", _triple(entry[name], width), data_member=metric_label(name), class_="num") for name in names]
        n = tag("td", count(entry["n"]), data_member="n", class_="num")
        rows.append(tag("tr", tag("th", entry["level"], scope="row"), cells, n))
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="numbers")
    return join(tag("h3", title), tag("div", table, class_="wide"))


def _triple(figures: list[float] | None, width: float | None) -> Markup:
    """A value with its interval, as `evidence` keeps them."""
    if figures is None:
        return join(shown(None))
    value, low, high = figures
    ends = text("evaluate.interval", low=shown(low, width), high=shown(high, width))
    return join(tag("span", shown(value, width), class_="value"), " ", tag("span", ends, class_="interval-text"))
