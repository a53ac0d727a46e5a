"""Windows of series: views of one prepared array, none across two series, a gap or two parts.

Letters: M moments of all series, D their dimensions, S series, N windows, B of a batch, L moments of history,
H moments that are predicted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepwright.core.errors import DataError
from deepwright.core.seal import TEST, TRAIN, VALIDATION

PARTS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}


@dataclass(frozen=True, eq=False)
class Windows:
    """N windows: `len` of them. Each has `length` moments of history and the `horizon` moments after them.

    values: float32 [M, D], on disk until touched; starts: int64 [N], the first moment of each window.
    """

    values: np.ndarray
    starts: np.ndarray
    length: int
    horizon: int

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def view(self) -> np.ndarray:
        """float32 [M - L - H + 1, L + H, D]: the window from every moment on, as a view; `view[starts]` are ours."""
        size = self.length + self.horizon
        return np.lib.stride_tricks.sliding_window_view(self.values, size, axis=0).swapaxes(1, 2)

    def history(self, index: np.ndarray) -> np.ndarray:
        """float32 [B, L, D] of windows int64 [B]: what is known. The only copy that is made is the batch."""
        return self._cut(index)[:, : self.length]

    def future(self, index: np.ndarray) -> np.ndarray:
        """float32 [B, H, D] of windows int64 [B]: what comes after it."""
        return self._cut(index)[:, self.length :]

    def _cut(self, index: np.ndarray) -> np.ndarray:
        index = np.asarray(index)
        if index.ndim != 1 or index.dtype.kind not in "iu":
            raise DataError("windows.index", num=len(self), found=f"{index.dtype} {index.shape}")
        if len(index) and not (index.min() >= 0 and index.max() < len(self)):
            raise DataError("windows.index", num=len(self), found=f"{index.min()} to {index.max()}")
        return np.asarray(self.view[self.starts[index]])

    @property
    def last_known(self) -> np.ndarray:
        """int64 [N]: the moment at which each window is answered: the last of its history."""
        return self.starts + self.length - 1


def offsets_of(entities: np.ndarray, breaks: np.ndarray) -> np.ndarray:
    """int64 [S + 1], from 0 to M: where runs of moments begin that windows may lie in.

    entities: int64 [M], whose moment each is, in runs; breaks: places after which moments are missing.

    >>> offsets_of(np.array([0, 0, 0, 0, 1, 1]), np.array([1])).tolist()
    [0, 2, 4, 6]
    """
    changes = np.flatnonzero(np.diff(entities)) + 1
    return np.unique(np.concatenate([[0], changes, np.asarray(breaks, np.int64) + 1, [len(entities)]])).astype(np.int64)


def windows(
    values: np.ndarray,
    offsets: np.ndarray,
    *,
    length: int,
    horizon: int = 1,
    stride: int = 1,
    parts: np.ndarray | None = None,
    part: str = "train",
    reach_back: bool = False,
) -> Windows:
    """Every window of a part, `stride` moments from one to the next within each run.

    values: float32 [M, D]; offsets: int64 [S + 1], see `offsets_of`; parts: int8 [M], 0 train, 1 validation, 2 test;
    None: all moments are of one part. reach_back: the history may begin in an earlier part, the moments that are
    predicted never do; without it a window lies in its part as a whole.
    Raises DataError for a window longer than every run, and where no window is left.
    """
    if length < 1 or horizon < 0 or stride < 1:
        raise DataError("windows.size", length=length, horizon=horizon, stride=stride)
    size = length + horizon
    longest = int(np.diff(offsets).max(initial=0))
    if size > longest:
        raise DataError("windows.longer", wanted=size, length=length, horizon=horizon, moments=longest)
    starts = _starts(offsets, size, stride)
    if parts is not None:
        starts = starts[_lie_in(parts, starts, length, horizon, PARTS[part], reach_back=reach_back)]
        if not len(starts):
            raise DataError("windows.none_in_part", part=part, length=length, horizon=horizon)
    return Windows(values, starts, length, horizon)


def _starts(offsets: np.ndarray, size: int, stride: int) -> np.ndarray:
    """int64 [N]: first moments of windows of so many moments that lie within their run."""
    counts = np.maximum((np.diff(offsets) - size) // stride + 1, 0)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.asarray(np.repeat(offsets[:-1], counts) + within * stride)


def _lie_in(
    parts: np.ndarray, starts: np.ndarray, length: int, horizon: int, part: int, *, reach_back: bool
) -> np.ndarray:
    """bool [N]: windows whose moments to predict are all of the part, and whose history is not of another, or later."""

    def count(is_foreign: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        sums = np.concatenate([[0], np.cumsum(is_foreign)])
        return np.asarray(sums[high] - sums[low])

    edge = starts + length
    foreign = count(parts > part if reach_back else parts != part, starts, edge)
    if reach_back and not horizon:
        foreign = foreign + (parts[edge - 1] != part)
    return np.asarray((foreign == 0) & (count(parts != part, edge, edge + horizon) == 0))


def history_columns(
    values: np.ndarray, offsets: np.ndarray, names: Sequence[str], length: int
) -> dict[str, np.ndarray]:
    """Column > float64 [N, L], the history of each window of `length` moments: what operations on windows take.

    values: [M, D] with a name per dimension. Of float64 values each column is a view of a run, copied only where there
    are several runs.
    """
    made: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for low, high in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        if high - low >= length:
            view = np.lib.stride_tricks.sliding_window_view(values[low:high], length, axis=0)
            for place, name in enumerate(names):
                made[name].append(view[:, place])
    longest = int(np.diff(offsets).max(initial=0))
    if longest < length:
        raise DataError("windows.longer", wanted=length, length=length, horizon=0, moments=longest)
    columns = {name: views[0] if len(views) == 1 else np.concatenate(views) for name, views in made.items()}
    return {name: column.astype(np.float64, copy=False) for name, column in columns.items()}
