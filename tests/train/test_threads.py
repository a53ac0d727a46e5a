from torch import nn

from deepwright.train import threads
from deepwright.train.threads import PRODUCTS_PER_THREAD, thread_count


def test_a_small_step_takes_one_thread():
    assert thread_count(nn.Linear(10, 10), 256) == 1


def test_a_large_step_takes_the_cores_it_can_feed(monkeypatch):
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda pid: set(range(4)), raising=False)
    module = nn.Linear(100, 100, bias=False)
    rows = PRODUCTS_PER_THREAD // 10_000
    assert [thread_count(module, rows * n) for n in (1, 2, 3, 4, 100)] == [1, 2, 3, 4, 4]


def test_the_number_is_capped(monkeypatch):
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    assert thread_count(nn.Linear(1000, 1000), 10_000) == threads.MAX_THREADS
