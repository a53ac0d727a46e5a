"""Lightning's Trainer at its defaults: logger, progress bar, model summary. Checkpoints are off for everyone."""

from benchmarks.contestants.job import Job, loader
from benchmarks.workloads import LR, WEIGHT_DECAY


def run(job: Job) -> float:
    import lightning
    import torch

    class Model(lightning.LightningModule):
        def __init__(self, network: torch.nn.Module) -> None:
            super().__init__()
            self.network = torch.compile(network) if job.compiled else network
            self.criterion = torch.nn.CrossEntropyLoss()

        def training_step(self, batch: list[torch.Tensor], _number: int) -> torch.Tensor:
            *inputs, target = batch
            loss = self.criterion(self.network(*inputs), target)
            self.log("train_loss", loss, prog_bar=True)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.AdamW(self.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)

    class Laps(lightning.Callback):
        def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
            job.clock.lap(trainer.num_training_batches)

    network = job.network()
    trainer = lightning.Trainer(
        max_epochs=job.epochs,
        accelerator="gpu" if job.device == "cuda" else "cpu",
        devices=1,
        precision="bf16-mixed" if job.bf16 else None,
        callbacks=[Laps()],
        enable_checkpointing=False,
        default_root_dir=job.folder,
    )
    trainer.fit(Model(network), loader(job))
    return job.judged(network)
