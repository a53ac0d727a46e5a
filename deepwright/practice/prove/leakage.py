"""Leakage: the test rows move by +50 and no fitted byte may move; a planted fit on all rows must be caught."""

import numpy as np

from deepwright.core.bundle import read_manifest
from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError
from deepwright.core.part import canonical_json
from deepwright.core.run import Run
from deepwright.core.seal import TEST
from deepwright.core.text import text
from deepwright.data.prepare import fit_prepare
from deepwright.data.split import choose_split
from deepwright.practice.images import decoded_here, decoders
from deepwright.practice.prepared import tensors
from deepwright.practice.prove.case import Case, Claim, negatives

SHIFT = 50.0
NOT_FITTED = ("report.json",)


def prove_leakage(case: Case) -> list[Claim]:
    """Two runs that differ only in their test rows; three fits outside the training part; one planted leak."""
    parts = choose_split(case.whole, has_test=False)[0].assign(case.whole)
    learning, test = case.whole.take(parts != TEST), case.whole.take(parts == TEST)
    path = case.write_csv(learning, case.folder / "learning.csv")
    test_path = case.folder / "test.csv"
    recipe = case.table(path, test_path)

    case.write_csv(test, test_path)
    before = _fitted_files(case.run(recipe, name="before"))
    case.write_csv(test, test_path, shift=SHIFT)
    after = _fitted_files(case.run(recipe, name="after"))
    moved = sorted(name for name in before if before[name] != after.get(name))
    fitted_bytes = sum(size for size, _ in before.values())

    refused = sum(_refuses(case, part) for part in ("whole", "validation", "test"))
    leaky = [_learned(_forged(learning, rows), case) for rows in (test, _shifted(test, case))]
    planted = sum(a != b for a, b in zip(*leaky, strict=True))
    return [
        Claim(
            text("prove.leakage.moved"), len(moved), "= 0", not moved, text("prove.leakage.bytes", bytes=fitted_bytes)
        ),
        Claim(text("prove.leakage.refused"), refused, "= 3", refused == 3),
        Claim(text("prove.leakage.planted"), planted, "> 0", planted > 0),
    ]


def _fitted_files(run: Run) -> dict[str, tuple[int, str]]:
    """Size and hash of every file that fitting wrote, of every member."""
    files = {}
    for folder in sorted((run.folder / "members").iterdir()):
        for name, entry in read_manifest(folder)["files"].items():
            if name not in NOT_FITTED:
                files[f"{folder.name}/{name}"] = (entry["bytes"], entry["sha256"])
    return files


def _refuses(case: Case, part: str) -> bool:
    data = case.whole if part == "whole" else case.whole.take(np.arange(len(case.whole)), part)  # type: ignore[arg-type]
    try:
        fit_prepare(data, case.recipe.prepare, "mixed")
    except LeakError:
        return True
    return False


def _forged(learning: Dataset, test: Dataset) -> Dataset:
    """The planted fault: test rows among those that are called train."""
    columns = {name: np.concatenate([learning.columns[name], test.columns[name]]) for name in learning.columns}
    origin = np.concatenate([learning.origin, test.origin])
    hashes = np.concatenate([learning.hashes, test.hashes])
    return Dataset(columns, learning.schema, "train", origin, hashes, learning.source)


def _shifted(test: Dataset, case: Case) -> Dataset:
    columns = dict(test.columns)
    for feature in test.schema.inputs:
        if feature.type == "number":
            columns[feature.name] = columns[feature.name] + SHIFT
        elif feature.type == "image":
            copies = negatives(columns[feature.name], case.folder / "forged")
            columns[feature.name] = np.array([*copies, None], object)[:-1]
    return Dataset(columns, test.schema, test.part, test.origin, test.hashes, test.source)


def _learned(train: Dataset, case: Case) -> list[str]:
    """What is learned before any training: the operations, and of images what the network takes from their pixels."""
    by = decoders(case.recipe, train)
    form = case.recipe.network.form if by else "mixed"
    train = decoded_here(train, by)
    fitted, inputs = fit_prepare(train, case.recipe.prepare, form)
    learned = [canonical_json(operation.dump()) for operation in fitted.operations]
    if by:
        module = case.recipe.network.build(inputs, num_outputs=1)
        case.recipe.network.adapt(module, tensors(fitted, inputs, train.inputs))
        learned += [f"{name} {buffer.tolist()}" for name, buffer in module.named_buffers()]
    return learned
