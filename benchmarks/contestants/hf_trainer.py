"""Hugging Face's Trainer with its defaults; the rate is constant as it is for everyone."""

from typing import Any

from benchmarks.contestants.job import Job, collate, dataset
from benchmarks.workloads import LR, WEIGHT_DECAY


def run(job: Job) -> float:
    import torch
    from transformers import Trainer, TrainerCallback, TrainingArguments

    names = list(job.inputs)

    class Model(torch.nn.Module):
        def __init__(self, network: torch.nn.Module) -> None:
            super().__init__()
            self.network = network
            self.criterion = torch.nn.CrossEntropyLoss()

        def forward(self, labels: torch.Tensor, **inputs: torch.Tensor) -> dict[str, torch.Tensor]:
            logits = self.network(*(inputs[name] for name in names))
            return {"loss": self.criterion(logits, labels), "logits": logits}

    class Rows(torch.utils.data.Dataset):
        """Its data sets give dictionaries."""

        def __init__(self) -> None:
            self.rows = dataset(job)

        def __len__(self) -> int:
            return len(self.rows)

        def __getitem__(self, row: int) -> dict[str, torch.Tensor]:
            return dict(zip([*names, "labels"], self.rows[row], strict=True))

    def by_length(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        return dict(zip([*names, "labels"], collate([tuple(row.values()) for row in rows]), strict=True))

    class Laps(TrainerCallback):
        def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            job.clock.lap(job.steps)

    network = job.network()
    trainer = Trainer(
        model=Model(network),
        args=TrainingArguments(
            output_dir=str(job.folder),
            num_train_epochs=job.epochs,
            per_device_train_batch_size=job.workload.batch_size,
            learning_rate=LR,
            weight_decay=WEIGHT_DECAY,
            lr_scheduler_type="constant",
            save_strategy="no",
            remove_unused_columns=False,
            use_cpu=job.device == "cpu",
            bf16=job.bf16,
            torch_compile=job.compiled,
        ),
        train_dataset=Rows(),
        data_collator=by_length if job.workload.length is not None else None,
        callbacks=[Laps()],
    )
    trainer.train()
    return job.judged(network)
