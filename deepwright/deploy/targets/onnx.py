"""ONNX: one graph from raw columns to the answer, checked against the bundle before anyone gets it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwright.core import pixels
from deepwright.core.bundle import Bundle
from deepwright.core.disk import write_atomic
from deepwright.core.errors import RuleError, UsageError
from deepwright.core.families import Exporter
from deepwright.core.golden import GOLDEN_SEED, NUM_ROWS, golden_rows
from deepwright.core.operations import DecodeImage, Operation, unfolded
from deepwright.core.operations.graph import ML_OPSET, OPSET, Graph
from deepwright.core.schema import Feature
from deepwright.core.text import text

if TYPE_CHECKING:
    from onnx import ModelProto

TOLERANCE = 1e-5
BATCHES = (1, 7, 256)
FURTHER_SEEDS, IMAGE_SEEDS = range(17, 33), range(17, 20)
"""Each seed draws 16 rows from the schema: 256 beside the golden rows, of images 48."""
KEY = "deepwright"
"""The entry of the model's metadata that tells its client how to feed it."""


class Onnx(Exporter, kind="onnx"):
    """Write one ONNX graph from raw columns to probability or value, with a small client and a page on its use.

    Numbers and timestamps enter as double [N, 1], texts and categories as string [N, 1], images as their pixels, uint8
    [N, H, W, C], which the client makes of files with the bundle's own code; the output is `probability` [N, K] or
    `value` [N], float32.
    """

    def export(self, bundle: Bundle, folder: str | Path) -> list[Path]:
        """Write model.onnx, client.py and README.md below `folder`, for images pixels.py too; print where the graph
        begins.

        Raises RuleError when an operation has no ONNX form, or the graph's answers differ from the bundle's by more
        than 1e-5 (relative to the largest answer) on the golden rows and 256 further ones (of images 48) at batches of
        1, 7 and 256; UsageError when other files of these names stand there.
        """
        folder = Path(folder)
        graph = onnx_model(bundle).SerializeToString(deterministic=True)
        difference = largest_difference(bundle, graph)
        if not difference <= TOLERANCE:
            raise RuleError("onnx.differs", difference=difference, limit=TOLERANCE)
        rule = "onnx.boundary_of_images" if _decoders(bundle) else "onnx.boundary"
        boundary = text(rule, columns=len(bundle.schema.inputs), marker=repr(missing_text(bundle)))
        contents = {
            "model.onnx": graph,
            "client.py": Path(__file__).with_name("onnx_client.py").read_bytes(),
            "README.md": _page(bundle, boundary, difference).encode(),
        }
        if _decoders(bundle):
            contents["pixels.py"] = Path(pixels.__file__).read_bytes()
        for name, content in contents.items():
            path = folder / name
            if path.exists() and path.read_bytes() != content:
                raise UsageError("onnx.exists", path=path)
        for name, content in contents.items():
            write_atomic(folder / name, content)
        print(boundary)
        return [folder / name for name in contents]


def onnx_model(bundle: Bundle) -> "ModelProto":
    """The bundle's operations and its graph as one model whose inputs bear the columns' names."""
    from onnx import checker, compose, load_from_string

    network = load_from_string((bundle.folder / "graph.onnx").read_bytes())
    names = [feature.name for feature in bundle.schema.inputs]
    outputs = [output.name for output in network.graph.output]
    for output in outputs:
        if output in names:
            raise UsageError("onnx.name_taken", column=output)
    host = _host_model(bundle, network)
    host_prefix, network_prefix = _free_prefix("prepare.", names), _free_prefix("model.", names)
    wanted = [entry.name for entry in network.graph.input]
    host = compose.add_prefix(host, host_prefix)
    network = compose.add_prefix(network, network_prefix)
    model = compose.merge_models(
        host, network, io_map=[(f"{host_prefix}{name}", f"{network_prefix}{name}") for name in wanted]
    )
    renamed = {f"{host_prefix}{_input(place)}": name for place, name in enumerate(names)}
    _rename(model, renamed | {f"{network_prefix}{output}": output for output in outputs})
    model.producer_name, model.producer_version = "deepwright", ""
    entry = model.metadata_props.add()
    entry.key, entry.value = KEY, json.dumps(_description(bundle), ensure_ascii=False, sort_keys=True)
    checker.check_model(model)
    return model


