"""Merged: what only shows where several files meet: repeated rows, and equal inputs with different answers."""

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.report import Finding, finding
from deepwright.data.rows import column_codes, input_keys

SHOWN = 3


def merge_findings(whole: Dataset) -> tuple[Finding, ...]:
    """Findings that name files and rows; of the target it is only told that answers differ, never which they are."""
    if whole.file_of is None or len(np.unique(whole.file_of)) < 2:
        return ()
    return (*_repeated(whole, whole.file_of), *_contradicting(whole, whole.file_of))


def _repeated(whole: Dataset, files: np.ndarray) -> tuple[Finding, ...]:
    group = column_codes(whole.hashes)
    across = _several(group, files)[group]
    if not across.any():
        return ()
    count = int(across.sum()) - len(np.unique(group[across]))
    examples = _examples(whole, files, group, across)
    return (finding("repeated_across", "warning", whole.source, count=count, examples=examples),)


def _contradicting(whole: Dataset, files: np.ndarray) -> tuple[Finding, ...]:
    if not whole.schema.has_target or whole.schema.problem != "classification":
        return ()
    (keys,) = input_keys([whole.inputs])
    group = column_codes(keys)
    found = (_several(group, files) & _several(group, column_codes(whole.target)))[group]
    if not found.any():
        return ()
    examples = _examples(whole, files, group, found)
    where = whole.schema.target.name
    return (finding("contradicting_across", "warning", where, count=int(found.sum()), examples=examples),)


def _several(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    """bool [G]: groups whose rows have more than one value."""
    pairs = np.unique(np.stack([group, values.astype(np.int64)], axis=1), axis=0)
    return np.asarray(np.bincount(pairs[:, 0], minlength=int(group.max()) + 1) > 1)


def _examples(whole: Dataset, files: np.ndarray, group: np.ndarray, found: np.ndarray) -> str:
    """The first groups as `a.csv 5 = b.csv 7`: one row of each file that is in it."""
    shown = []
    for number in list(dict.fromkeys(group[found].tolist()))[:SHOWN]:
        rows = np.flatnonzero(group == number)
        firsts = [rows[files[rows] == place][0] for place in np.unique(files[rows])]
        shown.append(" = ".join(f"{whole.files[files[row]]} {whole.origin[row]}" for row in firsts))
    return "; ".join(shown)
