"""Which rows were written since an earlier copy, when the steps between say what they put in?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from app.storage.sqlite.connection import SQLiteConnection
from app.upgrade.checks import row_changes
from app.upgrade.checks.row_changes import Written, highest_ids, written_since
from app.upgrade.versions.contracts import Contract
from app.upgrade.versions.releases import NEWEST

NOTHING: dict[str, str] = {}
STEP = Contract(
    adds=frozenset({"tallies"}),
    grows=frozenset({"flags", "user_privacy_settings", "tallies"}),
    changes={},
    needs=NOTHING,
    down={"tallies": "derived"},
    withheld=NOTHING,
    readable=NOTHING,
)
SCHEMA = """
    CREATE TABLE users (id INTEGER PRIMARY KEY, username);
    CREATE TABLE flags (id INTEGER PRIMARY KEY, name);
    CREATE TABLE user_privacy_settings (user_id INTEGER PRIMARY KEY REFERENCES users (id), privacy_level);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, text);
    INSERT INTO users VALUES (1, 'ada');
    INSERT INTO notes VALUES (1, 'a');
"""
BY_THE_STEP = """
    CREATE TABLE tallies (id INTEGER PRIMARY KEY, count);
    INSERT INTO flags VALUES (1, 'a'), (2, 'b');
    INSERT INTO user_privacy_settings VALUES (1, NULL);
    INSERT INTO tallies VALUES (1, 7);
"""


@pytest.fixture(autouse=True)
def one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_changes, "_contracts", lambda target: (STEP,))


@contextmanager
def databases(since: str) -> Iterator[tuple[SQLiteConnection, SQLiteConnection, dict[str, int]]]:
    """The state before, the state after the step and ``since``, and the highest ids between the two."""
    with closing(sqlite3.connect(":memory:")) as before, closing(sqlite3.connect(":memory:")) as now:
        before.executescript(SCHEMA)
        now.executescript(SCHEMA + BY_THE_STEP)
        highest = highest_ids(SQLiteConnection(now), NEWEST)
        now.executescript(since)
        yield SQLiteConnection(before), SQLiteConnection(now), highest


def test_what_the_step_put_in_and_finds_out_is_not_counted() -> None:
    with databases("INSERT INTO tallies VALUES (2, 8); UPDATE tallies SET count = 9") as (
        before,
        now,
        highest,
    ):
        assert highest == {"flags": 2}
        assert written_since(before, now, highest) == {}


def test_what_people_wrote_is_counted_in_the_same_tables() -> None:
    since = """
        INSERT INTO flags VALUES (3, 'c');
        INSERT INTO users VALUES (2, 'bob');
        INSERT INTO user_privacy_settings VALUES (2, NULL);
        UPDATE notes SET text = 'b';
    """
    with databases(since) as (before, now, highest):
        assert written_since(before, now, highest) == {
            "flags": Written(added=1),
            "notes": Written(changed=1),
            "user_privacy_settings": Written(added=1),
            "users": Written(added=1),
        }
