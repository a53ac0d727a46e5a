"""Images a CPU second feeds to a training: from the uint8 memory map, against decoding in every epoch.

    python benchmarks/input.py            2,000 images: about a minute
    python benchmarks/input.py --quick    a smoke run of seconds, without a claim

The images are JPEGs of 500 x 375 pixels that the script makes: gradients under noise, 50 kB each. Beside the map stand,
in the same run, Pillow's decoding alone and what torchvision's ImageFolder does by default (decode, random resized
crop, mirror, to float, standardise), written by hand, because torchvision has no build for the torch used here. All on
one thread, CPU time, the best of several rounds in turn; decoding the files into the map is done once and told apart.
"""

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.claims import Claim, at_least, finish, unmeasured
from benchmarks.machine import MAX_ELSEWHERE, Elsewhere
from benchmarks.race import Patience
from deepwright.data.image_build import build
from deepwright.data.image_map import ImageMap, open_map
from deepwright.data.token_store import write_tokens

SIDE, STORED_SIDE = 224, 256
DISTINCT = 128
BATCH = 128
ROUNDS = 7
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
SD = np.array([0.229, 0.224, 0.225], np.float32)

BAR = 25_000
BAR_DECODE = 20.0
BAR_FOLDER = 40.0
"""What the bar of 25,000 is over 1,244 decoded and over 613 from an ImageFolder, each per CPU second, once measured."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2000, help="in the map; 0.2 MB each")
    parser.add_argument("--wait", type=float, default=300, help="seconds to wait for a quiet machine, in all")
    parser.add_argument("--quick", action="store_true", help="a smoke run: few images, no claim")
    given = parser.parse_args()
    num_images, distinct, rounds = (64, 8, 1) if given.quick else (given.images, DISTINCT, ROUNDS)

    import torch

    torch.set_num_threads(1)
    jpegs = [jpeg(number) for number in range(distinct)]
    with tempfile.TemporaryDirectory() as folder:
        images = built([jpegs[number % distinct] for number in range(num_images)], Path(folder))
        was_quiet = given.quick or Patience(given.wait).is_quiet()
        elsewhere = Elsewhere()
        rates = per_cpu_second(contestants(images, jpegs), rounds)
        is_calm = was_quiet and elsewhere.cores() <= MAX_ELSEWHERE
        tell_tokens(Path(folder))
    for name, rate in rates.items():
        print(f"{name}: {rate:,.0f} images per CPU second", flush=True)
    if given.quick:
        return finish([])
    found = claims(rates)
    return finish(found if is_calm else [unmeasured(each, "the machine was not quiet") for each in found], rates=rates)


def claims(rates: dict[str, float]) -> list[Claim]:
    mapped = rates["map, crop and mirror"]
    return [
        at_least("cropped and mirrored images of 224 pixels per CPU second from the map", mapped, BAR, "images/s"),
        at_least("the map over Pillow's decoding alone", mapped / rates["decode alone"], BAR_DECODE),
        at_least("the map over an ImageFolder by hand", mapped / rates["ImageFolder by hand"], BAR_FOLDER),
    ]


def contestants(images: ImageMap, jpegs: list[bytes]) -> dict[str, Callable[[int], int]]:
    """By name: do some work of this round and say how many images it gave."""

    def mapped(epoch: int) -> int:
        order = np.random.default_rng(epoch).permutation(len(images))
        for low in range(0, len(order), BATCH):
            images.batch(order[low : low + BATCH], crop=(SIDE, SIDE), seed=0, epoch=epoch)
        return len(order)

    def decoded(_: int) -> int:
        for each in jpegs:
            with Image.open(io.BytesIO(each)) as image:
                image.convert("RGB")
        return len(jpegs)

    def folder(epoch: int) -> int:
        draw = np.random.default_rng(epoch)
        for low in range(0, len(jpegs), BATCH):
            np.stack([augmented(each, draw) for each in jpegs[low : low + BATCH]])
        return len(jpegs)

    return {"map, crop and mirror": mapped, "decode alone": decoded, "ImageFolder by hand": folder}


def augmented(encoded: bytes, draw: np.random.Generator) -> np.ndarray:
    """One image as torchvision's usual training transforms give it: float32 [3, 224, 224]."""
    with Image.open(io.BytesIO(encoded)) as opened:
        image = opened.convert("RGB")
    width, height = image.size
    area, ratio = width * height * draw.uniform(0.08, 1), np.exp(draw.uniform(np.log(3 / 4), np.log(4 / 3)))
    wide, high = min(width, int((area * ratio) ** 0.5)), min(height, int((area / ratio) ** 0.5))
    left, top = draw.integers(0, width - wide + 1), draw.integers(0, height - high + 1)
    image = image.crop((left, top, left + wide, top + high)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    if draw.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return ((np.asarray(image, np.float32) / 255 - MEAN) / SD).transpose(2, 0, 1)


def per_cpu_second(work: dict[str, Callable[[int], int]], rounds: int) -> dict[str, float]:
    """Images per CPU second of each, its best of `rounds` taken in turn after one that does not count."""
    best = dict.fromkeys(work, 0.0)
    for epoch in range(rounds + 1):
        for name, one in work.items():
            started = time.process_time()
            num = one(epoch)
            if epoch:
                best[name] = max(best[name], num / (time.process_time() - started))
    return best


def built(sources: list[bytes], folder: Path) -> ImageMap:
    """The map, and what its one decoding pass and its check took."""
    started = time.perf_counter()
    images = build(sources, folder, size=STORED_SIDE, say=print)
    print(f"one decoding pass: {len(images) / (time.perf_counter() - started):,.0f} images a second", flush=True)
    started = time.perf_counter()
    open_map(images.folder)
    print(f"opening, every byte checked: {images.pixels.nbytes / 1e9 / (time.perf_counter() - started):.2f} GB/s")
    return images


def tell_tokens(folder: Path) -> None:
    """For information: tokens per CPU second of padded batches."""
    draw = np.random.default_rng(0)
    lengths = draw.integers(10, 200, 2000)
    store = write_tokens((draw.integers(0, 30_000, length) for length in lengths), folder / "tokens")
    started = time.process_time()
    num = sum(int(store.batch(draw.integers(0, len(store), 64))[1].sum()) for _ in range(200))
    print(
        f"padded batches of 64 texts: {num / (time.process_time() - started) / 1e6:,.0f} million tokens per CPU second"
    )


def jpeg(seed: int) -> bytes:
    """500 x 375 pixels of gradients under noise."""
    draw = np.random.default_rng(seed)
    across, down = np.linspace(0, 200, 500)[None, :, None], np.linspace(0, 50, 375)[:, None, None]
    pixels = across * draw.uniform(0.5, 1, 3) + down * draw.uniform(0, 1, 3) + draw.normal(0, 12, (375, 500, 3))
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=85)
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())
