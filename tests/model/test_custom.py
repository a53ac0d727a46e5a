from typing import Any

import pytest
import torch

import deepwright.parts  # noqa: F401 - defines every kind
from deepwright.core.errors import RecipeError
from deepwright.core.flags import apply_flags
from deepwright.core.recipe_file import load_recipe
from deepwright.model.custom import Custom
from deepwright.model.custom_layers import chain
from deepwright.model.layer import Layer
from tests.model.images import loss_of_one_batch, of_shape

CONV: dict[str, Any] = {"kind": "conv", "width": 8}
RESIDUAL: dict[str, Any] = {"kind": "residual", "layers": [CONV, "norm", "activation", "squeeze_excite"]}


def built(*layers: Any, shape: tuple[int, int, int] = (9, 16, 3)) -> torch.nn.Module:
    return Custom(layers=layers).build(of_shape(*shape), 2)


def behind(layers: list[Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    return chain(tuple(Layer.parse(each) for each in layers), shape, where="", activation="relu")[1]


def test_it_learns_one_batch_by_heart():
    net = Custom(layers=(CONV, "norm", "activation", "pool", RESIDUAL, "activation", "flatten"))
    before, after = loss_of_one_batch(net, steps=40)
    assert before > 0.7 and after < 0.15, (before, after)


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([CONV], (8, 9, 16)),
        ([{**CONV, "stride": 2}], (8, 5, 8)),
        ([{**CONV, "kernel": 5, "dilation": 2}], (8, 9, 16)),
        ([{**CONV, "padding": 0}], (8, 7, 14)),
        (["pool"], (4, 4, 8)),
        ([{"kind": "pool", "how": "mean", "size": 3, "stride": 1}], (4, 7, 14)),
        ([{"kind": "pool", "size": None}], (4,)),
        (["flatten", {"kind": "linear", "width": 5}, "norm", "dropout"], (5,)),
        ([{"kind": "residual", "layers": [{**CONV, "stride": 2}]}], (8, 5, 8)),
        ([{"kind": "dense_connection", "layers": [CONV]}, "self_attention"], (12, 9, 16)),
        (["flatten", {"kind": "residual", "layers": [{"kind": "linear", "width": 5}]}], (5,)),
        (["flatten", {"kind": "dense_connection", "layers": [{"kind": "linear", "width": 5}]}], (4 * 9 * 16 + 5,)),
    ],
)
def test_each_layer_makes_the_shape_that_it_should(layers: list[Any], shape: tuple[int, ...]):
    assert behind(layers, (4, 9, 16)) == shape


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (["norm", {**CONV, "groups": 2}], r"layer 2 \(conv\): it is given 3 channels of 9 x 16 and makes 8, which 2"),
        ([{**CONV, "kernel": 12, "padding": 1}], r"layer 1 \(conv\).*spans 12 pixels.*there are 11"),
        (["pool"] * 4, r"layer 4 \(pool\): it is given 3 channels of 1 x 2; a square of 2 pixels does not fit, 1 is"),
        (["flatten", CONV], r"layer 2 \(conv\): it is given 432 numbers; it takes an image"),
        (["flatten", "flatten"], r"layer 2 \(flatten\): it is given 432 numbers"),
        ([{"kind": "linear", "width": 4}], r"layer 1 \(linear\): it is given 3 channels of 9 x 16; .*`flatten` or"),
        (["self_attention"], r"layer 1 \(self_attention\).*3 channels.*which 4 heads cannot share out"),
        ([{"kind": "residual", "layers": ["pool"]}], r"layer 1 \(residual\): .*4 x 8 of 3 channels of 9 x 16; .*5 x 5"),
        ([{"kind": "residual", "layers": ["flatten"]}], r"layer 1 \(residual\): its layers make 432 numbers"),
        (
            [{"kind": "dense_connection", "layers": ["pool"]}],
            r"layer 1 \(dense_connection\).*height and width must stay",
        ),
        (["norm", {"kind": "residual", "layers": [CONV, "flatten", "pool"]}], r"layer 2\.3 \(pool\): it is given 1152"),
    ],
)
def test_an_error_names_the_layer_the_shape_and_what_is_allowed(layers: list[Any], message: str):
    with pytest.raises(RecipeError, match=message):
        built(*layers)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (["norm", "con"], r"network\.layers\.2: there is no 'con'.*Did you mean 'conv'"),
        ([{"kind": "conv"}], r"network\.layers\.1\.width: .*no default"),
        ([{**CONV, "kernel": 0}], r"network\.layers\.1\.kernel: 0 is not allowed"),
        (["norm", {"kind": "residual", "layers": [CONV, {**CONV, "kernle": 3}]}], r"network\.layers\.2\.2\.kernle"),
        ([], "There must be one layer"),
    ],
)
def test_an_error_in_an_option_names_the_layers_number(layers: list[Any], message: str):
    with pytest.raises(RecipeError, match=message):
        Custom(layers=layers)


