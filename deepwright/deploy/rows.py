"""Rows: the body of a prediction request, strictly read.

A body that is right is decoded by msgspec straight into typed rows. msgspec keeps the last of two equal keys, so the
keys are counted: every key is followed by a colon, every field of the model must be there, hence a body with exactly
one colon per field holds none twice. Whatever does not pass at once is read again by the slow strict reader, which
either accepts it (a colon inside a text) or says in plain words what is wrong.
"""

import operator
import re
from base64 import b64encode
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import numpy as np

from deepwright.core import strict_json
from deepwright.core.errors import DataError
from deepwright.core.schema import Columns, Feature, Schema
from deepwright.core.text import text
from deepwright.deploy.refusal import RequestError, shown

MAX_ROWS = 10_000
LARGEST = 1.7e308
_LONG_NUMBER = re.compile(rb"[0-9]{400}")

Number = Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)] | None
Ignored = str | float | bool | msgspec.UnsetType | None


class RowReader:
    """Bodies to rows, rows to columns, for one schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        numbers = [f.name for f in schema.inputs if f.type in ("number", "timestamp")]
        texts = [f.name for f in schema.inputs if f.type not in ("number", "timestamp")]
        ignored = [f.name for f in schema.features if f.role != "input"]
        self._numbers = {name: f"n{place}" for place, name in enumerate(numbers)}
        self._texts = {name: f"t{place}" for place, name in enumerate(texts)}
        self._ignored = {name: f"i{place}" for place, name in enumerate(ignored)}
        fields = self._numbers | self._texts | self._ignored
        self._row = msgspec.defstruct(
            "Row",
            [
                *((field, Number) for field in self._numbers.values()),
                *((field, str | None) for field in self._texts.values()),
                *((field, Ignored, msgspec.field(default=msgspec.UNSET)) for field in self._ignored.values()),
            ],
            rename={field: name for name, field in fields.items()},
            forbid_unknown_fields=True,
            gc=False,
        )
        rows = Annotated[list[self._row], msgspec.Meta(min_length=1, max_length=MAX_ROWS)]  # type: ignore[name-defined]
        envelope = msgspec.defstruct("Request", [("rows", rows)], forbid_unknown_fields=True, gc=False)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(envelope)
        self._get_numbers = _getter(list(self._numbers.values()))
        self._num_fields = len(self._numbers) + len(self._texts)

    def read(self, body: bytes) -> list[Any]:
        """Typed rows, 1 to 10,000. Raises RequestError: 400 where it is not such JSON, 422 where a row is not right."""
        try:
            rows = self._decoder.decode(body).rows
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._read_slowly(body)
        keys = 1 + len(rows) * self._num_fields
        for field in self._ignored.values():
            keys += sum(getattr(row, field) is not msgspec.UNSET for row in rows)
        return rows if body.count(b":") == keys else self._read_slowly(body)

    def columns(self, rows: list[Any]) -> Columns:
        """The inputs' columns of typed rows, as `Schema.columns` gives them."""
        columns: Columns = {}
        numbers = np.array([self._get_numbers(row) for row in rows], dtype=np.float64)  # None becomes NaN
        for place, name in enumerate(self._numbers):
            columns[name] = numbers[:, place]
        for name, field in self._texts.items():
            column = np.empty(len(rows), dtype=object)
            column[:] = [getattr(row, field) for row in rows]
            columns[name] = column
        return {feature.name: columns[feature.name] for feature in self.schema.inputs}

    def _read_slowly(self, body: bytes) -> list[Any]:
        rows = _rows_of(_json_of(body))
        try:
            self.schema.columns(rows)
        except DataError as error:
            raise self.bad_row(error) from None
        known = self._numbers | self._texts
        return msgspec.convert([{name: row[name] for name in known} for row in rows], list[self._row])  # type: ignore[name-defined]

    def bad_row(self, error: DataError) -> RequestError:
        """A fault of a row, as the one who sent it is told."""
        field = str(error.values.get("field", ""))
        where = f"rows[{error.values.get('row', 0)}]" + (f".{shown(field)}" if field else "")
        allowed = ", ".join(f.name for f in self.schema.inputs)
        if field in self.schema:
            allowed = takes(self.schema[field])
        found = error.values.get("found", text("request.nothing") if field in self.schema else field)
        return RequestError(
            "request.bad_row", status=422, where=where, found=found, allowed=allowed, why=_short(str(error))
        )


def image_input(schema: Schema) -> str | None:
    """The input of a model that takes one image and nothing else."""
    (first, *others) = schema.inputs or (None,)
    return first.name if first is not None and not others and first.type == "image" else None


def image_request(field: str, image: bytes) -> bytes:
    """An image that came by itself as the request that it stands for."""
    return b'{"rows":[{' + msgspec.json.encode(field) + b':"' + b64encode(image) + b'"}]}'


def takes(feature: Feature) -> str:
    """What a field takes, in words."""
    if feature.type == "image":
        return text("request.takes_image")
    is_number = feature.type in ("number", "timestamp")
    return text("request.takes_number") if is_number else text("request.takes_text")


def _getter(fields: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(fields) > 1:
        return operator.attrgetter(*fields)
    return lambda row: tuple(getattr(row, field) for field in fields)  # attrgetter of one gives no tuple


def _json_of(body: bytes) -> Any:
    if not body.strip():
        raise RequestError("request.empty", status=400, where="body", found="0", allowed='{"rows": [{...}, ...]}')
    try:
        return strict_json.loads(body)
    except (ValueError, RecursionError) as error:
        if _LONG_NUMBER.search(body):
            raise RequestError(
                "request.long_number", status=400, where="body", found="> 400", allowed="1.7e308"
            ) from None
        raise RequestError(
            "request.bad_json", status=400, where="body", found=_short(str(error)), allowed="JSON (RFC 8259, UTF-8)"
        ) from None


def _rows_of(value: Any) -> list[dict[str, Any]]:
    example = '{"rows": [{...}, ...]}'
    if not isinstance(value, dict):
        raise RequestError("request.no_rows", status=422, where="body", found=type(value).__name__, allowed=example)
    for name in value:
        if name != "rows":
            raise RequestError("request.unknown_key", status=422, where="body", found=name, allowed="rows")
    rows = value.get("rows")
    if not isinstance(rows, list):
        raise RequestError("request.no_rows", status=422, where="rows", found=type(rows).__name__, allowed=example)
    if not 1 <= len(rows) <= MAX_ROWS:
        raise RequestError(
            "request.num_rows", status=422, where="rows", found=str(len(rows)), allowed=f"1 - {MAX_ROWS}"
        )
    return rows


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= 300 else sentence[:297] + "..."
