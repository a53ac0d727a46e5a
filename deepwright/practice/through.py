"""Through: the network's training rows of a table larger than memory, prepared part by part and kept on disk."""

import hashlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError
from deepwright.core.recipe import Recipe
from deepwright.core.run import Run
from deepwright.core.seal import TRAIN, Split
from deepwright.core.text import text
from deepwright.data.collect import Collected
from deepwright.data.large import Large
from deepwright.data.split import Random
from deepwright.data.stored_rows import StoredRows, store_rows
from deepwright.practice.show import Show


def require_streamable(recipe: Recipe, table: Collected, split: Split) -> None:
    """Raises RecipeError for a split by other rows, and for steps that delete rows: both need all rows at once."""
    if table.large is None:
        return
    if not isinstance(recipe.split or Random(), Random):
        raise RecipeError("large.split", found=recipe.split.kind if recipe.split else "")
    if split.set_aside:
        raise RecipeError("large.deletes", reasons="; ".join(entry.reason for entry in split.set_aside))


def stored_training_rows(
    run: Run,
    recipe: Recipe,
    table: Collected,
    split: Split,
    prepared: Callable[[Dataset], Mapping[str, np.ndarray]],
    target: Callable[[Dataset], np.ndarray],
    *,
    show: Show,
) -> StoredRows:
    """All training rows as the network takes them; written once, and found again after a kill.

    prepared, target: what is made of some training rows, as the sample taught it.
    """
    assert table.large is not None, "only a table that was read through has more rows than its sample"
    rows = round(table.large.kept * (recipe.split or Random()).train)  # type: ignore[attr-defined]
    show.say(text("large.storing", rows=rows))
    key = hashlib.sha256(f"{recipe.hash} {table.source_sha256}".encode()).hexdigest()[:16]
    parts = ((prepared(part), target(part)) for part in _training_parts(table.large, recipe, split))
    return store_rows(parts, run.folder / "data" / f"tensors-{key}", num_rows=rows)


def _training_parts(large: Large, recipe: Recipe, split: Split) -> Iterator[Dataset]:
    splitter = recipe.split or Random()
    for part in large.parts(split.train.schema):
        rows = splitter.assign(part) == TRAIN
        if rows.any():
            yield part.take(rows, "train")
