"""Transfer through the whole line: a network learns four shapes, and from its weights two others by eight images."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file
from safetensors.torch import save_file

from deepwright import cli
from deepwright.core.errors import BundleError, DataError, RecipeError
from deepwright.core.report import Report
from deepwright.core.run import Run
from deepwright.core.transfer import Transfer
from deepwright.practice import scratch
from deepwright.practice.api import run as learn
from deepwright.practice.opening import recipe_of
from deepwright.practice.origin import begun_with, open_origin
from deepwright.practice.rerun import rerun
from deepwright.practice.verify import verify
from tests.model import published

SIDE = 16
SGD = ["--train.optimizer", "sgd", "--train.optimizer.lr", "0.1", "--train.optimizer.nesterov", "true"]
COMMON = ["--baselines", "constant", "--train.threads", "1", "--train.speed", "exact", "--augment.changes", "", *SGD]
FROM_A = [*COMMON, "--from", "runs/a", "--train.epochs", "12", "--train.batch_size", "8"]


def shape(draw: np.random.Generator, kind: str) -> Image.Image:
    """A shape of any colour and place on a dark ground."""
    y, x = np.mgrid[:SIDE, :SIDE]
    cy, cx, r = *draw.integers(5, 11, 2), 4
    far = (y - cy) ** 2 + (x - cx) ** 2
    mask = {
        "disc": far <= r * r,
        "ring": (far <= r * r) & (far >= 6),
        "cross": ((y == cy) | (x == cx)) & (abs(y - cy) <= r) & (abs(x - cx) <= r),
        "square": (abs(y - cy) <= 3) & (abs(x - cx) <= 3),
        "bar": (abs(y - cy) <= 1) & (abs(x - cx) <= r),
        "post": (abs(x - cx) <= 1) & (abs(y - cy) <= r),
    }[kind]
    pixels = draw.integers(0, 60, (SIDE, SIDE, 3))
    pixels[mask] += draw.integers(90, 190, 3)
    return Image.fromarray(pixels.astype(np.uint8))


def write(folder: Path, kinds: tuple[str, ...], count: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    for kind in kinds:
        (folder / kind).mkdir(parents=True)
        for place in range(count):
            shape(draw, kind).save(folder / kind / f"{place}.png")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many images of four shapes, and few of two others with many to judge by."""
    folder = tmp_path_factory.mktemp("transfer")
    write(folder / "many", ("disc", "cross", "bar", "post"), 60, seed=0)
    for part, count in (("train", 4), ("validation", 40), ("test", 5)):
        write(folder / "few" / part, ("ring", "square"), count, seed=count)
    return folder


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(home)
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(home / ".deepwright"))
    yield


@pytest.fixture(scope="module")
def source(home: Path) -> Run:
    """The network that others begin with."""
    network = ["--network", "resnet", "--network.depth", "8", "--network.width", "8"]
    return run_of(home, "many", "a", [*COMMON, *network, "--train.epochs", "8", "--train.batch_size", "32"])


@pytest.fixture(scope="module")
def begun(home: Path, source: Run) -> Run:
    return run_of(home, "few", "b", FROM_A)


def run_of(home: Path, data: str, name: str, flags: list[str]) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("DEEPWRIGHT_HOME", str(home / ".deepwright"))
        assert cli.call(["run", data, *flags, "--name", name]) == 0
    return Run.open(home / "runs" / name)


def value(report: Report, member: str) -> float:
    found = report.number("accuracy", "validation", member)
    assert found is not None and found.value is not None and found.n == 80
    return found.value


def told(report: Report, rule: str) -> str:
    return next(finding.text for finding in report.findings if finding.rule == rule)


def test_eight_images_suffice_for_a_network_that_has_seen_others(begun: Run):
    report = begun.report
    assert report.members[:2] == ("network", "scratch")
    assert value(report, "network") >= value(report, "scratch") + 0.15
    assert all(n.optimistic for n in report.numbers if n.member in ("network", "scratch"))


