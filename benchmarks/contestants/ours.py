"""Ours as a user has it: `deepwright.fit` with `speed="auto"`, the live display and the record of events.

In float32 the same plan is given without its bfloat16, as a user would who does not want it.
"""

import inspect
import sys
from dataclasses import replace
from typing import Any

from benchmarks.contestants.job import Job
from benchmarks.workloads import LR, WEIGHT_DECAY

USUAL_EPOCHS = 100


def run(job: Job) -> float:
    from deepwright.train.events import Epoch
    from deepwright.train.watch import live, record

    plan = chosen_plan(job)
    print(f"plan: {plan}", file=sys.stderr)
    if not job.bf16:
        plan = replace(plan, bf16=False)
    elif not plan.bf16:
        raise LookupError("its gate or its clock did not take bfloat16 here")
    network = job.network()
    for event in live(record(training(job, network, plan), job.folder / "events.jsonl")):
        if isinstance(event, Epoch):
            job.clock.lap(job.steps)
    return job.judged(network)


def chosen_plan(job: Job) -> Any:
    """What `speed="auto"` chooses for a training of usual length; the time it may take to choose grows with it."""
    from deepwright.train.events import Planned
    from deepwright.train.speed import SpeedPlan

    for event in training(replace(job, epochs=USUAL_EPOCHS), job.network(), "auto"):
        if isinstance(event, Planned):
            return SpeedPlan.of(event)
    raise LookupError("no plan was chosen")


def training(job: Job, network: Any, speed: Any) -> Any:
    """The job as a call of `fit`; nobody else judges training rows after an epoch, so here it is one row."""
    import deepwright
    from deepwright.train.optim import AdamW

    knows_lengths = "lengths" in inspect.signature(deepwright.fit).parameters
    return deepwright.fit(
        network,
        (job.inputs, job.target),
        loss="cross_entropy",
        optimizer=AdamW(lr=LR, weight_decay=WEIGHT_DECAY),
        epochs=job.epochs,
        batch_size=job.workload.batch_size,
        sample=1,
        speed=speed,
        **({"lengths": job.workload.length} if job.workload.length is not None and knows_lengths else {}),
    )
