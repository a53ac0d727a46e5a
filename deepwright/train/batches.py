"""Batches without a loader: views of prepared tensors, in an order that (seed, epoch) decides."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deepwright.core.errors import DataError
from deepwright.train.batch import Batch, as_tensor
from deepwright.train.randomness import permutation
from deepwright.train.stream import Seekable, SeekableStream, Stream

if TYPE_CHECKING:
    import torch

BLOCK_BYTES = 32 * 1024 * 1024
POOL = 32
"""Batches whose rows are sorted by length together: enough for batches of like length, few enough for chance."""


class Rows:
    """The prepared tensors of one part, where the device reaches them.

    Numbers take the module's float type, whole numbers int64. target_array is the target as it was given, for metrics.

    lengths: the input that holds how many steps [B] of each row count; inputs [B, T, ...] are cut to the longest row
    of a batch, and rows of like length stand together. An input given as a list of arrays [T] or [T, F] of unequal
    length is filled up with zeros to [B, T, ...], and its lengths [B] follow it as one more input.
    """

    batch_size: None = None
    """Rows have no size of their own."""

    def __init__(
        self,
        part: str,
        inputs: Any,
        target: Any,
        *,
        device: "torch.device",
        dtype: "torch.dtype",
        lengths: str | None = None,
    ) -> None:
        given = dict(inputs) if isinstance(inputs, Mapping) else {"x": inputs}
        if lengths is None:
            given, lengths = filled_up(part, given)
        elif lengths not in given:
            raise DataError("train.lengths_unknown", part=part, found=lengths, known=", ".join(given))
        self.lengths = lengths
        self._longest = 0
        self.part, self.device = part, device
        self.inputs = {name: as_tensor(part, name, value, device, dtype) for name, value in given.items()}
        self.target = as_tensor(part, "target", target, device, dtype)
        self.target_array = np.asarray(target.cpu() if hasattr(target, "cpu") else target)
        self.num_rows = len(self.target)
        for name, tensor in self.inputs.items():
            if len(tensor) != self.num_rows:
                raise DataError("train.lengths", part=part, name=name, rows=len(tensor), targets=self.num_rows)
        if self.num_rows == 0:
            raise DataError("train.no_rows", part=part)
        self._steps = None if lengths is None else self._checked_lengths(lengths)

    def num_batches(self, batch_size: int) -> int:
        return len(bounds(self.num_rows, batch_size))

    def epoch(self, batch_size: int, *, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from number `start` on, in the order of (seed, epoch).

        Rows are permuted in blocks of at most 32 MiB; a batch is a view of its block.
        """
        import torch

        given = permutation(seed, "order", epoch, self.num_rows)
        pieces = bounds(self.num_rows, batch_size)
        if self._steps is not None:
            given = by_length(given, self._steps, pieces, permutation(seed, "buckets", epoch, len(pieces)))
        order = torch.from_numpy(given)
        pieces = pieces[start:]
        for block in _blocks(pieces, self._row_bytes()):
            first, last = block[0][0], block[-1][1]
            rows = order[first:last]
            here = rows.to(self.device)
            inputs = [tensor[here] for tensor in self.inputs.values()]
            target = self.target[here]
            for low, high in block:
                low, high = low - first, high - first
                here_inputs = self._cut(tuple(tensor[low:high] for tensor in inputs), rows[low:high])
                yield Batch(here_inputs, target[low:high], rows[low:high])

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """All rows as they stand."""
        for low in range(0, self.num_rows, batch_size):
            high = low + batch_size
            inputs = self._cut(tuple(tensor[low:high] for tensor in self.inputs.values()), slice(low, high))
            yield Batch(inputs, self.target[low:high])

    def sample(self, size: int, seed: int) -> "Rows":
        """`size` of the rows, the same ones for the same seed; all of them if there are no more."""
        if size >= self.num_rows:
            return self
        import torch

        rows = np.sort(permutation(seed, "sample", 0, self.num_rows)[:size])
        chosen = object.__new__(Rows)
        here = torch.from_numpy(rows).to(self.device)
        chosen.part, chosen.device = self.part, self.device
        chosen.inputs = {name: tensor[here] for name, tensor in self.inputs.items()}
        chosen.target, chosen.target_array = self.target[here], self.target_array[rows]
        chosen.num_rows, chosen.lengths, chosen._longest = size, self.lengths, self._longest
        chosen._steps = None if self._steps is None else self._steps[rows]
        return chosen

    def fingerprint(self) -> str:
        """SHA-256 over every tensor, as 64 hex digits."""
        import hashlib

        digest = hashlib.sha256()
        for name, tensor in {**self.inputs, "": self.target}.items():
            digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
            digest.update(tensor_bytes(tensor))
        return digest.hexdigest()

    def _checked_lengths(self, name: str) -> np.ndarray:
        """The rows' lengths int64 [B]; each is 1 to T."""
        found = self.inputs[name].cpu().numpy()
        self._longest = max((t.shape[1] for n, t in self.inputs.items() if n != name and t.ndim >= 2), default=0)
        is_whole = found.dtype == np.int64 and found.ndim == 1
        if not is_whole or found.min() < 1 or found.max() > self._longest:
            span = f"{found.min()} to {found.max()}"
            raise DataError("train.lengths_range", part=self.part, name=name, found=span, longest=self._longest)
        return found

    def _cut(self, inputs: "tuple[torch.Tensor, ...]", rows: Any) -> "tuple[torch.Tensor, ...]":
        """Inputs [B, T, ...] to the steps of the longest of these rows."""
        if self._steps is None:
            return inputs
        longest = int(self._steps[rows].max())
        return tuple(t[:, :longest] if t.ndim >= 2 and t.shape[1] == self._longest else t for t in inputs)

    def _row_bytes(self) -> int:
        tensors = (*self.inputs.values(), self.target)
        return sum(tensor.element_size() * tensor[0].numel() for tensor in tensors)


