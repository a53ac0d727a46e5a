"""What changing images costs: CPU seconds of each augmentation beside those of the step it is made for.

    python -m benchmarks.augmenting            about two minutes
    python -m benchmarks.augmenting --quick    a smoke run of seconds, without a claim

A batch of 128 images of 32 x 32 pixels in bytes, on one thread. The step is forward, backward and update of ResNet-8
with SGD. Each augmentation, and the default ones together, in turn with the step; the claim is about the median over
rounds of the ratio within a round.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.claims import Claim, at_most, finish
from deepwright import parts
from deepwright.core.families import Augment, Network, Tensor
from deepwright.core.recipe import AUGMENTED
from deepwright.improve.augment_image import Augmenter
from deepwright.train.batch import Batch
from deepwright.train.optim import SGD

ROWS, SIDE, ROUNDS = 128, 32, 15
BAR = 0.15


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: few images, no claim")
    given = parser.parse_args()
    torch.set_num_threads(1)
    parts.load_installed()
    rows, rounds = (8, 1) if given.quick else (ROWS, ROUNDS)
    draw = torch.Generator().manual_seed(0)
    batch = Batch(
        (torch.randint(0, 256, (rows, SIDE, SIDE, 3), generator=draw).to(torch.uint8),),
        torch.randint(0, 10, (rows,), generator=draw),
    )
    ways = {kind: (kind,) for kind in sorted(Augment.kinds)}
    tried = {"the default": AUGMENTED, **ways}
    shares = {name: share(Augmenter(changes, levels=10), batch, rounds) for name, changes in tried.items()}
    for name, found in shares.items():
        print(f"{name}: {100 * found:.1f} % of a step", flush=True)
    if given.quick:
        return finish([])
    claims: list[Claim] = [at_most(f"{name}: share of a step", found, BAR, "") for name, found in shares.items()]
    return finish(claims)


def share(augment: Augmenter, batch: Batch, rounds: int) -> float:
    """The median ratio of the augmentation's CPU time to a step's."""
    step = step_of(batch)
    ratios = []
    for number in range(rounds + 1):
        ours, theirs = min(cpu_s(lambda: augment(batch, 0)) for _ in range(3)), cpu_s(step)
        if number:  # the first round is the warm-up
            ratios.append(ours / theirs)
    return statistics.median(ratios)


def step_of(batch: Batch) -> Callable[[], Any]:
    """One step of ResNet-8 on the batch."""
    torch.manual_seed(0)
    network = Network.parse({"kind": "resnet", "depth": 8})
    module = network.build((Tensor("image", 3, "uint8", shape=(SIDE, SIDE, 3)),), 10)
    optimizer = SGD(lr=0.1, momentum=0.9).build(module.parameters())
    loss = torch.nn.CrossEntropyLoss()

    def step() -> None:
        optimizer.zero_grad()
        loss(module(*batch.inputs), batch.target).backward()
        optimizer.step()

    return step


def cpu_s(work: Callable[[], Any]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started


if __name__ == "__main__":
    sys.exit(main())
