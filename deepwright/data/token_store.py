"""Tokens stored once: all texts end to end as int32 in one memory map, with int64 offsets, checked by hash.

Letters: S texts, T tokens in all, B of the batch, L the longest text of a batch.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepwright.core.errors import DataError
from deepwright.data.packed import mapped, open_packed, write_packed

TOKENS, MANIFEST = "tokens.i32", "tokens.json"
MAX_TOKEN = 2**31 - 1


@dataclass(frozen=True, eq=False)
class TokenStore:
    """Open tokens; `len` texts.

    tokens: int32 [T], read-only, on disk until touched. offsets: int64 [S + 1]; text s is tokens[offsets[s]:
    offsets[s + 1]].
    """

    folder: Path
    tokens: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, number: int) -> np.ndarray:
        """The tokens of one text: a view, int32. Raises IndexError."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self.tokens[self.offsets[number] : self.offsets[number + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """int64 [S]: tokens of each text, for batches of like length."""
        return np.diff(self.offsets)

    def batch(
        self, index: np.ndarray, *, padding: int = 0, max_length: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The texts of int64 [B] as int64 [B, L], padded at the end, and their lengths int64 [B].

        max_length: longer texts are cut there and their length says so; None: no text is cut.
        Raises DataError for an index that does not exist.
        """
        index = np.asarray(index)
        if index.ndim != 1 or index.dtype.kind not in "iu":
            raise DataError("tokens.index", num=len(self), found=f"{index.dtype} {index.shape}")
        if len(index) and not (index.min() >= 0 and index.max() < len(self)):
            raise DataError("tokens.index", num=len(self), found=f"{index.min()} to {index.max()}")
        if max_length is not None and max_length < 1:
            raise DataError("tokens.max_length", found=max_length)
        starts = self.offsets[index]
        lengths = self.offsets[index + 1] - starts
        if max_length is not None:
            lengths = np.minimum(lengths, max_length)
        padded = np.full((len(index), int(lengths.max(initial=0))), padding, np.int64)
        is_token = np.arange(padded.shape[1]) < lengths[:, None]
        # Token by token of the batch: its place in the store is its text's start plus its place in the text.
        before = np.cumsum(lengths) - lengths
        places = np.arange(lengths.sum()) + np.repeat(starts - before, lengths)
        padded[is_token] = self.tokens[places]
        return padded, lengths

    def windows(self, length: int, *, stride: int | None = None) -> np.ndarray:
        """Windows of `length` tokens across all texts, int32 [windows, length]: a view, nothing is copied.

        stride: tokens from one to the next; None: `length`, so that none overlap. What is left at the end and fills no
        window is not in one. Raises DataError where not even one window fits.
        """
        stride = length if stride is None else stride
        if not 1 <= length <= len(self.tokens) or stride < 1:
            raise DataError("tokens.window", length=length, stride=stride, num=len(self.tokens))
        return np.lib.stride_tricks.sliding_window_view(self.tokens, length)[::stride]


def write_tokens(texts: Iterable[Iterable[int] | np.ndarray], folder: str | Path) -> TokenStore:
    """Write token sequences, one per text and read one at a time, to a new folder; gives the open store.

    The folder appears when everything in it is written. An empty text is kept, as one of length 0.
    Raises DataError (no texts, a token that is no whole number from 0 to 2**31 - 1, a folder that exists) and
    ResourceError (disk full).
    """
    folder = Path(folder)
    checked = (_checked(number, text) for number, text in enumerate(texts))
    write_packed(checked, folder, file=TOKENS, manifest=MANIFEST)
    return open_tokens(folder)


def open_tokens(folder: str | Path) -> TokenStore:
    """Open a store after checking the SHA-256 of both files. Raises DataError where a bit is not as it was written."""
    folder = Path(folder)
    body, offsets = open_packed(folder, file=TOKENS, manifest=MANIFEST)
    return TokenStore(folder, mapped(folder / TOKENS, "<i4", (body["rows"],)), offsets)


def _checked(number: int, text: Iterable[int] | np.ndarray) -> np.ndarray:
    """One text as little-endian int32 [tokens]."""
    try:
        tokens = text if isinstance(text, np.ndarray) else np.array(list(text) or np.zeros(0, np.int64))
    except (ValueError, OverflowError):
        tokens = np.array("")
    if tokens.ndim != 1 or tokens.dtype.kind not in "iu":
        raise DataError("tokens.kind", number=number, found=f"{tokens.dtype} {tokens.shape}")
    if len(tokens) and not (tokens.min() >= 0 and tokens.max() <= MAX_TOKEN):
        found = tokens.min() if tokens.min() < 0 else tokens.max()
        raise DataError("tokens.range", number=number, found=found, limit=MAX_TOKEN)
    return tokens.astype("<i4")
