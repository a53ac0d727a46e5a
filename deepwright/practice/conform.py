"""Conforming: every member's bundle gets what gives its answers an interval or a set, from rows that no choice saw."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepwright.core.bundle import SCALE, Bundle, write_bundle
from deepwright.core.conformal import Conformal
from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError
from deepwright.core.families import Intervals, Sets
from deepwright.core.operations import Branch, Operation
from deepwright.core.operations.graph import Graph
from deepwright.core.recipe import Recipe
from deepwright.core.report import Finding, finding
from deepwright.core.run import Run
from deepwright.core.schema import Problem, Schema
from deepwright.core.seal import Split
from deepwright.core.step import require_part
from deepwright.data.calibration import hold_back
from deepwright.data.prepare import fit_prepare
from deepwright.evaluation.conformal import Absolute
from deepwright.model.baselines import Boosting
from deepwright.model.residual_scale import residual_scale
from deepwright.practice.member import Member
from deepwright.practice.prepared import rows_of
from deepwright.practice.target import row_weights, target_of

PREFIX = "scale."


@dataclass(frozen=True)
class Scale:
    """Trees that say how large a row's error is expected to be, and the preparation of the rows that they take."""

    operations: tuple[Operation, ...]
    trees: Operation
    width: int


def asked(recipe: Recipe, problem: Problem) -> Intervals | Sets | None:
    """What answers of this problem are to have. Raises RecipeError for sets of another problem."""
    if recipe.sets is not None and problem not in recipe.sets.problems:
        kinds = sorted(kind for kind, other in Sets.kinds.items() if problem in other.problems)  # type: ignore[attr-defined]
        rule = "run.sets_problem" if kinds else "run.sets_values"
        raise RecipeError(rule, kind=recipe.sets.kind, allowed=", ".join(kinds))
    return recipe.intervals if problem == "regression" else recipe.sets


def held_back(recipe: Recipe, whole: Dataset, parts: np.ndarray) -> tuple[np.ndarray, tuple[Finding, ...]]:
    """bool [N]: validation rows held back for calibration, where answers are to have an interval or a set; and what is
    to be known of it. parts: int8 [N]."""
    part = asked(recipe, whole.schema.problem)
    if part is None:
        return np.zeros(len(whole), bool), ()
    return hold_back(whole, parts, recipe.calibration, part.level)


def conform(run: Run, recipe: Recipe, split: Split, members: Mapping[str, Member]) -> dict[str, Member]:
    """The members, their bundles written once more with what the calibration part says of their answers.

    Raises LeakError when the split's calibration part is none.
    """
    part = asked(recipe, split.train.schema.problem)
    if part is None or split.calibration is None:
        return dict(members)
    if isinstance(part, Intervals) and part.takes_scale and not can_scale(split.train.schema):
        part = Absolute(level=part.level)
    scale = learn_scale(recipe, split.train) if isinstance(part, Intervals) and part.takes_scale else None
    found = {}
    for name, member in members.items():
        folder = run.folder / "members" / name
        bundle = member.bundle if scale is None else _rewritten(member.bundle, scale=scale)
        bundle = _rewritten(bundle, conformal=calibrated(part, bundle, split.calibration))
        assert bundle.folder == folder, f"{bundle.folder} is not the bundle of {name}"
        run.commit(f"conformal {name}", bundle=bundle.digest)
        found[name] = replace(member, bundle=bundle, given=bundle.predict(split.validation))
    return found


def calibrated(part: Intervals | Sets, bundle: Bundle, calibration: Dataset) -> Conformal:
    """What the calibration rows say of a bundle's answers. Raises LeakError on any other part."""
    require_part(calibration, "calibration", f"{part.family}.{part.kind}")
    target, answers = target_of(calibration), bundle.predict(calibration)
    if isinstance(part, Sets):
        assert answers.probability is not None, "sets are of classes or labels"
        return part.calibrate(target, answers.probability)
    assert answers.value is not None, "intervals are of values"
    return part.calibrate(target, answers.value, bundle.scale(calibration.inputs) if part.takes_scale else None)


def can_scale(schema: Schema) -> bool:
    """Whether the trees that learn a scale can take all inputs."""
    return {feature.type for feature in schema.inputs} <= Boosting.takes


