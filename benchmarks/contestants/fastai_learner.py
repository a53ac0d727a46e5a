"""fastai's Learner with its own DataLoaders, Adam and progress bar."""

from benchmarks.contestants.job import Job, dataset
from benchmarks.contestants.shim import declare_torchvision
from benchmarks.workloads import LR, WEIGHT_DECAY


def run(job: Job) -> float:
    import torch

    declare_torchvision()
    from fastai.basics import Callback, CancelValidException, DataLoaders, Learner
    from fastai.callback.progress import ProgressCallback

    class Laps(Callback):
        order = 80  # behind its recorder and its progress bar

        def before_validate(self) -> None:
            raise CancelValidException  # nobody else validates

        def after_epoch(self) -> None:
            job.clock.lap(job.steps)

    network = job.network()
    rows = dataset(job)
    loaders = DataLoaders.from_dsets(
        rows, rows, bs=job.workload.batch_size, shuffle=True, drop_last=False, device=torch.device(job.device),
        num_workers=0,
    )  # fmt: skip
    learner = Learner(loaders, network, loss_func=torch.nn.CrossEntropyLoss(), lr=LR, wd=WEIGHT_DECAY)
    assert any(isinstance(each, ProgressCallback) for each in learner.cbs), (
        "its progress bar belongs to the measurement"
    )
    learner.fit(job.epochs, cbs=[Laps()])
    return job.judged(network)
