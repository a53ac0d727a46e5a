"""Keras: the same networks in its layers, `fit` with its progress bar; the backend is the process's KERAS_BACKEND."""

from typing import Any

from benchmarks.contestants.job import PROBE, Job
from benchmarks.workloads import CHANNELS, EMBEDDING, LEVELS, LR, NUM_NUMBERS, WEIGHT_DECAY, WIDTH


def run(job: Job) -> float:
    import keras

    if keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(job.threads)

    class Laps(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            job.clock.lap(job.steps)

    keras.utils.set_random_seed(0)
    is_images = job.workload.images
    inputs = [job.inputs["images"].transpose(0, 2, 3, 1).copy()] if is_images else list(job.inputs.values())
    model = _cnn() if is_images else _mlp()
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate=LR, weight_decay=WEIGHT_DECAY),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(inputs, job.target, batch_size=job.workload.batch_size, epochs=job.epochs, callbacks=[Laps()])
    return job.loss(model.predict([each[:PROBE] for each in inputs], verbose=0))


def _mlp() -> Any:
    import keras
    from keras import layers

    numbers, categories = keras.Input((NUM_NUMBERS,)), keras.Input((len(LEVELS),), dtype="int64")
    embedded = [layers.Embedding(levels, EMBEDDING)(categories[:, i]) for i, levels in enumerate(LEVELS)]
    hidden = layers.Concatenate()([numbers, *embedded])
    for _ in range(2):
        hidden = layers.Dense(WIDTH, activation="relu")(hidden)
    return keras.Model([numbers, categories], layers.Dense(10)(hidden))


def _cnn() -> Any:
    import keras
    from keras import layers

    hidden = images = keras.Input((28, 28, 1))
    for number, channels in enumerate(CHANNELS):
        hidden = layers.Conv2D(channels, 3, padding="same", use_bias=False)(hidden)
        hidden = layers.ReLU()(layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(hidden))
        if number < len(CHANNELS) - 1:
            hidden = layers.MaxPooling2D(2)(hidden)
    return keras.Model(images, layers.Dense(10)(layers.GlobalAveragePooling2D()(hidden)))
