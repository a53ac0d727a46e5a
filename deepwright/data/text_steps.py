"""What is made of texts: nothing, or how often terms occur, learned on the training part."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
from pydantic import model_validator

from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError
from deepwright.core.families import Texts
from deepwright.core.operations import Drop, NormaliseText, Operation, Tfidf
from deepwright.core.operations.packed import packed
from deepwright.core.operations.words import Unit, terms
from deepwright.core.part import option
from deepwright.core.report import Finding, finding
from deepwright.core.step import Fitted
from deepwright.data.narrow import text_columns


class IgnoreTexts(Texts, kind="ignore"):
    """Texts are not used."""

    def learn(self, train: Dataset) -> Fitted:
        return Fitted()

    def findings(self, train: Dataset) -> tuple[Finding, ...]:
        return tuple(finding("text_unused", "warning", name) for name in text_columns(train))


class TfidfTexts(Texts, kind="tfidf"):
    """How much each term says of a text: its count there and its rarity in training texts (Salton & Buckley 1988).

    A linear model takes every term. Networks and trees take `components` numbers, the directions in which the terms of
    training texts vary most (Deerwester et al. 1990). Languages that put no space between words need no segmenter:
    each of their letters counts as a word, and two beside each other as a term. On sst2, trec, ChnSentiCorp and waimai
    these defaults stand at or above TF-IDF with scikit-learn's (docs/log.md, 2026-11-21).
    """

    unit: Unit = option("words", "what a term is made of")
    low: int = option(1, "words or characters in a term, at least", low=1, high=20)
    high: int = option(2, "words or characters in a term, at most", low=1, high=20, search=(1, 3))
    min_count: int = option(2, "training texts that a term must occur in", low=1, high=1_000_000)
    terms: int = option(30_000, "terms for linear models, at most: those in the most texts", low=1, high=1_000_000)
    components: int | None = option(
        128, "numbers for networks and trees; none: they too take every term", low=1, high=4096, search=(32, 512, "log")
    )
    component_terms: int = option(5000, "terms that those numbers are made of, at most", low=1, high=1_000_000)
    length: float = option(
        3.0, "length of a text's row: longer means less penalty in a linear model", above=0, search=(1.0, 10.0, "log")
    )

    @model_validator(mode="after")
    def _low_is_not_above_high(self) -> "TfidfTexts":
        if self.low > self.high:
            raise RecipeError("texts.low_high", low=self.low, high=self.high)
        return self

    def wide(self) -> "TfidfTexts":
        return self.replace(components=None)

    def learn(self, train: Dataset) -> Fitted:
        columns = text_columns(train)
        if not columns:
            return Fitted()
        one_form = NormaliseText(columns=tuple(columns), case="fold")
        texts = one_form.apply({name: train.columns[name] for name in columns})
        operations: list[Operation] = [one_form]
        for name in columns:
            operations.append(self._learned(name, texts[name]) or Drop(columns=(name,)))
        return Fitted(tuple(operations))

    def findings(self, train: Dataset) -> tuple[Finding, ...]:
        found = []
        columns = text_columns(train)
        texts = NormaliseText(columns=tuple(columns), case="fold").apply(dict(train.columns))
        for name in columns:
            known = len(self._known(texts[name])[0])
            if known:
                found.append(finding("text_terms", "note", name, terms=known, unit=self.unit))
            else:
                found.append(finding("text_no_terms", "warning", name, count=self.min_count, rows=len(train)))
        return tuple(found)

    def _learned(self, name: str, column: np.ndarray) -> Tfidf | None:
        """The operation for one column; None where no term occurs often enough."""
        known, texts_with = self._known(column)
        if self.components is not None:
            known, texts_with = known[: self.component_terms], texts_with[: self.component_terms]
        if not known:
            return None
        rarities = 1.0 + np.log((1 + len(column)) / (1 + np.asarray(texts_with)))
        one = Tfidf(
            column=name,
            terms=tuple(known),
            rarities=tuple(np.round(rarities, 6).tolist()),
            unit=self.unit,
            low=self.low,
            high=self.high,
            length=self.length,
        )
        kept = 0 if self.components is None else min(self.components, len(known) - 1, len(column) - 1)
        if kept < 1 or len(known) <= kept:
            return one
        return one.replace(directions=packed(_directions(one, column, kept)))

    def _known(self, column: np.ndarray) -> tuple[list[str], list[int]]:
        """The terms in the most training texts, ties by name, and in how many texts each occurs."""
        counts = Counter(term for found in self._terms(column) for term in found)
        often = [(term, count) for term, count in counts.items() if count >= self.min_count]
        often.sort(key=lambda pair: (-pair[1], pair[0]))
        return [term for term, _ in often[: self.terms]], [count for _, count in often[: self.terms]]

    def _terms(self, column: np.ndarray) -> Iterator[set[str]]:
        return (set(terms(text, self.unit, self.low, self.high)) for text in column if text is not None)


def _directions(one: Tfidf, column: np.ndarray, kept: int) -> np.ndarray:
    """float64 [F, D]: the leading right singular vectors of the training rows, by falling weight, each number with mean
    square 1; the largest entry of each is positive."""
    from scipy.sparse import csr_array
    from sklearn.utils.extmath import randomized_svd

    found = [one.row(text) for text in column]
    starts = np.cumsum([0, *(len(places) for places, _ in found)])
    places, values = (np.concatenate(part) for part in zip(*found, strict=True))
    rows = csr_array((values.astype(np.float64), places, starts), shape=(len(column), len(one.terms)))
    _, weights, vectors = randomized_svd(rows, kept, n_iter=5, random_state=0)
    vectors = vectors[weights > 1e-6 * weights[0]]
    largest = np.abs(vectors).argmax(axis=1)
    vectors = vectors * np.sign(vectors[np.arange(len(vectors)), largest])[:, None]
    return vectors.T / np.maximum(np.sqrt(np.square(rows @ vectors.T).mean(axis=0)), 1e-12)
