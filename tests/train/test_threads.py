import os
import subprocess
import sys

import pytest
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


@pytest.mark.parametrize(("given", "expected"), [(None, threads.SPINS), ("7", "7")])
def test_waiting_is_bounded_before_torch_is_there_and_a_users_own_number_stays(given, expected):
    code = (
        "import os, sys\n"
        "from deepwright import cli\n"
        "def call(arguments):\n"
        "    print('torch' in sys.modules, os.environ['GOMP_SPINCOUNT'])\n"
        "    import torch\n"
        "cli.call = call\n"
        "cli.main([])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    environment |= {"OMP_DISPLAY_ENV": "verbose"} | ({} if given is None else {"GOMP_SPINCOUNT": given})
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"False {expected}\n"
    # GNU OpenMP says at its start what it goes by; a torch that is built with another takes no such number
    assert "GOMP_SPINCOUNT" not in done.stderr or f"GOMP_SPINCOUNT = '{expected}'" in done.stderr
