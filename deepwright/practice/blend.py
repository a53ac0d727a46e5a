"""The blend: a member that answers with the weighted mean of the network and boosting, as one bundle."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwright.core.bundle import CONTAINS_DATA, Bundle
from deepwright.core.operations import Branch
from deepwright.core.recipe import Recipe
from deepwright.core.run import Run
from deepwright.core.seal import Split
from deepwright.core.step import require_part
from deepwright.evaluation.blend import blend, mixed
from deepwright.practice.member import Learned, Member, finish
from deepwright.practice.target import target_of

if TYPE_CHECKING:
    from onnx import ModelProto

BLEND = "blend"
FIRST, SECOND = "network", "boosting"


def learn_blend(
    run: Run, recipe: Recipe, split: Split, members: Mapping[str, Member], versions: dict[str, Any]
) -> Member | None:
    """The weighted mean of network and boosting, its weight chosen on validation; None where a single one is as good.

    Raises LeakError when the split's validation part is none.
    """
    if not recipe.blend or not {FIRST, SECOND} <= set(members):
        return None
    started = time.monotonic()
    validation = split.validation
    require_part(validation, "validation", BLEND)
    first, second = members[FIRST].bundle, members[SECOND].bundle
    answers = members[FIRST].given.answer, members[SECOND].given.answer
    problem = validation.schema.problem
    found = blend(target_of(validation), *answers, problem, validation.weight, recipe.seed)
    if found.share in (0.0, 1.0):
        return None
    prefixes = free_prefixes(validation.schema.names)
    learned = Learned(
        operations=tuple(
            Branch(operations=member.operations, outputs=member.inputs, prefix=prefix)
            for member, prefix in zip((first, second), prefixes, strict=True)
        ),
        graph=blended_graph(first, second, found.share, prefixes),
        weights=_weights((first, second), prefixes),
        answer=mixed(found.share, *answers).astype(np.float32),
        cross_fitted=found.cross_fitted,
    )
    notes = {"share": found.share, "of": FIRST, "with": SECOND, "rows": len(validation)}
    return finish(run, recipe, split, BLEND, learned, versions, started=started, notes=notes)


def blended_graph(first: Bundle, second: Bundle, share: float, prefixes: tuple[str, str]) -> bytes:
    """Both members' graphs side by side, their inputs under prefixes, and the weighted mean of their answers."""
    from onnx import checker, compose, helper, load_from_string, numpy_helper, version_converter

    models = [load_from_string((bundle.folder / "graph.onnx").read_bytes()) for bundle in (first, second)]
    opset = max(map(_opset, models))
    models = [m if _opset(m) == opset else version_converter.convert_version(m, opset) for m in models]
    ir_version = max(model.ir_version for model in models)
    answer = models[0].graph.output[0]
    for model in models:
        model.ir_version = ir_version
        model.producer_name, model.producer_version = "deepwright", ""
    contains_data = any(entry.key == CONTAINS_DATA for model in models for entry in model.metadata_props)
    model = compose.merge_models(*models, io_map=[], prefix1=prefixes[0], prefix2=prefixes[1])
    given = [output.name for output in model.graph.output]
    parts = [f"{prefix}share" for prefix in prefixes]
    for name, output, part in zip(parts, given, (share, 1.0 - share), strict=True):
        model.graph.initializer.append(numpy_helper.from_array(np.array(part, np.float32), name))
        model.graph.node.append(helper.make_node("Mul", [output, name], [f"{name}d"]))
    model.graph.node.append(helper.make_node("Add", [f"{name}d" for name in parts], [answer.name]))
    del model.graph.output[:]
    model.graph.output.append(answer)
    if contains_data and not any(entry.key == CONTAINS_DATA for entry in model.metadata_props):
        mark = model.metadata_props.add()
        mark.key, mark.value = CONTAINS_DATA, "true"
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def free_prefixes(names: tuple[str, ...]) -> tuple[str, str]:
    """Prefixes for the two members' tensors that begin no column's name."""
    mark = "."
    while any(name.startswith((FIRST + mark, SECOND + mark)) for name in names):
        mark += "."
    return FIRST + mark, SECOND + mark


def _opset(model: "ModelProto") -> int:
    return int(next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")))


def _weights(bundles: tuple[Bundle, Bundle], prefixes: tuple[str, str]) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return {
        prefix + name: array
        for bundle, prefix in zip(bundles, prefixes, strict=True)
        for name, array in load_file(bundle.folder / "weights.safetensors").items()
    }
