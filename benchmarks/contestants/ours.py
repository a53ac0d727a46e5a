"""Ours as a user has it: `deepwright.fit` with the live display and the record of events."""

import inspect
from typing import Any, get_args

from benchmarks.contestants.job import Job
from benchmarks.workloads import LR, WEIGHT_DECAY


def run(job: Job) -> float:
    from deepwright.train.events import Epoch
    from deepwright.train.watch import live, record

    network = job.network()
    for event in live(record(training(job, network), job.folder / "events.jsonl")):
        if isinstance(event, Epoch):
            job.clock.lap(job.steps)
    return job.judged(network)


def training(job: Job, network: Any, **more: Any) -> Any:
    """The job as a call of `fit`; nobody else judges training rows after an epoch, so here it is one row."""
    import deepwright
    from deepwright.train.optim import AdamW

    return deepwright.fit(
        network,
        (job.inputs, job.target),
        loss="cross_entropy",
        optimizer=AdamW(lr=LR, weight_decay=WEIGHT_DECAY),
        epochs=job.epochs,
        batch_size=job.workload.batch_size,
        sample=1,
        **manner(job),
        **more,
    )


def manner(job: Job) -> dict[str, Any]:
    """Options of the engine that this job asks for. Raises LookupError where the engine does not have them yet."""
    import deepwright

    options = inspect.signature(deepwright.fit).parameters
    known = get_args(options["speed"].annotation)
    speed = "bf16" if job.bf16 or job.compiled else "auto"
    if speed not in known:
        raise LookupError(f"deepwright.fit has no speed={speed!r} yet, only {', '.join(known)}")
    is_by_length = job.workload.length is not None and "lengths" in options
    return {"speed": speed, **({"lengths": job.workload.length} if is_by_length else {})}
