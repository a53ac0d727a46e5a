"""Leakage: the same row in two parts, the same inputs with two answers, one feature that gives the answer away."""

import math

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.report import Finding, Severity, finding
from deepwright.core.schema import Columns, Feature
from deepwright.data.rows import column_codes, input_keys, splitmix
from deepwright.data.text_findings import near_texts

GIVEN_AWAY = 0.98
"""Score of one feature alone above which it is named (FAULTS, R15)."""

NEIGHBOURS = 5
ONE_SIDED = 1.64
SCORED_ROWS = 50
"""With fewer rows a single feature's score says nothing."""


OWN_TEST_LIMIT = 0.2
"""Share of a test file's rows that may have the inputs of a training row; beyond it the file is no test."""


def duplicates(whole: Dataset) -> tuple[Finding, ...]:
    """Rows that stand in the table more than once; the split keeps them in one part."""
    extra = len(whole) - len(np.unique(whole.hashes))
    if not extra:
        return ()
    share = f"{extra / len(whole):.2%}"
    return (finding("duplicates", "note", whole.source, count=extra, rows=len(whole), share=share),)


def leakage_findings(
    train: Dataset, validation: Dataset, test_inputs: Columns, *, is_own_test: bool = False
) -> tuple[Finding, ...]:
    """What may make results too good. Of the test part only the inputs are given, never a label.

    is_own_test: the test part is a file of the user's own. One that repeats a fifth of its rows from training blocks.
    """
    return (
        *overlap(train, validation, test_inputs, is_own_test=is_own_test),
        *near_texts(train, validation, test_inputs),
        *contradictions(train),
        *given_away(train),
    )


def overlap(
    train: Dataset, validation: Dataset, test_inputs: Columns, *, is_own_test: bool = False
) -> tuple[Finding, ...]:
    """Validation and test rows whose inputs are all equal to those of a training row."""
    known, validated, tested = input_keys([train.inputs, validation.inputs, test_inputs])
    found = []
    for part, keys in (("validation", validated), ("test", tested)):
        count = int(np.isin(keys, known).sum())
        if count:
            share = f"{count / len(keys):.2%}"
            blocks = part == "test" and is_own_test and count / len(keys) > OWN_TEST_LIMIT
            severity: Severity = "blocking" if blocks else "warning"
            found.append(finding("overlap", severity, part, count=count, rows=len(keys), share=share))
    return tuple(found)


def contradictions(train: Dataset) -> tuple[Finding, ...]:
    """Training rows with equal inputs and different classes: no model can answer all of them rightly."""
    if train.schema.problem != "classification":
        return ()
    (keys,) = input_keys([train.inputs])
    groups = np.unique(keys, return_inverse=True)[1]
    labels = column_codes(train.target)
    pairs = np.unique(np.stack([groups, labels], axis=1), axis=0)
    several = np.flatnonzero(np.bincount(pairs[:, 0]) > 1)
    count = int(np.isin(groups, several).sum())
    if not count:
        return ()
    return (finding("contradictions", "warning", train.schema.target.name, count=count, groups=len(several)),)


def given_away(train: Dataset) -> tuple[Finding, ...]:
    """Features that alone predict the target almost perfectly: often they are known only afterwards."""
    if len(train) < SCORED_ROWS:
        return ()
    found = []
    for feature in train.schema.inputs:
        score = single_feature_score(train, feature)
        if score > GIVEN_AWAY:
            found.append(finding("given_away", "warning", feature.name, score=round(score, 4)))
    return tuple(found)


def single_feature_score(train: Dataset, feature: Feature) -> float:
    """How well one feature alone predicts the target, cross-fitted over two halves of the training part.

    A row is predicted by its level's mean, or by the nearest values, in the half that it is not in. Classes: the
    smallest one-against-the-rest AUC. Values: R2. Each less 1.64 standard errors, so that chance in few rows (iris) is
    no alarm.
    """
    column = train.columns[feature.name]
    half = (splitmix(train.hashes) & np.uint64(1)).astype(bool)
    if half.all() or not half.any():
        return 0.0
    if train.schema.problem == "regression":
        predicted = _cross_fitted(column, train.target.astype(np.float64), half)
        spread = float(((train.target - train.target.mean()) ** 2).sum())
        r2 = 1.0 - float(((train.target - predicted) ** 2).sum()) / spread if spread > 0 else 0.0
        return r2 - ONE_SIDED * 2.0 * abs(1.0 - r2) * math.sqrt(max(r2, 0.0) / len(train))
    scores = []
    for is_label in _of_each_level(train):
        scores.append(_sure_auc(is_label, _cross_fitted(column, is_label, half)))
    return min(scores) if len(scores) > 1 else 0.0


def _of_each_level(train: Dataset) -> list[np.ndarray]:
    """float64 [N] for each class, or each label: 1 where a row has it."""
    labels = column_codes(train.target)
    if train.schema.problem == "classification":
        return [(labels == label).astype(np.float64) for label in range(int(labels.max()) + 1)]
    sets = [frozenset(train.schema.target.labels_of(cell)) for cell in train.target]
    return [np.array([label in of for of in sets], np.float64) for label in sorted(frozenset().union(*sets))]


def _cross_fitted(column: np.ndarray, target: np.ndarray, half: np.ndarray) -> np.ndarray:
    """float64 [N]: each row's prediction, learned on the half that it is not in."""
    predicted = np.empty(len(column))
    codes = column_codes(column) if column.dtype == object else None
    for learn, answer in ((half, ~half), (~half, half)):
        if codes is not None:
            predicted[answer] = _by_level(codes[learn], target[learn], codes[answer])
        else:
            predicted[answer] = _by_neighbours(column[learn], target[learn], column[answer])
    return predicted


def _by_level(codes: np.ndarray, target: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The mean of each level; of all where the level is new."""
    size = int(max(codes.max(), asked.max())) + 1
    counts = np.bincount(codes, minlength=size)
    sums = np.bincount(codes, weights=target, minlength=size)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), target.mean())
    return means[asked]


def _by_neighbours(column: np.ndarray, target: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The mean over equal values, or over the nearest few in order where fewer are equal; missing sorts last."""
    order = np.argsort(column, kind="stable")
    values, sums = column[order], np.concatenate([[0.0], np.cumsum(target[order])])
    left, right = np.searchsorted(values, asked, "left"), np.searchsorted(values, asked, "right")
    spread = np.maximum(NEIGHBOURS - (right - left), 0)
    left = np.clip(left - spread // 2, 0, max(len(values) - NEIGHBOURS, 0))
    right = np.minimum(np.maximum(right + spread - spread // 2, left + 1), len(values))
    return (sums[right] - sums[left]) / (right - left)


def _sure_auc(is_label: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve by ranks, less its error (Hanley & McNeil 1982); 0.5 with an empty side."""
    positive = is_label > 0
    num_positive, num_negative = int(positive.sum()), int((~positive).sum())
    if not num_positive or not num_negative:
        return 0.5
    _, codes, counts = np.unique(score, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2.0)[codes]
    area = float((ranks[positive].sum() - num_positive * (num_positive + 1) / 2) / (num_positive * num_negative))
    better, both = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (num_positive - 1) * (better - area**2) + (num_negative - 1) * (both - area**2)
    return area - ONE_SIDED * math.sqrt(max(spread, 0.0) / (num_positive * num_negative))
