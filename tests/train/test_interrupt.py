import gc
import os
import signal
import subprocess
import sys
import textwrap

import pytest
import torch
from torch import nn

from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Epoch, Resumed, Step
from deepwright.train.interrupt import Interrupts
from deepwright.train.loop import fit


@pytest.fixture(autouse=True)
def usual_handlers():
    """A training that another test left behind may still hold the handlers; here everyone begins with Python's own."""
    gc.collect()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def training(make_mlp, digits, folder, **options):
    checkpoints = Checkpoints(folder, every_s=1000)
    return fit(make_mlp(dropout=0.5), *digits, optimizer="adamw", epochs=3, checkpoints=checkpoints, **options)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_a_step_leaves_a_checkpoint_and_passes_on(digits, make_mlp, tmp_path, number):
    gc.collect()  # an earlier test's training may still be waiting to be freed
    before = signal.getsignal(number)
    whole = training(make_mlp, digits, tmp_path / "whole").finish()
    calls = []

    def loss(output, target):
        calls.append(torch.is_grad_enabled())
        if sum(calls) == 7 and calls[-1]:
            os.kill(os.getpid(), number)
        return nn.functional.cross_entropy(output, target)

    with pytest.raises(KeyboardInterrupt):
        training(make_mlp, digits, tmp_path / "cut", loss=loss).finish()
    again = training(make_mlp, digits, tmp_path / "cut")
    assert signal.getsignal(number) == before, "the handlers are put back"
    resumed = next(e for e in again if isinstance(e, Resumed))
    assert resumed.step in (6, 7)
    assert again.finish().digest == whole.digest


def test_a_signal_while_judging_leaves_a_checkpoint(digits, make_mlp, tmp_path):
    whole = training(make_mlp, digits, tmp_path / "whole").finish()

    def answer(output):
        os.kill(os.getpid(), signal.SIGINT)
        return output

    with pytest.raises(KeyboardInterrupt):
        training(
            make_mlp, digits, tmp_path / "cut", metrics={"n": lambda t, a: 0.0}, answer=answer, batch_size=256
        ).finish()
    again = training(make_mlp, digits, tmp_path / "cut")
    assert next(e for e in again if isinstance(e, Resumed)).step == 5
    assert again.finish().digest == whole.digest


def test_a_signal_while_the_consumer_works_leaves_a_checkpoint(digits, make_mlp, tmp_path):
    whole = training(make_mlp, digits, tmp_path / "whole").finish()
    with pytest.raises(KeyboardInterrupt):
        for event in training(make_mlp, digits, tmp_path / "cut"):
            if isinstance(event, Step) and event.step == 8:
                os.kill(os.getpid(), signal.SIGTERM)
    again = training(make_mlp, digits, tmp_path / "cut")
    assert next(e for e in again if isinstance(e, Resumed)).step == 8
    assert again.finish().digest == whole.digest


def test_the_handlers_are_put_back(digits, make_mlp, tmp_path):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    running = training(make_mlp, digits, tmp_path)
    next(running)
    assert signal.getsignal(signal.SIGINT) != before[0]
    running.finish()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_training_that_is_left_behind_gives_handlers_and_threads_back(digits, make_mlp, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    running = training(make_mlp, digits, tmp_path, threads=2)
    next(running)
    assert torch.get_num_threads() == 2
    del running
    gc.collect()
    assert signal.getsignal(signal.SIGINT) == before and torch.get_num_threads() == 1


class Owner:
    def save(self):
        pass


def test_handlers_of_an_owner_that_is_gone_are_not_put_back():
    gc.collect()
    before = signal.getsignal(signal.SIGINT)
    gone, living = Owner(), Owner()
    first, second = Interrupts(gone.save), Interrupts(living.save)
    first.install()
    del gone
    second.install()
    second.uninstall()
    assert signal.getsignal(signal.SIGINT) == before


def test_handlers_of_a_living_owner_are_put_back():
    gc.collect()
    before = signal.getsignal(signal.SIGINT)
    one, other = Owner(), Owner()
    first, second = Interrupts(one.save), Interrupts(other.save)
    first.install()
    mine = signal.getsignal(signal.SIGINT)
    second.install()
    second.uninstall()
    assert signal.getsignal(signal.SIGINT) == mine
    first.uninstall()
    assert signal.getsignal(signal.SIGINT) == before


def test_without_checkpoints_signals_are_left_alone(digits, make_mlp):
    before = signal.getsignal(signal.SIGINT)
    running = fit(make_mlp(), *digits, optimizer="adamw", epochs=1)
    next(running)
    assert signal.getsignal(signal.SIGINT) == before


def test_ctrl_c_ends_a_process_that_only_trains(tmp_path):
    # As a shell sends it: the process has no handler of its own and is in the midst of its steps.
    script = textwrap.dedent(
        """
        import sys, torch
        from deepwright.train.checkpoint import Checkpoints
        from deepwright.train.loop import fit
        net = torch.nn.Linear(4, 2)
        training = fit(net, (torch.zeros(64, 4), torch.zeros(64).long()), optimizer="adamw", epochs=10**6, batch_size=1,
                       checkpoints=Checkpoints(sys.argv[1], every_s=1000))
        next(training)
        print("started", flush=True)
        training.finish()
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert "KeyboardInterrupt" in errors and process.returncode != 0
    assert Checkpoints(tmp_path).load_latest()[0] is not None


def test_epochs_follow_each_other_after_an_interrupt(digits, make_mlp, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        for event in training(make_mlp, digits, tmp_path):
            if isinstance(event, Epoch) and event.epoch == 2:
                os.kill(os.getpid(), signal.SIGINT)
    epochs = [e.epoch for e in training(make_mlp, digits, tmp_path) if isinstance(e, Epoch)]
    assert epochs == [3]
