import pytest
import torch
from torch import nn

import deepwright.parts  # noqa: F401 - the kinds of networks
from deepwright.core.families import Network
from deepwright.model.stages import stages_of
from tests.model.images import of_shape

CNN = {"kind": "cnn", "widths": [4, 8], "repeats": 1, "dense": [6]}
CUSTOM = {"kind": "custom", "layers": [{"kind": "conv", "width": 4}, "norm", {"kind": "conv", "width": 4}]}
CASES = [
    ({"kind": "resnet", "depth": 8, "pre_activation": True}, 4, "conv1.weight", "last.0.bias", "fc.weight"),
    ({"kind": "resnet", "depth": 18, "width": 4}, 5, "bn1.bias", "layer4.1.bn2.bias", "fc.weight"),
    ({"kind": "densenet"}, 4, "features.conv0.weight", "features.norm4.bias", "classifier.weight"),
    ({"kind": "inception"}, 4, "conv3.bn.bias", "inception5b.branch4.1.bn.bias", "fc.weight"),
    ({"kind": "convnext", "width": 4}, 5, "stem.1.bias", "head.norm.bias", "head.fc.weight"),
    ({"kind": "vit", "dim": 12, "depth": 3, "summary": "token"}, 4, "pos_embed", "norm.bias", "head.weight"),
    (CNN, 3, "features.0.weight", "head.0.bias", "head.2.weight"),
    (CUSTOM, 2, "layers.0.weight", "layers.2.bias", "head.weight"),
]


def built(options: dict[str, object]) -> nn.Module:
    return Network.parse(options).build(of_shape(32, 32, 3), 2)


@pytest.mark.parametrize(("options", "count", "in_stem", "last", "head"), CASES)
def test_every_weight_is_of_one_stage_or_of_the_head(options, count: int, in_stem: str, last: str, head: str):
    module = built(options)
    stages = stages_of(str(options["kind"]), module)
    assert len(stages.trunk) == count
    assert in_stem in stages.trunk[0] and last == stages.trunk[-1][-1] and head == stages.head[0]
    names = [name for stage in stages.trunk for name in stage] + list(stages.head)
    assert sorted(names) == sorted(name for name, _ in module.named_parameters())


@pytest.mark.parametrize("options", [case[0] for case in CASES], ids=[str(case[0]["kind"]) for case in CASES])
def test_no_stage_sees_what_a_later_one_makes(options: dict[str, object]):
    """Spoiling a stage leaves what enters the stages before it as it was: stages stand in the order of the pass."""
    torch.manual_seed(0)
    module = built(options).eval()
    stages = stages_of(str(options["kind"]), module).trunk
    owners = {name.rpartition(".")[0] for name in stages[0]}
    seen: list[torch.Tensor] = []
    for name, layer in module.named_modules():
        if name in owners and name and not list(layer.children()):
            layer.register_forward_hook(lambda _, __, output: seen.append(output.clone()))
    image = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    parameters = dict(module.named_parameters())
    with torch.no_grad():
        module(image)
        before, seen[:] = list(seen), []
        for name in stages[-1]:
            parameters[name].add_(1.0)
        module(image)
    assert before and all(torch.equal(a, b) for a, b in zip(before, seen, strict=True))


@pytest.mark.parametrize("options", [case[0] for case in CASES[:6]], ids=[str(case[0]["kind"]) for case in CASES[:6]])
@pytest.mark.parametrize("shape", [(32, 32, 3), (96, 64, 1)])
def test_a_settled_network_is_the_same_at_its_size_and_keeps_it_at_others(options: dict[str, object], shape):
    network = Network.parse(options)
    fixed = network.settled(shape)
    assert fixed.settled((224, 224, 3)) == fixed

    def shapes(net: Network) -> dict[str, tuple[int, ...]]:
        with torch.device("meta"):
            return {name: tuple(value.shape) for name, value in net.build(of_shape(*shape), 2).state_dict().items()}

    assert shapes(fixed) == shapes(network)
