"""Trainings that are killed at random steps and taken up again, each in a process of its own.

    python kill_trials.py TRIALS SEED [sound] [no_reseeding] [global_order]

One process imports torch and forks each run, so a trial costs a fraction of a second. A run is killed one to three
times: it sets a timer at a random step, and after 0 to 10 ms the kernel ends it (SIGALRM without a handler), also in
the middle of a step or of writing a checkpoint. For each variant it prints how many trials; kills: runs that the
kernel ended; equal: trials that ended in the bits and the history of an undisturbed run; resumed_late: those taken up
from a step above 0; at_end: those of them taken up after their last step; unkilled: trials that outran every timer.
"""

import dataclasses
import json
import os
import random
import signal
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np
import torch
from torch import nn

from deepwright.train import batches
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Resumed, Step
from deepwright.train.loop import Training, fit
from deepwright.train.objective import Objective, Phase
from deepwright.train.optim import SGD, Adam, AdamW
from deepwright.train.step import Steps

ROWS, BATCH, EPOCHS = 230, 20, 7


class EverySecond(Checkpoints):
    """Writes after every second step, so that half of the kills fall between two checkpoints."""

    calls = 0

    def is_due(self, *, epoch_end: bool) -> bool:
        self.calls += 1
        return epoch_end or self.calls % 2 == 0


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 8, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(8, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(x.reshape(-1, 4, 4))[0][:, -1])


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.2, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer(x.reshape(-1, 4, 4)).mean(1))


def dense() -> nn.Module:
    return nn.Sequential(nn.Linear(16, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, 3))


def convolution() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 4, 4)), nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2),
        nn.Linear(16, 3),
    )  # fmt: skip


def with_changed_signs(batch, step):
    """Half of the rows with the other sign, drawn anew in each step."""
    signs = torch.randint(0, 2, (len(batch.target), 1)) * 2 - 1
    return dataclasses.replace(batch, inputs=(batch.inputs[0] * signs,))


def start(kind: str, folder: Path | None) -> Training:
    """One training of one of five kinds; the same call always gives the same training."""
    torch.set_num_threads(1)
    torch.manual_seed(5)
    np.random.seed(5)
    draw = np.random.default_rng(1)
    x = draw.standard_normal((ROWS, 16)).astype(np.float32)
    y = (x[:, :3] @ np.eye(3) + draw.standard_normal((ROWS, 3)) * 0.5).argmax(1)
    common = {
        "schedule": "cosine", "epochs": EPOCHS, "batch_size": BATCH, "seed": 11, "patience": 5,
        "checkpoints": None if folder is None else EverySecond(folder),
    }  # fmt: skip
    if kind == "gan":
        return gan(x, common)
    build, optimizer = {
        "dense": (dense, AdamW(lr=0.01)), "convolution": (convolution, SGD(lr=0.1, nesterov=True)),
        "recurrent": (Recurrent, Adam(lr=0.01)), "attention": (Attention, AdamW(lr=0.01)),
    }[kind]  # fmt: skip
    return fit(
        build(), (x[:200], y[:200]), (x[200:], y[200:]), loss="cross_entropy", optimizer=optimizer,
        metrics={"accuracy": lambda t, a: float((a.argmax(1) == t).mean())}, watch="accuracy", greater_is_better=True,
        augment=with_changed_signs if kind == "convolution" else None,
        **common,
    )  # fmt: skip


def gan(x: np.ndarray, common: dict) -> Training:
    generator, critic = nn.Linear(4, 16), nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 1))
    relu = nn.functional.relu

    def critic_loss(inputs, target):
        fake = generator(torch.randn(len(target), 4)).detach()
        return relu(1 - critic(inputs[0])).mean() + relu(1 + critic(fake)).mean()

    def generator_loss(inputs, target):
        return -critic(generator(torch.randn(len(target), 4))).mean()

    phases = (Phase("critic", critic, critic_loss), Phase("generator", generator, generator_loss))
    objective = Objective(phases, lambda inputs, target: (inputs[0], generator_loss(inputs, target)))
    both = nn.ModuleList([generator, critic])
    return fit(both, (x[:200], x[:200]), (x[200:], x[200:]), optimizer=AdamW(lr=0.01), objective=objective, **common)