def test_the_verdict_compares_it_with_scratch_on_the_same_rows(begun: Run):
    sentence = next(each for each in begun.report.verdict if each.key == "evaluate.verdict_transfer_better")
    assert sentence.values["a"] == "network" and sentence.values["b"] == "scratch" and sentence.values["n"] == 80
    gain = value(begun.report, "network") - value(begun.report, "scratch")
    assert float(sentence.values["difference"]) == pytest.approx(gain, abs=0.01)
    assert 0 < float(sentence.values["low"]) < gain < float(sentence.values["high"])
    assert "the same network from random weights" in sentence.text


def test_network_size_of_images_and_digest_are_taken_from_the_bundle(begun: Run, source: Run):
    recipe = recipe_of(begun)
    assert recipe.transfer is not None and recipe.transfer.path == "runs/a"
    assert recipe.transfer.sha256 == open_origin("runs/a").digest == source.report.bundle_digest
    assert recipe.network.dump(defaults=False) == {"kind": "resnet", "depth": 8, "width": 8, "stem": "small"}
    assert recipe.prepare.images.size == (16,) and recipe.prepare.images.channels == 3


def test_the_report_says_where_the_weights_are_from(begun: Run, source: Run):
    digest = source.report.bundle_digest[:12]
    assert told(begun.report, "transfer_begun") == (
        f"The network begins with the weights of runs/a ({digest}): resnet, depth 8 width 8 stem small; "
        "45 tensors were taken over. Licence: -."
    )
    assert "so the head is new" in told(begun.report, "transfer_new_head")
    facts = begun.report.environment["network"]["transfer"]
    assert facts["digest"] == source.report.bundle_digest and facts["stages"] == 4 and facts["frozen"] == 0


@pytest.mark.slow
def test_the_shipped_numbers_are_found_again_in_a_fresh_process(begun: Run):
    assert verify(begun).difference == 0.0


def weights(run: Run, member: str = "network") -> dict[str, np.ndarray]:
    return load_file(run.folder / "members" / member / "weights.safetensors")


