"""Steps that make numbers of a row's own history: what they learn of the training part's windows is operations.

Their columns are windows, float64 [N, T] (see `windows.history_columns`): oldest first, the last moment the newest that
is known. A window holds nothing later, so neither does what is made of it.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError
from deepwright.core.families import History
from deepwright.core.operations import (
    Operation,
    WindowDifferences,
    WindowLags,
    WindowResample,
    WindowRolling,
    WindowSpectrum,
)
from deepwright.core.part import option
from deepwright.core.report import Finding, finding
from deepwright.core.step import Fitted
from deepwright.data.narrow import free_names, listed
from deepwright.data.series_findings import season

NEWEST = (1, 2, 3)


class Lags(History, kind="lags"):
    """Single moments of the past; where none are named, the newest three and those a season before the next moment."""

    lags: tuple[int, ...] = option((), "moments back, 1 for the newest; empty: 1, 2, 3 and the training part's season")

    def learn(self, train: Dataset) -> Fitted:
        return Fitted(
            tuple(
                WindowLags(columns=(name,), lags=lags, outputs=_names(train, name, [f"lag {lag}" for lag in lags]))
                for name, lags in self._chosen(train).items()
            )
        )

    def findings(self, train: Dataset) -> tuple[Finding, ...]:
        entries = [f"{name} ({', '.join(map(str, lags))})" for name, lags in self._chosen(train).items()]
        return (finding("history_lags", "note", "history", columns=listed(entries)),) if entries else ()

    def _chosen(self, train: Dataset) -> dict[str, tuple[int, ...]]:
        return {name: _within(self.lags, train, name, (*NEWEST, _season(train, name))) for name in _windows_of(train)}


class Differences(History, kind="differences"):
    """The newest moment less earlier ones; where none are named, the one before and the one a season before."""

    lags: tuple[int, ...] = option((), "steps between the two moments; empty: 1 and the season of the training part")

    def learn(self, train: Dataset) -> Fitted:
        operations = []
        for name in _windows_of(train):
            lags = _within(self.lags, train, name, (1, _season(train, name)), before=1)
            outputs = _names(train, name, [f"change {lag}" for lag in lags])
            operations.append(WindowDifferences(columns=(name,), lags=lags, outputs=outputs))
        return Fitted(tuple(operations))


class Rolling(History, kind="rolling"):
    """Mean, spread, extremes and quantiles of the newest moments; where no width is named, of a season."""

    widths: tuple[int, ...] = option((), "moments that are looked at; empty: the season of the training part, else all")
    statistics: tuple[Literal["mean", "sd", "min", "max"], ...] = option(
        ("mean", "sd", "min", "max"), "mean, sd, min, max"
    )
    quantiles: tuple[float, ...] = option((), "shares between 0 and 1, as 0.5 for the median")

    def learn(self, train: Dataset) -> Fitted:
        operations: list[Operation] = []
        for name, x_NT in _windows_of(train).items():
            widths = _within(self.widths, train, name, (_season(train, name) or x_NT.shape[1],))
            made = [*self.statistics, *(f"quantile {share:g}" for share in self.quantiles)]
            outputs = _names(train, name, [f"{word} of {width}" for width in widths for word in made])
            operations.append(
                WindowRolling(
                    columns=(name,), widths=widths, statistics=self.statistics, quantiles=self.quantiles,
                    outputs=outputs,
                )
            )  # fmt: skip
        return Fitted(tuple(operations))


class Spectrum(History, kind="spectrum"):
    """How much of the newest moments' variance is slow and how much fast, in bands of frequency of equal ratio."""

    width: int | None = option(None, "moments that are looked at; none: the whole window", low=4)
    bands: int = option(4, "bands from the slowest wave to the fastest", low=1, high=64)

    def learn(self, train: Dataset) -> Fitted:
        operations: list[Operation] = []
        for name, x_NT in _windows_of(train).items():
            (width,) = _within((self.width or x_NT.shape[1],), train, name, ())
            edges = (0.0, *np.geomspace(1.5 / width, 0.5, self.bands).tolist()) if self.bands > 1 else (0.0, 0.5)
            outputs = _names(train, name, [f"band {band + 1}" for band in range(self.bands)])
            operations.append(WindowSpectrum(columns=(name,), width=width, edges=edges, outputs=outputs))
        return Fitted(tuple(operations))


class Resampling(History, kind="resample"):
    """Windows at a coarser step: each new moment is made of so many old ones, counted back from the newest."""

    every: int = option(2, "old moments in a new one", low=2)
    by: Literal["mean", "sum", "min", "max", "last"] = option("mean", "what a new moment holds")

    def learn(self, train: Dataset) -> Fitted:
        operations: list[Operation] = []
        for name, x_NT in _windows_of(train).items():
            if x_NT.shape[1] < self.every:
                raise DataError("windows.too_short", column=name, moments=x_NT.shape[1], wanted=self.every)
            blocks = x_NT.shape[1] // self.every
            operations.append(WindowResample(columns=(name,), every=self.every, blocks=blocks, by=self.by))
        return Fitted(tuple(operations))


def _windows_of(train: Dataset) -> dict[str, np.ndarray]:
    """The inputs that are windows [N, T]."""
    return {f.name: train.columns[f.name] for f in train.schema.inputs if train.columns[f.name].ndim == 2}


def _season(train: Dataset, name: str) -> int:
    """The season of a column, from its first window and the newest moment of each later one; 0: none."""
    x_NT = train.columns[name]
    return season(np.concatenate([x_NT[0], x_NT[1:, -1]]))[0]


def _within(
    asked: Iterable[int], train: Dataset, name: str, otherwise: Sequence[int], *, before: int = 0
) -> tuple[int, ...]:
    """What is asked for, or else those of the others that fit into the window with so many moments before them.

    Raises DataError for one that is asked for and does not fit.
    """
    moments = train.columns[name].shape[1]
    wanted = tuple(dict.fromkeys(asked))
    for number in wanted:
        if not 1 <= number <= moments - before:
            raise DataError("windows.too_short", column=name, moments=moments, wanted=number + before)
    return wanted or tuple(dict.fromkeys(number for number in otherwise if 1 <= number <= moments - before))


def _names(train: Dataset, name: str, words: Sequence[str]) -> tuple[str, ...]:
    return free_names([f"{name} {word}" for word in words], train)
