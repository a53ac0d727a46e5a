import psutil
import pytest
import torch
from torch import nn

from deepwright.core.errors import ResourceError
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Saved, Shrunk
from deepwright.train.loop import fit
from deepwright.train.memory import is_out_of_memory, peak_bytes


class Narrow:
    """A loss on a machine whose memory suffices for `rows` rows only."""

    def __init__(self, rows, error=RuntimeError):
        self.rows, self.error = rows, error

    def __call__(self, output, target):
        if len(target) > self.rows and torch.is_grad_enabled():
            raise self.error("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory")
        return nn.functional.cross_entropy(output, target)


def weights(module):
    return torch.cat([p.detach().flatten() for p in module.parameters()])


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, torch.OutOfMemoryError])
def test_smaller_pieces_give_the_gradients_of_the_whole_batch(digits, make_mlp, error):
    whole, pieces = make_mlp(dropout=0.0), make_mlp(dropout=0.0)
    options = {"optimizer": "sgd", "epochs": 3, "batch_size": 250}
    fit(whole, digits[0], loss="cross_entropy", **options).finish()
    events = list(fit(pieces, digits[0], loss=Narrow(70, error), **options))
    assert [(e.step, e.micro_batch) for e in events if isinstance(e, Shrunk)] == [(1, 63)]
    difference = (weights(whole) - weights(pieces)).abs().max() / weights(whole).abs().max()
    assert 0 < difference < 1e-5


def test_the_size_found_is_kept_after_a_resume_and_the_bits_are_equal(digits, make_mlp, tmp_path):
    def run(checkpoints=None):
        return fit(
            make_mlp(dropout=0.5), digits[0], loss=Narrow(70), optimizer="adamw", epochs=2, batch_size=250,
            checkpoints=checkpoints,
        )  # fmt: skip

    whole = run().finish()
    assert whole.notes[0] == {"event": "shrunk", "step": 1, "micro_batch": 63}
    for event in run(Checkpoints(tmp_path, every_s=0)):
        if isinstance(event, Saved) and event.step == 3:
            break
    training = run(Checkpoints(tmp_path))
    assert not [e for e in training if isinstance(e, Shrunk)]
    assert training.finish().digest == whole.digest


def test_batch_normalisation_is_refused_with_the_option_to_change(digits, make_mlp):
    with pytest.raises(ResourceError, match=r"250 rows at once \(batch_size 250\).*smaller --train.batch_size"):
        fit(make_mlp(normalisation="batch"), digits[0], loss=Narrow(70), optimizer="sgd", batch_size=250).finish()


def test_where_one_row_does_not_fit_it_ends(digits, make_mlp):
    with pytest.raises(ResourceError, match="1 rows at once"):
        fit(make_mlp(), digits[0], loss=Narrow(0), optimizer="sgd", batch_size=250).finish()


def test_other_errors_pass_on(digits, make_mlp):
    def broken(output, target):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        fit(make_mlp(), digits[0], loss=broken, optimizer="sgd").finish()


def test_the_hosts_own_words_are_known():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("something else"))


def test_the_peak_holds_what_was_once_taken_and_given_back():
    taken = b"x" * (64 << 20)
    held = psutil.Process().memory_info().rss
    del taken
    assert 0.95 * held <= peak_bytes() < 100 * held
