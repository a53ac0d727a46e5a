"""Seal: a second look is refused under another seed, folder or file format; a changed byte of the ledger is found."""

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import ProofError, SealError
from deepwright.core.families import Splitter
from deepwright.core.ledger import SHARED_ROWS_LIMIT, LookLedger, workspace
from deepwright.core.recipe import Recipe
from deepwright.core.run import Run
from deepwright.core.seal import TEST
from deepwright.core.text import text
from deepwright.data.split import choose_split
from deepwright.practice.look import look
from deepwright.practice.prove.case import Case, Claim

DEFAULT_TRIALS = 200


def prove_seal(case: Case) -> list[Claim]:
    """One look, four ways to look again without a reason, one with a reason, one at rows never seen."""
    half = len(case.whole) // 2
    seen, fresh = case.whole.take(np.arange(half)), case.whole.take(np.arange(half, len(case.whole)))
    fresh = fresh.take(~np.isin(fresh.hashes, seen.hashes))
    quick = {"baselines": ("constant",)}
    path = case.write_csv(seen, case.folder / "table.csv")
    first = case.run(case.table(path, **quick), name="first")
    look(first)
    looks = LookLedger(workspace())

    split, _ = choose_split(seen, has_test=False)
    others = {
        "again": first,
        "seed": case.run(case.table(path, split=_other_seed(seen, split), seed=7, **quick), name="seed"),
        "folder": _elsewhere(case, seen, case.table(path, **quick)),
        "format": case.run(case.table(case.write_parquet(seen, case.folder / "t.parquet"), **quick), name="format"),
    }
    refused = {name: _refuses(run) for name, run in others.items()}
    missed = ", ".join(name for name, was in refused.items() if not was)

    report = look(others["seed"], reason="proof of the seal")
    other_path = case.write_csv(fresh, case.folder / "fresh.csv")
    unseen = not _refuses(case.run(case.table(other_path, **quick), name="fresh"))
    found, tried = _flip_bytes(looks, case.trials or DEFAULT_TRIALS)
    return [
        Claim(text("prove.seal.refused"), sum(refused.values()), f"= {len(refused)}", all(refused.values()), missed),
        Claim(text("prove.seal.stamped"), len(report.looks), "= 2", len(report.looks) == 2),
        Claim(text("prove.seal.fresh"), int(unseen), "= 1", unseen),
        Claim(text("prove.seal.flipped"), found, f"= {tried}", found == tried),
    ]


def _other_seed(seen: Dataset, split: Splitter) -> Splitter:
    """The splitter under another seed, such that the test part shares rows with the one looked at."""
    looked_at = seen.hashes[split.assign(seen) == TEST]
    for seed in range(1, 1000):
        other = split.replace(seed=seed)
        test = seen.hashes[other.assign(seen) == TEST]
        if np.isin(test, looked_at).mean() > SHARED_ROWS_LIMIT:
            return other
    raise ProofError("prove.seal.too_few_rows", rows=len(seen))


def _elsewhere(case: Case, seen: Dataset, recipe: Recipe) -> Run:
    path = case.write_csv(seen, case.folder / "another" / "place" / "renamed.csv")
    return case.run(recipe.replace(source=case.table(path).source), runs="other-runs", name="folder")


def _refuses(run: Run) -> bool:
    try:
        look(run)
    except SealError:
        return True
    return False


def _flip_bytes(looks: LookLedger, trials: int) -> tuple[int, int]:
    """Change one byte of the ledger at drawn places; how many of how many were found."""
    path = looks.ledger.path
    content = path.read_bytes()
    places = np.random.default_rng(0).choice(len(content), size=min(trials, len(content)), replace=False)
    found = 0
    for place in places.tolist():
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(bytes(changed))
        try:
            looks.ledger.entries()
        except SealError:
            found += 1
    path.write_bytes(content)
    return found, len(places)
