"""A baseline as a member of a run: learned on the training part, its operation the bundle's graph."""

import time
from typing import Any

from deepwright.core.bundle import CONTAINS_DATA
from deepwright.core.families import Baseline
from deepwright.core.operations.graph import Graph
from deepwright.core.recipe import Recipe
from deepwright.core.run import Run
from deepwright.core.seal import Split
from deepwright.data.prepare import fit_prepare
from deepwright.practice.member import Learned, Member, finish
from deepwright.practice.prepared import rows_of
from deepwright.practice.target import class_weights, num_outputs, row_weights, target_of


def learn_baseline(
    run: Run, recipe: Recipe, baseline: Baseline, split: Split, versions: dict[str, Any], *, is_sample: bool = False
) -> Member:
    """Learn one baseline on the training part; its operation becomes the bundle's graph.

    is_sample: the rows are some of a table larger than memory, so that thousands of levels must not take columns of
    zeros.
    """
    started = time.monotonic()
    train = split.train
    problem = train.schema.problem
    fitted, inputs = fit_prepare(train, recipe.prepare, baseline.form)
    is_sparse = is_sample and baseline.form == "wide"
    x = rows_of(fitted, inputs, train.inputs, is_sparse=is_sparse)
    weight = row_weights(train, class_weights(train, recipe))
    operation = baseline.learn(x, target_of(train), problem, num_outputs(train), recipe.seed, weight)
    validation = {"x": rows_of(fitted, inputs, split.validation.inputs, is_sparse=is_sparse)}
    ours = operation.apply(validation)["value" if problem == "regression" else "probability"]
    graph = Graph()
    graph.input("x", "float", x.shape[1])
    operation.graph(graph)
    output = {"value": None} if problem == "regression" else {"probability": num_outputs(train)}
    model = graph.model(output)
    if operation.contains_data:
        mark = model.metadata_props.add()
        mark.key, mark.value = CONTAINS_DATA, "true"
    learned = Learned(fitted.operations, model.SerializeToString(), operation.arrays(), ours)
    return finish(run, recipe, split, baseline.kind, learned, versions, started=started)
