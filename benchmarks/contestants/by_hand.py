"""The loop of every tutorial: a DataLoader, AdamW with its defaults, the loss printed now and then."""

import sys
from contextlib import nullcontext

from benchmarks.contestants.job import Job, loader
from benchmarks.workloads import LR, WEIGHT_DECAY


def run(job: Job) -> float:
    import torch

    network = job.network()
    optimizer = torch.optim.AdamW(network.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
    criterion = torch.nn.CrossEntropyLoss()
    batches = loader(job)
    network.train()
    for epoch in range(job.epochs):
        total = 0.0
        for *inputs, target in batches:
            inputs = [each.to(job.device) for each in inputs]
            target = target.to(job.device)
            optimizer.zero_grad()
            with torch.autocast(job.device, torch.bfloat16) if job.bf16 else nullcontext():
                loss = criterion(network(*inputs), target)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / len(batches):.4f}", file=sys.stderr)
        job.clock.lap(len(batches))
    return job.judged(network)
