import json

import pytest

from deepwright.train.events import Epoch, History, Step

EPOCH = Epoch(
    epoch=2, num_epochs=4, step=10, seconds=1.5, eta_s=3.0, lr=1e-3, running_loss=0.5,
    train={"loss": 0.4, "auc": float("nan")}, validation={"loss": 0.6}, is_best=True,
)  # fmt: skip


def test_an_event_becomes_plain_json_with_undefined_numbers_as_null():
    record = json.loads(json.dumps(EPOCH.record(), allow_nan=False))
    assert record["event"] == "epoch" and record["train"] == {"loss": 0.4, "auc": None} and record["is_best"] is True


def test_events_cannot_be_changed():
    with pytest.raises(AttributeError):
        Step(1, 1, 1, 1, 0.5).loss = 0.0  # type: ignore[misc]


def test_the_best_scores_are_those_of_the_best_epoch_else_of_the_last():
    epochs = tuple({"train": {"loss": i}, "validation": {"loss": -i}} for i in range(3))
    assert History(epochs, best_epoch=2).best() == {"loss": -1}
    assert History(epochs).best("train") == {"loss": 2}
