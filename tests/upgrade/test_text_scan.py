"""Does the quick reading of texts find what reading each of them with Python finds?"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import clock
from app.other_words import words_not_heard
from app.storage.sqlite.connection import SQLiteConnection
from app.upgrade.legacy import ordinary_texts
from app.upgrade.legacy.text_scan import scan_texts
from app.upgrade.legacy.visibility_changes import hidden_now, step_0002

NAMES = ["content", "title", "tags", "date", "name", "meta", "visibility", "visiblity", "draft", "Meta", "x"]
VALUES: list[object] = ["public", "private", "unlisted", "Private", "", None, True, 1, [], {}]
inner = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=4)
contents = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES) | inner, max_size=5)
ODD = [
    '{"content": ',
    '{content: \'a\', meta: {"visibility": "public"}}',
    '{"content": "a", "meta": {"visibility": "public",}}',
    '{"content": "a", "meta": {"visibility": "public"}} // a',
    '{"visibility": "public", "visibility": "private"}',
    '{"meta": {"visibility": "private"}, "meta": {"visibility": "public"}}',
    '{"meta": {"visibility": "public"}, "meta": {}}',
    '{"content": 1, "content": "b", "meta": {"visibility": "public"}}',
    r'{"content": "a", "\u0076isibility": "private"}',
    r'{"content": "a", "meta": {"visibility": "pu\u0062lic"}}',
    r'{"content": "\"visibility\": \"private\"", "meta": {"visibility": "public"}}',
    '{"content": "a\nb", "meta": {"visibility": "public"}}',
    '{"content": NaN, "meta": {"visibility": "public"}}',
    '{"content": ' + "[" * 450 + "]" * 450 + ', "meta": {"visibility": "public"}}',
    '{"content": "' + "[" * 900 + '", "meta": {"visibility": "public"}}',
    "[1]",
    "draft",
    "",
    "null",
]
texts = st.lists(contents.map(json.dumps) | st.sampled_from(ODD), min_size=1, max_size=8)
KINDS = {1: "ideas", 2: "contacts", 3: "hobbies", 4: "goals"}
SHOWN = (1, 2)


@contextmanager
def database(
    stored: Iterable[tuple[int, int, object]], *, stepped: bool = False
) -> Iterator[SQLiteConnection]:
    """Entries (kind, owner, text) as an old server left them, or with what step 0002 stores."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("""
            CREATE TABLE users (id INTEGER PRIMARY KEY, username, is_active);
            CREATE TABLE endpoints (id INTEGER PRIMARY KEY, name, schema, is_active, is_public);
            CREATE TABLE data_entries (id INTEGER PRIMARY KEY, endpoint_id, data, is_active, created_by_id,
                                       visibility);
            INSERT INTO users VALUES (1, 'ada', 1), (2, 'bob', 0);
            INSERT INTO endpoints VALUES (1, 'ideas', '{}', 1, 1), (2, 'contacts', '{}', 1, 1),
                (3, 'hobbies', '{}', 1, NULL), (4, 'goals', '{}', 0, 1);
        """)
        for kind, owner, text in stored:
            word = after(kind, text) if stepped else None
            connection.execute(
                "INSERT INTO data_entries (endpoint_id, data, is_active, created_by_id, visibility)"
                " VALUES (?, ?, 1, ?, ?)",
                (kind, text, owner, word),
            )
        yield SQLiteConnection(connection)


def after(kind: int, text: object) -> str:
    """Return what step 0002 stores, by its careful way."""
    default = "private" if KINDS[kind] in ("contacts", "hobbies") else "public"
    if isinstance(text, bytes):
        return "private"
    return str(step_0002().visibility_of(str(text).encode(), default))


def parsed(text: object) -> object:
    try:
        return json.loads(text.decode() if isinstance(text, bytes) else str(text))
    except (ValueError, RecursionError):
        return None


def was_hidden(text: object) -> bool:
    entry = parsed(text)
    meta = entry.get("meta") if isinstance(entry, dict) else None
    return isinstance(meta, dict) and meta.get("visibility") in ("private", "unlisted")


def expected(stored: list[tuple[int, int, object]]) -> list[int]:
    return [
        number
        for number, (kind, owner, text) in enumerate(stored, start=1)
        if kind in SHOWN and not was_hidden(text) and (after(kind, text) != "public" or owner != 1)
    ]


stored_entries = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 1, 2, 3, 4]),
        st.sampled_from([1, 1, 2, 3]),
        contents.map(json.dumps) | st.sampled_from(ODD) | st.just(b'{"content": "a"}'),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(stored=stored_entries)
def test_both_are_found_as_python_finds_them(stored: list[tuple[int, int, object]]) -> None:
    with database(stored) as connection:
        found = scan_texts(connection, hides=True, has_text=False)
        alone = scan_texts(connection, hides=False, has_text=False)
    assert found.hidden is not None
    assert [entry["id"] for entry in found.hidden] == expected(stored)
    words = [words_not_heard(parsed(text), "{}", clock.now()) for *_, text in stored]
    said = [number for number, each in enumerate(words, start=1) if each]
    assert [number for _, number, _ in found.unheard.listed] == said
    assert (alone.unheard, alone.hidden) == (found.unheard, ())
    with database(stored, stepped=True) as connection:
        assert hidden_now(connection) == found.hidden


@pytest.mark.parametrize(
    "text", [*ODD, "\0", '{"meta": {"visibility": "public"}}\0{'], ids=range(len(ODD) + 2)
)
def test_no_odd_text_hides_another_one(text: str) -> None:
    """A text that is no JSON ends SQLite's reading of all: then all are read with care."""
    stored: list[tuple[int, int, object]] = [
        (1, 2, '{"content": "a", "meta": {"visibility": "public"}}'),
        (1, 1, text),
        (1, 1, '{"content": "a", "visibility": "private", "draft": true}'),
        (2, 1, '{"content": "a"}'),
    ]
    with database(stored) as connection:
        found = scan_texts(connection, hides=True, has_text=False)
    assert found.hidden is not None
    assert [entry["id"] for entry in found.hidden] == expected(stored)


def test_ordinary_texts_are_not_given_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is quick is that SQLite passes over them."""
    ordinary = json.dumps(
        {"content": "a", "meta": {"title": "b", "date": "", "tags": ["c"], "visibility": "public"}}
    )
    seen: list[object] = []
    monkeypatch.setattr(
        "app.upgrade.legacy.unheard_words.words_not_heard", lambda *given, **_: seen.append(given)
    )
    with database([(1, 1, ordinary), (1, 1, '{"name": "a"}'), (1, 1, '{"x": 1}')]) as connection:
        scan_texts(connection, hides=True, has_text=False)
    assert len(seen) == 1


def test_newer_libraries_are_asked_whether_a_text_is_json() -> None:
    """They read more than JSON without an error; the old server and step 0002 do not."""
    with database([]) as connection:
        asked: list[str] = []
        ordinary_texts.with_quick_reading(connection, asked.append)
    is_strict = sqlite3.sqlite_version_info < (3, 42)
    assert asked == ["1" if is_strict else "json_valid(e.data)"]
