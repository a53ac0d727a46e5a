"""Claim: an interval around every answered value costs little of the time of a call.

    python -m benchmarks.intervals

A table of 12 columns is learned once; each member's bundle, whose intervals are scaled by trees beside its graph, is
timed against itself without them, in the call that the server makes once it has read a request: one row, and 256 rows.
The two take turns, so that a busy machine slows both; CPU seconds, the median of the rounds. `prepared twice` is the
same bundle with a preparation of its own for the scale, as members had whose own already is that one.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.claims import Claim, at_most, finish
from deepwright import parts
from deepwright.core.bundle import SCALE, Bundle, write_bundle
from deepwright.core.families import Source
from deepwright.core.operations import Branch, Operation
from deepwright.core.recipe import Recipe, Train
from deepwright.practice.run import practise

ROWS = {1: 300, 256: 20}
"""Rows of a call, and calls of a round."""
ROUNDS = 15
BAR = 1.5
"""A call with intervals over one without them."""


def main() -> int:
    parts.load_installed()
    claims: list[Claim] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, bundle in members(Path(folder)).items():
            variants = {"with": bundle, "without": without_intervals(bundle, Path(folder) / f"{name}-plain")}
            if "x" in bundle.inputs:
                variants["prepared twice"] = prepared_twice(bundle, Path(folder) / f"{name}-twice")
            for rows, calls in ROWS.items():
                spent = times(variants, columns(bundle, rows), calls)
                said = ", ".join(f"{each} {seconds * 1e6:.4g}" for each, seconds in spent.items())
                print(f"{name}, {rows} rows a call, CPU microseconds: {said}")
                claims.append(at_most(f"{name}, {rows} rows: with over without", spent["with"] / spent["without"], BAR))
    return finish(claims, rounds=ROUNDS)


def members(folder: Path) -> Mapping[str, Bundle]:
    """The bundles of network, boosting and blend, with scaled intervals."""
    draw = np.random.default_rng(0)
    size = 4000
    numbers = {f"n{place}": draw.normal(size=size).round(4) for place in range(8)}
    words = {f"c{place}": draw.choice(["red", "green", "blue", "grey"], size) for place in range(4)}
    noise = np.where(words["c0"] == "red", 2.0, 0.2) * draw.normal(size=size)
    y = numbers["n0"] * 3 + np.abs(numbers["n1"]) + (words["c1"] == "blue") + noise
    pl.DataFrame({**numbers, **words, "y": y.round(4)}).write_csv(folder / "table.csv")
    source = Source.parse({"kind": "table", "path": str(folder / "table.csv")})
    run = practise(Recipe(source=source, target="y", train=Train(epochs=2, threads=1)), runs=folder, name="intervals")
    found = {path.name: Bundle.load(path) for path in sorted((run.folder / "members").iterdir())}
    return {name: bundle for name, bundle in found.items() if name in ("network", "boosting", "blend")}


def without_intervals(bundle: Bundle, folder: Path) -> Bundle:
    """The same answers alone."""
    from onnx import load

    model = load(bundle.folder / "graph.onnx")
    operations = tuple(each for each in bundle.operations if not _is_scale(each))
    kept = [each for each in model.graph.input if not each.name.startswith(f"{SCALE}.")]
    del model.graph.input[:], model.graph.output[1:]
    model.graph.input.extend(kept)
    wanted = {model.graph.output[0].name}
    nodes = []
    for node in reversed(model.graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(reversed(nodes))
    return _written(bundle, folder, operations, model.SerializeToString(), conformal=None)


def prepared_twice(bundle: Bundle, folder: Path) -> Bundle:
    """The same answers and intervals, the scale's rows prepared once more."""
    from onnx import load

    model = load(bundle.folder / "graph.onnx")
    own = model.graph.input.add()
    own.CopyFrom(next(each for each in model.graph.input if each.name == "x"))
    own.name = f"{SCALE}.x"
    for node in model.graph.node:
        if any(name == SCALE or name.startswith(f"{SCALE}.") for name in node.output):
            node.input[:] = [f"{SCALE}.x" if name == "x" else name for name in node.input]
    branch = Branch(operations=bundle.operations, outputs=("x",), prefix=f"{SCALE}.")
    operations = (branch, *bundle.operations)
    return _written(bundle, folder, operations, model.SerializeToString(), conformal=bundle.schema.conformal)


def times(variants: Mapping[str, Bundle], given: Mapping[str, np.ndarray], calls: int) -> dict[str, float]:
    """CPU seconds of a call of each, the median over rounds in which they take turns."""
    spent: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(ROUNDS + 1):
        for name, bundle in variants.items():
            started = time.process_time()
            for _ in range(calls):
                bundle.answer(given)
            spent[name].append((time.process_time() - started) / calls)
    return {name: statistics.median(each[1:]) for name, each in spent.items()}  # the first round warms up


def columns(bundle: Bundle, rows: int) -> Mapping[str, np.ndarray]:
    golden = bundle.schema.columns(bundle.golden["rows"])
    return {name: np.resize(column, rows) for name, column in golden.items()}


def _is_scale(operation: Operation) -> bool:
    return isinstance(operation, Branch) and operation.prefix.startswith(f"{SCALE}.")


def _written(
    bundle: Bundle, folder: Path, operations: tuple[Operation, ...], graph: bytes, *, conformal: object
) -> Bundle:
    schema = bundle.schema.model_copy(update={"conformal": conformal})
    empty: dict[str, object] = {"recipe": {}, "profile": {}, "versions": {}}
    return write_bundle(
        folder, schema=schema, operations=operations, graph=graph, weights={"none": np.zeros(1)}, **empty
    )  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
