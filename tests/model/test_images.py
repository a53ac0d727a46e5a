import numpy as np
import onnxruntime
import pytest
import torch

from deepwright.core.errors import RecipeError, RuleError
from deepwright.core.families import Network, Tensor
from deepwright.core.part import FAMILIES
from deepwright.model.answer import answering
from deepwright.model.cnn import CNN
from deepwright.model.convnext import ConvNeXt
from deepwright.model.densenet import DenseNet
from deepwright.model.export import export_network
from deepwright.model.images import ImageNetwork
from deepwright.model.inception import Inception
from deepwright.model.resnet import ResNet
from deepwright.model.vit import ViT
from tests.conformance.networks import as_trained
from tests.model.images import loss_of_one_batch, num_weights, of_shape, shapes

NETWORKS: tuple[Network, ...] = (
    CNN(widths=(8, 16)),
    ResNet(depth=8, width=8),
    ResNet(depth=8, width=8, pre_activation=True, attention="squeeze_excite"),
    ResNet(depth=50, width=4, normalisation="none", initialisation="lecun_normal"),
    Inception(width=8, blocks=(1, 1, 1)),
    DenseNet(blocks=(2, 2)),
    ConvNeXt(depths=(1, 1, 1), width=16, stochastic_depth=0.0),
    ViT(dim=32, depth=2, heads=2, stochastic_depth=0.0),
    ViT(dim=32, depth=2, heads=2, stochastic_depth=0.0, summary="token", patch=3),
)


@pytest.mark.parametrize("net", NETWORKS, ids=lambda net: net.kind)
def test_it_learns_one_batch_by_heart(net: Network):
    before, after = loss_of_one_batch(net, steps=60, lr=1e-3 if net.kind == "vit" else 3e-3)
    assert before > 0.7 and after < 0.25, (before, after)


@pytest.mark.parametrize(
    ("net", "side", "num_outputs", "published"),
    [
        (ResNet(depth=18), 224, 1000, 11_689_512),  # torchvision
        (ResNet(depth=50), 224, 1000, 25_557_032),  # torchvision
        (ResNet(depth=50, attention="squeeze_excite"), 224, 1000, 28_088_024),  # 28.09 M in timm
        (Inception(), 224, 1000, 6_624_904),  # torchvision's GoogLeNet
        (DenseNet(), 224, 1000, 7_978_856),  # torchvision's DenseNet-121
        (ConvNeXt(depths=(3, 3, 9, 3), width=96), 224, 1000, 28_589_128),  # torchvision's ConvNeXt-T
        (ViT(dim=384, depth=12, heads=6, summary="token"), 224, 1000, 22_050_664),  # timm's ViT-S/16
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_it_has_as_many_weights_as_the_published_network(net: Network, side: int, num_outputs: int, published: int):
    assert num_weights(net, side, num_outputs) == published


@pytest.mark.parametrize(
    ("net", "millions"),
    [
        (ResNet(depth=8), 0.078),  # MLPerf Tiny
        (ResNet(depth=20), 0.27), (ResNet(depth=32), 0.46), (ResNet(depth=44), 0.66), (ResNet(depth=56), 0.85),
        (ResNet(depth=110), 1.7),  # He et al. 2015, table 6
        (DenseNet(blocks=(16, 16, 16), growth=12), 0.8),  # Huang et al. 2017, table 2
    ],
)  # fmt: skip
def test_it_has_the_papers_weights_on_cifar_10(net: Network, millions: float):
    assert num_weights(net, 32, 10) / 1e6 == pytest.approx(millions, rel=0.04)


@pytest.mark.parametrize(
    "net",
    [
        CNN(widths=(4, 8), repeats=1),
        pytest.param(CNN(normalisation="group", pooling="mean", activation="mish"), marks=pytest.mark.slow),
        pytest.param(ResNet(depth=8), marks=pytest.mark.slow),
        pytest.param(
            ResNet(depth=20, width=4, pre_activation=True, attention="squeeze_excite", normalisation="layer"),
            marks=pytest.mark.slow,
        ),
        pytest.param(ResNet(depth=50, width=4, stem="large", normalisation="none"), marks=pytest.mark.slow),
        pytest.param(Inception(width=8), marks=pytest.mark.slow),
        pytest.param(Inception(width=4, stem="large", blocks=(1, 1, 1)), marks=pytest.mark.slow),
        pytest.param(DenseNet(blocks=(2, 2)), marks=pytest.mark.slow),
        pytest.param(ConvNeXt(depths=(1, 1, 1), width=8), marks=pytest.mark.slow),
    ],
    ids=lambda net: net.kind,
)
def test_its_graph_answers_as_torch_does_at_other_heights_and_widths(net: ImageNetwork):
    torch.manual_seed(0)
    module = net.build(of_shape(32, 40, 3), 3)
    as_trained(module)
    graph, _ = export_network(
        answering(module, "classification"), of_shape(32, 40, 3), "classification", free_size=True
    )
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    for shape in ((2, 25, 70, 3), (3, 64, 32, 3)):
        image = torch.randint(0, 256, shape, dtype=torch.uint8)
        with torch.no_grad():
            expected = answering(module.eval(), "classification")(image).numpy()
        np.testing.assert_allclose(session.run(None, {"image": image.numpy()})[0], expected, atol=1e-4)


@pytest.mark.slow
def test_a_graph_of_free_size_is_refused_where_places_are_learned():
    module = answering(ViT(dim=8, depth=1, heads=2).build(of_shape(8, 8, 1), 2), "classification")
    with pytest.raises(RuleError, match="no ONNX graph of it can be made"):
        export_network(module, of_shape(8, 8, 1), "classification", free_size=True)


def test_every_network_on_images_is_tried():
    kinds = {kind.kind for kind in FAMILIES["network"].kinds.values() if issubclass(kind, ImageNetwork)}
    assert {net.kind for net in NETWORKS} | {"custom"} >= {kind for kind in kinds if not kind.startswith("planted")}


@pytest.mark.parametrize("net", [CNN(), ResNet(), Inception(width=4), DenseNet(), ConvNeXt(width=4), ViT(dim=12)])
@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 31, 4), (70, 64, 2)])
def test_it_is_built_for_any_size_and_number_of_channels(net: Network, shape: tuple[int, int, int]):
    module = net.build(of_shape(*shape), 2).eval()
    with torch.no_grad():
        assert module(torch.zeros(2, *shape, dtype=torch.uint8)).shape == (2, 2)


