"""Small true tables for tests of this folder."""

from typing import Any

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.schema import Feature, Schema


def dataset(columns: dict[str, list[Any]], target: str = "y", part: str = "train") -> Dataset:
    """Lists of numbers become number columns (None is NaN), lists with texts become categories."""
    made, features = {}, []
    for name, values in columns.items():
        is_text = any(isinstance(value, str) for value in values) or all(value is None for value in values)
        made[name] = np.array(values, dtype=object) if is_text else np.array(values, dtype=np.float64)
        role = "target" if name == target else "input"
        features.append(Feature(name=name, type="category" if is_text else "number", role=role))
    size = len(next(iter(made.values())))
    hashes = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return Dataset(made, Schema(features=tuple(features)), part, np.arange(1, size + 1), hashes, "table")


def with_roles(data: Dataset, **roles: str) -> Dataset:
    """The same rows with other roles for some columns: with_roles(data, who="group")."""
    schema = data.schema
    for name, role in roles.items():
        schema = schema.with_feature(name, role=role)
    return data.with_schema(schema)