def result(history) -> dict:
    epochs = [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history.epochs]
    return {
        "digest": history.digest,
        "steps": history.steps,
        "epochs": epochs,
        "stopped": history.stopped,
        "best": history.best_epoch,
    }


def in_child(work) -> int:
    """Run `work` in a forked process; gives its wait status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    try:
        work()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a forked process ends here, whatever happened
        traceback.print_exc()
        os._exit(1)


def killed_run(kind: str, folder: Path, step: int, delay_s: float) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for event in start(kind, folder):
        if isinstance(event, Step) and event.step == step:
            signal.setitimer(signal.ITIMER_REAL, max(delay_s, 1e-6))


def last_run(kind: str, folder: Path, out: Path) -> None:
    training = start(kind, folder)
    resumed = [event.step for event in training if isinstance(event, Resumed)]
    out.write_text(json.dumps({**result(training.finish()), "from": resumed[0] if resumed else 0}))


def plant(variant: str) -> None:
    if variant == "no_reseeding":
        Steps.reseed = lambda self, purpose, *place: None
    elif variant == "global_order":
        batches.permutation = lambda seed, purpose, place, num_rows: np.random.permutation(num_rows)
    else:
        assert variant == "sound", variant


def main(trials: int, seed: int, variant: str) -> None:
    """All trials of one variant."""
    plant(variant)
    draw = random.Random(seed)
    kinds = ["dense", "convolution", "recurrent", "attention", "gan"]
    equal = late = kills = at_end = unkilled = 0
    expected: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as home:
        for trial in range(trials):
            kind = kinds[trial % len(kinds)]
            folder, out = Path(home, str(trial)), Path(home, f"{trial}.json")
            if kind not in expected:
                assert in_child(lambda k=kind, o=out: last_run(k, None, o)) == 0
                expected[kind] = json.loads(out.read_text())
            steps = expected[kind]["steps"]
            killed = kill_some(kind, folder, steps, draw)
            kills += killed
            assert in_child(lambda k=kind, f=folder, o=out: last_run(k, f, o)) == 0
            found = json.loads(out.read_text())
            late += found["from"] > 0
            at_end += found["from"] == steps
            unkilled += killed == 0
            equal += all(found[key] == expected[kind][key] for key in ("digest", "steps", "epochs", "stopped", "best"))
    counts = {"kills": kills, "equal": equal, "resumed_late": late, "at_end": at_end, "unkilled": unkilled}
    print(json.dumps({"variant": variant, "trials": trials, **counts}), flush=True)


def kill_some(kind: str, folder: Path, steps: int, draw: random.Random) -> int:
    """Begin the training one to three times, each time to be killed at a later step; gives how many were."""
    kills = step = 0
    for _ in range(draw.randint(1, 3)):
        if step == steps - 1:
            break
        step, delay = draw.randint(step + 1, steps - 1), draw.random() * 0.01
        status = in_child(lambda s=step, d=delay: killed_run(kind, folder, s, d))
        assert os.WIFSIGNALED(status) or status == 0, f"{kind} failed at step {step}"
        kills += os.WIFSIGNALED(status)
    return kills


if __name__ == "__main__":
    # Once here, so that no child has to import what torch imports late.
    fit(dense(), (np.zeros((4, 16), np.float32), np.zeros(4, int)), optimizer="adamw", epochs=1).finish()
    for name in sys.argv[3:] or ["sound"]:
        assert in_child(lambda name=name: main(int(sys.argv[1]), int(sys.argv[2]), name)) == 0
