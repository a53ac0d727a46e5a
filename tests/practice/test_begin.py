"""Beginning: what of the weights a new network takes, and how it learns on from them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import deepwright.parts  # noqa: F401 - the kinds of a recipe
from deepwright.core.errors import DataError, RecipeError
from deepwright.core.recipe import Recipe
from deepwright.core.schema import Feature, Schema
from deepwright.practice.begin import begin, transfer_findings
from deepwright.practice.member import Member
from deepwright.practice.origin import open_origin, pinned
from deepwright.practice.scratch import learn_scratch
from deepwright.train.loop import fit
from tests.model import published
from tests.model.images import of_shape, shapes

STAGES = {"conv1": 0, "bn1": 0, "layer1": 1, "layer2": 2, "layer3": 3, "layer4": 4}
SCHEMA = Schema(
    features=(
        Feature(name="image", type="image", role="input"),
        Feature(name="kind", type="category", role="target", levels=("a", "b", "c")),
    )
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A published resnet18, but narrow."""
    path = tmp_path / "w.safetensors"
    save_file(published.resnet((2, 2, 2, 2), bottleneck=False, width=4, make=published.drawn()), path)
    return path


def recipe(path: Path, *, network: object = None, **options: object) -> Recipe:
    network = network or open_origin(str(path)).network
    plain = {"source": {"kind": "images", "path": "x"}, "network": network, "transfer": {"path": str(path), **options}}
    return Recipe.parse(plain)


def built(wanted: Recipe, channels: int = 3) -> nn.Module:
    torch.manual_seed(0)
    return wanted.network.build(of_shape(32, 32, channels), 3)


def test_rates_fall_by_stage_and_a_new_head_has_the_whole(file: Path):
    wanted = recipe(file, rate=0.5, stage_rate=0.1)
    module = built(wanted)
    begun = begin(wanted, module, SCHEMA)
    assert begun.rates is not None and begun.frozen is None
    for name, _ in module.named_parameters():
        stage = STAGES.get(name.split(".")[0])
        due = None if stage is None else pytest.approx(0.5 * 0.1 ** (4 - stage))
        assert begun.rates.get(name) == due, name
    np.testing.assert_allclose(module.pixels.mean, [0.485, 0.456, 0.406], rtol=1e-6)


def test_the_normalisation_may_be_named(file: Path):
    wanted = recipe(file, normalise="half")
    module = built(wanted)
    begin(wanted, module, SCHEMA)
    assert module.pixels.mean.tolist() == module.pixels.sd.tolist() == [0.5, 0.5, 0.5]


def test_frozen_stages_learn_nothing_and_those_behind_them_do(file: Path):
    wanted = recipe(file, freeze="stages 3", unfreeze_every=2)
    module = built(wanted)
    begun = begin(wanted, module, SCHEMA)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    x, y = shapes(12, 32)
    training = fit(
        module, (x.repeat(3, axis=3), y), loss="cross_entropy", optimizer="sgd", epochs=3, batch_size=6, threads=1,
        rates=begun.rates, frozen=begun.frozen,
    )  # fmt: skip
    training.finish()
    moved = {name for name, value in module.state_dict().items() if not torch.equal(value, before[name])}
    assert {name.split(".")[0] for name in moved} == {"layer3", "layer4", "fc"}
    assert any("running_mean" in name for name in moved)


def test_the_report_names_the_weights_their_library_and_what_was_frozen(file: Path):
    wanted = recipe(file, freeze="backbone", unfreeze_every=3, licence="BSD-3-Clause")
    facts = begin(wanted, built(wanted), SCHEMA).facts
    told = {f.rule: f for f in transfer_findings(wanted, {"transfer": facts}, has_scratch=False)}
    assert told["transfer_begun"].text == (
        f"The network begins with the weights of {file} ({facts['digest'][:12]}): resnet, depth 18 width 4 stem large; "
        "100 tensors were taken over. Licence: BSD-3-Clause."
    )
    assert told["transfer_file"].text.startswith("The weights are named as in torchvision, timm. Pixels in 0 to 1")
    assert told["transfer_thawing"].text == (
        f"5 of 5 stages begin frozen as they were taken over from {file}; "
        "every 3 epochs one more learns, the last first."
    )
    assert told["transfer_no_scratch"].severity == "warning"
    assert "transfer_no_scratch" not in {
        f.rule for f in transfer_findings(wanted, {"transfer": facts}, has_scratch=True)
    }


def test_without_weights_nothing_is_told_and_nothing_changes():
    wanted = Recipe.parse({"source": {"kind": "images", "path": "x"}})
    module = built(wanted)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    begun = begin(wanted, module, SCHEMA)
    assert (begun.rates, begun.frozen, begun.facts) == (None, None, {})
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert transfer_findings(wanted, {}, has_scratch=False) == ()


def test_weights_that_were_changed_since_are_refused(file: Path):
    wanted = pinned(recipe(file))
    assert wanted.transfer is not None and wanted.transfer.sha256 == open_origin(str(file)).digest
    module = built(wanted)
    save_file(published.resnet((2, 2, 2, 2), bottleneck=False, width=4, make=published.drawn(1)), file)
    with pytest.raises(DataError, match="the weights are others than those of the recipe"):
        begin(wanted, module, SCHEMA)


def test_another_number_of_channels_and_more_stages_than_there_are_are_refused(file: Path):
    with pytest.raises(RecipeError) as caught:
        begin(recipe(file), built(recipe(file), channels=1), SCHEMA)
    assert str(caught.value) == (
        f"--from {file}: its network learned from images of 3 channels, and these have 1. "
        "Use --prepare.images.channels 3."
    )
    wanted = recipe(file, freeze="stages 5")
    with pytest.raises(RecipeError) as caught:
        begin(wanted, built(wanted), SCHEMA)
    assert str(caught.value) == (
        "--transfer.freeze 'stages 5': the network has 4 stages behind its stem. Use at most 'stages 4', or backbone."
    )


def test_a_network_that_takes_no_images_is_refused(file: Path):
    wanted = recipe(file, network="mlp")
    with pytest.raises(RecipeError) as caught:
        begin(wanted, nn.Linear(2, 2), SCHEMA)
    assert str(caught.value) == (
        "network mlp: it takes no images, and --from takes weights over between networks on images. Leave --from out."
    )


def test_scratch_is_not_learned_where_it_is_not_asked_or_there_is_no_time(file: Path):
    network = Member("network", None, None, 0.0, 0.0, notes={"seconds": 10.0})  # type: ignore[arg-type]
    alone = Recipe.parse({"source": {"kind": "images", "path": "x"}})
    for wanted, budget_s in ((alone, None), (recipe(file, compare=False), None), (recipe(file), 19.0)):
        nothing = learn_scratch(None, wanted, None, (), {}, network, table=None, budget_s=budget_s, show=None)  # type: ignore[arg-type]
        assert nothing == {}
