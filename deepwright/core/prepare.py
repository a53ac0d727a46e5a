"""Prepare: how columns become tensors, one step after the other, and what single columns get instead."""

import re
from typing import Any, Literal

from pydantic import model_validator

from deepwright.core.errors import RecipeError
from deepwright.core.families import Dates, Encoder, Extractor, Imputer, Outliers, Scaler, Texts
from deepwright.core.image import Fit
from deepwright.core.operations.bounds import Comparison
from deepwright.core.part import Part, option

_TOKEN = re.compile(r"\s*(?:`(?P<quoted>[^`]+)`|(?P<sign><=|>=|==|!=|<|>)|(?P<plain>[^`<>=!]+))")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TURNED: dict[Comparison, Comparison] = {"<": ">", "<=": ">=", "==": "==", "!=": "!=", ">": "<", ">=": "<="}

Operand = str | float
"""A column's name, or a number."""


class Rule(Part):
    """What must hold in a row: `0 <= age <= 120`, `start <= end`; a name with other characters stands in backticks."""

    rule: str = option(help="one or two comparisons (< <= == != > >=) of columns and numbers")
    treat: Literal["missing", "clip", "flag", "delete"] = option(
        "missing",
        "missing: the numbers that break it are missing; clip: they are held at the bound; flag: a further 0/1 column; "
        "delete: training rows are set aside",
    )

    @model_validator(mode="after")
    def _can_be_read(self) -> "Rule":
        comparisons = self.comparisons
        has_bounds = all(isinstance(right, float) and sign in ("<=", ">=") for _, sign, right in comparisons)
        if self.treat == "clip" and not has_bounds:
            raise RecipeError("rule.no_bound", rule=self.rule)
        return self

    @property
    def comparisons(self) -> tuple[tuple[str, Comparison, Operand], ...]:
        """Each comparison as (column, sign, other side). Raises RecipeError for a text that is no rule."""
        tokens, end = [], 0
        while (found := _TOKEN.match(self.rule, end)) is not None and found.end() > end:
            tokens.append(found)
            end = found.end()
        operands = [operand for token in tokens[::2] if (operand := _operand(token)) is not None]
        signs: list[Comparison] = [token["sign"] for token in tokens[1::2] if token["sign"]]  # type: ignore[misc]
        is_alternating = len(operands) == len(signs) + 1 and len(operands) + len(signs) == len(tokens)
        if self.rule[end:].strip() or not is_alternating or len(signs) not in (1, 2):
            raise RecipeError("rule.unreadable", rule=self.rule)
        triples = []
        for left, sign, right in zip(operands[:-1], signs, operands[1:], strict=True):
            if isinstance(left, float):
                left, sign, right = right, _TURNED[sign], left
            if isinstance(left, float):
                raise RecipeError("rule.unreadable", rule=self.rule)
            triples.append((left, sign, right))
        return tuple(triples)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names, each once."""
        named = [side for left, _, right in self.comparisons for side in (left, right) if isinstance(side, str)]
        return tuple(dict.fromkeys(named))

    @classmethod
    def read_line(cls, line: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """`0 <= age <= 120: clip` as plain data and options that are texts still."""
        rule, mark, treat = line.rpartition(":")
        return ({"rule": rule.strip()}, [("treat", treat.strip())]) if mark else ({"rule": line.strip()}, [])


class ColumnChoice(Part):
    """Steps of some columns in place of those of all; one that is left out is as for all the others."""

    columns: tuple[str, ...] = option(help="the columns, by name")
    outliers: Outliers | None = option(None, "numbers: what is done about values far from the rest")
    imputer: Imputer | None = option(None, "numbers, times, categories: what stands where a value is missing")
    dates: Dates | None = option(None, "times: what is made of them")
    texts: Texts | None = option(None, "texts: what is made of them")
    encoder: Encoder | None = option(None, "categories: what is made of them")
    scaler: Scaler | None = option(None, "numbers, times: their scale")

    @classmethod
    def read_line(cls, line: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """`age,fare: imputer=mean, imputer.flag=false, scaler=robust` as plain data and options that are texts still.

        A comma, colon or semicolon inside a name stands after a backslash. Raises RecipeError for another form.
        """
        names, mark, steps = _cut_once(line, ":")
        pairs = [step.partition("=") for step in split_unescaped(steps, ",")]
        if not mark or not all(sign for _, sign, _ in pairs):
            raise RecipeError("columns.unreadable", found=line)
        columns = [name for name in map(_unescaped, split_unescaped(names, ",")) if name]
        return {"columns": columns}, [(name.strip(), _unescaped(value)) for name, _, value in pairs]


class Resize(Part):
    """How images become pixels of one size; what is left open is as the training part shows."""

    size: tuple[int, ...] = option(
        (), "pixels of both sides, or height,width; empty: as the training images, up to most"
    )
    most: int = option(48, "the shorter side at most, where size is left open", unit="pixels", low=8, high=1024)
    channels: Literal[1, 3] | None = option(None, "1: grey, 3: RGB; none: grey where all training images are")
    fit: Fit = option(
        "crop", "crop: the middle of the shorter side's square; pad: all of it on the background; stretch"
    )

    @model_validator(mode="after")
    def _has_two_sides(self) -> "Resize":
        if len(self.size) > 2 or not all(8 <= side <= 4096 for side in self.size):
            raise RecipeError("resize.size", found=", ".join(map(str, self.size)))
        return self


class Prepare(Part):
    """Columns to tensors, in this order: rules > outliers > imputer > dates > texts > encoder > scaler > features.

    Images become pixels beside all that.

    Everything here is fitted on the training part, as the steps before it left that part.
    """

    rules: tuple[Rule, ...] = option((), "what must hold in a row; a flag takes '0 <= age <= 120: clip; start <= end'")
    outliers: Outliers = option("auto", "what is done about numbers far from the rest")
    imputer: Imputer = option("auto", "what stands where a value is missing")
    dates: Dates = option("auto", "what is made of times")
    texts: Texts = option("tfidf", "what is made of texts")
    encoder: Encoder = option("levels", "what is made of categories")
    scaler: Scaler = option("auto", "brings numbers to a common scale")
    features: tuple[Extractor, ...] = option((), "further features made of the scaled numbers")
    images: Resize = option(Resize, "what pixels are made of images")
    columns: tuple[ColumnChoice, ...] = option(
        (), "other steps for some columns; a flag takes 'age,fare: imputer=mean, scaler=robust; job: encoder=hashing'"
    )


def split_unescaped(text: str, mark: str) -> list[str]:
    r"""The pieces of a text between marks; one after a backslash does not count.

    >>> split_unescaped(r"a, b\,c", ",")
    ['a', 'b\\,c']
    """
    return [piece.strip() for piece in re.split(rf"(?<!\\){re.escape(mark)}", text) if piece.strip()]


def _cut_once(text: str, mark: str) -> tuple[str, str, str]:
    found = re.search(rf"(?<!\\){re.escape(mark)}", text)
    return (text[: found.start()], mark, text[found.end() :]) if found else (text, "", "")


def _unescaped(text: str) -> str:
    return re.sub(r"\\([,:;])", r"\1", text.strip())


def _operand(token: re.Match[str]) -> Operand | None:
    if token["quoted"]:
        return token["quoted"]
    plain = (token["plain"] or "").strip()
    return float(plain) if _NUMBER.fullmatch(plain) else plain or None
