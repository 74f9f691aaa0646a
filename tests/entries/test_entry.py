"""Is a request's body read strictly?"""

from __future__ import annotations

import pytest

from app.entries.entry import check_json, check_limit, parse_body
from app.errors import InvalidContent, UsageError


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"{",
            b"{'a': 1}",
            b'{"a": NaN}',
            b'{"a": -Infinity}',
            b'{"a": 1e999}',
            b'\xff{"a": 1}',
        ),
        *(b'{"a": 1, "a": 2}', b'{"x": {"a": 1, "a": 1}}', b'{"a": ' + b"9" * 5000 + b"}", b"[" * 100_000),
        b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}",
    ],
)
def test_a_body_that_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidContent) as caught:
        parse_body(body)
    assert caught.value.details["errors"]


def test_a_body_is_what_was_sent() -> None:
    body = '{"b": "é\\ud83d\\ude00\\u0000", "a": [1, 1.5, -0.0, 123456789012345678901, null, true], "": {}}'
    assert parse_body(body.encode()) == {
        "b": "é\U0001f600\0",
        "a": [1, 1.5, -0.0, 123456789012345678901, None, True],
        "": {},
    }


@pytest.mark.parametrize(
    ("body", "pointer", "place"),
    [
        (b'{"content": "a\\ud800b"}', "/content", "U+D800, character 2"),
        (b'{"content": "\\ude00\\ud83d"}', "/content", "U+DE00, character 1"),
        (b'{"a/b": [{}, {"c~": ["\\udfff"]}]}', "/a~1b/1/c~0/0", "U+DFFF"),
        (b'{"content": "x", "\\udc00key": 1}', "", "a name in it"),
        (b'{"meta": {"tags": {"\\ud83d": null}}}', "/meta/tags", "U+D83D"),
        (b'"\\ud83d"', "", "U+D83D"),
    ],
)
def test_half_a_character_is_named_with_its_place(body: bytes, pointer: str, place: str) -> None:
    with pytest.raises(InvalidContent) as caught:
        parse_body(body)
    errors = caught.value.details["errors"]
    assert isinstance(errors, list)
    assert errors[0]["pointer"] == pointer
    assert place in errors[0]["detail"]
    caught.value.message.encode()  # nor does the refusal hold one


def test_a_byte_order_mark_is_skipped_and_other_encodings_are_named() -> None:
    for mark in (b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf", b"\xef\xbb\xbf \n"):
        assert parse_body(mark + b'{"content": "x"}') == {"content": "x"}
    assert parse_body('{"content": "\ufeffx"}'.encode()) == {"content": "\ufeffx"}
    for encoding in ("utf-16", "utf-16-be"):
        with pytest.raises(InvalidContent, match="UTF-16" if encoding == "utf-16" else "not JSON"):
            parse_body('{"content": "x"}'.encode(encoding))


@pytest.mark.parametrize(
    "body", [b"\xef\xbb\xbf", b"9" * 5000, b'{"n": [-' + b"1" * 4999 + b"]}", b"NaN", b"{"]
)
def test_a_refusal_speaks_of_json_and_not_of_python(body: bytes) -> None:
    with pytest.raises(InvalidContent) as caught:
        parse_body(body)
    said = caught.value.message + caught.value.hint
    assert not any(word in said for word in ("sys.", "utf-8-sig", "int_max", "Traceback", "codec"))


def nested(depth: int) -> object:
    value: object = "x"
    for _ in range(depth):
        value = [value]
    return value


def test_depth_32_is_the_limit() -> None:
    check_json(nested(32))
    with pytest.raises(InvalidContent) as caught:
        check_json({"a": nested(32)})
    assert caught.value.details["errors"] == [
        {"pointer": "/a" + "/0" * 31, "detail": "nested more than 32 levels deep"}
    ]


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"a/b": [1, float("nan")]}, "/a~1b/1"),
        ({"~": float("inf")}, "/~0"),
        ({"a": {1}}, "/a"),
        ({"a": {1: 2}}, "/a"),
    ],
)
def test_what_json_has_no_word_for_is_said_with_a_pointer(value: object, pointer: str) -> None:
    with pytest.raises(InvalidContent) as caught:
        check_json(value)
    assert caught.value.details["errors"][0]["pointer"] == pointer  # type: ignore[index]


def test_limits() -> None:
    assert [check_limit(limit) for limit in (1, 50, 200)] == [1, 50, 200]
    for limit in (0, -1, 201, 10**9):
        with pytest.raises(UsageError):
            check_limit(limit)
