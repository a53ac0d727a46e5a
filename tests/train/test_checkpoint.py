import errno
import json
import os
import random
import stat
import time

import pytest
import torch
from torch import nn

from deepwright.core.errors import RecipeError, ResourceError
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Epoch, Resumed, Saved
from deepwright.train.loop import fit

TENSORS = {"a": torch.arange(6, dtype=torch.float32).reshape(2, 3), "b": torch.tensor(3), "c": torch.zeros(0)}
FACTS = {"position": {"step": 7, "value": 0.1}, "words": ["x", None, True]}


def filled(folder, count=2):
    checkpoints = Checkpoints(folder)
    for number in range(count):
        checkpoints.save({**TENSORS, "n": torch.tensor(number)}, {**FACTS, "number": number})
    return checkpoints


def test_what_was_saved_is_loaded_to_the_bit(tmp_path):
    loaded, refused = filled(tmp_path).load_latest()
    assert refused == ()
    assert loaded.facts == {**FACTS, "number": 1}
    assert all(torch.equal(loaded.tensors[name], value) and loaded.tensors[name].dtype == value.dtype
               for name, value in TENSORS.items())  # fmt: skip


def test_an_empty_folder_has_none(tmp_path):
    assert Checkpoints(tmp_path / "new").load_latest() == (None, ())


def test_the_two_newest_are_kept(tmp_path):
    filled(tmp_path, count=5)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "000004.json", "000004.safetensors", "000005.json", "000005.safetensors"
    ]  # fmt: skip


def test_fewer_than_two_are_refused(tmp_path):
    with pytest.raises(RecipeError, match="keep is 1; at least 2 are kept"):
        Checkpoints(tmp_path, keep=1)


def test_tied_and_sliced_tensors_are_saved_whole(tmp_path):
    shared = torch.randn(4, 4)
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save({"a": shared, "b": shared, "c": shared.t(), "d": shared[1:]}, {})
    tensors = checkpoints.load_latest()[0].tensors
    assert torch.equal(tensors["b"], shared) and torch.equal(tensors["c"], shared.t())
    assert torch.equal(tensors["d"], shared[1:])


def damages(seed):
    """One way each of flipping a bit or cutting, in either file."""
    draw = random.Random(seed)

    def damage(folder):
        file = folder / f"000002.{draw.choice(['json', 'safetensors'])}"
        content = bytearray(file.read_bytes())
        if draw.random() < 0.7:
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        else:
            del content[draw.randrange(len(content)) :]
        file.write_bytes(content)

    return damage


def detected(tmp_path, count):
    found = 0
    for seed in range(count):
        folder = tmp_path / str(seed)
        checkpoints = filled(folder)
        damages(seed)(folder)
        loaded, refused = checkpoints.load_latest()
        found += refused == ("000002.json",) and loaded.facts["number"] == 0
    return found


