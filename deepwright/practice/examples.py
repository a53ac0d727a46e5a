"""What a run's page shows of its validation rows: the worst ones and their map; from the rows that the run keeps."""

from deepwright.core.bundle import Answers, Bundle
from deepwright.core.dataset import Dataset
from deepwright.core.report import Report, Sentence
from deepwright.core.run import Run
from deepwright.evaluation.embedding import EmbeddingMap, embedding_map
from deepwright.evaluation.worst import Examples, worst_examples
from deepwright.practice.images import decoded_again, store
from deepwright.practice.keep import kept_rows
from deepwright.practice.scratch import SCRATCH
from deepwright.practice.target import target_of


def shown_rows(run: Run, bundle: Bundle) -> Dataset | None:
    """The rows of validation as the bundle takes them; None where the run keeps none.

    Raises DataError when the rows were changed.
    """
    entry = run.entry("rows validation")
    if entry is None or not (run.folder / entry["file"]).is_file():
        return None
    return decoded_again(run, kept_rows(run, "validation"), bundle.operations, store())


def examples_of(report: Report, given: Answers, data: Dataset) -> Examples:
    """The rows on which the bundle that ships errs most. given: what it says of them."""
    used = report.evidence.get("validation", {}).get(report.chosen, {}).get("importance", {})
    first = [entry["feature"] for entry in used.get("inputs", ())]
    return worst_examples(data, target_of(data), given, first=first)


def map_of(report: Report, bundle: Bundle, data: Dataset) -> EmbeddingMap | Sentence:
    """The rows as the network that ships sees them; or why there is no map."""
    if report.chosen not in ("network", SCRATCH):
        return Sentence(key="embedding.no_network", values={"member": report.chosen})
    return embedding_map(bundle, data, target_of(data))
