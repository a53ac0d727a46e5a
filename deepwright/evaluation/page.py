"""The report as one offline HTML file without script: verdict first, then the next command, then the evidence."""

import base64
import hashlib
from importlib import resources

from deepwright.core.report import Report, Sentence
from deepwright.core.text import language, text
from deepwright.evaluation import sections
from deepwright.evaluation.embedding import EmbeddingMap
from deepwright.evaluation.embedding_page import map_section
from deepwright.evaluation.exhibits import evidence_section
from deepwright.evaluation.failing import cost_section, failing_section, importance_section
from deepwright.evaluation.markup import Markup, join, tag
from deepwright.evaluation.spread import spread_section
from deepwright.evaluation.training import training_section
from deepwright.evaluation.wording import count, part_label, seal_stamp, shown_part
from deepwright.evaluation.worst import Examples


def render(
    report: Report,
    *,
    next_commands: list[str],
    examples: Examples | None = None,
    seen: EmbeddingMap | Sentence | None = None,
) -> str:
    """The whole page, in the language of `DEEPWRIGHT_LANG`.

    next_commands: what to paste next, the first one first. examples: rows of validation to show; None: none are kept.
    seen: the map of those rows, or why there is none.
    """
    parts = [
        ("verdict", None, sections.verdict_section(report)),
        ("next", text("evaluate.section_next"), sections.next_section(next_commands)),
        ("numbers", text("evaluate.section_numbers"), sections.numbers_section(report)),
        ("failing", text("failing.section"), failing_section(report, examples)),
        ("map", text("embedding.section"), map_section(seen)),
        ("importance", text("failing.section_importance"), importance_section(report)),
        ("evidence", text("evaluate.section_evidence"), evidence_section(report)),
        ("seeds", text("seeds.section"), spread_section(report)),
        ("training", text("evaluate.section_training"), training_section(report)),
        ("findings", text("evaluate.section_findings"), sections.findings_section(report)),
        ("cost", text("failing.section_cost"), cost_section(report)),
        ("data", text("evaluate.section_data"), sections.data_section(report)),
        ("looks", text("evaluate.section_looks"), sections.looks_section(report)),
        ("record", text("evaluate.section_record"), sections.record_section(report)),
    ]
    kept = [(name, title, body) for name, title, body in parts if body]
    links = [tag("a", title, href=f"#{name}") for name, title, _ in kept if title]
    body = [_section(name, title, body) for name, title, body in kept]
    title = text("evaluate.title", target=report.target)
    return document(title, join(_header(report), tag("nav", links), tag("main", body)))


def _section(name: str, title: str | None, body: Markup) -> Markup:
    return tag("section", tag("h2", title) if title else None, body, id=name)


def _header(report: Report) -> Markup:
    part = shown_part(report)
    rows = report.data.parts.get(part, 0)
    stamps = (
        tag("span", text("evaluate.stamp_part", part=part_label(part), n=count(rows)), class_="stamp"),
        tag("span", seal_stamp(report), class_="stamp seal"),
    )
    title = tag("h1", text("evaluate.title", target=report.target))
    source = tag("p", text("evaluate.subtitle", source=report.data.source, run=report.run), class_="soft")
    return tag("header", tag("p", "Deepwright", class_="brand"), title, source, tag("p", stamps, class_="stamps"))


def document(title: str, body: Markup) -> str:
    """A whole page that needs no network and runs no script."""
    style = resources.files("deepwright.evaluation").joinpath("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; img-src data:"
    head = join(
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="color-scheme" content="light dark">'),
        tag("title", title),
        tag("style", Markup(style)),
    )
    lang = "zh-Hans" if language() == "zh" else "en"
    return f"<!doctype html>\n{tag('html', tag('head', head), tag('body', body), lang=lang)}\n"
