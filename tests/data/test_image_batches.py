"""Batches of a map: what an epoch holds, and a network that learns from it, killed and taken up to the same bits."""

import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import deepwright
from deepwright.core.errors import DataError, RecipeError
from deepwright.data.image_batches import ImageBatches
from deepwright.data.image_build import build
from deepwright.data.image_map import ImageMap, open_map
from deepwright.model.layers import Normalise
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Resumed, Saved
from tests.data.pictures import encoded

NUM = 240


def striped(number: int) -> bytes:
    """Stripes that lie (even numbers) or stand (odd ones), somewhere, in noise: no crop or flip changes which."""
    draw = np.random.default_rng(number)
    wave = np.sin(np.arange(32) * 0.8 + draw.uniform(0, 6)) * 40
    pixels = 128 + (wave[:, None, None] if number % 2 == 0 else wave[None, :, None]) + draw.normal(0, 30, (32, 32, 3))
    return encoded(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageMap:
    sources = [striped(number) for number in range(NUM)]
    return build(sources, tmp_path_factory.mktemp("maps"), size=32, workers=1, say=lambda _: None)


def batches(images: ImageMap, **options) -> ImageBatches:
    return ImageBatches(images, np.arange(len(images)), **{"batch_size": 100, "crop": (28, 28), **options})


def test_an_epoch_holds_every_image_once_in_the_order_of_its_seed(images: ImageMap):
    epochs = {
        key: torch.cat([y for _, y in batches(images).epoch(seed=key[0], epoch=key[1])]).tolist()
        for key in ((0, 0), (0, 1), (1, 0))
    }
    assert all(sorted(order) == list(range(NUM)) for order in epochs.values())
    assert len({tuple(order) for order in epochs.values()}) == 3
    assert epochs[0, 0] == torch.cat([y for _, y in batches(images).epoch(seed=0, epoch=0)]).tolist()


def test_crops_differ_from_epoch_to_epoch(images: ImageMap):
    first, second = (
        {int(y): x for xs, ys in batches(images).epoch(seed=0, epoch=epoch) for x, y in zip(xs, ys, strict=True)}
        for epoch in (0, 1)
    )
    assert sum(not torch.equal(first[number], second[number]) for number in range(NUM)) > 0.9 * NUM


def test_iterating_takes_its_seed_from_the_global_generator(images: ImageMap):
    random.seed(5)
    first, second = (torch.cat([y for _, y in batches(images)]).tolist() for _ in range(2))
    assert first != second
    random.seed(5)
    assert torch.cat([y for _, y in batches(images)]).tolist() == first


def test_an_epoch_can_begin_in_its_middle(images: ImageMap):
    whole = list(batches(images).epoch(seed=3, epoch=4))
    rest = list(batches(images).epoch(seed=3, epoch=4, start=1))
    assert len(whole) == len(batches(images)) == 3 and len(rest) == 2
    assert all(torch.equal(a, b) for x, y in zip(whole[1:], rest, strict=True) for a, b in zip(x, y, strict=True))


def test_images_stay_bytes_with_channels_last(images: ImageMap):
    x, y = next(iter(batches(images)))
    assert x.dtype == torch.uint8 and x.shape == (100, 3, 28, 28) and y.dtype == torch.int64
    assert x.is_contiguous(memory_format=torch.channels_last)


def test_validation_is_in_order_centred_and_the_same_every_time(images: ImageMap):
    rows = np.array([7, 3, 5])
    found = ImageBatches(images, np.array([1.0, 2.0, 3.0]), rows=rows, crop=(28, 28), is_training=False)
    for _ in range(2):
        ((x, y),) = found
        assert y.tolist() == [1.0, 2.0, 3.0]
        assert (x.permute(0, 2, 3, 1).numpy() == images.pixels[rows, 2:30, 2:30]).all()


@pytest.mark.parametrize(("num", "size", "sizes"), [(9, 4, [4, 5]), (10, 4, [4, 4, 2]), (1, 4, [1]), (3, 1, [1, 1, 1])])
def test_a_last_image_that_would_stand_alone_joins_the_batch_before(images, num, size, sizes):
    found = ImageBatches(images, np.zeros(num), rows=np.arange(num), batch_size=size)
    assert [len(y) for _, y in found] == sizes and len(found) == len(sizes)


def test_labels_that_are_not_one_per_image_are_refused(images: ImageMap):
    with pytest.raises(DataError, match=r"239 labels for 240 images.*labels\[images.origin\]"):
        ImageBatches(images, np.zeros(NUM - 1))
    with pytest.raises(DataError, match="batch_size=0: takes 1 or more"):
        batches(images, batch_size=0)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        Normalise((0.5,) * 3, (0.25,) * 3), nn.Conv2d(3, 8, 5), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveMaxPool2d(1),
        nn.Flatten(), nn.Dropout(0.1), nn.Linear(8, 2),
    )  # fmt: skip