def test_flipped_bits_and_cuts_are_detected_and_the_previous_one_used(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # nothing here is about power loss
    assert detected(tmp_path, 100) == 100


@pytest.mark.slow
def test_a_thousand_damages_are_detected(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    assert detected(tmp_path, 1000) == 1000


def test_a_missing_tensors_file_is_detected(tmp_path):
    checkpoints = filled(tmp_path)
    (tmp_path / "000002.safetensors").unlink()
    assert checkpoints.load_latest()[1] == ("000002.json",)


def test_when_all_are_damaged_there_is_none_and_each_is_named(tmp_path):
    checkpoints = filled(tmp_path)
    for file in tmp_path.glob("*.safetensors"):
        file.write_bytes(b"")
    assert checkpoints.load_latest() == (None, ("000002.json", "000001.json"))


def test_a_newer_format_is_refused_not_guessed(tmp_path):
    from deepwright.train.checkpoint import _sealed

    checkpoints = filled(tmp_path)
    body = json.loads((tmp_path / "000002.json").read_text())
    del body["zz_sha256"]
    (tmp_path / "000002.json").write_bytes(_sealed({**body, "format": 2}))
    with pytest.raises(RecipeError, match="format 2, and this version reads format 1"):
        checkpoints.load_latest()


def test_what_a_kill_left_half_written_is_cleared(tmp_path):
    checkpoints = filled(tmp_path)
    (tmp_path / "000003.safetensors").write_bytes(b"never committed")
    (tmp_path / ".000003.json.99.tmp").write_bytes(b"half")
    checkpoints.save(TENSORS, {"number": 2})
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "000002.json", "000002.safetensors", "000003.json", "000003.safetensors"
    ]  # fmt: skip
    assert checkpoints.load_latest()[0].facts == {"number": 2}


class Full(OSError):
    def __init__(self):
        super().__init__(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("write", range(2))
def test_a_full_disk_is_named_and_the_last_good_one_stays(tmp_path, monkeypatch, write):
    checkpoints = filled(tmp_path)
    left = [write]
    fsync = os.fsync

    def full(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            return fsync(handle)
        left[0] -= 1
        if left[0] < 0:
            raise Full
        return fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match=r"000003\.\w+: the disk is full: \d+ bytes wanted, \d+ bytes free"):
        checkpoints.save(TENSORS, {"number": 2})
    monkeypatch.undo()
    loaded, refused = checkpoints.load_latest()
    assert (loaded.facts["number"], refused) == (1, ())
    assert not list(tmp_path.glob(".*")), "nothing half written stays"


def test_it_is_due_by_the_clock_and_by_its_cost(tmp_path, monkeypatch):
    import deepwright.train.checkpoint as module

    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    checkpoints = Checkpoints(tmp_path, every_s=30)
    checkpoints.start_clock()
    assert checkpoints.is_due(epoch_end=True), "the first epoch is worth one"
    checkpoints._cost_s = 0.1  # so one in 5 s costs 2 %
    now[0] = 4.9
    assert not checkpoints.is_due(epoch_end=True)
    now[0] = 5.0
    assert checkpoints.is_due(epoch_end=True) and not checkpoints.is_due(epoch_end=False)
    now[0] = 30.0
    assert checkpoints.is_due(epoch_end=False)
    checkpoints._cost_s = 1.0
    assert not checkpoints.is_due(epoch_end=False)


def test_no_interval_means_after_every_step(digits, make_mlp, tmp_path):
    training = fit(
        make_mlp(), digits[0], optimizer="adamw", epochs=1, batch_size=400, checkpoints=Checkpoints(tmp_path, every_s=0)
    )
    assert [e.step for e in training if isinstance(e, Saved)] == [1, 2, 3, 3]


def test_a_damaged_checkpoint_is_said_and_the_previous_one_taken_up(digits, make_mlp, tmp_path):
    def run(every_s=30.0):
        return fit(make_mlp(), *digits, optimizer="adamw", epochs=3, checkpoints=Checkpoints(tmp_path, every_s=every_s))

    whole = fit(make_mlp(), *digits, optimizer="adamw", epochs=3).finish()
    for event in run(every_s=0):
        if isinstance(event, Epoch) and event.epoch == 2:
            break
    newest = max(tmp_path.glob("*.safetensors"))
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 4
    newest.write_bytes(content)
    training = run()
    resumed = next(e for e in training if isinstance(e, Resumed))
    assert resumed.refused == (newest.with_suffix(".json").name,) and resumed.step > 0
    assert training.finish().digest == whole.digest


def test_optimizers_without_tensors_in_their_state_resume_too(digits, tmp_path):
    torch.manual_seed(0)
    net = nn.Linear(64, 10)
    options = {"loss": "cross_entropy", "epochs": 1, "batch_size": 400}
    for event in fit(
        net,
        digits[0],
        optimizer=lambda p: torch.optim.SGD(p, lr=0.1),
        checkpoints=Checkpoints(tmp_path, every_s=0),
        **options,
    ):
        if isinstance(event, Saved):
            break
    again = fit(
        nn.Linear(64, 10),
        digits[0],
        optimizer=lambda p: torch.optim.SGD(p, lr=0.1),
        checkpoints=Checkpoints(tmp_path),
        **options,
    ).finish()
    torch.manual_seed(0)
    whole = fit(nn.Linear(64, 10), digits[0], optimizer=lambda p: torch.optim.SGD(p, lr=0.1), **options).finish()
    assert again.digest == whole.digest


def test_gathering_the_tensors_counts_as_cost(tmp_path):
    checkpoints = Checkpoints(tmp_path, every_s=1)
    _, _, seconds = checkpoints.save({"w": torch.ones(1)}, {}, started=time.monotonic() - 3)
    assert seconds >= 3 and checkpoints._cost_s == seconds
