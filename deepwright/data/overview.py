"""Overview: what a table's columns show before anything is learned: missing values, categories, values cut off."""

from deepwright.core.dataset import Dataset
from deepwright.core.report import Finding, finding
from deepwright.core.schema import Feature
from deepwright.core.text import text
from deepwright.data.narrow import listed
from deepwright.data.spikes import Spike, cap
from deepwright.data.text_findings import text_findings
from deepwright.data.types import missing_rows


def overview(whole: Dataset) -> tuple[Finding, ...]:
    """Counts over all rows, for a person who knows the file; of the target only a pile at one end of its values."""
    inputs = whole.schema.inputs
    missing = [entry for feature in inputs if (entry := _missing(feature, whole))]
    categories = [f"{f.name} ({len(set(whole.columns[f.name]) - {None})})" for f in inputs if f.type == "category"]
    piles = {f.name: spike for f in inputs if f.type == "number" and (spike := cap(whole.columns[f.name]))}
    found = []
    if missing:
        found.append(finding("missing", "note", whole.source, columns=listed(missing)))
    if categories:
        found.append(finding("categories", "note", whole.source, columns=listed(categories)))
    if piles:
        entries = [f"{name} ({spike.rows} x {spike.value:.10g})" for name, spike in piles.items()]
        found.append(finding("piles", "note", whole.source, columns=listed(entries)))
    found += text_findings(whole)
    if not whole.schema.has_target:
        return tuple(found)
    target = whole.schema.target
    spike = cap(whole.target) if target.type == "number" else None
    return (*found, _capped(target.name, spike, len(whole))) if spike else tuple(found)


def _missing(feature: Feature, whole: Dataset) -> str:
    count = int(missing_rows(whole.columns[feature.name]).sum())
    return f"{feature.name} {count} ({count / len(whole):.1%})" if count else ""


def _capped(name: str, spike: Spike, rows: int) -> Finding:
    return finding(
        "capped",
        "warning",
        name,
        count=spike.rows,
        rows=rows,
        share=f"{spike.share:.1%}",
        value=f"{spike.value:.10g}",
        nearest=f"{spike.nearest:.10g}",
        end=text("word.largest" if spike.value > spike.nearest else "word.smallest"),
    )
