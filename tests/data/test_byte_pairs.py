"""Byte pairs: those that counting anew after each step gives, and texts come back as they were."""

import random
from collections import Counter
from itertools import pairwise

import pytest

from deepwright.core.operations import BytePairTokens
from deepwright.core.operations.tokens import CHUNK, merged
from deepwright.data.byte_pairs import learn_merges

ALPHABET = "aab \n好é!"


def counted_anew(texts: list[str], count: int, min_count: int = 2) -> tuple[tuple[int, int], ...]:
    """The definition: after each step, every pair of every text is counted again."""
    pieces = [[byte + 1 for byte in piece.encode()] for text in texts for piece in CHUNK.findall(text)]
    merges: list[tuple[int, int]] = []
    while len(merges) < count:
        totals = Counter(pair for tokens in pieces for pair in pairwise(tokens))
        best = min(totals, key=lambda pair: (-totals[pair], pair), default=None)
        if best is None or totals[best] < min_count:
            break
        pieces = [merged(tokens, best, 257 + len(merges)) for tokens in pieces]
        merges.append(best)
    return tuple(merges)


@pytest.mark.parametrize("seed", range(12))
def test_pairs_are_those_of_counting_anew(seed: int):
    draw = random.Random(seed)
    texts = ["".join(draw.choice(ALPHABET) for _ in range(90)) for _ in range(3)]
    assert learn_merges(texts, 30) == counted_anew(texts, 30)
    assert len(counted_anew(texts, 30)) > 5


def test_a_pair_too_rare_is_not_joined():
    assert learn_merges(["abab"], 10, min_count=3) == ()
    assert learn_merges([], 10) == ()


def test_every_text_comes_back():
    one = BytePairTokens(column="t", merges=learn_merges(["the then 好的 好的"] * 3, 20))
    for text in ("", "the then", " \n\t  x", "好的呀\U0001f600", "a" * 100, "\0"):
        assert one.decode(one.encode(text)) == text
    assert len(one.encode("好的")) == 1


def test_tokens_are_joined_in_the_order_that_was_learned():
    one = BytePairTokens(column="t", merges=((99, 100), (98, 99), (257, 101)))
    assert one.encode("abcd") == [98, 259], "b + c comes before a + b"


def test_a_run_without_end_takes_no_endless_time():
    one = BytePairTokens(column="t", merges=((98, 98), (257, 257)))
    assert len(one.encode("a" * 200_000)) == 50_000
    assert one.decode(one.encode(" " * 99_999)) == " " * 99_999
