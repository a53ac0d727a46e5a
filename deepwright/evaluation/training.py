"""The section on the network's training: how it ended, what it ran on, where the time went, its learning curves."""

from collections.abc import Mapping
from typing import Any

from deepwright.core.report import Report
from deepwright.core.text import text
from deepwright.evaluation import charts
from deepwright.evaluation.markup import Markup, join, tag
from deepwright.evaluation.wording import count, metric_label, part_label, shown

STOPPED = {
    "epochs": "evaluate.stopped_epochs",
    "patience": "evaluate.stopped_patience",
    "budget": "evaluate.stopped_budget",
}
PHASES = {
    "data": "evaluate.phase_data",
    "forward": "evaluate.phase_forward",
    "backward": "evaluate.phase_backward",
    "update": "evaluate.phase_update",
    "judging": "evaluate.phase_judging",
    "checkpoints": "evaluate.phase_checkpoints",
    "rest": "evaluate.phase_rest",
}
SWITCHES = {
    "channels_last": "evaluate.plan_channels_last",
    "bf16": "evaluate.plan_bf16",
    "cheap_dropout": "evaluate.plan_cheap_dropout",
    "one_thread": "evaluate.plan_one_thread",
    "keep_memory": "evaluate.plan_keep_memory",
}


def training_section(report: Report) -> Markup | None:
    """How training ended and what it took, then loss and main metric per epoch as curves and as a folded table."""
    notes = _notes(report)
    curves = _curves(report, notes)
    if not notes and curves is None:
        return None
    ending = tag("p", _ending(report, notes)) if notes else None
    facts = [(tag("dt", name), tag("dd", words)) for name, words in _facts(notes).items()]
    told = [tag("li", words) for words in _incidents(notes)]
    return join(
        ending,
        tag("ul", told, class_="incidents") if told else None,
        tag("div", tag("dl", facts, class_="facts"), _time_table(notes), class_="training") if facts else None,
        curves,
    )


def training_lines(report: Report) -> list[str]:
    """The same in a few terminal lines."""
    notes = _notes(report)
    if not notes:
        return []
    lines = [text("evaluate.training_line", ending=_ending(report, notes)), *("  " + t for t in _incidents(notes))]
    shares = spent_shares(notes)
    if shares:
        phases = ", ".join(f"{text(PHASES[name])} {share:.0%}" for name, (_, share) in shares.items() if share >= 0.005)
        lines.append("  " + text("evaluate.time_line", phases=phases))
    if notes.get("speed"):
        lines.append("  " + text("evaluate.speed_line", plan=_plan(notes["speed"]), why=_reason(notes)))
    return lines


