"""Is everything that may be stored fit to be sent, and nothing stored changed?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.entries.json_safe import DEPTH_SHOWN, presentable, read_content, read_presentable


def shown(stored: object) -> Any:
    content = read_content(stored)
    assert content.is_readable
    return presentable(content.value)


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ('{"a": NaN, "b": [Infinity, -Infinity, 1e999]}', {"a": None, "b": [None, None, None]}),
        ('{"a": "x\\ud83dy", "\\udc00": 1}', {"a": "x\ufffdy", "\ufffd": 1}),
        ('"\\ud83e\\udded"', "🧭"),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("9" * 5000, "9" * 5000),
        ("-" + "9" * 5000, "-" + "9" * 5000),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("null", None),
        ("true", True),
        (7, 7),
        (1.5, 1.5),
        (float("inf"), None),
        (b'{"a": "\xff"}', {"a": "\ufffd"}),
        ('{"a": "\\u0000 \\u2028"}', {"a": "\0 \u2028"}),
    ],
)
def test_stored_values(stored: object, value: Any) -> None:
    assert shown(stored) == value
    json.dumps(shown(stored), allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize("stored", ["", "{", "nonsense", "{'a': 1}", "[" * 100_000, "\x00", b"\xff\xfe"])
def test_what_cannot_be_read_is_said(stored: object) -> None:
    content = read_content(stored)
    assert not content.is_readable
    assert content.value is None


def test_deep_nesting_ends_in_null() -> None:
    value = shown("[" * 900 + "]" * 900)
    depth = 0
    while value is not None:
        value = value[0]
        depth += 1
    assert depth == DEPTH_SHOWN


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.binary(), st.integers(), st.floats(), st.text('[]{}":,\\ud8aN1 ')))
def test_nothing_breaks(stored: object) -> None:
    json.dumps(presentable(read_content(stored).value), allow_nan=False, ensure_ascii=False).encode()


TEXTS = [
    '{"content": "a", "meta": {"tags": ["b", 1, 2.5, true, null]}}',
    '{"a": NaN}',
    '{"a": [-Infinity, 1e999, 1e5]}',
    '{"a": "\\ud800", "\\udfff": 1}',
    '{"a": "caf\u00e9 \ud83d\ude00"}',
    '{"a": "\ud800"}',
    f'{{"a": {"9" * 5_000}}}',
    "[" * 70 + "]" * 70,
    "[" * 65 + "]" * 65,
    "[" * 64 + "]" * 64,
    "[" * 64 + "1" + "]" * 64,
    "[" * 65 + "1" + "]" * 65,
    '{"a": "' + "[" * 100 + '"}',
    "{",
    "",
    "[" * 100_000,
]
STORED: list[object] = [*TEXTS, b'{"a": "b"}', b'{"a": "\xff"}', 5, 1.5, None]


@pytest.mark.parametrize("stored", STORED, ids=lambda stored: repr(stored)[:30])
def test_read_at_once_it_is_the_same(stored: object) -> None:
    content, shown = read_presentable(stored)
    apart = read_content(stored)
    assert repr(content) == repr(apart)
    assert repr(shown) == repr(presentable(apart.value))
