"""A report in a few terminal lines: verdict, leaderboard, seal, training, findings."""

import unicodedata

from deepwright.core.report import Report
from deepwright.core.text import text
from deepwright.evaluation.failing import cost_line
from deepwright.evaluation.spread import spread_lines
from deepwright.evaluation.training import training_lines
from deepwright.evaluation.wording import (
    SEVERITIES,
    count,
    figure,
    leaderboard,
    metric_label,
    part_label,
    seal_stamp,
    shown_part,
    width_of,
)


def summary_lines(report: Report) -> list[str]:
    """Verdict, every member's main metric with interval and n, what is known of the test part, what training did,
    findings by severity."""
    part = shown_part(report)
    numbers = leaderboard(report, part)
    lines = [sentence.text for sentence in report.verdict]
    if numbers:
        width = width_of(numbers)
        rows = [
            [
                "*" if number.member == report.chosen else " ",
                number.member,
                figure(number, width) + ("°" if number.optimistic else ""),
                f"n = {count(number.n)}",
            ]
            for number in numbers
        ]
        lines += ["", f"{metric_label(report.metric)} · {part_label(part)} · {seal_stamp(report)}", *aligned(rows)]
        lines.append("  " + text("evaluate.in_bundle_mark"))
        if any(number.optimistic for number in numbers):
            lines.append("  ° " + text("evaluate.optimistic"))
    lines += ["", *spread_lines(report)] if report.spread else []
    trained = [*training_lines(report), *filter(None, [cost_line(report)])]
    return [*lines, *(["", *trained] if trained else []), *_findings(report)]


def _findings(report: Report) -> list[str]:
    """Blocking findings and warnings in full, notes as a count."""
    lines = []
    for severity in ("blocking", "warning"):
        found = [f for f in report.findings if f.severity == severity]
        lines += [f"{text(SEVERITIES[severity])}: {f.text} [{f.rule}]" for f in found]
    notes = sum(f.severity == "note" for f in report.findings)
    if notes:
        lines.append(text("evaluate.num_notes", count=notes))
    lines += [text("evaluate.exemption_line", exemption=sentence.text) for sentence in report.exemptions]
    return ["", *lines] if lines else []


def aligned(rows: list[list[str]]) -> list[str]:
    """Rows as lines with columns of equal width on a terminal, where a Chinese character takes two cells.

    >>> aligned([["a", "1"], ["中文", "2"]])
    ['a     1', '中文  2']
    """
    widths = [max(_width(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(c + " " * (w - _width(c)) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def _width(words: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in words)
