"""Answering: bodies of prediction requests to replies, several requests in one run of the model."""

import logging
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from deepwright.core.bundle import Bundle
from deepwright.core.errors import DataError
from deepwright.deploy.refusal import RequestError
from deepwright.deploy.rows import RowReader

logger = logging.getLogger("deepwright.serve")


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and a JSON body; rows answered, and how many of them lay outside the training ranges."""

    status: int
    body: bytes
    rows: int = 0
    out_of_range: int = 0


class Answerer:
    """What the worker thread computes."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.reader = RowReader(bundle.schema)
        self._tail = b',"model":' + msgspec.json.encode(bundle.digest) + b"}"

    def replies(self, bodies: list[bytes]) -> list[Reply]:
        """One reply for each body; a bad body spoils no other's answer."""
        replies: list[Reply | None] = [None] * len(bodies)
        readable: list[tuple[int, list[Any]]] = []
        for place, body in enumerate(bodies):
            try:
                readable.append((place, self.reader.read(body)))
            except RequestError as error:
                replies[place] = Reply(error.status, error.body)
            except Exception:
                logger.exception("a request could not be read")
                replies[place] = _our_fault("")
        for place, reply in self._answered(readable):
            replies[place] = reply
        assert None not in replies, "every body has a reply"
        return replies  # type: ignore[return-value]

    def _answered(self, requests: list[tuple[int, list[Any]]]) -> list[tuple[int, Reply]]:
        if not requests:
            return []
        try:
            together = self._predict([rows for _, rows in requests])
        except Exception as error:
            if len(requests) == 1 and isinstance(error, DataError):  # such as an image that is cut
                refused = self.reader.bad_row(error)
                return [(requests[0][0], Reply(refused.status, refused.body))]
            if len(requests) == 1:
                logger.exception("a request could not be answered")
                return [(requests[0][0], _our_fault(""))]
            return [reply for request in requests for reply in self._answered([request])]
        return [(place, reply) for (place, _), reply in zip(requests, together, strict=True)]

    def _predict(self, requests: list[list[Any]]) -> list[Reply]:
        answers = self.bundle.answer(self.reader.columns([row for rows in requests for row in rows]))
        is_finite = np.isfinite(answers.answer)
        is_finite = is_finite.all(axis=1) if is_finite.ndim == 2 else is_finite
        records = answers.records()
        replies, start = [], 0
        for rows in requests:
            end = start + len(rows)
            if is_finite[start:end].all():
                body = b'{"answers":' + msgspec.json.encode(records[start:end]) + self._tail
                replies.append(Reply(200, body, len(rows), int(answers.out_of_range[start:end].sum())))
            else:
                row = int(np.flatnonzero(~is_finite[start:end])[0])
                replies.append(_not_finite(row, bool(answers.out_of_range[start + row])))
            start = end
        return replies


def _not_finite(row: int, is_out_of_range: bool) -> Reply:
    """The client's fault where its row lies far outside what the model learned from, else ours."""
    if is_out_of_range:
        error = RequestError("request.no_finite_answer", status=422, where=f"rows[{row}]", found="NaN")
        return Reply(error.status, error.body)
    logger.error("the model answered a row inside its ranges with a number that is not finite")
    return _our_fault("NaN")


def _our_fault(found: str) -> Reply:
    return Reply(500, RequestError("request.our_fault", status=500, where="server", found=found).body)
