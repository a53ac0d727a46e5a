"""Extractors: further numbers made of the scaled ones, learned on the training part."""

from itertools import combinations

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError, RecipeError, did_you_mean
from deepwright.core.families import Extractor
from deepwright.core.operations import Drop, Operation, Products, Project, Standardise
from deepwright.core.operations.side_by_side import side_by_side
from deepwright.core.part import option
from deepwright.core.report import Finding, finding
from deepwright.core.step import Fitted
from deepwright.data.moments import centre_and_spread
from deepwright.data.narrow import free_names, number_columns


class PrincipalComponents(Extractor, kind="pca"):
    """The directions in which the numbers vary most, each with sd 1 (Pearson 1901)."""

    components: int | None = option(None, "new columns; none: as many as explain `share`", low=1, high=1000)
    share: float = option(0.95, "share of the variance to explain", above=0, high=1)
    columns: tuple[str, ...] = option((), "number columns; empty: all")
    keep: bool = option(True, "whether the columns that they are made of stay")

    def learn(self, train: Dataset) -> Fitted:
        columns = _asked(self.columns, train)
        if not columns:
            return Fitted()
        means, directions, variances = _directions(side_by_side(dict(train.columns), columns))
        kept = self._kept(variances)
        outputs = free_names((f"component {i + 1}" for i in range(kept)), train)
        scaled = directions[:kept] / np.sqrt(variances[:kept])[:, None]
        operations: list[Operation] = [
            Project(
                columns=tuple(columns),
                means=tuple(means.tolist()),
                components=tuple(map(tuple, scaled.tolist())),
                outputs=outputs,
            )
        ]
        if not self.keep:
            operations.append(Drop(columns=tuple(columns)))
        return Fitted(tuple(operations)) if kept else Fitted()

    def findings(self, train: Dataset) -> tuple[Finding, ...]:
        columns = _asked(self.columns, train)
        if not columns:
            return ()
        variances = _directions(side_by_side(dict(train.columns), columns))[2]
        kept = self._kept(variances)
        explained = f"{variances[:kept].sum() / max(variances.sum(), 1e-300):.1%}"
        return (finding("components", "note", "prepare.features", count=kept, columns=len(columns), share=explained),)

    def _kept(self, variances: np.ndarray) -> int:
        positive = int((variances > 1e-10 * max(float(variances.max()), 1e-300)).sum())
        if self.components is not None:
            return min(self.components, positive)
        shares = np.cumsum(variances) / max(variances.sum(), 1e-300)
        return min(int(np.searchsorted(shares, self.share - 1e-12)) + 1, positive)


class Interactions(Extractor, kind="interactions"):
    """Products of two scaled numbers each, with mean 0 and sd 1."""

    pairs: tuple[str, ...] = option((), "`age * fare`, one entry per pair; empty: every pair of numbers")
    limit: int = option(300, "products, at most", low=1, high=100_000)

    def learn(self, train: Dataset) -> Fitted:
        pairs = self._pairs(train)
        if len(pairs) > self.limit:
            raise DataError("features.too_many_pairs", found=len(pairs), limit=self.limit)
        if not pairs:
            return Fitted()
        outputs = free_names((f"{left} * {right}" for left, right in pairs), train)
        lefts, rights = zip(*pairs, strict=True)
        products = Products(lefts=lefts, rights=rights, outputs=outputs)
        made = products.apply(dict(train.columns))
        means, sds = zip(*(centre_and_spread(made[name]) for name in outputs), strict=True)
        return Fitted((products, Standardise(columns=outputs, means=means, sds=sds)))

    def _pairs(self, train: Dataset) -> list[tuple[str, str]]:
        if not self.pairs:
            return list(combinations(number_columns(train), 2))
        pairs = []
        for entry in self.pairs:
            left, mark, right = (side.strip() for side in entry.partition("*"))
            if not mark:
                raise RecipeError("features.no_pair", found=entry)
            pairs.append((left, right))
            _asked((left, right), train)
        return pairs


def _asked(names: tuple[str, ...], train: Dataset) -> list[str]:
    """The numbers that are named, or all. Raises RecipeError for one that is not among them."""
    known = number_columns(train)
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise RecipeError("features.no_number", column=name, known=", ".join(known), hint=hint)
    return list(names) or known


def _directions(x_FN: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means [F], directions [F, F] by falling variance, variances [F]; each direction's largest weight is positive."""
    x_FN = np.clip(x_FN, -1e6, 1e6)
    means = x_FN.mean(axis=1)
    centred = x_FN - means[:, None]
    variances, directions = np.linalg.eigh(centred @ centred.T / x_FN.shape[1])
    variances, directions = np.maximum(variances[::-1], 0.0), directions[:, ::-1].T
    largest = np.abs(directions).argmax(axis=1)
    return means, directions * np.sign(directions[np.arange(len(directions)), largest])[:, None], variances
