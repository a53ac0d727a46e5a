"""Roles: the columns of weights, groups and times, as declared; and those that look like one and are not declared."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError, RecipeError
from deepwright.core.recipe import Recipe
from deepwright.core.report import Finding, finding
from deepwright.core.schema import Feature, Role, Type
from deepwright.core.text import text
from deepwright.data.raw import Raw
from deepwright.data.rows import column_codes

ENTITY_NAME = re.compile(
    r"(^|[\W_])(id|ids|uid|uuid|guid|key|ssn|patient|user|customer|client|member|subject|person|student|driver|"
    r"household|account|session|device|vin|mrn)([\W_]|no$|nr$|num$|number$|$)|[a-z]I[dD]$"
)
"""Names of columns that say whom a row is of; read with the case as written, and in lower case."""

TIME_NAME = re.compile(r"(^|[\W_])(date|datetime|timestamp|time|ts)([\W_]|$)")
LEAST_REPEATED = 1.1
"""Rows per value; below, the column tells rows apart and no entities."""
LEAST_DISTINCT = 5


def declared_roles(recipe: Recipe, of_source: Mapping[str, Role] = MappingProxyType({})) -> dict[str, Role]:
    """Column > role, as the recipe says, else as the source does. Raises RecipeError for a column with two roles."""
    found: dict[str, Role] = {}
    by_source = {role: column for column, role in of_source.items()}
    declared: tuple[tuple[Role, str | None], ...] = (
        ("weight", recipe.weight),
        ("group", recipe.group or by_source.get("group")),
        ("time", recipe.time or by_source.get("time")),
    )
    for role, column in declared:
        if column is None:
            continue
        taken = {recipe.target: "target"} | dict.fromkeys(recipe.ignore, "ignore") | found
        if column in taken:
            raise RecipeError("roles.two", column=column, first=f"--{taken[column]}", second=f"--{role}")
        found[column] = role
    return found


def type_of_role(column: str, role: Role, type_: Type) -> Type:
    """The type in which a column of this role is read. Raises DataError for a time that is neither day nor number."""
    if role == "group":
        return "category"
    if role == "weight":
        return "number"
    if type_ not in ("number", "timestamp"):
        raise DataError("roles.no_time", column=column, type=type_)
    return type_


def missing_reason(feature: Feature) -> str:
    """Why a row without a value in such a column is set aside."""
    if feature.role == "target":
        return text("aside.target", column=feature.name)
    return text("aside.role", column=feature.name, role=feature.role)


def require_weights(weights: np.ndarray, raw: Raw, column: str) -> None:
    """Raises DataError unless every weight is a number of 0 or more, and some weight is above 0."""
    bad = np.flatnonzero(~(weights >= 0))
    if len(bad):
        cell = raw.cells[column][bad[0]]
        raise DataError(
            "roles.bad_weight",
            source=raw.source,
            column=column,
            row=raw.origin[bad[0]],
            found=repr(cell),
            count=len(bad),
        )
    if not weights.sum() > 0:
        raise DataError("roles.no_weight", part=raw.source, column=column, rows=len(weights))


def require_weight_in(data: Dataset) -> None:
    """Raises DataError when the weights of a part sum to 0: nothing could be learned from it or judged on it."""
    weights, feature = data.weight, data.schema.of_role("weight")
    if weights is not None and feature is not None and not weights.sum() > 0:
        raise DataError("roles.no_weight", part=data.part, column=feature.name, rows=len(data))


def role_findings(train: Dataset) -> tuple[Finding, ...]:
    """Inputs that look like an entity's name or like a time, with the option that declares them."""
    found = []
    for feature in train.schema.inputs:
        column = train.columns[feature.name]
        if train.schema.of_role("time") is None and _looks_like_time(feature):
            found.append(finding("time_undeclared", "warning", feature.name))
        elif train.schema.of_role("group") is None and _looks_like_entity(feature, column):
            distinct = len(np.unique(column_codes(column)))
            found.append(finding("group_undeclared", "warning", feature.name, distinct=distinct, rows=len(column)))
    return tuple(found)


def _looks_like_time(feature: Feature) -> bool:
    return feature.type == "timestamp" or (feature.type == "number" and bool(TIME_NAME.search(feature.name.lower())))


def _looks_like_entity(feature: Feature, column: np.ndarray) -> bool:
    """Whether a column is named like an entity and has repeated texts or whole numbers."""
    if not (ENTITY_NAME.search(feature.name) or ENTITY_NAME.search(feature.name.lower())):
        return False
    if feature.type == "number" and not np.array_equal(column, np.round(column), equal_nan=True):
        return False
    distinct = len(np.unique(column_codes(column)))
    return feature.type in ("category", "number") and LEAST_DISTINCT <= distinct <= len(column) / LEAST_REPEATED