def learn_scale(recipe: Recipe, train: Dataset) -> Scale:
    """How large errors are expected to be, from the training part alone."""
    fitted, inputs = fit_prepare(train, recipe.prepare, Boosting.form)
    x = rows_of(fitted, inputs, train.inputs)
    trees = residual_scale(x, target_of(train), recipe.seed, row_weights(train, None))
    return Scale(fitted.operations, trees, x.shape[1])


def conformal_findings(recipe: Recipe, split: Split, member: Member) -> tuple[Finding, ...]:
    """How the shipped bundle's intervals or sets were calibrated, and where others were asked for."""
    schema = member.bundle.schema
    conformal = schema.conformal
    if conformal is None:
        return ()
    where, level = schema.target.name, f"{conformal.level:.0%}"
    values: dict[str, Any] = {"level": level, "rows": conformal.rows, "bound": f"{conformal.bound:.4g}"}
    if not conformal.is_interval:
        rule = "label_sets" if schema.problem == "multi-label" else "sets"
        return (finding(rule, "note", where, kind=conformal.kind, **values),)
    rule = "intervals_absolute" if conformal.kind == "absolute" else "intervals_scaled"
    found = [finding(rule, "note", where, **values)]
    if recipe.intervals is not None and recipe.intervals.kind != conformal.kind:
        found.append(finding("intervals_no_scale", "note", where, kind=recipe.intervals.kind))
    return tuple(found)


def _rewritten(bundle: Bundle, *, scale: Scale | None = None, conformal: Conformal | None = None) -> Bundle:
    """The bundle with the trees of a scale beside its graph, or with what its answers conform to."""
    from safetensors.numpy import load_file

    graph, operations = (bundle.folder / "graph.onnx").read_bytes(), bundle.operations
    weights = load_file(bundle.folder / "weights.safetensors")
    if scale is not None:
        prefix, prepared = _free_prefix(bundle.schema.names), prepared_as(scale.operations, operations)
        if prepared is None:
            operations = (Branch(operations=scale.operations, outputs=("x",), prefix=prefix), *operations)
        graph = with_scale(graph, scale, prefix, prepared)
        weights |= {f"{prefix}{name}": array for name, array in scale.trees.arrays().items()}
    schema = bundle.schema if conformal is None else bundle.schema.model_copy(update={"conformal": conformal})
    return write_bundle(
        bundle.folder, schema=schema, operations=operations, graph=graph, weights=weights,
        recipe=bundle.recipe, profile=bundle.profile, versions=bundle.versions,
    )  # fmt: skip


def prepared_as(wanted: tuple[Operation, ...], operations: tuple[Operation, ...]) -> str | None:
    """The tensor among a model's own that the wanted operations would make as `x` once more; None: there is none."""
    if operations == wanted:
        return "x"
    branches = (o for o in operations if isinstance(o, Branch) and o.operations == wanted and "x" in o.outputs)
    return next((f"{branch.prefix}x" for branch in branches), None)


def with_scale(graph: bytes, scale: Scale, prefix: str, prepared: str | None = None) -> bytes:
    """A model's graph with a further output `scale` [N] from the trees, which take its input `prepared`; None: an input
    of their own, `PREFIXx`."""
    from onnx import checker, compose, load_from_string, version_converter

    model = load_from_string(graph)
    added = Graph()
    added.input("x", "float", scale.width)
    scale.trees.graph(added)
    beside = added.model({SCALE: None})
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    if opset != next(entry.version for entry in beside.opset_import if entry.domain == ""):
        beside = version_converter.convert_version(beside, opset)
    beside.ir_version = model.ir_version
    metadata = list(model.metadata_props)
    beside = compose.add_prefix(beside, prefix)
    for node in beside.graph.node:
        node.output[:] = [SCALE if name == f"{prefix}{SCALE}" else name for name in node.output]
    beside.graph.output[0].name = SCALE
    model = compose.merge_models(model, beside, io_map=[])
    if prepared is not None:
        for node in model.graph.node:
            node.input[:] = [prepared if name == f"{prefix}x" else name for name in node.input]
        own = next(place for place, each in enumerate(model.graph.input) if each.name == f"{prefix}x")
        del model.graph.input[own]
    model.producer_name, model.producer_version = "deepwright", ""
    del model.metadata_props[:]
    model.metadata_props.extend(metadata)
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _free_prefix(names: tuple[str, ...]) -> str:
    prefix = PREFIX
    while any(name.startswith(prefix) for name in names):
        prefix += "."
    return prefix