def spent_shares(notes: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Seconds and share of the training's time by phase, in the order of a step; what no phase counts is the rest.

    >>> spent_shares({"spent_s": {"data": 1.0, "forward": 2.0}, "seconds": 4.0})
    {'data': (1.0, 0.25), 'forward': (2.0, 0.5), 'rest': (1.0, 0.25)}
    """
    spent = dict(notes.get("spent_s") or {})
    counted = sum(spent.values())
    total = max(counted, float(notes.get("seconds") or 0.0))
    if not total:
        return {}
    seconds = {**spent, "rest": total - counted}
    return {name: (seconds[name], seconds[name] / total) for name in PHASES if name in seconds}


def _notes(report: Report) -> dict[str, Any]:
    return dict(report.environment.get("network") or {})


def _ending(report: Report, notes: Mapping[str, Any]) -> str:
    """Why it stopped, after how much, and whose weights are kept."""
    done = len(report.history)
    key = STOPPED.get(notes.get("stopped") or "", "evaluate.stopped_epochs")
    why = text(key, epochs=count(done), most=count(notes.get("epochs") or done))
    best = notes.get("best_epoch")
    if best is None:
        return why
    kept = text("evaluate.best_epoch", epoch=best, metric=metric_label(notes.get("watch") or report.metric))
    return text("evaluate.sentences", first=why, second=kept)


def _facts(notes: Mapping[str, Any]) -> dict[str, str]:
    """What the training was and ran on, by name; what an older report does not know is left out."""
    facts: dict[str, str] = {}
    if "weights" in notes:
        facts[text("evaluate.fact_size")] = text(
            "evaluate.fact_size_value", weights=count(notes["weights"]), steps=count(notes["steps"])
        )
    if notes.get("speed"):
        facts[text("evaluate.fact_speed")] = _plan(notes["speed"])
        facts[text("evaluate.fact_reason")] = _reason(notes)
    planned = _last(notes, "planned")
    if planned is not None:
        facts[text("evaluate.fact_checks")] = _checks(planned)
        if planned["refused"]:
            facts[text("evaluate.fact_refused")] = "; ".join(map(_left, planned["refused"]))
    if "threads" in notes:
        facts[text("evaluate.fact_threads")] = str(notes["threads"])
    if "memory_peak_bytes" in notes:
        size = f"{notes['memory_peak_bytes'] / 2**20:,.0f}"
        facts[text("evaluate.fact_memory")] = text("evaluate.fact_memory_value", size=size)
    return facts


def _plan(plan: Mapping[str, Any]) -> str:
    """What the steps ran on, in words."""
    words = [text("evaluate.plan_precision", precision=plan["precision"])]
    words += [text(key) for name, key in SWITCHES.items() if plan.get(name)]
    return " · ".join(words)


def _reason(notes: Mapping[str, Any]) -> str:
    """Why the plan is what it is."""
    planned = _last(notes, "planned")
    if planned is not None:
        return text("evaluate.plan_measured", gain=f"{planned['gain']:.2f}", seconds=f"{planned['seconds']:.1f}")
    if notes.get("speed_asked") != "auto":
        return text("evaluate.plan_exact")
    day = notes.get("speed_measured")
    return text("evaluate.plan_measured_before", day=day) if day else text("evaluate.plan_taken_over")


def _checks(planned: Mapping[str, Any]) -> str:
    error = text("evaluate.plan_error", error=f"{planned['error']:.0e}")
    if planned["bf16_gap"] is None:
        return error
    gap = text("evaluate.plan_gap", gap=f"{planned['bf16_gap']:.1e}")
    return text("evaluate.sentences", first=error, second=gap)


def _left(told: Mapping[str, str] | str) -> str:
    """Why a way to be faster was left; older reports hold it as a sentence."""
    return told if isinstance(told, str) else text(told["why"], way=told["way"], found=told["found"])


def _incidents(notes: Mapping[str, Any]) -> list[str]:
    """What happened on the way that a reader should know, in the order of time."""
    told = []
    for event in notes.get("events") or ():
        if event["event"] == "nonfinite":
            told.append(
                text(
                    "train.live.non_finite", step=event["step"], what=event["what"], layer=event["layer"],
                    rows=", ".join(map(str, event["rows"])) or "–", scale=f"{event['lr_scale']:g}",
                )
            )  # fmt: skip
        elif event["event"] == "shrunk":
            told.append(text("train.live.shrunk", step=event["step"], rows=event["micro_batch"]))
        elif event["event"] == "resumed":
            told.append(text("train.live.resumed", epoch=event["epoch"], step=event["step"]))
            told += [text("train.live.changes", changes=", ".join(event["changes"]))] if event["changes"] else []
    return told


def _last(notes: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    return next((event for event in reversed(notes.get("events") or ()) if event["event"] == name), None)


def _time_table(notes: Mapping[str, Any]) -> Markup | None:
    """Seconds and share of each phase, with the share as a bar."""
    shares = spent_shares(notes)
    if not shares:
        return None
    rows = []
    for name, (seconds, share) in shares.items():
        bar = tag("rect", width=f"{share:.2%}", height="100%", class_="bar")
        rows.append(
            tag(
                "tr",
                tag("th", text(PHASES[name]), scope="row"),
                tag("td", tag("svg", bar, class_="share", aria_hidden="true"), class_="plot"),
                tag("td", f"{share:.0%}", class_="num"),
                tag("td", text("train.live.seconds", seconds=f"{seconds:.2f}"), class_="num soft"),
            )
        )
    total = sum(seconds for seconds, _ in shares.values())
    caption = tag("caption", text("evaluate.time_caption", seconds=f"{total:.1f}"))
    return tag("table", caption, tag("tbody", rows), class_="time")


def _curves(report: Report, notes: Mapping[str, Any]) -> Markup | None:
    """Loss and main metric per epoch with the kept epoch marked; None before there are two epochs."""
    main = next((n for n in report.numbers if n.metric == report.metric), None)
    best = notes.get("best_epoch") or charts.best_epoch_of(
        report.history, report.metric, main.greater_is_better if main else True
    )
    drawn = {name: charts.learning_curve(report.history, name, best) for name in ("loss", report.metric)}
    if not any(drawn.values()):
        return None
    keys = [_key(text("evaluate.part_train"), "line train"), _key(text("evaluate.part_validation"), "line validation")]
    keys += [_key(text("evaluate.kept_epoch", epoch=best), "mark")] if best else []
    figures = [charts.figure(chart, metric_label(name)) for name, chart in drawn.items() if chart]
    table = tag("details", tag("summary", text("evaluate.epochs_table")), _epochs(report, list(drawn)))
    title = tag("h3", text("evaluate.learning_curves"))
    return join(title, tag("p", keys), tag("div", figures, class_="charts curves"), table)


def _key(words: str, class_: str) -> Markup:
    line = tag("svg", tag("line", x1=0, x2=28, y1=6, y2=6, class_=class_), class_="key", aria_hidden="true")
    return tag("span", line, words, class_="legend")


def _epochs(report: Report, names: list[str]) -> Markup:
    columns = [(part, name) for name in names for part in ("train", "validation")]
    titles = [tag("th", f"{metric_label(name)}, {part_label(part)}", class_="num") for part, name in columns]
    head = tag("tr", tag("th", text("evaluate.axis_epoch")), titles)
    rows = []
    for record in report.history:
        values = [(record.get(part) or {}).get(name) for part, name in columns]
        rows.append(tag("tr", tag("td", record["epoch"]), [tag("td", shown(v), class_="num") for v in values]))
    return tag("div", tag("table", tag("thead", head), tag("tbody", rows), class_="plain"), class_="wide")
