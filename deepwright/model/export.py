"""A network as an ONNX graph that was checked against torch at sizes it was not traced at."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwright.core.errors import PracticeError, RuleError
from deepwright.core.families import Tensor
from deepwright.core.schema import Problem

if TYPE_CHECKING:
    import torch
    from torch import nn

OPSET = 18
TRACED_ROWS = 3
CHECKED_ROWS = (1, 2, 7, 64)
IMAGE_ROWS = (1, 2, 7)
PARITY = 1e-5
IMAGE_PARITY = 1e-4
"""Of networks on images: dozens of layers, whose sums run in another order after normalisations are folded in."""


def export_network(
    module: "nn.Module", inputs: tuple[Tensor, ...], problem: Problem, *, free_size: bool = False
) -> tuple[bytes, dict[str, np.ndarray]]:
    """The graph of an answering network as ONNX bytes, and its state dict.

    module: as `answering` gives it; it is put back into the mode it was in. The graph's inputs bear the tensors' names
    and have a free batch axis, its output is `probability` [N, K] or `value` [N]; weights stand inside the bytes.
    free_size: heights and widths of images are free too, and checked at others than those of `inputs`.
    Raises RuleError (rule no_graph) when the network cannot be exported, or the graph's answers differ from torch's by
    more than 1e-5 of the largest at 1, 2, 7 or 64 rows; 1e-4 at 1, 2 and 7 where an input is an image.
    """
    answer = "value" if problem == "regression" else "probability"
    was_training = module.training
    module.eval()
    try:
        graph = _graph(module, inputs, answer, free_size)
        _check(graph, module, inputs, answer)
        if free_size:
            _check(graph, module, _larger(inputs), answer)
        weights = {name: value.detach().cpu().numpy().copy() for name, value in module.state_dict().items()}
    finally:
        module.train(was_training)
    return graph, weights


def example(inputs: tuple[Tensor, ...], rows: int, seed: int = 0) -> tuple["torch.Tensor", ...]:
    """Made-up tensors of the right shapes and ranges; the same for the same seed and rows."""
    import torch

    draw = np.random.default_rng([seed, rows])
    tensors = []
    for tensor in inputs:
        if tensor.shape is not None:
            tensors.append(torch.from_numpy(draw.integers(0, 256, (rows, *tensor.shape), np.uint8)))
        elif tensor.dtype == "int64":
            high = np.asarray(tensor.num_codes)
            tensors.append(torch.from_numpy(draw.integers(0, high, (rows, tensor.width))))
        else:
            tensors.append(torch.from_numpy(draw.standard_normal((rows, tensor.width)).astype(np.float32)))
    return tuple(tensors)


def _larger(inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Images of another height and width, odd ones where the given ones are even."""
    return tuple(
        tensor
        if tensor.shape is None
        else replace(tensor, shape=(tensor.shape[0] + 5, tensor.shape[1] + 9, tensor.width))
        for tensor in inputs
    )


def _graph(module: "nn.Module", inputs: tuple[Tensor, ...], answer: str, free_size: bool = False) -> bytes:
    import torch

    batch = torch.export.Dim("batch")
    size = {1: torch.export.Dim.DYNAMIC, 2: torch.export.Dim.DYNAMIC} if free_size else {}
    try:
        with _quiet():
            program = torch.onnx.export(
                module,
                _on_device(module, example(inputs, TRACED_ROWS)),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=[tensor.name for tensor in inputs],
                output_names=[answer],
                dynamic_shapes=(tuple({0: batch} if t.shape is None else {0: batch, **size} for t in inputs),),
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError, TypeError, ValueError) as error:
        raise RuleError("model.no_graph", rule="no_graph", why=_reason(error)) from error
    if program is None:
        raise PracticeError("model.exporter_gave_nothing")
    return _without_traces(program.model_proto)


def _without_traces(proto: Any) -> bytes:
    """The model's bytes without the exporter's notes, which name files of the machine it ran on."""
    for container in (proto, proto.graph, *proto.graph.node, *proto.graph.value_info, *proto.graph.input):
        del container.metadata_props[:]
        container.doc_string = ""
    for container in (*proto.graph.output, *proto.graph.initializer, *proto.functions):
        del container.metadata_props[:]
        container.doc_string = ""
    proto.producer_name, proto.producer_version = "deepwright", ""
    return proto.SerializeToString(deterministic=True)


def _check(graph: bytes, module: "nn.Module", inputs: tuple[Tensor, ...], answer: str) -> None:
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    has_image = any(tensor.shape is not None for tensor in inputs)
    limit = IMAGE_PARITY if has_image else PARITY
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        for rows in (TRACED_ROWS, *(IMAGE_ROWS if has_image else CHECKED_ROWS)):
            tensors = example(inputs, rows)
            feed = {tensor.name: value.numpy() for tensor, value in zip(inputs, tensors, strict=True)}
            found = session.run([answer], feed)[0]
            with torch.no_grad():
                expected = module(*_on_device(module, tensors)).cpu().numpy()
            _compare(found, expected, rows, limit)
    except _runtime_errors() as error:
        raise RuleError("model.no_graph", rule="no_graph", why=_reason(error)) from error


def _compare(found: np.ndarray, expected: np.ndarray, rows: int, limit: float) -> None:
    if found.shape != expected.shape:
        why = f"{rows} rows: {found.shape} != {expected.shape}"
        raise RuleError("model.no_graph", rule="no_graph", why=why)
    difference = float(np.abs(found - expected).max() / max(float(np.abs(expected).max()), 1e-30))
    if not difference <= limit:
        raise RuleError(
            "model.graph_differs", rule="no_graph", rows=rows, difference=f"{difference:.1e}", allowed=limit
        )


def _on_device(module: "nn.Module", tensors: tuple["torch.Tensor", ...]) -> tuple["torch.Tensor", ...]:
    first = next(module.parameters(), None)
    return tensors if first is None else tuple(tensor.to(first.device) for tensor in tensors)


def _runtime_errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises for a graph it cannot load or run; its classes share no base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (state.Fail, state.InvalidArgument, state.InvalidGraph, state.NotImplemented, state.RuntimeException)


def _reason(error: BaseException) -> str:
    """The first line of the innermost error; exporters wrap the cause in pages of advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300] if lines else '-'}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing on the terminal: exporters print, log and warn about their own affairs."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
