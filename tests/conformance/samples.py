"""Small rows for the checks."""

import numpy as np

from deepwright.core.dataset import Dataset, PartTag
from deepwright.core.schema import Feature, Schema


def table(rows: int = 400, seed: int = 0) -> Dataset:
    """A whole of two numbers, a time, a category and a target of two classes; some numbers are missing."""
    generator = np.random.default_rng(seed)
    age = generator.normal(40.0, 12.0, rows)
    age[generator.random(rows) < 0.1] = np.nan
    features = (
        Feature(name="age", type="number", low=0.0, high=90.0),
        Feature(name="hours", type="number", low=0.0, high=99.0),
        Feature(name="seen", type="timestamp", low=0.0, high=1e8),
        Feature(name="job", type="category", levels=("clerk", "cook", "smith")),
        Feature(name="y", type="category", role="target", levels=("no", "yes")),
    )
    columns = {
        "age": age,
        "hours": np.round(generator.gamma(3.0, 10.0, rows)),
        "seen": np.linspace(0.0, 1e8, rows),
        "job": generator.choice(np.array(["clerk", "cook", "smith"], object), rows),
        "y": generator.choice(np.array(["no", "no", "yes"], object), rows),
    }
    hashes = generator.integers(0, 2**63, rows).astype(np.uint64)
    hashes[rows // 2 : rows // 2 + 20] = hashes[:20]
    return Dataset(columns, Schema(features=features), "whole", np.arange(1, rows + 1), hashes)


def table_with_roles() -> Dataset:
    """`table` with eighty groups, a time and a given validation part; equal rows are of one group, time and part."""
    data = table()
    place = np.where(np.arange(400) // 20 == 10, np.arange(400) - 200, np.arange(400))
    columns = {**data.columns, "who": (place % 80).astype(str).astype(object), "when": place.astype(np.float64)}
    features = (
        *data.schema.features,
        Feature(name="who", type="category", role="group"),
        Feature(name="when", type="number", role="time"),
    )
    given = (place % 5 == 4).astype(np.int8)
    return Dataset(columns, Schema(features=features), "whole", data.origin, data.hashes, given=given)


def part_of_table(part: PartTag) -> Dataset:
    return table().take(np.arange(200), part)


def values_in_time(part: PartTag) -> Dataset:
    """Thirty values, one a moment."""
    features = (
        Feature(name="when", type="number", role="time"),
        Feature(name="load", type="number", role="target", low=0.0, high=9.0),
    )
    columns = {"when": np.arange(30.0), "load": np.random.default_rng(0).uniform(0.0, 9.0, 30)}
    return Dataset(columns, Schema(features=features), part, np.arange(1, 31), np.arange(30, dtype=np.uint64))


def filled(data: Dataset) -> Dataset:
    columns = {**data.columns, "age": np.nan_to_num(data.columns["age"], nan=40.0)}
    return Dataset(columns, data.schema, data.part, data.origin, data.hashes)
