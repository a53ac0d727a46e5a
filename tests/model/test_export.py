import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from deepwright.core.errors import RuleError
from deepwright.core.families import Tensor
from deepwright.model import export
from deepwright.model.answer import answering
from deepwright.model.export import example, export_network
from deepwright.model.module import Module
from deepwright.model.tabular import MLP

MIXED = (Tensor("numbers", 3), Tensor("categories", 2, "int64", (5, 10)))
FLAT = (Tensor("x", 5),)


def answered(graph, inputs, rows):
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    feed = {t.name: v.numpy() for t, v in zip(inputs, example(inputs, rows, seed=9), strict=True)}
    return session.run(None, feed)[0]


@pytest.mark.parametrize(
    ("normalisation", "problem"), [("none", "classification"), ("batch", "regression"), ("layer", "classification")]
)
def test_the_graph_answers_as_torch_does_at_any_number_of_rows(normalisation, problem):
    torch.manual_seed(0)
    net = MLP(widths=(16,), normalisation=normalisation).build(MIXED, 3 if problem == "classification" else 1)
    module = answering(net, problem, mean=40.0, sd=10.0)
    graph, _ = export_network(module, MIXED, problem)
    module.eval()
    for rows in (1, 2, 5, 1000):
        with torch.no_grad():
            expected = module(*example(MIXED, rows, seed=9)).numpy()
        assert np.allclose(answered(graph, MIXED, rows), expected, rtol=1e-5, atol=1e-6)


def test_names_types_and_the_free_batch_axis_stand_in_the_graph():
    module = answering(MLP(widths=(8,)).build(MIXED, 2), "classification")
    graph, weights = export_network(module, MIXED, "classification")
    model = onnx.load_from_string(graph)
    onnx.checker.check_model(model, full_check=True)
    assert [i.name for i in model.graph.input] == ["numbers", "categories"]
    assert [o.name for o in model.graph.output] == ["probability"]
    assert [i.type.tensor_type.shape.dim[0].dim_value for i in model.graph.input] == [0, 0]
    assert all(t.data_location == onnx.TensorProto.DEFAULT for t in model.graph.initializer)
    assert model.opset_import[0].version == 18
    assert weights["module.stack.0.weight"].dtype == np.float32
    assert b".py" not in graph and b"torch.nn" not in graph, "the exporter's notes name files of the machine"


def test_the_same_network_gives_the_same_bytes():
    module = answering(MLP(widths=(8,)).build(FLAT, 2), "classification")
    assert export_network(module, FLAT, "classification")[0] == export_network(module, FLAT, "classification")[0]


def test_export_leaves_mode_and_weights_as_they_were():
    module = answering(MLP(widths=(8,), normalisation="batch").build(FLAT, 2), "classification")
    before = {name: value.clone() for name, value in module.state_dict().items()}
    export_network(module, FLAT, "classification")
    assert module.training
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


@pytest.mark.parametrize("name", ["Branches", "OneSize"])
def test_a_network_without_a_graph_is_refused_with_the_exemption_to_paste(own_networks, name):
    net = getattr(__import__("sys").modules[own_networks], name)(5, 2)
    with pytest.raises(RuleError, match="Change the network: a bundle answers through its graph") as caught:
        export_network(answering(net, "classification"), FLAT, "classification")
    assert caught.value.values["rule"] == "no_graph"
    assert net.training


def test_a_graph_that_differs_is_refused(monkeypatch):
    net = Module(name="torch.nn:Linear", arguments=("in_features=inputs", "out_features=outputs")).build(FLAT, 2)
    build = export._graph

    def altered(module, inputs, answer, free_size):
        graph = build(module, inputs, answer, free_size)
        with torch.no_grad():
            net.weight[0] += 0.5
        return graph

    monkeypatch.setattr(export, "_graph", altered)
    with pytest.raises(RuleError, match=r"differs from torch by .* at 3 rows \(allowed 1e-05\)"):
        export_network(answering(net, "classification"), FLAT, "classification")


def test_made_up_rows_stay_within_their_codes():
    _, categories = example(MIXED, 1000)
    assert categories.max(0).values.tolist() == [4, 9] and categories.min() == 0
