"""Report: every number with its n, its part and its 95 % interval, with curves, findings and a verdict."""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from deepwright.core.schema import Problem
from deepwright.core.text import text

Severity = Literal["note", "warning", "blocking"]
FORMAT = 1


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Number(Record):
    """One reported number. value is None where the metric is undefined; low and high bound its 95 % interval.

    optimistic: rows that a choice saw (early stopping, the best of several) gave this number.
    """

    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    part: Literal["train", "validation", "test"]
    member: str
    greater_is_better: bool
    method: str
    optimistic: bool = False


class Spread(Record):
    """One metric of one member on validation over several training seeds; the first value is of the shipped seed.

    sd: of the values (n - 1). place: the shipped seed's place among them, 1 the best.
    """

    metric: str
    member: str
    values: tuple[float, ...]
    mean: float
    sd: float
    low: float
    high: float
    place: int


class Sentence(Record):
    """A text of the catalogue with its values, so that a report can be read in either language."""

    key: str
    values: dict[str, Any] = {}

    @property
    def text(self) -> str:
        return text(self.key, **self.values)


class Finding(Record):
    """Something a user should know. rule: its stable name (`deepwright explain RULE`); where: a column, row or file."""

    rule: str
    severity: Severity
    where: str
    sentence: Sentence

    @property
    def text(self) -> str:
        return self.sentence.text


def finding(rule: str, severity: Severity, where: str, **values: Any) -> Finding:
    """A finding whose text stands in the catalogue under `finding.RULE` (`where` is among its values)."""
    return Finding(
        rule=rule,
        severity=severity,
        where=where,
        sentence=Sentence(key=f"finding.{rule}", values={"where": where, **values}),
    )


class SetAside(Record):
    reason: str
    count: int
    rows: tuple[int, ...]
    """The first rows concerned, as numbers in the source from 1."""


class Data(Record):
    """What came in and where it went: rows_in = rows_kept + the set-aside counts."""

    source: str
    source_sha256: str
    rows_in: int
    rows_kept: int
    set_aside: tuple[SetAside, ...]
    parts: dict[str, int]
    fingerprints: dict[str, str]


class Look(Record):
    """One opening of the test part."""

    number: int
    when: str
    run: str
    reason: str | None


class Latency(Record):
    """The median time of one call with so many rows."""

    rows: int
    median_s: float
    calls: int


class Footprint(Record):
    """What the bundle costs on the machine that made the report: left out of `rerun`'s and `--verify`'s comparisons.

    memory_bytes: what loading adds to a process; None where the system does not tell.
    """

    disk_bytes: int
    memory_bytes: int | None
    latency: tuple[Latency, ...]
    machine: str


class Report(Record):
    """The result of one run.

    evidence: part > member > {"confusion": [[int]], "roc": [[false, true]...], "pr": ..., "calibration": ...,
    "residuals": ...}.
    history: one mapping per epoch: {"epoch", "seconds", "lr", "train": {METRIC: value}, "validation": {...}}.
    seeds: the training seeds where there were several, the shipped one first; spread: what they gave.
    """

    format: int = FORMAT
    run: str
    recipe_hash: str
    bundle: str
    bundle_digest: str
    problem: Problem
    target: str
    levels: tuple[str, ...]
    metric: str
    chosen: str
    members: tuple[str, ...]
    data: Data
    numbers: tuple[Number, ...]
    evidence: dict[str, dict[str, Any]]
    history: tuple[dict[str, Any], ...]
    findings: tuple[Finding, ...]
    verdict: tuple[Sentence, ...]
    exemptions: tuple[Sentence, ...]
    looks: tuple[Look, ...]
    environment: dict[str, Any]
    seconds: dict[str, float]
    seeds: tuple[int, ...] = ()
    spread: tuple[Spread, ...] = ()
    footprint: Footprint | None = None

    def number(self, metric: str, part: str, member: str | None = None) -> Number | None:
        """The number of a metric on a part, of the chosen member if none is named."""
        member = member or self.chosen
        for number in self.numbers:
            if (number.metric, number.part, number.member) == (metric, part, member):
                return number
        return None

    def summary(self) -> dict[str, Any]:
        """What `--json` prints for `run` and `report`."""

        def values(part: str, member: str) -> dict[str, Any]:
            return {
                n.metric: {"value": n.value, "low": n.low, "high": n.high, "n": n.n}
                for n in self.numbers
                if n.part == part and n.member == member
            }

        others = [m for m in self.members if m != self.chosen]
        tested = any(n.part == "test" for n in self.numbers)
        return {
            "run": self.run,
            "bundle": self.bundle,
            "problem": self.problem,
            "metric": self.metric,
            "chosen": self.chosen,
            "validation": values("validation", self.chosen),
            "test": values("test", self.chosen) if tested else None,
            "baselines": {m: values("test" if tested else "validation", m) for m in others},
            "looks": len(self.looks),
            "findings": [
                {"rule": f.rule, "severity": f.severity, "where": f.where, "text": f.text} for f in self.findings
            ],
            "footprint": None if self.footprint is None else self.footprint.model_dump(mode="json"),
            "seconds": round(sum(self.seconds.values()), 3),
            **({"seeds": self._over_seeds()} if self.seeds else {}),
        }

    def _over_seeds(self) -> dict[str, Any]:
        """The spread of the chosen member, by metric."""
        kept = ("mean", "sd", "low", "high", "place")
        of_chosen = [spread for spread in self.spread if spread.member == self.chosen]
        return {"seeds": list(self.seeds), **{s.metric: s.model_dump(include=set(kept)) for s in of_chosen}}

    def json_bytes(self) -> bytes:
        return (json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()

    @classmethod
    def load(cls, path: Path) -> "Report":
        return cls.model_validate_json(path.read_bytes())
