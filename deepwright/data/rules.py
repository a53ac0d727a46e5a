"""Rules of a row: allowed ranges and comparisons of columns, as operations."""

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError
from deepwright.core.operations import Bound, Operation, Require
from deepwright.core.prepare import Rule
from deepwright.core.report import Finding, finding
from deepwright.core.schema import Columns
from deepwright.core.step import Fitted
from deepwright.data.narrow import free_names

LOWEST, HIGHEST = -1.7e308, 1.7e308


def fit_rules(train: Dataset, rules: tuple[Rule, ...]) -> Fitted:
    """What each rule does to the rows that break it; deleting is no operation, for a row that is answered stays."""
    operations: list[Operation] = []
    for rule in rules:
        if rule.treat != "delete":
            operations += _operations(rule, train)
    return Fitted(tuple(operations))


def breaks(columns: Columns, rule: Rule) -> np.ndarray:
    """bool [N]: rows that break a rule; a row that misses a value of it does not."""
    size = len(next(iter(columns.values())))
    broken = np.zeros(size, dtype=bool)
    for operation in _comparisons(rule, (None, None)):
        broken |= operation.broken(columns)
    return broken


def rule_findings(train: Dataset, rules: tuple[Rule, ...]) -> tuple[Finding, ...]:
    """How many rows of the training part break each rule."""
    found = []
    for rule in rules:
        count = int(breaks(dict(train.columns), rule).sum())
        if count and rule.treat != "delete":
            found.append(finding("rule_broken", "warning", rule.rule, count=count, rows=len(train), treat=rule.treat))
    return tuple(found)


def require_numbers(train: Dataset, rules: tuple[Rule, ...]) -> None:
    """Raises RecipeError for a rule on a column that holds no numbers or times, or is no input."""
    for rule in rules:
        for name in rule.columns:
            feature = train.schema[name]
            if feature.role != "input" or feature.type not in ("number", "timestamp"):
                raise RecipeError("rule.no_number", rule=rule.rule, column=name, type=feature.type, role=feature.role)


def _operations(rule: Rule, train: Dataset) -> tuple[Operation, ...]:
    if rule.treat == "clip":
        return tuple(_held(name, sign, float(right)) for name, sign, right in rule.comparisons)
    if rule.treat == "missing":
        return _comparisons(rule, (None, None))
    wanted = [f"not {left} {sign} {right}" for left, sign, right in rule.comparisons]
    return _comparisons(rule, free_names(wanted, train))


def _comparisons(rule: Rule, outputs: tuple[str | None, ...]) -> tuple[Require, ...]:
    return tuple(
        Require(column=left, comparison=sign, other=right, output=output)
        if isinstance(right, str)
        else Require(column=left, comparison=sign, number=right, output=output)
        for (left, sign, right), output in zip(rule.comparisons, outputs, strict=False)
    )


def _held(name: str, sign: str, bound: float) -> Bound:
    low, high = (bound, HIGHEST) if sign == ">=" else (LOWEST, bound)
    return Bound(columns=(name,), lows=(low,), highs=(high,))