def test_layers_are_written_in_yaml(tmp_path):
    (tmp_path / "recipe.yaml").write_text(
        "source: {kind: images, path: photos}\n"
        "network:\n"
        "  kind: custom\n"
        "  activation: gelu\n"
        "  layers:\n"
        "    - {kind: conv, width: 8}\n"
        "    - activation\n"
        "    - kind: residual\n"
        "      layers: [{kind: conv, width: 8}, norm]\n"
    )
    found = load_recipe(tmp_path / "recipe.yaml").network
    assert found == Custom(
        activation="gelu", layers=(CONV, "activation", {"kind": "residual", "layers": [CONV, "norm"]})
    )
    assert isinstance(found.build(of_shape(8, 8, 1), 2).layers[1], torch.nn.GELU)


def test_layers_are_written_in_a_flag():
    flags = [
        ("network", "custom"),
        ("network.layers", "conv width=8 bias=false; norm; activation how=silu; pool size=none"),
    ]
    found = Custom.parse(apply_flags({"source": {"kind": "images", "path": "photos"}}, flags)["network"])
    assert found == Custom(
        layers=({**CONV, "bias": False}, "norm", {"kind": "activation", "how": "silu"}, {"kind": "pool", "size": None})
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("conv widht=8", "'widht=8' is no option=value of that layer. Options: width kernel"),
        ("conv 8", "'8' is no option=value"),
        ("covn width=8", "Did you mean 'conv'"),
        ("", "there is no ''"),
    ],
)
def test_a_line_that_is_no_layer_is_refused(line: str, message: str):
    with pytest.raises(RecipeError, match=message):
        Layer.read_line(line)


def test_a_residual_layer_adds_and_a_dense_connection_stands_beside():
    x = torch.rand(2, 4, 5, 5)
    conv = {"kind": "conv", "width": 4, "kernel": 1}
    (added,), _ = chain((Layer.parse({"kind": "residual", "layers": [conv]}),), (4, 5, 5), where="", activation="relu")
    torch.testing.assert_close(added(x), x + added.branch(x))
    beside = Layer.parse({"kind": "dense_connection", "layers": [conv]})
    (stood,), _ = chain((beside,), (4, 5, 5), where="", activation="relu")
    assert torch.equal(stood(x)[:, :4], x) and torch.equal(stood(x)[:, 4:], stood.branch(x))


def test_attention_mixes_places_and_keeps_their_order():
    (layer,), _ = chain((Layer.parse({"kind": "self_attention", "heads": 2}),), (4, 3, 5), where="", activation="relu")
    x = torch.rand(1, 4, 3, 5)
    with torch.no_grad():
        found = layer(x)
        turned = layer(x.flip(3)).flip(3)  # places have no order of their own
    assert found.shape == x.shape
    torch.testing.assert_close(found, turned)
    assert (found - layer(x + torch.eye(5)[2])).abs().max() > 1e-4


def test_numbers_before_the_last_layer_are_silenced_where_it_is_asked():
    module = Custom(layers=(CONV,), dropout=0.3).build(of_shape(8, 8, 1), 2)
    assert [name for name, _ in module.named_children()] == ["pixels", "layers", "summary", "dropout", "head"]
    assert module.dropout.p == 0.3
