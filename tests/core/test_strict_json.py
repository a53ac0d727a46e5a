"""JSON as we accept it."""

import json

import pytest

from deepwright.core import strict_json


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1.5,
        1e308,
        "",
        'a "quoted" [bracket] \\ {',
        "中文 😀",
        [],
        {},
        [{"a": [1, {"b": None}]}],
        "[" * 100,
    ],
)
def test_sound_json_is_read_as_the_standard_library_reads_it(value: object):
    assert strict_json.loads(json.dumps(value).encode()) == value
    assert strict_json.loads(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"a": 1, "b": 2, "a": 1}', "the key 'a' stands twice"),
        (b'[{"x": {"a": 1, "\\u0061": 2}}]', "the key 'a' stands twice"),
        (b"[NaN]", "NaN is no number in JSON"),
        (b"-Infinity", "-Infinity is no number in JSON"),
        (b"[1e400]", "1e400 is beyond the largest number"),
        (b'"\\ud800"', "surrogates not allowed"),
        (b'{"\\udc00": 1}', "surrogates not allowed"),
        (b"\xff", "can't decode byte 0xff"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"1" * 5000, "digits"),
        (b"", "Expecting value"),
        (b'{"a": 1', "Expecting"),
        (b"{} {}", "Extra data"),
        (b"[" * 33 + b"]" * 33, "it is nested deeper than 32"),
        (b'{"a":' * 33, "it is nested deeper than 32"),
        (b"[" * 200_000, "it is nested deeper than 32"),
        (b'"' + b"[" * 20, "Unterminated string"),
        (b'["a\\"' + b"[" * 20, "Unterminated string"),
    ],
)
def test_anything_else_is_refused_with_the_reason(content: bytes, why: str):
    with pytest.raises(ValueError, match=why):
        strict_json.loads(content)


def test_brackets_inside_texts_do_not_count_as_depth():
    text = '\\" [[[[ {{{{' * 20
    assert strict_json.loads(json.dumps({"a": [text]}).encode()) == {"a": [text]}


def test_depth_32_is_still_read():
    content = b"[" * 32 + b"]" * 32
    assert strict_json.loads(content) == json.loads(content)
