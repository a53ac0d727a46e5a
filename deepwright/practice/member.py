"""One member of a run: finished as a bundle whose file gives the answers that were learned."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepwright.core.bundle import Answers, Bundle, write_bundle
from deepwright.core.errors import ProofError
from deepwright.core.operations import Operation
from deepwright.core.recipe import Recipe
from deepwright.core.run import Run
from deepwright.core.seal import Split
from deepwright.data.profile import profile
from deepwright.evaluation.temperature import Tempered
from deepwright.practice.decide import decide

PARITY_LIMIT = 1e-5


@dataclass(frozen=True)
class Member:
    """name: `network` or a baseline's kind. given: what the bundle's file answers on validation. history: one mapping
    per epoch. parity: largest difference between the answers of the process that learned and those of the bundle,
    relative to the largest answer. cross_fitted: answers on validation by which it may be compared where a choice there
    made it, a blend's weight or a temperature: each made without the rows that chose. tempered: what a temperature does
    on validation."""

    name: str
    bundle: Bundle
    given: Answers
    seconds: float
    parity: float
    history: tuple[dict[str, Any], ...] = ()
    notes: Mapping[str, Any] | None = None
    cross_fitted: np.ndarray | None = None
    tempered: Tempered | None = None


@dataclass(frozen=True)
class Learned:
    """What a member is made of once it has learned.

    answer: what it says of the validation rows in the process that learned, [N, K] or [N]; cross_fitted: the same
    without favour, where a choice on those rows made the member. graph: an ONNX model of the answer.
    """

    operations: tuple[Operation, ...]
    graph: bytes
    weights: Mapping[str, np.ndarray]
    answer: np.ndarray
    cross_fitted: np.ndarray | None = None


def finish(
    run: Run,
    recipe: Recipe,
    split: Split,
    name: str,
    learned: Learned,
    versions: dict[str, Any],
    *,
    started: float,
    history: tuple[dict[str, Any], ...] = (),
    notes: Mapping[str, Any] | None = None,
) -> Member:
    """Decide on validation, write the bundle, and prove that its file gives the answers that were learned.

    started: `time.monotonic()` when learning began. Raises ProofError when the answers differ.
    """
    validation = split.validation
    schema = split.train.schema
    decided = decide(recipe, schema, validation, learned.answer, learned.graph, learned.cross_fitted)
    bundle = write_bundle(
        run.folder / "members" / name,
        schema=decided.schema,
        operations=learned.operations,
        graph=decided.graph,
        weights=learned.weights,
        recipe=recipe.dump(),
        profile=profile(split.train),
        versions=versions,
    )
    given = bundle.predict(validation)
    difference = parity(decided.answer, given.answer, name)
    run.commit(f"member {name}", bundle=bundle.digest, parity=difference)
    seconds = time.monotonic() - started
    tempered, cross_fitted = decided.tempered, decided.cross_fitted
    return Member(name, bundle, given, seconds, difference, history, notes, cross_fitted, tempered)


def parity(ours: np.ndarray, bundled: np.ndarray, member: str) -> float:
    """The largest difference relative to the largest answer. Raises ProofError above 1e-5."""
    difference = float(np.abs(ours - bundled).max() / max(1.0, float(np.abs(ours).max()))) if len(ours) else 0.0
    if not difference <= PARITY_LIMIT:
        raise ProofError("run.parity", member=member, difference=difference, limit=PARITY_LIMIT)
    return difference
