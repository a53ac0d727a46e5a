"""Graph: an ONNX graph under construction, keyed by our column and tensor names.

Columns enter as [N, 1] (numbers as double, texts as string); tensors are [N, F].
onnx is imported only when a graph is built, so that serving never loads it.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

OPSET = 18
ML_OPSET = 4


class Graph:
    """values: our name > the ONNX value that carries it now. missing_text: what stands for a missing text."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.missing_text = ""
        self.inputs: list[Any] = []
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def input(self, name: str, kind: str, width: int | None = 1) -> None:
        """Declare an input of shape [N, width]; kind is `number` (double), `text` (string), `float`, `int`, or `pixels`
        (uint8 [N, height, width, channels], whatever their sizes)."""
        from onnx import TensorProto, helper

        element = {
            "number": TensorProto.DOUBLE,
            "text": TensorProto.STRING,
            "float": TensorProto.FLOAT,
            "int": TensorProto.INT64,
            "pixels": TensorProto.UINT8,
        }[kind]
        shape: list[str | int | None] = ["N", None, None, None] if kind == "pixels" else ["N", width]
        self.inputs.append(helper.make_tensor_value_info(name, element, shape))
        self.values[name] = name

    def add(self, op: str, *inputs: str, domain: str = "", outputs: int = 1, **attributes: Any) -> str:
        """Add a node; gives the name of its first output (further ones end in `.1`, `.2`)."""
        from onnx import helper

        name = f"{op.lower()}_{len(self.nodes)}"
        names = [name, *(f"{name}.{i}" for i in range(1, outputs))]
        self.nodes.append(helper.make_node(op, list(inputs), names, domain=domain, **attributes))
        return name

    def constant(self, array: Any, dtype: Any) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, dtype=dtype), name))
        return name

    def model(self, outputs: dict[str, int | None], element: str = "float") -> "ModelProto":
        """The finished model. outputs: our name > width (None: [N] after squeezing the last axis)."""
        from onnx import TensorProto, checker, helper

        infos = []
        for name, width in outputs.items():
            value = self.values[name]
            if width is None:
                value = self.add("Squeeze", value, self.constant([1], np.int64))
            self.nodes.append(helper.make_node("Identity", [value], [f"{name}"]))
            shape: list[str | int | None] = ["N"] if width is None else ["N", width]
            kind = TensorProto.DOUBLE if element == "double" else TensorProto.FLOAT
            infos.append(helper.make_tensor_value_info(name, kind, shape))
        graph = helper.make_graph(self.nodes, "deepwright", self.inputs, infos, self.constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="deepwright")
        checker.check_model(model)
        return model
