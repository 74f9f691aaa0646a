"""Are words that are not heard found by SQLite's short way as they are by reading every entry?"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from hypothesis import given, settings
from hypothesis import strategies as st

from app import clock
from app.other_words import words_not_heard
from app.storage.sqlite.connection import SQLiteConnection
from app.upgrade.legacy.unheard_words import unheard_words

NAMES = [
    "content",
    "title",
    "tags",
    "meta",
    "visibility",
    "visiblity",
    "draft",
    "published",
    "Meta",
    "x",
    "is_private",
]
VALUES: list[object] = [
    "public",
    "private",
    "Public",
    "yes",
    "",
    None,
    True,
    False,
    1,
    2.5,
    [],
    ["draft"],
    {},
]
inner = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=4)
contents = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES) | inner, max_size=5)
odd = st.sampled_from(
    [
        '{"content": NaN, "draft": true}',
        '{"visibility": "public", "visibility": "Public"}',
        '{"meta": {"title": "a"}, "meta": {"draft": true}}',
        '{"meta": {"visibility": "pub\\u006cic"}}',
        '{"meta": {"\\u0064raft": true}}',
        '{"visibility": null}',
        "[1]",
        "draft",
        "",
        '{"content": "a"} {"draft": true}',
    ]
)


@settings(max_examples=400)
@given(texts=st.lists(contents.map(json.dumps) | odd, min_size=1, max_size=8))
def test_the_short_way_leads_to_the_same(texts: list[str]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE endpoints (id INTEGER PRIMARY KEY, name, schema)")
        connection.execute("CREATE TABLE data_entries (id INTEGER PRIMARY KEY, endpoint_id, data, is_active)")
        connection.execute("INSERT INTO endpoints VALUES (1, 'ideas', '{}')")
        connection.executemany(
            "INSERT INTO data_entries (endpoint_id, data, is_active) VALUES (1, ?, 1)",
            [(text,) for text in texts],
        )
        found = unheard_words(SQLiteConnection(connection))
    read = [words_not_heard(parsed(text), "{}", clock.now()) for text in texts]
    assert found.count == sum(map(bool, read))
    assert [number for _, number, _ in found.listed] == [n for n, words in enumerate(read, start=1) if words]


def parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
