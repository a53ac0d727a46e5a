"""Pieces: the bytes of a text of any size, cut where lines end."""

import io
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from deepwright.core.errors import DataError
from deepwright.data.signature import guarded_read, open_plain, unpacked_limit

T = TypeVar("T")

PIECE = 1 << 24
"""Bytes."""

SMALL_PIECE = 1 << 18
"""Bytes; a piece of so many that is not plain is read row by row, a larger one is cut first."""

LINE_LIMIT = 1 << 28
"""Bytes of one line, at most."""

TAIL_BYTES = 1 << 20

AHEAD = 2
"""Pieces that are worked on while the rows of another are taken."""


@dataclass(frozen=True)
class Text:
    """A text that can be read from its start as often as need be.

    path: as errors name it. content: its bytes, as of a member of an archive; None: what the file holds, gunzipped.
    size: bytes of a piece, about; None: PIECE.
    """

    path: Path
    content: bytes | None = None
    size: int | None = None

    def open(self) -> BinaryIO:
        return open_plain(self.path) if self.content is None else io.BytesIO(self.content)

    def pieces(self) -> Iterator[bytes]:
        """The bytes in pieces, each ending where a line ends; the first, with the header, is short.

        Of a text that does not end in a line break the last piece is short too, and holds more than the last line.

        Raises DataError for a line longer than LINE_LIMIT and for a packed file that holds more than an honest one.
        """
        limit = unpacked_limit(self.path) if self.content is None else len(self.content)
        due = self.size or PIECE
        size, rest, held = 0, b"", b""
        with self.open() as stream:
            while block := guarded_read(stream, due if size else min(due, SMALL_PIECE), self.path):
                size += len(block)
                if size > limit:
                    raise DataError("file.expands", path=self.path, packed=self.path.stat().st_size, limit=limit)
                rest += block
                end = line_end(rest)
                if end:
                    if held:
                        yield held
                    held, rest = rest[:end], rest[end:]
                elif len(rest) > LINE_LIMIT:
                    raise DataError("table.long_line", path=self.path, limit=LINE_LIMIT)
        last = held + rest
        end = line_end(last[:-SMALL_PIECE]) if rest else 0
        yield from (piece for piece in (last[:end], last[end:]) if piece)

    def decoded(self, encoding: str) -> Iterator[bytes]:
        """The pieces of a text of another encoding in UTF-8. Raises UnicodeDecodeError where it is not of it."""
        with io.TextIOWrapper(self.open(), encoding=encoding, newline="") as lines:
            while text := lines.read(SMALL_PIECE):
                yield (text + lines.readline()).encode("utf-8", "surrogatepass")


def line_end(data: bytes) -> int:
    """Behind the last line break; of lone carriage returns the last that is sure to be one; 0 where there is none."""
    return data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, max(len(data) - 1, 0)) + 1


def halves(piece: bytes) -> list[bytes]:
    """A piece cut at the line end before its middle; the piece itself where it is one line."""
    end = line_end(piece[: len(piece) // 2])
    return [piece[:end], piece[end:]] if end else [piece]


class Pieces(Generic[T]):
    """Pieces one after the other, and whether there is a further one; `work` is done on those ahead, in threads.

    work: what is wanted of each piece that begins where a row begins, as far as that is known.
    """

    def __init__(self, pieces: Iterator[bytes], work: Callable[[bytes], T | None], threads: ThreadPoolExecutor) -> None:
        self.pieces, self.work, self.threads = pieces, work, threads
        self.ahead: deque[tuple[bytes, Future[T | None] | None]] = deque()

    @property
    def is_at_end(self) -> bool:
        return not self.ahead and not self._look()

    def take(self) -> bytes | None:
        """The next piece as it is."""
        return None if self.is_at_end else self.ahead.popleft()[0]

    def worked(self) -> tuple[bytes, T | None] | None:
        """The next piece and what was wanted of it; where that succeeds the work on further ones goes on."""
        if self.is_at_end:
            return None
        piece, future = self.ahead.popleft()
        result = self.work(piece) if future is None else future.result()
        while result is not None and len(self.ahead) < AHEAD and self._look():
            pass
        for place, (other, future) in enumerate(self.ahead):
            if future is None and result is not None:
                self.ahead[place] = (other, self.threads.submit(self.work, other))
        return piece, result

    def push(self, pieces: list[bytes]) -> None:
        """These come next."""
        self.ahead.extendleft((piece, None) for piece in reversed(pieces))

    def _look(self) -> bool:
        piece = next(self.pieces, None)
        if piece is not None:
            self.ahead.append((piece, None))
        return piece is not None
