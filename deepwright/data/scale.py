"""Scalers: numbers to a common scale, learned on the training part; each keeps the order of a column's values."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from pydantic import model_validator

from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError
from deepwright.core.families import Scaler
from deepwright.core.operations import Log, Operation, PiecewiseLinear, SmoothBound, Standardise, YeoJohnson
from deepwright.core.operations.scales import yeo_johnson
from deepwright.core.part import option
from deepwright.core.report import Finding, finding
from deepwright.core.step import Fitted
from deepwright.data.moments import centre_and_spread
from deepwright.data.narrow import listed, narrowed, number_columns

SKEWED = 2.0
"""Skewness from which `auto` takes the logarithm of a column without negative values."""

FAR = 10.0
"""Quartile distances from the median beyond which a value makes `auto` take the robust scale."""


class Standard(Scaler, kind="standard"):
    """(x - mean) / sd of the training part; a constant column is only centred."""

    def learn(self, train: Dataset) -> Fitted:
        return _shifted(train, centre_and_spread)


class MinMax(Scaler, kind="min_max"):
    """The training part's smallest value to `low`, its largest to `high`; later values may lie outside."""

    low: float = option(0.0, "what the smallest value becomes: 0, or -1")
    high: float = option(1.0, "what the largest value becomes, above low")

    @model_validator(mode="after")
    def _is_a_range(self) -> "MinMax":
        if self.low >= self.high:
            raise RecipeError("scale.empty_range", low=self.low, high=self.high)
        return self

    def learn(self, train: Dataset) -> Fitted:
        def of(values: np.ndarray) -> tuple[float, float]:
            least, largest = float(values.min()), float(values.max())
            unit = (largest / 2 - least / 2) * (2 / (self.high - self.low)) if largest > least else 1.0
            return least - self.low * unit, unit

        return _shifted(train, of)


class Robust(Scaler, kind="robust"):
    """(x - median) / quartile distance, then smoothly bounded: outliers neither set the scale nor stand far out."""

    bound: float | None = option(
        3.0,
        "the largest size of a value: x / sqrt(1 + (x / bound)^2) (Holzmueller et al. 2024); none: no bound",
        above=0,
    )

    def learn(self, train: Dataset) -> Fitted:
        fitted = _shifted(train, median_and_quartiles)
        columns = tuple(number_columns(train))
        if self.bound is None or not columns:
            return fitted
        return fitted.then(Fitted((SmoothBound(columns=columns, bound=self.bound),)))


class Quantile(Scaler, kind="quantile"):
    """By rank in the training part, to a uniform or a normal distribution; a value beyond its ends stays at the end."""

    shape: Literal["normal", "uniform"] = option("normal", "normal: sd 1; uniform: 0 to 1")
    knots: int = option(256, "quantiles that are kept, straight lines between them", low=2, high=10_000)

    def learn(self, train: Dataset) -> Fitted:
        columns = number_columns(train)
        if not columns:
            return Fitted()
        found = [_ranks(train.columns[name], self.knots, self.shape == "normal") for name in columns]
        knots, values = zip(*found, strict=True)
        return Fitted((PiecewiseLinear(columns=tuple(columns), knots=knots, values=values),))


class Power(Scaler, kind="power"):
    """The power that makes a column most like a normal one (Yeo & Johnson 2000), then mean 0 and sd 1."""

    def learn(self, train: Dataset) -> Fitted:
        columns = number_columns(train)
        if not columns:
            return Fitted()
        powers = tuple(_best_power(train.columns[name]) for name in columns)
        ends = [_widened(train.columns[name]) for name in columns]
        lows, highs = zip(*ends, strict=True)
        bend = YeoJohnson(columns=tuple(columns), powers=powers, lows=lows, highs=highs)
        return _then_standardised(train, bend)


class Logarithm(Scaler, kind="log"):
    """sign(x) log(1 + |x| / unit) with the median size of the values above 0 as unit, then mean 0 and sd 1."""

    def learn(self, train: Dataset) -> Fitted:
        columns = number_columns(train)
        if not columns:
            return Fitted()
        units = tuple(_unit(train.columns[name]) for name in columns)
        return _then_standardised(train, Log(columns=tuple(columns), units=units))


class Unscaled(Scaler, kind="none"):
    """Numbers as they are."""

    def learn(self, train: Dataset) -> Fitted:
        return Fitted()


