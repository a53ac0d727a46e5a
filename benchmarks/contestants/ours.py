"""Ours as a user has it: `deepwright.fit` with the live display and the record of events."""

import inspect
from typing import Any

from benchmarks.contestants.job import Job
from benchmarks.workloads import LR, WEIGHT_DECAY


def run(job: Job) -> float:
    import deepwright
    from deepwright.train.events import Epoch
    from deepwright.train.optim import AdamW
    from deepwright.train.watch import live, record

    network = job.network()
    training = deepwright.fit(
        network,
        (job.inputs, job.target),
        loss="cross_entropy",
        optimizer=AdamW(lr=LR, weight_decay=WEIGHT_DECAY),
        epochs=job.epochs,
        batch_size=job.workload.batch_size,
        sample=1,  # nobody else judges training rows after an epoch
        **manner(job),
    )
    for event in live(record(training, job.folder / "events.jsonl")):
        if isinstance(event, Epoch):
            job.clock.lap(job.steps)
    return job.judged(network)


def manner(job: Job) -> dict[str, Any]:
    """Options of the engine that a variant asks for. Raises LookupError where the engine does not have them yet."""
    import deepwright

    if not (job.bf16 or job.compiled):
        return {}
    if "speed" not in inspect.signature(deepwright.fit).parameters:
        raise LookupError("deepwright.fit has no option `speed` yet")
    return {"speed": "auto"}