def training(images: ImageMap, folder: Path | None, *, is_augmented: bool = True, epochs: int = 8, labels=None):
    labels = images.origin % 2 if labels is None else labels
    return deepwright.fit(
        network(),
        ImageBatches(images, labels[:200], rows=np.arange(200), batch_size=20, crop=(28, 28), flip=is_augmented),
        ImageBatches(images, labels[200:], rows=np.arange(200, NUM), crop=(28, 28), is_training=False),
        loss="cross_entropy",
        optimizer=deepwright.Optimizer.parse({"kind": "adamw", "lr": 0.01}),
        metrics={"accuracy": lambda target, answer: float((answer.argmax(1) == target).mean())},
        epochs=epochs,
        threads=1,
        checkpoints=None if folder is None else Checkpoints(folder, every_s=0),
    )


KILLED = """
import os, signal, sys
from pathlib import Path
from deepwright.data.image_map import open_map
from deepwright.train.events import Saved
from tests.data.test_image_batches import training
for event in training(open_map(sys.argv[1]), Path(sys.argv[2])):
    if isinstance(event, Saved) and event.step == 34:  # in the middle of the fourth epoch
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_network_learns_from_a_map_and_a_killed_training_ends_in_the_same_bits(images: ImageMap, tmp_path: Path):
    whole = training(images, None).finish()
    assert whole.epochs[-1]["validation"]["accuracy"] >= 0.95
    digests = {training(images, None, is_augmented=flip, epochs=1).finish().digest for flip in (True, False)}
    assert len(digests) == 2, "flips reach the network"

    command = [sys.executable, "-c", KILLED, str(images.folder), str(tmp_path)]
    assert subprocess.run(command, cwd=Path(__file__).parents[2]).returncode == -signal.SIGKILL
    resumed = training(images, tmp_path)
    events = list(resumed)
    assert [event.step for event in events if isinstance(event, Resumed)] == [34]
    assert resumed.finish().digest == whole.digest


def left(images: ImageMap, folder: Path, step: int) -> None:
    for event in training(images, folder, epochs=2):
        if isinstance(event, Saved) and event.step == step:
            return


def test_a_resumed_training_reads_no_batch_twice(images: ImageMap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    left(images, tmp_path, step=17)  # 7 of the second epoch's 10 batches are done
    sizes = []
    read = ImageMap.batch
    monkeypatch.setattr(
        ImageMap, "batch", lambda self, index, **how: sizes.append(len(index)) or read(self, index, **how)
    )
    resumed = training(images, tmp_path, epochs=2).finish()
    assert sizes == [20, 20, 20, 40], "three batches of training, one of validation"
    assert resumed.digest == training(images, None, epochs=2).finish().digest


def test_a_checkpoint_of_other_images_labels_or_crops_is_refused(images: ImageMap, tmp_path: Path):
    left(images, tmp_path, step=1)
    with pytest.raises(RecipeError, match="belongs to another training: train was"):
        next(training(images, tmp_path, epochs=2, labels=1 - images.origin % 2))
    with pytest.raises(RecipeError, match="belongs to another training: train was"):
        next(training(images, tmp_path, epochs=2, is_augmented=False))
    other = replace(images, address="0" * 64)
    with pytest.raises(RecipeError, match="belongs to another training: train was"):
        next(training(other, tmp_path, epochs=2))


def test_a_batch_size_that_is_not_the_batches_own_is_refused(images: ImageMap):
    given = batches(images)
    with pytest.raises(RecipeError, match=r"batch_size: found 50, and the batches given have a size of 100. Leave"):
        deepwright.fit(network(), given, optimizer="adamw", loss="cross_entropy", batch_size=50)
    for size in (100, None):
        found = deepwright.fit(network(), given, optimizer="adamw", loss="cross_entropy", batch_size=size)
        assert found.options.batch_size == 100


def test_the_number_of_decoding_processes_changes_no_bit(images: ImageMap, tmp_path: Path):
    sources = [striped(number) for number in range(NUM)]
    two = build(sources, tmp_path, size=32, workers=2, say=lambda _: None)
    opened = open_map(images.folder)  # no process decodes
    assert len({training(each, None, epochs=1).finish().digest for each in (images, two, opened)}) == 1
