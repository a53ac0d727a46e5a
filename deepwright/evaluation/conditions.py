"""Conditions: plain sentences about inputs, such as `age > 50`, under which rows can be gathered into slices."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from deepwright.core.schema import Schema, Type
from deepwright.core.text import text

SHARES = np.linspace(0.025, 0.975, 39).round(3)
"""Quantiles of the training part at which a number is cut."""
IN_PAIRS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Those of them up to which, or from which on, a number also stands in pairs."""
WIDE = (0.2, 0.4, 0.6, 0.8)
"""Those between which a range also stands in pairs."""
MOST_LEVELS = 30
"""Levels of a category that can be named, the most frequent of the training part."""

Sign = Literal["is", "at_most", "above", "between", "missing", "unseen"]


@dataclass(frozen=True)
class Condition:
    """One input's condition. between: low < value <= high. unseen: outside of what the training part showed, which
    is low to high for numbers."""

    feature: str
    sign: Sign
    level: str | None = None
    low: float | None = None
    high: float | None = None
    is_time: bool = False

    def record(self) -> dict[str, Any]:
        """Plain data, without what it does not have."""
        return {name: value for name, value in vars(self).items() if value is not None and value is not False}


@dataclass(frozen=True)
class Facet:
    """One input cut into cells, and the conditions as sets of cells.

    codes: int [N], each row's cell. sets: bool [C, B], the cells of each condition.
    """

    codes: np.ndarray
    conditions: tuple[Condition, ...]
    sets: np.ndarray
    is_in_pairs: np.ndarray
    """bool [C]: conditions that also stand in pairs."""

    @cached_property
    def coarse(self) -> "Facet":
        """The conditions that stand in pairs, on as few cells as tell them apart."""
        sets, cell_of = np.unique(self.sets[self.is_in_pairs], axis=1, return_inverse=True)
        kept = np.flatnonzero(self.is_in_pairs)
        conditions = tuple(self.conditions[place] for place in kept)
        return Facet(cell_of.reshape(-1)[self.codes], conditions, sets, np.ones(len(kept), bool))


def words_of(conditions: Sequence[Mapping[str, Any]]) -> str:
    """Conditions, as plain data, in words.

    >>> words_of([{"feature": "education", "sign": "is", "level": "Masters"}, {"feature": "age", "sign": "above",
    ... "low": 50.0}])
    'education = Masters and age > 50'
    """
    return text("failing.both").join(map(_words, conditions))


def facets(
    schema: Schema,
    train: Mapping[str, np.ndarray],
    rows: Mapping[str, np.ndarray],
    facts: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
) -> list[Facet]:
    """Each input of the schema, cut by what the training part has of it. train, rows: columns by name (see
    `schema.Columns`).

    facts: what else is known of each row, of the training part and of `rows`: numbers or levels by a name to show. The
    length of a text, `len(NAME)`, is added here; images and series have facts only if they are handed in.
    """
    found = []
    for feature in schema.inputs:
        column, seen = rows[feature.name], train[feature.name]
        if feature.type == "category":
            found.append(_of_levels(feature.name, seen, column))
        elif feature.type in ("number", "timestamp"):
            found.append(_of_numbers(feature.name, seen, column, feature.type))
        elif feature.type == "text":
            found.append(_of_numbers(f"len({feature.name})", _lengths(seen), _lengths(column), "number"))
    for name, (seen, column) in (facts or {}).items():
        is_words = column.dtype == object
        found.append(_of_levels(name, seen, column) if is_words else _of_numbers(name, seen, column, "number"))
    return [facet for facet in found if len(facet.conditions)]


def meeting(
    conditions: Sequence[Mapping[str, Any]],
    schema: Schema,
    train: Mapping[str, np.ndarray],
    rows: Mapping[str, np.ndarray],
    facts: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
) -> np.ndarray:
    """bool [N]: the rows that meet all conditions, as plain data. The rest as for `facets`."""
    of = {
        condition: (f, place)
        for f in facets(schema, train, rows, facts)
        for place, condition in enumerate(f.conditions)
    }
    inside = np.ones(len(next(iter(rows.values()))), dtype=bool)
    for plain in conditions:
        facet, place = of[Condition(**plain)]
        inside &= facet.sets[place][facet.codes]
    return inside


