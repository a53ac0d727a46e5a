"""A case: one bad input, the outcome it must have, and the words by which the product answers.

REFUSE: exit 2 or 3 (a request: 4xx), the sentence names place and fix, nothing is written. ASK: exit 3, the sentence
holds an option that settles it, and with that option it works. LIMIT: refused before memory is taken. QUAR: the rows
are set aside with the reason, and more than 1 % of them stop the run. REPAIR: changed in one certain way, and told.
ACCEPT: every value is exact.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from deepwright import cli

Outcome = Literal["REFUSE", "ASK", "LIMIT", "QUAR", "REPAIR", "ACCEPT"]
SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """row: its number in the list of faults. what: the fault. says: what the answer must hold."""

    row: str
    what: str
    outcome: Outcome
    says: tuple[str, ...] = ()
    exit: int = 3

    @property
    def id(self) -> str:
        return f"{self.row} {self.what}"

    @property
    def answer(self) -> str:
        """How the product answers, in a few words."""
        return " ... ".join(self.says)


@dataclass(frozen=True)
class Outcomes:
    """What one call of the command line did."""

    code: int
    out: str
    err: str
    written: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The one sentence of an error."""
        lines = [line for line in self.err.splitlines() if line.startswith("deepwright: ")]
        assert len(lines) == 1, f"one sentence is due, and there is:\n{self.err}"
        return lines[0].removeprefix("deepwright: ")


def call(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> Outcomes:
    """Run a command in process, in the working folder `folder`; gives what it said and which files it left."""
    before = files(folder)
    code = cli.call(list(arguments))
    out, err = capsys.readouterr()
    assert "Traceback" not in err + out, err
    return Outcomes(code, out, err, sorted(files(folder) - before))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
