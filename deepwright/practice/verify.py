"""Verification: every number of a report computed again from the bundle's file, in a fresh process."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepwright.core.errors import PracticeError, ProofError
from deepwright.core.ledger import LookLedger, workspace
from deepwright.core.run import Run
from deepwright.practice.environment import environment
from deepwright.practice.images import decoded_again, new_store
from deepwright.practice.keep import kept_rows, kept_test
from deepwright.practice.opening import recipe_of
from deepwright.practice.reporting import answers_of, measure, member_bundles, metrics_of
from deepwright.practice.seeds import seed_bundles, spread_of, values_of

ELSEWHERE_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Verified:
    """numbers: how many agreed. difference: the largest one found. is_exact: whether the same bits were asked for."""

    numbers: int
    difference: float
    is_exact: bool


def verify(run: Run) -> Verified:
    """Recompute every number of the run's report in a fresh process.

    On the machine and versions that made it, the numbers must have the same bits; elsewhere 1e-5 is allowed.
    Raises ProofError naming the first number that differs; DataError or BundleError when files were changed.
    """
    report = run.report
    again = _recompute_in_fresh_process(run)
    here = environment()
    is_exact = all(report.environment.get(key) == here[key] for key in ("versions", "machine"))
    limit = 0.0 if is_exact else ELSEWHERE_TOLERANCE
    found = {(n["part"], n["member"], n["metric"]): n for n in again}
    largest = 0.0
    if len(found) != len(report.numbers):
        raise ProofError("verify.count", reported=len(report.numbers), computed=len(found))
    for number in report.numbers:
        other = found.get((number.part, number.member, number.metric))
        for field in ("value", "low", "high", "n"):
            reported = getattr(number, field)
            computed = other[field] if other is not None else None
            if (reported is None) != (computed is None):
                raise ProofError("verify.differs", **_named(number), field=field, reported=reported, computed=computed)
            if reported is None or computed is None:
                continue
            difference = abs(reported - computed)
            largest = max(largest, difference)
            if not difference <= limit * max(1.0, abs(reported)):
                raise ProofError("verify.differs", **_named(number), field=field, reported=reported, computed=computed)
    return Verified(len(report.numbers), largest, is_exact)


def recompute(run: Run) -> list[dict[str, Any]]:
    """Every number of the run's report, computed from the bundles and the kept rows. The look, if one was taken, was
    counted then; nothing is shown of the test part that the report does not show already."""
    report = run.report
    recipe = recipe_of(run)
    bundles = member_bundles(run, report)
    operations = bundles["network"].operations
    with new_store() as folder:  # what stands decoded in the workspace is not taken for granted
        validation = decoded_again(run, kept_rows(run, "validation"), operations, folder)
        metrics = metrics_of(recipe, validation, lambda: kept_rows(run, "train"))
        given = answers_of(bundles, validation)
        numbers = list(measure(given, validation, metrics, optimistic=frozenset(), seed=recipe.seed).numbers)
        if any(n.part == "test" for n in report.numbers):
            tested = run.entry("tested")
            if tested is None:
                raise ProofError("verify.no_look", run=run.name)
            rows = kept_test(run).reopen(LookLedger(workspace()), tested["look"])
            test = decoded_again(run, rows, operations, folder)
            numbers += measure(
                answers_of(bundles, test), test, metrics, optimistic=frozenset(), seed=recipe.seed
            ).numbers
        if report.seeds:
            further = [answers_of(of, validation) for of in seed_bundles(run, report)]
            of_seeds = [values_of(of, validation, metrics) for of in (given, *further)]
            if spread_of(of_seeds, metrics) != report.spread:
                raise ProofError("verify.spread", run=run.name, seeds=len(report.seeds))
    return [number.model_dump() for number in numbers]


def _recompute_in_fresh_process(run: Run) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "deepwright.practice.verify", str(run.folder.absolute())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ProofError("verify.process", why=(done.stderr.strip().splitlines() or ["?"])[-1])
    result: list[dict[str, Any]] = json.loads(done.stdout)
    return result


def _named(number: Any) -> dict[str, str]:
    return {"part": number.part, "member": number.member, "metric": number.metric}


def main() -> int:
    """The fresh process: prints the recomputed numbers of the run named on the command line as JSON."""
    try:
        print(json.dumps(recompute(Run.open(Path(sys.argv[1])))))
    except PracticeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
