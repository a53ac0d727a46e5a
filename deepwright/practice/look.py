"""Opening the seal: the one look at the test part, counted before it happens."""

from deepwright.core.errors import SealError
from deepwright.core.ledger import LookLedger, workspace
from deepwright.core.report import Report
from deepwright.core.run import Run
from deepwright.core.text import text
from deepwright.evaluation.compare import verdict
from deepwright.practice.failing import slices_on_test
from deepwright.practice.images import decoded_again, store
from deepwright.practice.keep import kept_rows, kept_test
from deepwright.practice.opening import recipe_of
from deepwright.practice.reporting import answers_of, measure, member_bundles, metrics_of, publish
from deepwright.practice.show import Show, quiet


def look(run: Run, *, reason: str | None = None, show: Show = quiet) -> Report:
    """Judge the bundle (and its baselines) on the test part and add the result to the report.

    Raises SealError when these rows have been looked at before and no reason is given. A look that was counted and
    then killed is finished by the same call, without being counted again.
    """
    with run.writing():
        return _look(run, reason, show)


def _look(run: Run, reason: str | None, show: Show) -> Report:
    report = run.report
    recipe = recipe_of(run)
    looks = LookLedger(workspace())
    sealed = kept_test(run)
    result = run.entry("tested")
    known = looks.looks(sealed.hashes)
    finished = result is not None and bool(known) and result["look"] == known[-1]["hash"]
    if result is not None and not finished and reason is None:
        raise SealError("seal.looked_by_run", run=run.name, when=result["when"], path=looks.ledger.path)
    bundles = member_bundles(run, report)
    test = sealed.open(looks, run=run.name, bundle=report.bundle_digest, reason=reason, result_exists=finished)
    show.say(text("run.looked", rows=len(test), count=len(looks.looks(sealed.hashes))))
    test = decoded_again(run, test, bundles["network"].operations, store())
    metrics = metrics_of(recipe, test, lambda: kept_rows(run, "train"))
    given = answers_of(bundles, test)
    measured = measure(given, test, metrics, optimistic=frozenset(), seed=recipe.seed)
    found = slices_on_test(report, measured.evidence, given[report.chosen], kept_rows(run, "train"), test)
    report = report.model_copy(
        update={
            "numbers": (*(n for n in report.numbers if n.part != "test"), *measured.numbers),
            "evidence": {**report.evidence, "test": found},
            "verdict": verdict(
                measured.target,
                measured.judged,
                metrics[0],
                chosen=report.chosen,
                part="test",
                weight=measured.weight,
                dependence=measured.dependence,
                seed=recipe.seed,
            ),
            "looks": looks.as_looks(sealed.hashes),
        }
    )
    publish(run, report)
    run.commit("tested", look=looks.looks(sealed.hashes)[-1]["hash"], bundle=report.bundle_digest)
    return report
