"""The fast reader of bodies against the slow, strict one."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepwright.core import strict_json
from deepwright.core.errors import DataError
from deepwright.core.schema import Columns, Feature, Schema
from deepwright.deploy.refusal import RequestError
from deepwright.deploy.rows import MAX_ROWS, RowReader
from tests.deploy.bundles import FLOWERS, GOOD_ROW, HOUSES

READER = RowReader(FLOWERS)


def read(body: bytes, reader: RowReader = READER) -> Columns:
    return reader.columns(reader.read(body))


def refusal(body: bytes) -> RequestError:
    with pytest.raises(RequestError) as caught:
        READER.read(body)
    return caught.value


def assert_same(found: Columns, expected: Columns) -> None:
    assert list(found) == list(expected)
    for name, column in expected.items():
        assert found[name].dtype == column.dtype
        assert all(a == b or (a != a and b != b) for a, b in zip(found[name], column, strict=True)), name


numbers = st.one_of(
    st.none(), st.floats(allow_nan=True), st.integers(), st.integers(-(10**320), 10**320), st.booleans(), st.text()
)
texts = st.one_of(st.none(), st.text(), st.sampled_from(["red: deep", "a:b", '"', "\\"]), st.integers(), st.floats())
rows = st.fixed_dictionaries(
    {"petal-length": numbers, "高度": numbers, "colour": texts},
    optional={"species": texts, "row id": st.one_of(texts, st.lists(st.integers())), "weight": st.integers()},
)


@settings(max_examples=300, deadline=None)
@given(st.lists(rows, max_size=3), st.booleans())
def test_fast_and_slow_reader_agree_on_every_body(sent: list[dict[str, Any]], is_ascii: bool) -> None:
    try:
        body = json.dumps({"rows": sent}, ensure_ascii=is_ascii).encode()
    except UnicodeEncodeError:
        body = json.dumps({"rows": sent}).encode()
    try:
        expected = FLOWERS.columns(strict_json.loads(body)["rows"])
        is_right = len(sent) > 0
    except (DataError, ValueError):
        is_right = False
    if is_right:
        assert_same(read(body), expected)
    else:
        refusal(body)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_body_with_some_bytes_changed_is_refused_or_read_as_the_strict_reader_reads_it(data: st.DataObject) -> None:
    body = bytearray(json.dumps({"rows": [GOOD_ROW, {**GOOD_ROW, "colour": "red: deep"}]}, ensure_ascii=False).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + 1] = data.draw(st.sampled_from([b"", b'"', b":", b",", b"{", b"}", b"\\", b"e", b"\xff"]))
    try:
        expected = FLOWERS.columns(strict_json.loads(bytes(body))["rows"])
    except (DataError, ValueError, KeyError, TypeError):
        refusal(bytes(body))
    else:
        assert_same(read(bytes(body)), expected)


@pytest.mark.parametrize("place", range(3))
def test_a_key_that_stands_twice_is_named(place: int) -> None:
    name = list(GOOD_ROW)[place]
    body = json.dumps({"rows": [GOOD_ROW]}, ensure_ascii=False)
    twice = body.replace(f'"{name}"', f'"{name}": null, "{name}"').encode()
    assert f"the key '{name}' stands twice" in str(refusal(twice))


def test_msgspec_alone_would_keep_the_last_of_two_keys() -> None:
    body = b'{"rows":[{"petal-length":1,"petal-length":2,"\xe9\xab\x98\xe5\xba\xa6":1,"colour":null}]}'
    assert READER._decoder.decode(body).rows[0].n0 == 2.0
    assert refusal(body).status == 400


def test_a_schema_of_one_number_or_of_texts_alone_is_read() -> None:
    target = Feature(name="y", type="number", role="target")
    one = RowReader(Schema(features=(Feature(name="a", type="number"), target)))
    assert_same(read(b'{"rows":[{"a":1},{"a":null}]}', one), {"a": np.array([1.0, np.nan])})
    words = RowReader(Schema(features=(Feature(name="a", type="text"), target)))
    assert_same(read(b'{"rows":[{"a":"x"},{"a":null}]}', words), {"a": np.array(["x", None], dtype=object)})


def test_columns_come_in_the_schemas_order() -> None:
    schema = Schema(features=(HOUSES["town"], HOUSES["rooms"], HOUSES["price"]))
    assert list(read(b'{"rows":[{"rooms":1,"town":"a"}]}', RowReader(schema))) == ["town", "rooms"]


def test_more_rows_than_allowed_are_refused_with_their_number() -> None:
    row = json.dumps(GOOD_ROW, ensure_ascii=False)
    many = '{"rows":[' + ",".join([row] * (MAX_ROWS + 1)) + "]}"
    assert str(refusal(many.encode())) == (
        "rows: 10001 rows; one request takes 1 - 10000. Send at least one row, and many rows in several requests."
    )


SENTENCES = {
    b"": 'body: is empty. Send JSON such as {"rows": [{...}, ...]}.',
    b'{"rows": [1]}': (
        "row 0: found int; a row is an object with one field per column. It takes: petal-length, 高度, colour."
    ),
    json.dumps({"rows": [{**GOOD_ROW, "petal-length": "4"}]}).encode(): (
        "row 0, field 'petal-length': found '4'; this field takes a number, or null. It takes: a number or null."
    ),
    json.dumps({"rows": [{**GOOD_ROW, "petal length": 4}]}).encode(): (
        "row 0: the model has no column 'petal length'. Remove it, or correct its name. "
        "Did you mean 'petal-length'? It takes: petal-length, 高度, colour."
    ),
    b"[]": 'body: found list; the request is an object with a list of rows. Send {"rows": [{...}, ...]}.',
    b'{"rows": [], "x": 1}': "body: the key 'x' is not known. Allowed: rows.",
    b'{"a": NaN}': (
        "body: is not JSON as it is taken here: NaN is no number in JSON. Allowed: JSON (RFC 8259, UTF-8), "
        "each key once, no NaN or infinity, at most 32 levels deep."
    ),
    b"9" * 5000: "body: a number has more than 400 digits; numbers up to 1.7e308 are taken. Correct it.",
}


@pytest.mark.parametrize("body", SENTENCES)
def test_a_refusal_is_one_sentence(body: bytes) -> None:
    assert str(refusal(body)) == SENTENCES[body]


def test_what_a_refusal_repeats_is_short_and_printable() -> None:
    error = refusal(json.dumps({"rows": [{**GOOD_ROW, "colour\x00\u202e" + "x" * 5000: 1}]}).encode())
    assert len(error.body) < 2000
    assert error.found.isprintable() and error.where.isprintable()
