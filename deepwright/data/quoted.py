"""Quoted: columns all of whose values are enclosed in quotes that belong to how the file was written."""

from deepwright.core.dataset import Dataset
from deepwright.core.report import Finding, finding

QUOTES = {"'": "single", '"': "double"}


def quoted_findings(whole: Dataset) -> tuple[Finding, ...]:
    """Categories whose every level begins and ends with the same quote: `'-1'` and `'1'`."""
    found = []
    for feature in whole.schema.features:
        if feature.type != "category":
            continue
        levels = set(whole.columns[feature.name]) - {None}
        for mark, option in QUOTES.items():
            if levels and all(len(level) > 1 and level[0] == mark == level[-1] for level in levels):
                found.append(finding("quoted", "warning", feature.name, example=min(levels), option=option))
    return tuple(found)