def bounds(num_rows: int, batch_size: int) -> list[tuple[int, int]]:
    """First and last-plus-one row of each batch. A last row that would stand alone joins the batch before it.

    Batch normalisation has no variance to learn from one row, and no row is dropped.

    >>> bounds(10, 4), bounds(9, 4)
    ([(0, 4), (4, 8), (8, 10)], [(0, 4), (4, 9)])
    """
    starts = list(range(0, num_rows, batch_size))
    if len(starts) > 1 and batch_size > 1 and num_rows - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], num_rows], strict=True))


def by_length(order: np.ndarray, lengths: np.ndarray, pieces: list[tuple[int, int]], places: np.ndarray) -> np.ndarray:
    """`order` with rows of like length in the same piece: pools of 32 pieces are sorted, then their pieces shuffled.

    places: a permutation of the pieces' numbers. Only pieces of the same size change places.

    >>> lengths = np.array([3, 9, 1, 8])
    >>> by_length(np.array([0, 1, 2, 3]), lengths, [(0, 2), (2, 4)], np.array([1, 0]))
    array([3, 1, 2, 0])
    """
    pooled = order.copy()
    for first in range(0, len(pieces), POOL):
        low, high = pieces[first][0], pieces[min(first + POOL, len(pieces)) - 1][1]
        rows = pooled[low:high]
        pooled[low:high] = rows[np.argsort(lengths[rows], kind="stable")]
    size = pieces[0][1] - pieces[0][0]
    alike = [number for number in places if pieces[number][1] - pieces[number][0] == size]
    mixed = pooled.copy()
    for (low, high), number in zip([p for p in pieces if p[1] - p[0] == size], alike, strict=True):
        mixed[low:high] = pooled[slice(*pieces[number])]
    return mixed


def filled_up(part: str, given: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """Inputs with a list of arrays as one array [B, T, ...] and its lengths behind it; the name of the lengths.

    >>> filled_up("train", {"x": [np.array([1, 2]), np.array([3])]})
    ({'x': array([[1, 2],
           [3, 0]]), 'x lengths': array([2, 1])}, 'x lengths')
    """
    uneven = [name for name, value in given.items() if _is_uneven(value)]
    if not uneven:
        return given, None
    if len(uneven) > 1:
        raise DataError("train.two_lengths", part=part, names=", ".join(uneven))
    filled: dict[str, Any] = {}
    for name, value in given.items():
        filled[name] = value
        if name in uneven:
            arrays = [np.asarray(row) for row in value]
            lengths = np.array([len(row) for row in arrays])
            filled[name] = np.zeros((len(arrays), lengths.max(), *arrays[0].shape[1:]), np.result_type(*arrays))
            for place, row in enumerate(arrays):
                filled[name][place, : len(row)] = row
            filled[f"{name} lengths"] = lengths
    return filled, f"{uneven[0]} lengths"


def _is_uneven(value: Any) -> bool:
    """A list of arrays or tensors is taken as rows of their own length, also where all happen to be equal."""
    return isinstance(value, list) and bool(value) and all(getattr(row, "ndim", 0) in (1, 2) for row in value)


def open_part(
    part: Literal["train", "validation"],
    given: Any,
    *,
    device: "torch.device",
    dtype: "torch.dtype",
    lengths: str | None = None,
) -> Rows | Stream:
    """(inputs, target) as prepared rows, or an iterable of batches as a stream."""
    if isinstance(given, tuple) and len(given) == 2:
        return Rows(part, given[0], given[1], device=device, dtype=dtype, lengths=lengths)
    if (
        isinstance(given, Iterable)
        and not isinstance(given, Mapping | str | np.ndarray)
        and not hasattr(given, "numpy")
    ):
        kind = SeekableStream if isinstance(given, Seekable) else Stream
        return kind(part, given, device=device, dtype=dtype)
    raise DataError("train.not_a_part", part=part, found=type(given).__name__)


def tensor_bytes(tensor: "torch.Tensor") -> memoryview:
    """A tensor's bytes, of any element type."""
    import torch

    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return memoryview(flat.view(torch.uint8).numpy())  # type: ignore[arg-type]


def _blocks(pieces: list[tuple[int, int]], row_bytes: int) -> Iterator[list[tuple[int, int]]]:
    block: list[tuple[int, int]] = []
    for low, high in pieces:
        if block and (high - block[0][0]) * row_bytes > BLOCK_BYTES:
            yield block
            block = []
        block.append((low, high))
    if block:
        yield block
