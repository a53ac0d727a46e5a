"""docs/faults.md: every bad input of the suite, its outcome, and how the product answers.

`python -m tests.faults.page > docs/faults.md` writes it anew.
"""

from collections.abc import Iterable, Sequence

from tests.faults.archives import ARCHIVES
from tests.faults.case import Case
from tests.faults.configs import CONFIGS
from tests.faults.images import IMAGES
from tests.faults.requests import FLAGGED, REQUESTS
from tests.faults.series import SERIES
from tests.faults.tables import ARRAYS, TABLES
from tests.faults.tampered import BUNDLES
from tests.faults.texts import TEXTS

HEAD = """# Bad inputs and how they are answered

Each row is an input that a test makes, gives to the product and checks: {cases} inputs for {rows} kinds of fault. This
page is written from the tables of that suite (`tests/faults`) by `python -m tests.faults.page > docs/faults.md`.

| outcome | what it means | exit |
|---|---|---|
| REFUSE | one sentence with the place, the value and the fix; nothing is written | 2, 3 (a request: 4xx) |
| ASK | two readings fit: one sentence with the option that decides, and with that option it works | 3 |
| LIMIT | refused before memory is taken: at most 2 s and 256 MB | 3, 5 |
| QUAR | the rows are set aside, with reason and number in the report; more than 1 % of them stop the run | 0, 3 |
| REPAIR | changed in the one certain way, told as a finding in the report | 0 |
| ACCEPT | every value is exact | 0 |

Tables go through `deepwright run`, through `deepwright.run(PATH)` and, where the fault lies in a cell, through
`deepwright.run(FRAME)`, always with the same outcome. Images lie in a folder of good ones that goes through
`deepwright check`, and through what decodes them for a model. Requests go as raw bytes to a server in a process of its
own; after each a good one is answered. Tampered bundles go through `predict`, `export`, `serve` and `Bundle.load`.
Texts and series go through `deepwright run` and `deepwright.run`. There are no local web pages yet through which the
same could be sent, and no cases yet of labels. A bundle is a folder; of zip archives it is tested that they are refused
unopened.
"""

SECTIONS: tuple[tuple[str, str, Sequence[Case]], ...] = (
    ("T", "Delimited text", TABLES),
    ("P", "Parquet and arrays", ARRAYS),
    ("Z", "Archives of tables", ARCHIVES),
    ("I", "Images", IMAGES),
    ("X", "Texts", TEXTS),
    ("C", "Configuration", CONFIGS),
    ("A", "Requests to the server", [*REQUESTS, *FLAGGED]),
    ("B", "Bundles", BUNDLES),
    ("S", "Time series", SERIES),
)
EXPECTED = {"T": 50, "P": 5, "Z": 9, "I": 18, "X": 5, "C": 11, "A": 26, "B": 11, "S": 6}
"""Kinds of fault in each section, numbered from 1."""

TOLD = {"ACCEPT": "taken as it stands"}


def page() -> str:
    cases = [case for *_, part in SECTIONS for case in part]
    head = HEAD.format(cases=len(cases), rows=len({case.row for case in cases}))
    return "\n".join([head, *(section(title, part) for _, title, part in SECTIONS)])


def section(title: str, cases: Iterable[Case]) -> str:
    """A heading and a table, by number."""
    ordered = sorted(cases, key=lambda case: int(case.row[1:]))
    lines = [f"## {title}", "", "| | input | outcome | answer |", "|---|---|---|---|"]
    lines += [f"| {c.row} | {plain(c.what)} | {c.outcome} | {plain(c.answer) or TOLD[c.outcome]} |" for c in ordered]
    return "\n".join([*lines, ""])


def plain(words: str) -> str:
    """Text that is safe in a cell of a table."""
    return "".join(
        f"\\{character}" if character in "|*_[]<>`\\" else character
        for character in words.replace("\n", " ")
        if character.isprintable()
    )


if __name__ == "__main__":
    print(page(), end="")
