"""Batch prediction: chunks of rows through a bundle into a file, in constant memory."""

import contextlib
import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from deepwright.core.bundle import Answers, Bundle
from deepwright.core.disk import disk_error, sync_folder
from deepwright.core.errors import UsageError
from deepwright.core.schema import Columns

SUFFIXES = (".csv", ".jsonl")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the start of a formula."""

Write = Callable[[Answers, np.ndarray, np.ndarray], None]


@dataclass(frozen=True)
class BatchResult:
    """rows: answered. out_of_range: of these, outside what the training part showed.

    not_finite: of these, left without an answer (empty cells, or null), since the model's was no finite number.
    """

    path: Path
    rows: int
    out_of_range: int
    not_finite: int


def predict_stream(
    bundle: Bundle, chunks: Iterable[tuple[Columns, np.ndarray]], out: Path, *, overwrite: bool = False
) -> BatchResult:
    """Answer every row of `chunks` into `out`, whole or not at all; .csv, or .jsonl for JSON Lines.

    chunks: columns as `schema.Columns` [N], and int64 [N] the rows' numbers in their source, or object [N] their names.
    Columns of the file: row, then label (or labels, a JSON list), `probability LEVEL` and perhaps `set` (a JSON list),
    or value and perhaps low and high, then out_of_range. In CSV a text that a spreadsheet would run as a formula gets
    a ' before it.
    Raises UsageError when `out` exists or has another suffix, ResourceError when it cannot be written.
    """
    out = Path(out)
    if out.suffix.lower() not in SUFFIXES:
        raise UsageError("batch.suffix", path=out, allowed=", ".join(SUFFIXES))
    if out.exists() and not overwrite:
        raise UsageError("batch.exists", path=out)
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    with _disk(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        file = temporary.open("w", encoding="utf-8", newline="")
    try:
        result = _write_all(file, bundle, chunks, out)
        with _disk(out):
            file.close()
            temporary.replace(out)
            sync_folder(out.parent)
    except BaseException:
        with contextlib.suppress(OSError):  # the first error is the one to tell
            file.close()
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return result


def _write_all(file: IO[str], bundle: Bundle, chunks: Iterable[tuple[Columns, np.ndarray]], out: Path) -> BatchResult:
    rows = out_of_range = not_finite = 0
    with _disk(out):
        write = _csv_writer(file, bundle) if out.suffix.lower() == ".csv" else _jsonl_writer(file)
    for columns, numbers in chunks:
        if not len(numbers):
            continue
        answers = bundle.answer(columns)
        is_finite = np.isfinite(answers.answer).reshape(len(numbers), -1).all(axis=1)
        with _disk(out):
            write(answers, numbers, is_finite)
        rows += len(numbers)
        out_of_range += int(answers.out_of_range.sum())
        not_finite += int((~is_finite).sum())
    with _disk(out):
        file.flush()
        os.fsync(file.fileno())
    return BatchResult(out, rows, out_of_range, not_finite)


def escaped(cell: str) -> str:
    """The cell, with a ' before what a spreadsheet would run as a formula.

    >>> escaped("=HYPERLINK(1)"), escaped("a=b")
    ("'=HYPERLINK(1)", 'a=b')
    """
    return "'" + cell if cell.startswith(FORMULA) else cell


def _csv_writer(file: IO[str], bundle: Bundle) -> Write:
    writer = csv.writer(file, lineterminator="\n")
    is_classes, has_labels = bundle.problem == "classification", bundle.problem == "multi-label"
    has_more = bundle.schema.conformal is not None
    if is_classes:
        answer_names = ["label", *(f"probability {level}" for level in bundle.levels), *(["set"] if has_more else [])]
    elif has_labels:
        answer_names = ["labels", *(f"probability {level}" for level in bundle.levels), *(["set"] if has_more else [])]
    else:
        answer_names = ["value", *(["low", "high"] if has_more else [])]
    writer.writerow(["row", *answer_names, "out_of_range"])
    levels = [escaped(level) for level in bundle.levels]

    def write(answers: Answers, numbers: np.ndarray, is_finite: np.ndarray) -> None:
        flags = ["true" if flag else "false" for flag in answers.out_of_range.tolist()]
        rows = [escaped(each) if isinstance(each, str) else each for each in numbers.tolist()]
        if is_classes:
            cells = answers.answer.tolist()
            best = answers.decided.tolist()
            lines = [
                [number, levels[place], *row, flag]
                for number, place, row, flag in zip(rows, best, cells, flags, strict=True)
            ]
        elif has_labels:
            said = [json.dumps(labels, ensure_ascii=False) for labels in answers.labels]
            lines = [
                [number, labels, *row, flag]
                for number, labels, row, flag in zip(rows, said, answers.answer.tolist(), flags, strict=True)
            ]
        else:
            lines = [list(line) for line in zip(rows, answers.answer.tolist(), flags, strict=True)]
        for line, more in zip(lines, _more(answers), strict=False):
            line[-1:] = [*more, line[-1]]
        for place in np.flatnonzero(~is_finite):
            lines[place] = [lines[place][0], *[""] * len(answer_names), lines[place][-1]]
        writer.writerows(lines)

    return write


def _more(answers: Answers) -> list[list[Any]]:
    """The cells of each row's interval or set; no rows where there is neither."""
    if answers.interval is not None:
        return [list(ends) for ends in answers.interval.tolist()]
    return [[json.dumps(levels, ensure_ascii=False)] for levels in answers.set_levels]


def _jsonl_writer(file: IO[str]) -> Write:
    def write(answers: Answers, numbers: np.ndarray, is_finite: np.ndarray) -> None:
        records = answers.records()
        for place in np.flatnonzero(~is_finite):
            records[place] = dict.fromkeys(records[place]) | {"out_of_range": records[place]["out_of_range"]}
        for number, record in zip(numbers.tolist(), records, strict=True):
            line: dict[str, Any] = {"row": number, **record}
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")

    return write


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise disk_error(path, io.DEFAULT_BUFFER_SIZE, error) from None
