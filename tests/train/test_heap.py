import gc
import subprocess
import sys

import pytest

from deepwright.train import heap
from deepwright.train.heap import kept_memory
from deepwright.train.loop import fit
from deepwright.train.speed import SpeedPlan

glibc_only = pytest.mark.skipif(heap._glibc() is None, reason="another C library")


@pytest.fixture
def told(monkeypatch):
    """What is said to malloc while the test runs, by name of the setting."""
    gc.collect()  # trainings that an earlier test broke off are under way until then
    said = []
    monkeypatch.setattr(heap, "_set", lambda library, settings: said.append(settings is heap._KEPT))
    return said


PROGRAM = """
import resource, torch
from deepwright.train import heap
from deepwright.train.heap import kept_memory
PLANT
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.ones(12 * 2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
usual = faults()
with kept_memory():
    faults()
    kept = faults()
print(usual, kept, faults())
"""


def page_faults(plant=""):
    """How often 20 tensors of 48 MiB met a page that was given back: before, while memory is kept, and after it."""
    program = PROGRAM.replace("PLANT", plant)
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, said.split()))


@glibc_only
def test_faults_of_pages_end_while_memory_is_kept_and_come_back_after_it():
    usual, kept, after = page_faults()
    assert kept < 100 < usual / 2 and after > 100


NOT_KEPT = "heap._KEPT = ()"
NOT_PUT_BACK = "heap._USUAL = (); heap._glibc().malloc_trim = lambda pad: 0"


@glibc_only
def test_planted_faults_in_keeping_and_in_putting_back_show_in_the_pages():
    _, kept, _ = page_faults(NOT_KEPT)
    assert kept > 100
    _, kept, after = page_faults(NOT_PUT_BACK)
    assert kept < 100 and after < 100


@glibc_only
def test_the_last_training_to_end_puts_the_settings_back(told, digits, make_mlp):
    first, second = (fit(make_mlp(), digits[0], optimizer="adamw", epochs=1) for _ in range(2))
    next(first), next(second)
    assert told == [True]
    first.finish()
    assert told == [True]
    second._events.close()
    assert told == [True, False]


@glibc_only
def test_they_are_put_back_when_a_training_breaks(told):
    with pytest.raises(ZeroDivisionError), kept_memory():
        raise ZeroDivisionError
    assert told == [True, False] and not heap._holders


def test_a_plan_without_it_leaves_malloc_alone_and_gives_the_same_bits(told, digits, make_mlp):
    options = {"optimizer": "adamw", "epochs": 1}
    left = fit(make_mlp(), digits[0], **options, speed=SpeedPlan(keep_memory=False)).finish()
    assert told == []
    kept = fit(make_mlp(), digits[0], **options).finish()
    assert kept.digest == left.digest and kept.plan["keep_memory"] and not left.plan["keep_memory"]


def test_another_c_library_is_left_alone(monkeypatch, told):
    monkeypatch.setattr(heap, "_glibc", lambda: None)
    with kept_memory() as is_kept:
        assert not is_kept
    assert told == []
