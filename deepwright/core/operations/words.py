"""Words: how a text is cut into pieces, the same in learning, in a bundle and in a server."""

import re
from typing import Literal

Unit = Literal["words", "characters"]

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Letters of scripts that put no space between words (Thai, Lao, Burmese, Khmer, kana, Chinese): each is a piece."""

PIECE = re.compile(rf"[^\W{UNSPACED}]+|[{UNSPACED}]|[^\w\s]")


def words(text: str) -> list[str]:
    """Runs of letters and digits, single letters of scripts without spaces, and single marks; case is folded.

    >>> words("It's 5 o'clock!"), words("数据 means data")
    (['it', "'", 's', '5', 'o', "'", 'clock', '!'], ['数', '据', 'means', 'data'])
    """
    return PIECE.findall(text.casefold())


def pieces(text: str, unit: Unit) -> list[str]:
    """A text as words, or as characters: every run of spaces is one of them."""
    return words(text) if unit == "words" else list(" ".join(text.casefold().split()))


def terms(text: str, unit: Unit, low: int, high: int) -> list[str]:
    """Every run of `low` to `high` pieces; words of a run stand with a space between them.

    >>> terms("not so good", "words", 1, 2)
    ['not', 'so', 'good', 'not so', 'so good']
    >>> terms("abc", "characters", 2, 3)
    ['ab', 'bc', 'abc']
    """
    found, mark = pieces(text, unit), " " if unit == "words" else ""
    runs = list(found) if low == 1 else []
    for size in range(max(low, 2), high + 1):
        runs += map(mark.join, zip(*(found[start:] for start in range(size)), strict=False))
    return runs
