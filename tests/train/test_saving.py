import pytest
import torch
from torch import nn

from deepwright.core.errors import RecipeError
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.nonfinite import Watch
from deepwright.train.saving import Saving
from deepwright.train.state import State


def saving(folder, *, seed=0, threads=1):
    """A saving of a network of one weight, and that network; `folder` None: nowhere."""
    net = nn.Linear(1, 1, bias=False)
    optimizers = [torch.optim.SGD(net.parameters(), lr=0.1)]
    made = Saving(
        None if folder is None else Checkpoints(folder, every_s=3600.0), State(net, optimizers),
        Watch(net, optimizers, "train"), identity={"seed": seed}, environment=lambda: {"threads": threads},
    )  # fmt: skip
    return made, net


def test_what_was_saved_is_taken_up_and_what_has_changed_is_told(tmp_path):
    first, net = saving(tmp_path)
    first._state.position.step = 7
    assert first.save().step == 7
    second, other = saving(tmp_path, threads=2)
    told = second.take_up(*second.look())
    assert torch.equal(other.weight, net.weight)
    assert (told.step, told.changes) == (7, ("threads: 1 > 2",)) and second._state.position.notes == [told.record()]


def test_a_checkpoint_of_another_training_is_refused_with_both_values(tmp_path):
    saving(tmp_path)[0].save()
    with pytest.raises(RecipeError, match="seed was 0 and is now 1"):
        saving(tmp_path, seed=1)[0].look()


def test_a_state_with_a_nan_in_it_is_never_written(tmp_path):
    made, net = saving(tmp_path)
    nn.init.constant_(net.weight, float("nan"))
    assert made.save() is None and list(tmp_path.iterdir()) == []


def test_before_its_time_only_the_end_of_a_training_is_saved(tmp_path):
    made, _ = saving(tmp_path)
    assert list(made.due(epoch_end=False)) == []
    made._state.position.stopped = "epochs"
    assert [event.step for event in made.due(epoch_end=True)] == [0]


def test_without_a_folder_nothing_is_found_or_written():
    made, _ = saving(None)
    made._state.position.stopped = "epochs"
    assert made.look() == (None, ()) and made.save() is None and list(made.due(epoch_end=True)) == []
