"""Strict decoding of images against Pillow's own: the share of its rate that is left with every check in place.

    python benchmarks/decoding.py            about a minute
    python benchmarks/decoding.py --quick    a smoke run of seconds, without a claim

The images are JPEGs of 500 x 375 pixels that the script makes: gradients under noise, 50 kB each. Pillow's own is what
everyone writes, `Image.open(...).convert("RGB").resize((224, 224), box=the middle)` as an array; ours gives the same
pixels, and checks format, size, frames and depth, decodes in full and turns as EXIF says. On one thread, CPU time, the
two in turn after each other, the median over rounds of the ratio within a round. Beside them, for information:
collecting facts (hash of the pixels, small picture), and a whole map in processes of its own with its hashing and
writing.
"""

import argparse
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.claims import Claim, at_least, finish, unmeasured
from benchmarks.input import jpeg
from benchmarks.machine import MAX_ELSEWHERE, Elsewhere
from benchmarks.race import Patience
from deepwright.core.image import Form, decode_image, image_facts
from deepwright.data.image_build import build

SIDE = 224
DISTINCT, ROUNDS = 96, 15
BAR = 0.9
FORM = Form(SIDE, SIDE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wait", type=float, default=300, help="seconds to wait for a quiet machine, in all")
    parser.add_argument("--quick", action="store_true", help="a smoke run: few images, no claim")
    given = parser.parse_args()
    distinct, rounds = (4, 1) if given.quick else (DISTINCT, ROUNDS)
    jpegs = [jpeg(number) for number in range(distinct)]
    was_quiet = given.quick or Patience(given.wait).is_quiet()
    elsewhere = Elsewhere()
    seconds = cpu_seconds({"Pillow": pillow, "ours": ours, "facts": image_facts}, jpegs, rounds)
    rates = {name: distinct / statistics.median(each) for name, each in seconds.items()}
    rates["a map, wall clock"] = map_rate(jpegs * (1 if given.quick else 10))
    for name, rate in rates.items():
        print(f"{name}: {rate:,.0f} images a second", flush=True)
    if given.quick:
        return finish([])
    found = claims(seconds)
    is_calm = was_quiet and elsewhere.cores() <= MAX_ELSEWHERE
    return finish(found if is_calm else [unmeasured(each, "the machine was not quiet") for each in found], rates=rates)


def claims(seconds: dict[str, list[float]]) -> list[Claim]:
    shares = [theirs / mine for theirs, mine in zip(seconds["Pillow"], seconds["ours"], strict=True)]
    return [at_least("strict decoding over Pillow's own rate, per core", statistics.median(shares), BAR)]


def pillow(encoded: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(encoded)) as image:
        margin = (image.width - image.height) / 2
        middle = (margin, 0, margin + image.height, image.height)
        return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=middle))


def ours(encoded: bytes) -> np.ndarray:
    return decode_image(encoded, FORM)


def cpu_seconds(work: dict[str, Callable[[bytes], object]], jpegs: list[bytes], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each for all images, round by round, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for number in range(rounds + 1):
        for name, one in work.items():
            started = time.process_time()
            for encoded in jpegs:
                one(encoded)
            if number:
                seconds[name].append(time.process_time() - started)
    return seconds


def map_rate(jpegs: list[bytes]) -> float:
    """Images a second, hashed, decoded by two processes and written."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        build(jpegs, Path(folder), size=SIDE, workers=2, say=print)
        return len(jpegs) / (time.perf_counter() - started)


if __name__ == "__main__":
    sys.exit(main())
