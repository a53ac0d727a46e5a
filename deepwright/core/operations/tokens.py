"""Operations that cut texts into numbered tokens: words, characters, bytes, byte pairs. They run on the host.

Number 0 is the padding behind a text's end. Letters: N texts, L tokens of a text at most.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

import numpy as np

from deepwright.core.operations.operation import Operation
from deepwright.core.operations.words import UNSPACED, words
from deepwright.core.part import option
from deepwright.core.schema import Columns

PADDING, UNKNOWN = 0, 1
NUM_BYTES = 256
KEPT_PIECES = 100_000
"""Pieces of texts whose tokens are remembered, so that a word that comes again costs one look."""

CHUNK = re.compile(rf" ?[^\W{UNSPACED}]{{1,32}}|[{UNSPACED}]{{1,4}}| ?[^\w\s]{{1,16}}|\s{{1,16}}")
"""Inside such pieces byte pairs are joined, and never across: a word with the space before it, up to four letters of
a script without spaces, marks, spaces. Every character is in one."""


class TextTokens(Operation):
    """The base of what cuts texts: in place of a text stand its tokens' numbers, padded, and beside it their number.

    The column becomes a tensor int64 [N, L]; `lengths` gets int64 [N, 1]. A longer text is cut at L.
    """

    has_graph: ClassVar[bool] = False

    column: str = option(help="a text column")
    lengths: str = option("lengths", "the name of the tensor that says how many tokens each text has")
    length: int = option(256, "tokens of a text, at most", low=1, high=1_000_000)

    @property
    def num_codes(self) -> int:
        """Different numbers that can occur, the padding among them."""
        raise NotImplementedError

    def encode(self, text: str) -> list[int]:
        """All tokens of one text, uncut."""
        raise NotImplementedError

    def apply(self, columns: Columns) -> Columns:
        column = columns[self.column]
        tokens_NL = np.full((len(column), self.length), PADDING, np.int64)
        lengths = np.zeros((len(column), 1), np.int64)
        for row, text in enumerate(column):
            found = [] if text is None else self.encode(text)[: self.length]
            tokens_NL[row, : len(found)] = found
            lengths[row] = len(found)
        return {**columns, self.column: tokens_NL, self.lengths: lengths}


class WordTokens(TextTokens, kind="word_tokens"):
    """Words of a vocabulary, letters of scripts without spaces, and marks; case is folded, 1 is what is not known.

    >>> one = WordTokens(column="t", vocabulary=["not", "good"], length=4)
    >>> found = one.apply({"t": np.array(["Not so good", None], object)})
    >>> found["t"].tolist(), found["lengths"].ravel().tolist()
    ([[2, 1, 3, 0], [0, 0, 0, 0]], [3, 0])
    """

    vocabulary: tuple[str, ...] = option(help="the known words; the first has number 2")

    @property
    def num_codes(self) -> int:
        return len(self.vocabulary) + 2

    def encode(self, text: str) -> list[int]:
        known = self._numbers
        return [known.get(word, UNKNOWN) for word in words(text)]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.vocabulary, 2)}


class CharacterTokens(TextTokens, kind="character_tokens"):
    """Single characters of a vocabulary; 1 is one that is not known.

    >>> CharacterTokens(column="t", vocabulary=["好", "a"], length=3).encode("a好x")
    [3, 2, 1]
    """

    vocabulary: tuple[str, ...] = option(help="the known characters; the first has number 2")

    @property
    def num_codes(self) -> int:
        return len(self.vocabulary) + 2

    def encode(self, text: str) -> list[int]:
        known = self._numbers
        return [known.get(character, UNKNOWN) for character in text]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {character: number for number, character in enumerate(self.vocabulary, 2)}


class ByteTokens(TextTokens, kind="byte_tokens"):
    """The bytes of a text in UTF-8, each with 1 added; nothing is unknown and nothing is learned.

    >>> ByteTokens(column="t").encode("aé")
    [98, 196, 170]
    """

    @property
    def num_codes(self) -> int:
        return NUM_BYTES + 1

    def encode(self, text: str) -> list[int]:
        return [byte + 1 for byte in text.encode("utf-8", "surrogatepass")]


class BytePairTokens(TextTokens, kind="byte_pair_tokens"):
    """Bytes, joined pair by pair in the order in which the pairs were learned (Sennrich, Haddow & Birch 2016).

    A byte has its value plus 1, the first joined pair 257. Nothing is unknown, and `decode` gives back every text.

    >>> one = BytePairTokens(column="t", merges=[(117, 105), (257, 102)])  # t + h, th + e
    >>> one.encode("the thé"), one.decode(one.encode("the thé"))
    ([258, 33, 257, 196, 170], 'the thé')
    """

    merges: tuple[tuple[int, int], ...] = option(help="pairs of numbers, in the order in which they are joined")

    @property
    def num_codes(self) -> int:
        return NUM_BYTES + 1 + len(self.merges)

    def encode(self, text: str) -> list[int]:
        kept = self._kept
        tokens: list[int] = []
        for piece in CHUNK.findall(text):
            found = kept.get(piece)
            if found is None:
                found = tuple(self._joined(piece))
                if len(kept) >= KEPT_PIECES:
                    kept.clear()
                kept[piece] = found
            tokens += found
        return tokens

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of whole tokens; bytes that are no character become the replacement character."""
        known = self._bytes
        return b"".join(known[token] for token in tokens if token != PADDING).decode("utf-8", "replace")

    def _joined(self, piece: str) -> list[int]:
        tokens = [byte + 1 for byte in piece.encode("utf-8", "surrogatepass")]
        rank = self._ranks
        never = len(self.merges)
        while len(tokens) > 1:
            ranks = [rank.get(pair, never) for pair in pairwise(tokens)]
            first = min(ranks)
            if first == never:
                break
            tokens = merged(tokens, self.merges[first], NUM_BYTES + 1 + first)
        return tokens

    @cached_property
    def _ranks(self) -> dict[tuple[int, int], int]:
        return {pair: place for place, pair in enumerate(self.merges)}

    @cached_property
    def _kept(self) -> dict[str, tuple[int, ...]]:
        return {}

    @cached_property
    def _bytes(self) -> list[bytes]:
        known = [b"", *(bytes([value]) for value in range(NUM_BYTES))]
        for left, right in self.merges:
            known.append(known[left] + known[right])
        return known


def merged(tokens: list[int], pair: tuple[int, int], number: int) -> list[int]:
    """The tokens with each occurrence of a pair, from the left, as one.

    >>> merged([1, 1, 1, 2], (1, 1), 9)
    [9, 1, 2]
    """
    left, right = pair
    result, place, last = [], 0, len(tokens) - 1
    while place <= last:
        if place < last and tokens[place] == left and tokens[place + 1] == right:
            result.append(number)
            place += 2
        else:
            result.append(tokens[place])
            place += 1
    return result