def largest_difference(bundle: Bundle, graph: bytes) -> float:
    """Between the graph's answers and the bundle's, relative to the largest answer (at least 1)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    rows = [row for seed in _seeds(bundle) for row in golden_rows(bundle.schema, seed)]
    expected = bundle.predict(rows).answer
    columns = bundle.schema.columns(rows)
    decoders = _decoders(bundle)
    feed = {
        feature.name: decoders[feature.name].apply(columns)[feature.name]
        if feature.name in decoders
        else _fed(feature, columns[feature.name], missing_text(bundle))
        for feature in bundle.schema.inputs
    }
    scale = bundle.scale(columns)
    due = [expected] if scale is None else [expected, scale]
    worst = 0.0
    for size in BATCHES:
        pieces = [session.run(None, piece) for piece in _pieces(feed, len(rows), size)]
        for place, wanted in enumerate(due):
            found = np.concatenate([piece[place] for piece in pieces])
            if found.shape != wanted.shape or not np.isfinite(found).all():
                return float("inf")
            worst = max(worst, float(np.abs(found - wanted).max()) / max(1.0, float(np.abs(wanted).max())))
    return worst


def missing_text(bundle: Bundle) -> str:
    """What stands for a missing text, since ONNX strings have no null: "" unless that is a level, else another word."""
    taken = {level for feature in bundle.schema.inputs for level in feature.levels}
    for operation in unfolded(bundle.operations):
        taken.update(level for level in getattr(operation, "levels", ()) if isinstance(level, str))
    marker = ""
    while marker in taken:
        marker = f"<missing{marker}>"
    return marker


def _host_model(bundle: Bundle, network: "ModelProto") -> "ModelProto":
    """The operations as a model that gives the network's inputs, at the network's versions of ONNX."""
    from onnx import helper, version_converter

    graph = Graph()
    graph.missing_text = missing_text(bundle)
    decoders = _decoders(bundle)
    for place, feature in enumerate(bundle.schema.inputs):
        graph.input(_input(place), _kind(feature, decoders))
        graph.values[feature.name] = graph.values.pop(_input(place))
    for operation in bundle.operations:
        if not any(operation is decoder for decoder in decoders.values()):
            _add(operation, graph)
    outputs = []
    for wanted in network.graph.input:
        graph.nodes.append(helper.make_node("Identity", [graph.values[wanted.name]], [wanted.name]))
        outputs.append(wanted)
    proto = helper.make_graph(graph.nodes, "prepare", graph.inputs, outputs, graph.constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    host = helper.make_model(proto, opset_imports=opsets, ir_version=network.ir_version)
    version = next(entry.version for entry in network.opset_import if entry.domain in ("", "ai.onnx"))
    if version != OPSET:
        host = version_converter.convert_version(host, version)
        host.ir_version = network.ir_version
    return host


def _decoders(bundle: Bundle) -> dict[str, DecodeImage]:
    """What makes pixels of each image column: where the graph begins there, since ONNX decodes no files."""
    images = {feature.name for feature in bundle.schema.inputs if feature.type == "image"}
    return {o.column: o for o in bundle.operations if isinstance(o, DecodeImage) and o.column in images}


def _kind(feature: Feature, decoders: Mapping[str, DecodeImage]) -> str:
    if feature.name in decoders:
        return "pixels"
    return "number" if _is_number(feature) else "text"


def _seeds(bundle: Bundle) -> tuple[int, ...]:
    return (GOLDEN_SEED, *(IMAGE_SEEDS if _decoders(bundle) else FURTHER_SEEDS))


def _add(operation: Operation, graph: Graph) -> None:
    for inner in unfolded([operation]):
        if not inner.has_graph:
            raise RuleError("onnx.no_graph", operation=inner.kind)
    operation.graph(graph)


def _input(place: int) -> str:
    """Inside, columns are counted: their own names may be those of other values."""
    return f"column_{place}"


def _free_prefix(prefix: str, names: list[str]) -> str:
    while any(name.startswith(prefix) for name in names):
        prefix = "_" + prefix
    return prefix


def _rename(model: "ModelProto", names: dict[str, str]) -> None:
    for info in (*model.graph.input, *model.graph.output):
        info.name = names.get(info.name, info.name)
    for node in model.graph.node:
        for values in (node.input, node.output):
            values[:] = [names.get(value, value) for value in values]


def _description(bundle: Bundle) -> dict[str, Any]:
    inputs, decoders = bundle.schema.inputs, _decoders(bundle)
    return {
        "model": bundle.digest,
        "problem": bundle.problem,
        "target": bundle.schema.target.name,
        "levels": list(bundle.levels),
        "threshold": bundle.schema.threshold,
        "costs": bundle.schema.costs,
        "conformal": None if bundle.schema.conformal is None else bundle.schema.conformal.model_dump(mode="json"),
        "numbers": [feature.name for feature in inputs if _is_number(feature)],
        "texts": [feature.name for feature in inputs if _kind(feature, decoders) == "text"],
        "images": {name: decoder.dump() for name, decoder in decoders.items()},
        "missing_text": missing_text(bundle),
    }


def _is_number(feature: Feature) -> bool:
    return feature.type in ("number", "timestamp")


def _fed(feature: Feature, column: np.ndarray, marker: str) -> np.ndarray:
    """A column as the graph takes it: [N, 1]."""
    if _is_number(feature):
        return np.asarray(column, dtype=np.float64)[:, None]
    return np.array([[marker if value is None else value] for value in column], dtype=object)


def _pieces(feed: dict[str, np.ndarray], rows: int, size: int) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, rows, size):
        yield {name: column[start : start + size] for name, column in feed.items()}


def _page(bundle: Bundle, boundary: str, difference: float) -> str:
    return text(
        "onnx.page",
        target=bundle.schema.target.name,
        model=bundle.digest,
        boundary=boundary,
        inputs="\n".join(_input_line(feature, _decoders(bundle)) for feature in bundle.schema.inputs),
        output="probability [N, " + str(len(bundle.levels)) + "]" if bundle.levels else "value [N]",
        levels=", ".join(bundle.levels) or "-",
        rows=NUM_ROWS * len(_seeds(bundle)),
        batches=", ".join(map(str, BATCHES)),
        difference=difference,
        limit=TOLERANCE,
        packages="numpy onnxruntime pillow" if _decoders(bundle) else "numpy onnxruntime",
    )


def _input_line(feature: Feature, decoders: Mapping[str, DecodeImage]) -> str:
    if feature.name in decoders:
        height, width, channels = decoders[feature.name].form.shape
        return f"- `{feature.name}`: uint8 [N, {height}, {width}, {channels}]"
    kind = "double" if _is_number(feature) else "string"
    unit = f", {feature.unit}" if feature.unit else ""
    return f"- `{feature.name}`: {kind} [N, 1]{unit}"