def _of_levels(name: str, seen: np.ndarray, column: np.ndarray) -> Facet:
    levels, counts = np.unique([value for value in seen if value is not None], return_counts=True)
    named = [str(level) for level in levels[np.argsort(-counts, kind="stable")][:MOST_LEVELS]]
    known = {level: place for place, level in enumerate(named)}
    rare = {str(level) for level in levels} - known.keys()
    missing, unseen, other = len(named), len(named) + 1, len(named) + 2
    places: dict[str | None, int] = {None: missing, **dict.fromkeys(rare, other), **known}
    codes = np.fromiter((places.get(value, unseen) for value in column), np.int64, len(column))
    conditions = [Condition(name, "is", level=level) for level in named]
    conditions += [Condition(name, "missing"), Condition(name, "unseen")]
    sets = np.eye(len(conditions), len(named) + 3, dtype=bool)
    return Facet(codes, tuple(conditions), sets, np.ones(len(conditions), bool))


def _of_numbers(name: str, seen: np.ndarray, column: np.ndarray, kind: Type) -> Facet:
    """Cells from low to high, then below, beyond and missing."""
    known = seen[np.isfinite(seen)]
    if not len(known):
        return Facet(np.zeros(len(column), np.int64), (), np.zeros((0, 1), bool), np.zeros(0, bool))
    low, high, is_time = float(known.min()), float(known.max()), kind == "timestamp"
    distinct = np.unique(known)
    few = len(distinct) <= len(SHARES) + 1
    cuts = distinct[:-1] if few else np.unique(np.quantile(known, SHARES, method="inverted_cdf"))
    cuts = cuts[cuts < high]
    ends_in_pairs, wide = (set(np.quantile(known, q, method="inverted_cdf").tolist()) for q in (IN_PAIRS, WIDE))
    num = len(cuts) + 1
    codes = np.searchsorted(cuts, column, side="left")
    codes[column < low], codes[column > high], codes[np.isnan(column)] = num, num + 1, num + 2

    conditions, sets, in_pairs = [], [], []

    def add(condition: Condition, cells: Sequence[int], *, is_in_pairs: bool = True) -> None:
        conditions.append(condition)
        sets.append(np.zeros(num + 3, dtype=bool))
        sets[-1][list(cells)] = True
        in_pairs.append(is_in_pairs)

    for place, cut in enumerate(cuts.tolist()):
        pairs = few or cut in ends_in_pairs
        add(Condition(name, "at_most", high=cut, is_time=is_time), [*range(place + 1), num], is_in_pairs=pairs)
        add(Condition(name, "above", low=cut, is_time=is_time), [*range(place + 1, num), num + 1], is_in_pairs=pairs)
    for first in range(1, num - 1):
        for last in range(first, num - 1):
            low_end, high_end = float(cuts[first - 1]), float(cuts[last])
            if few and first == last:
                add(Condition(name, "is", low=float(distinct[first]), is_time=is_time), [first])
            else:
                add(
                    Condition(name, "between", low=low_end, high=high_end, is_time=is_time),
                    range(first, last + 1),
                    is_in_pairs=wide.issuperset((low_end, high_end)),
                )
    add(Condition(name, "missing"), [num + 2])
    add(Condition(name, "unseen", low=low, high=high, is_time=is_time), [num, num + 1])
    return Facet(codes, tuple(conditions), np.array(sets), np.array(in_pairs))


def _lengths(texts: np.ndarray) -> np.ndarray:
    return np.fromiter((np.nan if value is None else len(value) for value in texts), np.float64, len(texts))


def _words(condition: Mapping[str, Any]) -> str:
    name, is_time = condition["feature"], condition.get("is_time", False)
    low, high = (_shown(condition.get(end), is_time) for end in ("low", "high"))
    match condition["sign"]:
        case "is":
            return f"{name} = {condition.get('level', low)}"
        case "at_most":
            return f"{name} ≤ {high}"
        case "above":
            return f"{name} > {low}"
        case "between":
            return f"{low} < {name} ≤ {high}"
        case "missing":
            return text("failing.is_missing", feature=name)
        case _ if "low" in condition:
            return text("failing.is_outside", feature=name, low=low, high=high)
    return text("failing.is_unseen", feature=name)


def _shown(value: float | None, is_time: bool) -> str:
    if value is None:
        return ""
    if is_time:
        moment = datetime.datetime.fromtimestamp(value, datetime.UTC)
        return moment.strftime("%Y-%m-%d" if value % 86400 == 0 else "%Y-%m-%d %H:%M")
    return f"{value:.6g}"
