"""Columns counted from a text are named; those that only look like it are not."""

import string

import numpy as np
import pytest

from deepwright.core.recipe import Recipe
from deepwright.data.collect import collect

WORDS = ("Well,", "yes!", "rice", "TEA", "at 7", "tomorrow", "so...", "he said", "(perhaps)", "not")
RNG = np.random.default_rng(0)
TEXTS = [" ".join(RNG.choice(WORDS, RNG.integers(8, 40))) + f" {i}" for i in range(80)]
CLASS = [("no", "yes")[i % 2] for i in range(80)]


def marks(text: str) -> int:
    return sum(c in string.punctuation for c in text)


COUNTS = {
    "the number of characters": [len(t) for t in TEXTS],
    "the number of words": [2 * len(t.split()) + 1 for t in TEXTS],
    "the number of punctuation marks": [marks(t) for t in TEXTS],
    "the share of punctuation marks": [round(100 * marks(t) / (len(t) - t.count(" ")), 3) for t in TEXTS],
    "the number of capital letters": [sum(c.isupper() for c in t) for t in TEXTS],
    "the number of digits": [sum(c.isdigit() for c in t) for t in TEXTS],
}


def told(column: list[float], **options: object) -> list[str]:
    data = {"message": TEXTS, "n": column, "y": CLASS}
    found = collect(Recipe.parse({"source": {"kind": "table", **options}, "target": "y"}), data)
    return [f.text for f in found.findings if f.rule == "derived"]


@pytest.mark.parametrize("word", COUNTS)
def test_a_count_of_a_text_is_named_by_what_was_counted(word):
    (sentence,) = told(COUNTS[word], types=("n=number",))
    assert f"n follows {word} of message" in sentence
    assert "--ignore n" in sentence


def test_a_count_with_a_few_wrong_cells_is_still_named():
    column = list(COUNTS["the number of characters"])
    column[3] += 2
    assert len(told(column)) == 1


def test_a_number_of_its_own_is_not_named():
    noisy = np.array(COUNTS["the number of characters"]) + RNG.normal(0, 20, 80)
    assert told(noisy.tolist()) == []
    assert told(RNG.integers(0, 300, 80).tolist()) == []


def test_one_long_text_does_not_make_a_column_derived():
    column = RNG.integers(0, 30, 80).astype(float)
    column[0] = 1e6
    texts = [*TEXTS]
    texts[0] = "long " * 20_000
    data = {"message": texts, "n": column, "y": CLASS}
    found = collect(Recipe.parse({"source": {"kind": "table"}, "target": "y"}), data)
    assert "derived" not in {f.rule for f in found.findings}
