"""Show: where a practice tells what it is doing."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from deepwright.train.watch import live


@dataclass(frozen=True)
class Show:
    """say: one line of progress. watch: passes training events through and may display them."""

    say: Callable[[str], None]
    watch: Callable[[Iterable[Any]], Iterator[Any]]


def _silent(line: str) -> None:
    pass


quiet = Show(say=_silent, watch=iter)
"""Shows nothing."""


def terminal(stream: TextIO | None = None) -> Show:
    """Lines and live training values on a terminal, plain lines elsewhere; None is stderr."""
    out = stream or sys.stderr

    def say(line: str) -> None:
        print(line, file=out, flush=True)

    return Show(say=say, watch=lambda events: live(events, out))
