"""Claims: what a benchmark says, whether it holds, and the line in which it says so to machines."""

import json
import math
import sys
from dataclasses import asdict, dataclass

from benchmarks.machine import description


@dataclass(frozen=True)
class Claim:
    """One sentence with a number. holds: None where it was not measured; `note` then says why."""

    name: str
    value: float | None
    bar: str
    holds: bool | None
    note: str = ""


def at_least(name: str, value: float, bar: float, unit: str = "x") -> Claim:
    return Claim(name, _rounded(value), f">= {bar:g} {unit}".strip(), value >= bar)


def at_most(name: str, value: float, bar: float, unit: str = "x") -> Claim:
    return Claim(name, _rounded(value), f"<= {bar:g} {unit}".strip(), value <= bar)


def unmeasured(claim: Claim, why: str) -> Claim:
    """The same claim, its number kept as information."""
    return Claim(claim.name, claim.value, claim.bar, None, why)


def finish(claims: list[Claim], **more: object) -> int:
    """Print every claim, then the JSON line; gives the exit code: 1 where one fails, 5 where one was not measured."""
    for claim in claims:
        verdict = {True: "holds", False: "FAILS", None: "NOT MEASURED"}[claim.holds]
        value = "-" if claim.value is None else f"{claim.value:g}"
        note = f"  ({claim.note})" if claim.note else ""
        print(f"{verdict:>12}  {claim.name}: {value}, bar {claim.bar}{note}")
    print(json.dumps({"claims": [asdict(each) for each in claims], "machine": description(), **more}, allow_nan=False))
    sys.stdout.flush()
    if any(each.holds is False for each in claims):
        return 1
    return 5 if any(each.holds is None for each in claims) else 0


def _rounded(value: float) -> float | None:
    """Four significant digits; None where the number is undefined."""
    return float(f"{value:.4g}") if math.isfinite(value) else None
