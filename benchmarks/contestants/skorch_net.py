"""skorch's NeuralNetClassifier with its defaults and its printed log."""

from typing import Any

from benchmarks.contestants.job import Job
from benchmarks.workloads import LR, WEIGHT_DECAY


def run(job: Job) -> float:
    import torch
    from skorch import NeuralNetClassifier
    from skorch.callbacks import Callback

    class Laps(Callback):
        def on_epoch_end(self, net: Any, **_: Any) -> None:
            job.clock.lap(job.steps)

    network = job.network()
    net = NeuralNetClassifier(
        network,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=WEIGHT_DECAY,
        lr=LR,
        max_epochs=job.epochs,
        batch_size=job.workload.batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        device=job.device,
        classes=list(range(job.workload.num_classes)),
        callbacks=[("laps", Laps())],
    )
    given = job.inputs if len(job.inputs) > 1 else next(iter(job.inputs.values()))
    net.fit(given, job.target)
    return job.judged(net.module_)
