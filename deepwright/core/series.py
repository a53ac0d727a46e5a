"""Values of a series as text: `1.5,2,?` by moments, dimensions separated by colons; what a cell or a request holds."""

import math
import re

import numpy as np

MISSING = frozenset({"?", "nan"})
WORDS = re.compile(r"[-+0-9.eE?naNA,: ]+", re.ASCII)
MAX_CHARACTERS = 1 << 24


def numbers(words: list[str]) -> list[float]:
    """Finite numbers, NaN where one is missing. Raises ValueError with the word that is none.

    >>> numbers(["1.5", "?", " -2e3"])
    [1.5, nan, -2000.0]
    """
    found = []
    for word in words:
        plain = word.strip()
        if plain.lower() in MISSING:
            found.append(math.nan)
            continue
        try:
            value = float(plain) if plain.isascii() and "_" not in plain else math.inf
        except ValueError:
            value = math.inf
        if not math.isfinite(value):
            raise ValueError(plain[:40])
        found.append(value)
    return found


def parse_series(text: str) -> np.ndarray:
    """float64 [T, D] of such a text. Raises ValueError for what is none.

    >>> parse_series("1,2:3,?").tolist()
    [[1.0, 3.0], [2.0, nan]]
    """
    if len(text) > MAX_CHARACTERS or not WORDS.fullmatch(text):
        raise ValueError(text[:40])
    columns = [numbers(one.split(",")) for one in text.split(":")]
    if len({len(column) for column in columns}) > 1:
        raise ValueError(", ".join(str(len(column)) for column in columns))
    return np.array(columns, dtype=np.float64).T


def series_text(values: np.ndarray) -> str:
    """The text of values [T, D]; each number comes back as it is.

    >>> series_text(np.array([[1.5, 3.0], [2.0, np.nan]]))
    '1.5,2:3,?'
    """

    def word(value: float) -> str:
        return "?" if value != value else repr(value).removesuffix(".0")

    return ":".join(",".join(map(word, column)) for column in values.T.tolist())
