"""JAX at its best: the MLP with optax, a whole epoch in one compiled scan over a permuted copy."""

import sys
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.contestants.job import PROBE, Job
from benchmarks.workloads import EMBEDDING, LEVELS, LR, NUM_NUMBERS, WEIGHT_DECAY, WIDTH


def run(job: Job) -> float:
    import jax
    import jax.numpy as jnp
    import optax

    optimizer = optax.adamw(LR, weight_decay=WEIGHT_DECAY)
    size = job.workload.batch_size
    steps = job.num_rows // size
    assert steps * size == job.num_rows, "a scan has batches of one size"

    def lowered(weights: Any, numbers: Any, categories: Any, target: Any) -> Any:
        logits = _forward(weights, numbers, categories)
        return optax.softmax_cross_entropy_with_integer_labels(logits, target).mean()

    def step(state: Any, batch: Any) -> tuple[Any, Any]:
        weights, moments = state
        loss, gradient = jax.value_and_grad(lowered)(weights, *batch)
        updates, moments = optimizer.update(gradient, moments, weights)
        return (optax.apply_updates(weights, updates), moments), loss

    @jax.jit
    def epoch(state: Any, key: Any, data: Any) -> tuple[Any, Any]:
        order = jax.random.permutation(key, job.num_rows)
        batches = jax.tree.map(lambda each: each[order].reshape(steps, size, *each.shape[1:]), data)
        state, losses = jax.lax.scan(step, state, batches)
        return state, losses.mean()

    data = tuple(map(jnp.asarray, (*job.inputs.values(), job.target)))
    weights = jax.tree.map(jnp.asarray, _first_weights())
    state = (weights, optimizer.init(weights))
    for number in range(job.epochs):
        state, loss = epoch(state, jax.random.key(number), data)
        print(f"epoch {number + 1}: loss {float(loss):.4f}", file=sys.stderr)
        job.clock.lap(steps)
    return job.loss(np.asarray(_forward(state[0], data[0][:PROBE], data[1][:PROBE])))


def _forward(weights: Any, numbers: Any, categories: Any) -> Any:
    import jax
    import jax.numpy as jnp

    embedded = [table[categories[:, i]] for i, table in enumerate(weights["embeddings"])]
    hidden = jnp.concatenate([numbers, *embedded], axis=1)
    for matrix, bias in weights["layers"][:-1]:
        hidden = jax.nn.relu(hidden @ matrix + bias)
    matrix, bias = weights["layers"][-1]
    return hidden @ matrix + bias


def _first_weights() -> Any:
    """torch's distributions: uniform for matrices, standard normal for embeddings."""
    draw = np.random.default_rng(0)
    widths = [NUM_NUMBERS + EMBEDDING * len(LEVELS), WIDTH, WIDTH, 10]

    def layer(wide: int, narrow: int) -> tuple[np.ndarray, np.ndarray]:
        bound = wide**-0.5
        return (
            draw.uniform(-bound, bound, (wide, narrow)).astype(np.float32),
            draw.uniform(-bound, bound, narrow).astype(np.float32),
        )

    return {
        "embeddings": [draw.standard_normal((levels, EMBEDDING), dtype=np.float32) for levels in LEVELS],
        "layers": [layer(wide, narrow) for wide, narrow in pairwise(widths)],
    }
