"""Public sets: each loads by its one line of docs/data.md, with the counts that its origin gives.

    python -m benchmarks.sources --data FOLDER              every line, 5 to 10 minutes
    python -m benchmarks.sources --data FOLDER --only MNIST

FOLDER holds the sets in folders of the names in that page. `deepwright check` runs in a process of its own with a
workspace of its own; the counts or their sum must stand in what it prints, and the findings that a set is known for.
"""

import argparse
import re
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.claims import Claim, finish

PAGE = Path(__file__).parents[1] / "docs" / "data.md"
KNOWN = {
    "sign digits": ("3024",),
    "hymenoptera": ("imageNotFound",),
    "SMS spam": ("[derived]",),
    "mammography": ("3334 of 11183",),
    "Beijing PM2.5": ("2067",),
    "JapaneseVowels": ("7", "29"),
    "PickupGestureWiimoteZ": ("29", "361"),
    "California housing": ("207", "965"),
}
"""What `check` must print of a set beside its rows."""
ASKED = {
    "mammography": ("tabular_small/mammography.csv.gz --columns a,b,c,d,e,f,label", "[quoted]"),
    "Beijing PM2.5": ("beijing_pm25/pollution.csv.gz", "--missing"),
}
"""A line without the option that the page gives, and what `check` must print then."""


@dataclass(frozen=True)
class Set:
    name: str
    line: str
    counts: tuple[int, ...]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the sets")
    parser.add_argument("--only", help="one set by its name in the page")
    given = parser.parse_args()
    found = [each for each in public_sets() if given.only in (None, each.name)]
    if not found:
        parser.error(f"--only {given.only}: one of {', '.join(each.name for each in public_sets())}")
    with tempfile.TemporaryDirectory() as workspace:
        return finish([claim for each in found for claim in claims(each, given.data, Path(workspace))])


def public_sets() -> list[Set]:
    """The rows of the page's last table."""
    rows = re.findall(r"(?m)^\| ([^|]+) \| `(.+)` \| ([\d,/ ]+)(?: characters)? \|$", PAGE.read_text(encoding="utf-8"))
    return [
        Set(name, line, tuple(int(count.replace(",", "")) for count in counts.split("/")))
        for name, line, counts in rows
    ]


def claims(each: Set, data: Path, workspace: Path) -> list[Claim]:
    counts = tuple(str(count) for count in each.counts)
    found = [said(each.name, each.line, (counts, (str(sum(each.counts)),)), KNOWN.get(each.name, ()), data, workspace)]
    if each.name in ASKED:
        line, words = ASKED[each.name]
        found.append(said(f"{each.name} without its option", line, ((),), (words,), data, workspace))
    return found


def said(
    name: str, line: str, either: tuple[tuple[str, ...], ...], known: tuple[str, ...], data: Path, workspace: Path
) -> Claim:
    """Whether `deepwright check LINE` prints every word of one of `either`, and every known one."""
    started = time.monotonic()
    checked = subprocess.run(
        [sys.executable, "-c", "from deepwright.cli import main; main()", "check", *arguments(line, data)],
        cwd=workspace, capture_output=True, text=True, check=False,
    )  # fmt: skip
    printed = checked.stdout + checked.stderr
    lacking = min((not_in(printed, (*counts, *known)) for counts in either), key=len)
    print(f"{name}: exit {checked.returncode}, {time.monotonic() - started:.1f} s")
    if lacking:
        print(printed)
    return Claim(name, float(len(lacking)), "= 0 counts or words lacking", not lacking, ", ".join(lacking))


def not_in(printed: str, words: tuple[str, ...]) -> list[str]:
    """The words that do not stand in a text; a number only counts whole."""
    return [word for word in words if not re.search(rf"(?<![\d.]){re.escape(word)}(?!\d)", printed)]


def arguments(line: str, data: Path) -> list[str]:
    """A line's words, with files found in the folder of the sets and `c1,...,c9` written out."""
    return [_located(re.sub(r"\bc1,\.\.\.,c(\d+)", _written_out, word), data) for word in shlex.split(line)]


def _written_out(match: re.Match[str]) -> str:
    return ",".join(f"c{number}" for number in range(1, int(match[1]) + 1))


def _located(word: str, data: Path) -> str:
    before, mark, path = word.rpartition("=")
    return f"{before}{mark}{data / path}" if (data / path).exists() and path else word


if __name__ == "__main__":
    sys.exit(main())
