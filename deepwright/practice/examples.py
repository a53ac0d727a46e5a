"""The examples of a run's page: its worst validation rows, read from the rows that the run keeps."""

from deepwright.core.bundle import Bundle
from deepwright.core.report import Report
from deepwright.core.run import Run
from deepwright.evaluation.worst import Examples, worst_examples
from deepwright.practice.images import decoded_again, store
from deepwright.practice.keep import kept_rows
from deepwright.practice.target import target_of


def examples_of(run: Run, report: Report) -> Examples | None:
    """The rows of validation on which the bundle that ships errs most; None where the run keeps no
    rows of it, and of several labels.

    Raises DataError when the rows were changed.
    """
    entry = run.entry("rows validation")
    if report.problem not in ("classification", "regression"):
        return None
    if entry is None or not (run.folder / entry["file"]).is_file():
        return None
    bundle = Bundle.load(run.bundle_folder)
    data = decoded_again(run, kept_rows(run, "validation"), bundle.operations, store())
    used = report.evidence.get("validation", {}).get(report.chosen, {}).get("importance", {})
    first = [entry["feature"] for entry in used.get("inputs", ())]
    return worst_examples(data, target_of(data), bundle.predict(data), first=first)