class AutoScaler(Scaler, kind="auto"):
    """`log` for a column without negative values and a long tail to the right, `robust` for one with far outliers, else
    `standard`: always in the order of the values, so that nothing is lost."""

    def learn(self, train: Dataset) -> Fitted:
        fitted = Fitted()
        for scaler, columns in self._chosen(train).items():
            fitted = fitted.then(scaler.learn(narrowed(train, columns)))
        return fitted

    def findings(self, train: Dataset) -> tuple[Finding, ...]:
        chosen = self._chosen(train)
        found = []
        if Logarithm() in chosen:
            entries = [f"{name} ({skewness(train.columns[name]):.1f})" for name in chosen[Logarithm()]]
            found.append(finding("scale_log", "note", "prepare.scaler", columns=listed(entries)))
        if Robust() in chosen:
            entries = [f"{name} ({farthest(train.columns[name]):.0f})" for name in chosen[Robust()]]
            found.append(finding("scale_robust", "note", "prepare.scaler", columns=listed(entries)))
        return tuple(found)

    def _chosen(self, train: Dataset) -> dict[Scaler, list[str]]:
        chosen: dict[Scaler, list[str]] = {}
        for name in number_columns(train):
            is_time = train.schema[name].type == "timestamp"
            chosen.setdefault(Standard() if is_time else _scaler_for(train.columns[name]), []).append(name)
        return chosen


def _scaler_for(column: np.ndarray) -> Scaler:
    if column.min() >= 0 and skewness(column) > SKEWED:
        log = Log(columns=("x",), units=(_unit(column),)).apply({"x": column})["x"]
        if abs(skewness(log)) < abs(skewness(column)):
            return Logarithm()
    return Robust() if farthest(column) > FAR else Standard()


def skewness(column: np.ndarray) -> float:
    """The third standardised moment; 0 for a constant column.

    >>> round(skewness(np.array([1.0, 1.0, 1.0, 5.0])), 4)
    1.1547
    """
    mean, sd = centre_and_spread(column)
    with np.errstate(over="ignore"):
        return float(np.mean(((column - mean) / sd) ** 3))


def farthest(column: np.ndarray) -> float:
    """The largest distance from the median, in quartile distances; 0 where more than half of the values are equal."""
    quartiles = np.quantile(column, [0.25, 0.75])
    if quartiles[0] == quartiles[1]:
        return 0.0
    centre, unit = median_and_quartiles(column)
    return float(max((column.max() / unit - centre / unit), (centre / unit - column.min() / unit)))


def median_and_quartiles(values: np.ndarray) -> tuple[float, float]:
    """Median and quartile distance; half the range where the quartiles are equal, 1 for a constant column."""
    low, centre, high = (float(q) for q in np.quantile(values / 2, [0.25, 0.5, 0.75]))  # halves: no overflow
    spread = high - low
    if spread <= 0:
        spread = float(values.max() / 2 - values.min() / 2)
    return 2 * centre, min(2 * spread, 1.7e308) if spread > 0 else 1.0


def _shifted(train: Dataset, of: Callable[[np.ndarray], tuple[float, float]]) -> Fitted:
    """(x - centre) / unit of each column."""
    columns = number_columns(train)
    if not columns:
        return Fitted()
    centres, units = zip(*(of(train.columns[name]) for name in columns), strict=True)
    return Fitted((Standardise(columns=tuple(columns), means=centres, sds=units),))


def _then_standardised(train: Dataset, bend: Operation) -> Fitted:
    columns = number_columns(train)
    bent = bend.apply({name: train.columns[name] for name in columns})
    means, sds = zip(*(centre_and_spread(bent[name]) for name in columns), strict=True)
    return Fitted((bend, Standardise(columns=tuple(columns), means=means, sds=sds)))


def _unit(column: np.ndarray) -> float:
    sizes = np.abs(column[column != 0])
    return float(np.median(sizes)) if len(sizes) else 1.0


def _ranks(column: np.ndarray, knots: int, is_normal: bool) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Rising quantiles and what they become; equal ones become one, at their mean rank."""
    from scipy.special import ndtri

    shares = np.linspace(0.0, 1.0, min(knots, max(len(column), 2)))
    quantiles, group = np.unique(np.quantile(column, shares), return_inverse=True)
    ranks = np.bincount(group, weights=shares) / np.bincount(group)
    if is_normal:
        edge = 0.5 / len(column)
        ranks = ndtri(np.clip(ranks, edge, 1.0 - edge))
    return tuple(quantiles.tolist()), tuple(ranks.tolist())


def _best_power(column: np.ndarray) -> float:
    """The power of the largest likelihood of a normal distribution."""
    from scipy.optimize import minimize_scalar

    low, high = column.min(), column.max()
    if low == high:
        return 1.0
    slope = (np.sign(column) * np.log1p(np.abs(column))).sum()

    def loss(power: float) -> float:
        sd = centre_and_spread(yeo_johnson(column, power))[1]
        return float(len(column) * np.log(sd) - (power - 1.0) * slope)

    return float(minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded", options={"xatol": 1e-4}).x)


def _widened(column: np.ndarray) -> tuple[float, float]:
    """The range of a column, by itself on either side."""
    low, high = float(column.min()), float(column.max())
    span = min(high / 2 - low / 2, 4e307)
    return max(low - 2 * span, -1.7e308), min(high + 2 * span, 1.7e308)