@pytest.mark.parametrize("net", [CNN(), ResNet(), Inception(), DenseNet(), ConvNeXt(width=4), ViT(dim=12)])
def test_the_training_images_decide_on_the_first_layer(net: Network):
    images, _ = shapes(30)
    module = net.build(of_shape(16, 16, 1), 3)
    net.adapt(module, {"image": images})
    assert module.pixels.mean.item() == pytest.approx(images.mean() / 255, rel=1e-5)
    assert module.pixels.sd.item() == pytest.approx(images.std() / 255, rel=1e-5)


def test_weights_stay_channels_last_so_that_no_pass_turns_them():
    module = ResNet(depth=8).build(of_shape(16, 16, 3), 2)
    assert all(
        weight.is_contiguous(memory_format=torch.channels_last) for weight in module.parameters() if weight.ndim == 4
    )


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (of_shape(7, 30, 3), "the images are 7 x 30 pixels; height and width take 8 or more"),
        ((*of_shape(8, 8, 3), Tensor("side", 3, "uint8", shape=(8, 8, 3))), "takes one column of images.*image, side"),
        ((Tensor("x", 3),), "the inputs are: x. .*--network tabm"),
        ((*of_shape(8, 8, 3), Tensor("numbers", 3)), "the inputs are: image, numbers"),
    ],
)
def test_what_is_no_image_is_refused(inputs: tuple[Tensor, ...], message: str):
    with pytest.raises(RecipeError, match=message):
        CNN().build(inputs, 2)


def test_by_data_each_layer_answers_training_images_with_sd_1():
    images, _ = shapes(40)
    net = CNN(widths=(8, 8), initialisation="data", normalisation="none")
    module = net.build(of_shape(16, 16, 1), 3)
    net.adapt(module, {"image": images})
    outputs = []
    for layer in module.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            layer.register_forward_hook(
                lambda _, __, output: outputs.append((output.mean().item(), output.std().item()))
            )
    with torch.no_grad():
        module.eval()(torch.from_numpy(images))
    assert len(outputs) == 5
    np.testing.assert_allclose(outputs, [(0, 1)] * 5, atol=1e-4)
