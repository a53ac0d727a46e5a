"""Operations on texts: one form of writing, and how often terms occur. They run on the host: ONNX cannot cut texts."""

import re
import unicodedata
from collections import Counter
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from deepwright.core.operations.operation import Operation
from deepwright.core.operations.packed import unpacked
from deepwright.core.operations.words import Unit, terms
from deepwright.core.part import option
from deepwright.core.schema import Columns

UNSEEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Control characters, overrides of the writing direction and characters without width; not tab and line break."""


class NormaliseText(Operation, kind="normalise_text"):
    """One way of writing for what reads alike: Unicode form, width, case, spaces; what cannot be seen is gone.

    >>> one = NormaliseText(columns=["t"], case="fold")
    >>> one.apply({"t": np.array(["Ｄｅｅｐ　１２\u200b  ﬁne", None], object)})["t"].tolist()
    ['deep 12 fine', None]
    """

    has_graph: ClassVar[bool] = False

    columns: tuple[str, ...] = option(help="text columns")
    form: Literal["NFC", "NFKC", "none"] = option(
        "NFKC", "Unicode form; NFKC makes full-width letters and digits half-width"
    )
    case: Literal["keep", "fold"] = option("keep", "fold: capital letters become small ones, also beyond ASCII")
    spaces: bool = option(True, "whether every run of white space becomes one space, and none stands at the ends")
    strip: bool = option(True, "whether control characters, overrides of direction and zero widths are taken out")

    def apply(self, columns: Columns) -> Columns:
        return {**columns, **{name: self._column(columns[name]) for name in self.columns}}

    def _column(self, column: np.ndarray) -> np.ndarray:
        result = np.empty(len(column), dtype=object)
        result[:] = [None if text is None else self.of(text) for text in column]
        return result

    def of(self, text: str) -> str:
        """One text in its one form."""
        if self.strip:
            text = UNSEEN.sub("", text)
        if self.form != "none" and not text.isascii():
            text = unicodedata.normalize(self.form, text)
        if self.case == "fold":
            text = text.casefold()
        return " ".join(text.split()) if self.spaces else text


class Tfidf(Operation, kind="tfidf"):
    """How much each term says of a text: (1 + log of its count) times its rarity, each text's row on one length.

    Salton & Buckley 1988. In place of the text stands a tensor [N, F], float32: one column per term, or per direction
    where `directions` brings the terms down to a few numbers. A missing text, and one without known terms, is all
    zeros.

    >>> one = Tfidf(column="t", terms=["good", "not", "not good"], rarities=[1.0, 1.0, 2.0], length=3.0)
    >>> one.apply({"t": np.array(["Not good!", "so good", None], object)})["t"].astype(float).round(2).tolist()
    [[1.22, 1.22, 2.45], [3.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    has_graph: ClassVar[bool] = False

    column: str = option(help="a text column")
    terms: tuple[str, ...] = option(help="the known terms, in the order of their numbers")
    rarities: tuple[float, ...] = option(help="one per term: 1 + log of the share of texts without it")
    unit: Unit = option("words", "what a term is made of")
    low: int = option(1, "words or characters in a term, at least", low=1, high=20)
    high: int = option(2, "words or characters in a term, at most", low=1, high=20)
    length: float = option(3.0, "length of each text's row", above=0)
    directions: str | None = option(None, "[F, D] as float16 in base64: what each term adds to each number; none: F")

    def apply(self, columns: Columns) -> Columns:
        column = columns[self.column]
        tensor = np.zeros((len(column), self.width), dtype=np.float32)
        for row, text in enumerate(column):
            places, values = self.row(text)
            if self._matrix is None:
                tensor[row, places] = values
            elif len(places):
                tensor[row] = values @ self._matrix[places]
        return {**columns, self.column: tensor}

    @property
    def width(self) -> int:
        """Numbers that stand for a text."""
        return len(self.terms) if self._matrix is None else self._matrix.shape[1]

    def row(self, text: str | None) -> tuple[np.ndarray, np.ndarray]:
        """The places of a text's terms, int64 [E] rising, and their values, float32 [E], before any direction."""
        found = [] if text is None else terms(text, self.unit, self.low, self.high)
        counts = Counter(self._places[term] for term in found if term in self._places)
        places = np.fromiter(sorted(counts), np.int64, len(counts))
        if not counts:
            return places, np.empty(0, np.float32)
        weights = (1.0 + np.log([counts[place] for place in places.tolist()])) * self._rarities[places]
        return places, (self.length * weights / np.sqrt(weights @ weights)).astype(np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        found = super().arrays()
        return found if self._matrix is None else {**found, "directions": self._matrix}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {term: place for place, term in enumerate(self.terms)}

    @cached_property
    def _rarities(self) -> np.ndarray:
        return np.asarray(self.rarities, np.float64)

    @cached_property
    def _matrix(self) -> np.ndarray | None:
        return None if self.directions is None else unpacked(self.directions, len(self.terms))
