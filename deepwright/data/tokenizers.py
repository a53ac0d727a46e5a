"""Tokenizers: what cuts texts into numbered tokens, learned on the training part alone."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.families import Tokenizer
from deepwright.core.operations import (
    BytePairTokens,
    ByteTokens,
    CharacterTokens,
    NormaliseText,
    Operation,
    TextTokens,
    WordTokens,
)
from deepwright.core.operations.words import words
from deepwright.core.part import option
from deepwright.core.step import Fitted
from deepwright.data.byte_pairs import learn_merges
from deepwright.data.narrow import free_names, text_columns

MIN_COUNT_HELP = "how often it must occur in training texts for a number of its own"


class Cutter(Tokenizer):
    """The base of the tokenizers: one operation per column of text, its width by the training texts."""

    max_length: int = option(512, "tokens of a text that are kept, at most", low=1, high=1_000_000)

    def learn(self, train: Dataset) -> Fitted:
        operations: list[Operation] = []
        columns = text_columns(train)
        form = self.one_form(tuple(columns))
        if form is not None and columns:
            operations.append(form)
        names = free_names((f"{name} length" for name in columns), train)
        for name, lengths in zip(columns, names, strict=True):
            column = train.columns[name] if form is None else form.apply(dict(train.columns))[name]
            texts = [text for text in column if text is not None]
            operation = self.cut(texts, {"column": name, "lengths": lengths, "length": self.max_length})
            longest = max((len(operation.encode(text)) for text in texts), default=1)
            operations.append(operation.replace(length=max(1, min(self.max_length, longest))))
        return Fitted(tuple(operations))

    def one_form(self, columns: tuple[str, ...]) -> NormaliseText | None:
        """What comes before cutting; None: texts are cut as they are."""
        return None

    def cut(self, texts: list[str], where: dict[str, Any]) -> TextTokens:
        """The operation for one column. texts: those of the training part; where: its options `column` and so on."""
        raise NotImplementedError


class Words(Cutter, kind="words"):
    """Words by falling frequency; letters of scripts without spaces (Chinese, Japanese, Thai) each count as a word."""

    size: int = option(30_000, "words with a number of their own, at most", low=1, high=10_000_000)
    min_count: int = option(2, MIN_COUNT_HELP, low=1, high=1_000_000)

    def one_form(self, columns: tuple[str, ...]) -> NormaliseText | None:
        return NormaliseText(columns=columns, case="fold")

    def cut(self, texts: list[str], where: dict[str, Any]) -> TextTokens:
        found = (word for text in texts for word in words(text))
        return WordTokens(vocabulary=vocabulary(found, self.size, self.min_count), **where)


class Characters(Cutter, kind="characters"):
    """Single characters by falling frequency: Chinese without a segmenter, names, small alphabets."""

    size: int = option(10_000, "characters with a number of their own, at most", low=1, high=1_200_000)
    min_count: int = option(1, MIN_COUNT_HELP, low=1, high=1_000_000)

    def cut(self, texts: list[str], where: dict[str, Any]) -> TextTokens:
        found = (character for text in texts for character in text)
        return CharacterTokens(vocabulary=vocabulary(found, self.size, self.min_count), **where)


class Bytes(Cutter, kind="bytes"):
    """The bytes of UTF-8: 256 numbers, nothing learned, nothing unknown."""

    def cut(self, texts: list[str], where: dict[str, Any]) -> TextTokens:
        return ByteTokens(**where)


class BytePairs(Cutter, kind="bpe"):
    """Byte pairs joined by their frequency in training texts; nothing is unknown (Sennrich, Haddow & Birch 2016)."""

    merges: int = option(2000, "pairs that are joined, at most", low=1, high=1_000_000)
    min_count: int = option(2, "how often a pair must stand in training texts", low=2, high=1_000_000)

    def cut(self, texts: list[str], where: dict[str, Any]) -> TextTokens:
        return BytePairTokens(merges=learn_merges(texts, self.merges, self.min_count), **where)


def vocabulary(found: Iterable[str], size: int, min_count: int) -> tuple[str, ...]:
    """The commonest, ties in the order of their characters.

    >>> vocabulary("abracadabra", 3, 2)
    ('a', 'b', 'r')
    """
    counts = Counter(found)
    often = sorted((entry for entry, n in counts.items() if n >= min_count), key=lambda entry: (-counts[entry], entry))
    return tuple(often[:size])


def encoded(operation: TextTokens, texts: np.ndarray) -> Iterable[np.ndarray]:
    """Each text's tokens, uncut, int32 [tokens], one at a time; a missing text has none."""
    for text in texts:
        yield np.array([] if text is None else operation.encode(text), np.int32)
