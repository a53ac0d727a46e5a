"""Cleaning: training rows that the recipe deletes are set aside with the reason, before anything is learned."""

from dataclasses import replace

import numpy as np

from deepwright.core.errors import DataError
from deepwright.core.recipe import Recipe
from deepwright.core.report import Finding, finding
from deepwright.core.seal import Split
from deepwright.data.collect import Collected
from deepwright.data.prepare import clean_rows


def clean(recipe: Recipe, table: Collected, split: Split) -> tuple[Split, tuple[Finding, ...]]:
    """The split without the training rows that a rule or a step of `prepare` deletes; validation and test keep theirs.

    Raises DataError when more rows than `max_set_aside` would be missing in all.
    """
    train, set_aside = clean_rows(split.train, recipe.prepare)
    if not set_aside:
        return split, ()
    entries = (*table.set_aside, *set_aside)
    count = sum(entry.count for entry in entries)
    share = count / table.rows_in
    reasons = "; ".join(f"{entry.reason} ({entry.count})" for entry in set_aside)
    if share > recipe.max_set_aside:
        raise DataError(
            "prepare.too_many_set_aside",
            count=count,
            rows=table.rows_in,
            share=f"{share:.2%}",
            limit=f"{recipe.max_set_aside:.2%}",
            reasons=reasons,
            option=min(1.0, np.ceil(share * 1000 + 1e-9) / 1000),
        )
    deleted, rows = len(split.train) - len(train), len(split.train)
    found = finding("deleted_rows", "warning", table.source, count=deleted, rows=rows, reasons=reasons)
    return replace(split, train=train, set_aside=set_aside), (found,)