@pytest.fixture(scope="module")
def frozen(home: Path, source: Run) -> Run:
    """With three of four stages frozen, and a budget that leaves no time for scratch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scratch, "is_time_for", lambda budget_s, spent_s: budget_s is None)
        return run_of(home, "few", "frozen", [*FROM_A, "--transfer.freeze", "stages 2", "--budget", "1000s"])


@pytest.mark.slow
def test_frozen_stages_are_in_the_new_bundle_to_the_bit(source: Run, frozen: Run):
    before, after = weights(source), weights(frozen)
    stay = {name for name in before if name.split(".")[1] in ("pixels", "conv1", "bn1", "layer1", "layer2")}
    assert len(stay) > 30 and all(np.array_equal(before[name], after[name]) for name in stay)
    learned = {name for name in before if name.startswith("module.layer3") and before[name].ndim == 4}
    assert not any(np.array_equal(before[name], after[name]) for name in learned)
    assert told(frozen.report, "transfer_frozen").startswith("3 of 4 stages stay as they were taken over from runs/a")


@pytest.mark.slow
def test_scratch_is_left_out_where_the_budget_is_spent(frozen: Run):
    assert frozen.report.members == ("network", "constant")
    assert "what the weights of runs/a are worth here is not known" in told(frozen.report, "transfer_no_scratch")


@pytest.mark.slow
def test_the_same_recipe_gives_the_same_bits_again(begun: Run):
    again = rerun(begun)
    assert again.difference is None and again.compared > 40


def test_time_for_scratch_is_as_much_as_the_network_had():
    assert [scratch.is_time_for(budget, 10.0) for budget in (None, 20.0, 19.9)] == [True, True, False]


def test_a_changed_bundle_is_refused_before_its_weights_are_used(home: Path, source: Run):
    shutil.copytree(source.bundle_folder, "bad")
    path = Path("bad/weights.safetensors")
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"weights\.safetensors"):
        open_origin("bad")
    assert cli.call(["run", "few", *COMMON, "--from", "bad"]) == 3


def test_other_weights_than_the_recipes_are_refused(home: Path, source: Run, begun: Run):
    recipe = recipe_of(begun)
    assert recipe.transfer is not None
    other = recipe.replace(transfer=recipe.transfer.replace(path="runs/b"))
    with pytest.raises(DataError) as caught:
        learn("few", recipe=other, name="other")
    assert str(caught.value).startswith("--from runs/b: the weights are others than those of the recipe: found")
    assert str(caught.value).endswith("or take transfer.sha256 out of the recipe for a new run.")


def test_a_bundle_without_a_network_is_refused(source: Run):
    with pytest.raises(DataError) as caught:
        open_origin("runs/a/members/constant")
    assert str(caught.value) == (
        "--from runs/a/members/constant: the bundle holds -, no network on images. "
        "Give the run's folder, or its members/network."
    )


def test_another_split_of_the_same_source_is_stopped(home: Path, source: Run, capsys: pytest.CaptureFixture[str]):
    flags = [*COMMON, "--from", "runs/a", "--split", "stratified", "--split.seed", "5"]
    assert cli.call(["run", "many", *flags, "--name", "same"]) == 4
    error = capsys.readouterr().err
    assert "runs/a learned from this very source under another split" in error
    assert "--allow transfer_overlap --reason" in error


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--network", "resnet", "--network.depth", "20", "--network.width", "8"], "Missing: layer1.1.* (10)"),
        (["--prepare.images.channels", "1"], "Use --prepare.images.channels 3."),
        (["--transfer.freeze", "stages 9"], "the network has 3 stages behind its stem. Use at most 'stages 3'"),
    ],
)
def test_what_does_not_fit_is_refused_before_training(source: Run, capsys, flags: list[str], words: str):
    assert cli.call(["run", "few", *COMMON, "--from", "runs/a", *flags, "--name", "misfit" + flags[-1][-1]]) in (2, 3)
    assert words in capsys.readouterr().err


def test_in_python_the_weights_are_one_argument(source: Run):
    with pytest.raises(RecipeError, match="the network has 3 stages behind its stem"):
        learn("few", transfer=Transfer(path="runs/a", freeze="stages 9"), name="python")
    recipe = recipe_of(Run.open("runs/python"))
    assert recipe.network.dump(defaults=False)["depth"] == 8 and recipe.prepare.images.size == (16,)


def test_what_a_recipe_names_stays_and_the_rest_comes_with_the_weights(source: Run):
    named = {"network": {"kind": "cnn"}, "prepare": {"images": {"size": [32]}, "outliers": "none"}}
    data = begun_with({**named, "transfer": {"path": "runs/a", "freeze": "backbone"}}, "runs/a")
    assert data["network"] == {"kind": "cnn"}
    assert data["prepare"] == {"images": {"size": [32], "channels": 3}, "outliers": "none"}
    assert data["transfer"] == {"path": "runs/a", "freeze": "backbone", "sha256": source.report.bundle_digest}


@pytest.mark.slow
def test_published_weights_bring_their_network_size_and_normalisation(home: Path):
    state = published.resnet((2, 2, 2, 2), bottleneck=False, width=4, make=published.drawn())
    save_file(state, "resnet18.safetensors", metadata={"license": "BSD-3-Clause"})
    flags = ["--from", "resnet18.safetensors", "--transfer.freeze", "backbone", "--transfer.compare", "false"]
    found = run_of(home, "few", "file", [*COMMON, *flags, "--train.epochs", "1", "--train.batch_size", "8"])
    recipe, report = recipe_of(found), found.report
    assert recipe.network.dump(defaults=False) == {"kind": "resnet", "depth": 18, "width": 4, "stem": "large"}
    assert recipe.prepare.images.size == (224,)
    assert "Licence: BSD-3-Clause." in told(report, "transfer_begun")
    assert "by means 0.485, 0.456, 0.406 and sds 0.229, 0.224, 0.225" in told(report, "transfer_file")
    after = weights(found)
    layers = [n for n in state if n.startswith("layer") and not n.endswith("num_batches_tracked")]
    assert len(layers) > 90 and all(np.array_equal(after[f"module.{n}"], state[n].numpy()) for n in layers)
    np.testing.assert_allclose(after["module.pixels.sd"], [0.229, 0.224, 0.225], rtol=1e-6)
