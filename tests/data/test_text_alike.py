"""Near copies of texts: found after small changes, and never seen in texts of their own."""

import random
from collections.abc import Callable

import numpy as np
import pytest

from deepwright.data import text_alike
from deepwright.data.text_alike import SIMILAR, Alike, common_share, near, runs_of

WORDS = [f"{a}{b}{c}" for a in ("re", "mo", "ta", "li", "ge") for b in ("nas", "ter", "vol", "pin") for c in "aeiou"]
HANZI = [chr(0x4E00 + i * 7) for i in range(400)]


def sentences(count: int, seed: int, words: list[str] = WORDS, mark: str = " ") -> list[str]:
    draw = random.Random(seed)
    return [mark.join(draw.choices(words, k=draw.randint(18, 40))) for _ in range(count)]


def changed(kind: str, text: str, draw: random.Random, mark: str) -> str:
    """One change of a kind: of a word in twenty, a tenth at the end, or of what is no letter."""
    words = text.split(mark) if mark else list(text)
    place = draw.randrange(len(words))
    if kind == "another word":
        words[place] = words[place - 1]
    elif kind == "a word less":
        del words[place]
    elif kind == "a word more":
        words.insert(place, words[place - 2])
    elif kind == "cut":
        words = words[: int(len(words) * 0.9)]
    elif kind == "a letter":
        words[place] = "x" + words[place][1:]
    return mark.join(words) if kind != "case and marks" else mark.join(words).upper().replace(" ", " - ") + "!!"


KINDS = ("another word", "a word less", "a word more", "cut", "a letter", "case and marks")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("words", "mark"), [(WORDS, " "), (HANZI, "")], ids=["words", "chinese"])
def test_at_least_95_of_100_changed_copies_are_found(kind: str, words: list[str], mark: str):
    known = sentences(300, 1, words, mark)
    draw = random.Random(2)
    copies = [changed(kind, text, draw, mark) for text in known[:100]]
    index = Alike(known)
    found = [index.nearest(copy)[0] == place for place, copy in enumerate(copies)]
    assert np.mean(found) >= 0.95


def test_of_texts_of_their_own_none_is_near():
    assert list(near(sentences(300, 1), sentences(300, 3))) == []
    assert list(near(sentences(300, 1, HANZI, ""), sentences(300, 3, HANZI, ""))) == []


def test_equal_missing_and_very_short_texts_are_no_near_copies():
    known = ["the very same words as there", "ab", None, ""]
    assert list(near(known, [*known, "ab!", "  "])) == []


def test_the_share_is_that_of_runs_in_both():
    left, right = runs_of("abcdefghijklmnop"), runs_of("abcdefghijklmnopqr")
    assert (len(left), len(right)) == (12, 14)
    assert common_share(left, right) == 12 / 14 >= SIMILAR
    (found,) = near(["abcdefghijklmnop"], ["abcdefghijklmnopqr"])
    assert found == (0, 0, 12 / 14)


@pytest.mark.parametrize(
    "fault",
    [
        lambda monkeypatch: monkeypatch.setattr(text_alike, "SIMILAR", 0.99),
        lambda monkeypatch: monkeypatch.setattr(text_alike, "BANDS", 1),
        lambda monkeypatch: monkeypatch.setattr(text_alike, "PER_BAND", 60),
    ],
    ids=["too strict", "one band", "bands too long"],
)
def test_a_planted_fault_loses_copies(fault: Callable[[pytest.MonkeyPatch], None], monkeypatch):
    fault(monkeypatch)
    with pytest.raises(AssertionError):
        test_at_least_95_of_100_changed_copies_are_found("another word", WORDS, " ")
