"""Does a fingerprint tell schemas apart by what matters, and by nothing else?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage.fingerprint import Difference, difference, fingerprint
from app.storage.registry import schema_from_sql
from app.storage.sqlite.full_text import MAKE
from app.storage.sqlite.schema import schema_of

SHEET = """
CREATE TABLE users (
    id INTEGER NOT NULL, username VARCHAR(50) NOT NULL, is_admin BOOLEAN,
    created_at DATETIME DEFAULT (CURRENT_TIMESTAMP), PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_users_username ON users (username);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, owner INTEGER REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT COLLATE NOCASE, size INTEGER CHECK (size > 0), UNIQUE (owner, kind)
);
CREATE INDEX ix_entries_kind ON entries (kind, size DESC) WHERE size > 3;
CREATE TRIGGER tr AFTER INSERT ON entries BEGIN UPDATE users SET is_admin = 0; END;
CREATE VIEW small AS SELECT id FROM entries WHERE size < 9;
"""
WANT = schema_from_sql(SHEET)

SAME = {
    "another spelling": (
        "id INTEGER NOT NULL, username VARCHAR(50) NOT NULL",
        "[id] integer not null, -- the key\n  `username` varchar ( 50 ) NOT  NULL",
    ),
    "the order of columns": (
        "username VARCHAR(50) NOT NULL, is_admin BOOLEAN",
        "is_admin BOOLEAN, username VARCHAR(50) NOT NULL",
    ),
    "parentheses around a default": ("(CURRENT_TIMESTAMP)", "CURRENT_TIMESTAMP"),
    "NOT NULL of a rowid": ("id INTEGER NOT NULL,", "id INTEGER,"),
    "the key's place in the text": ("id INTEGER PRIMARY KEY AUTO", "id INTEGER NOT NULL PRIMARY KEY AUTO"),
    "the parent's key left out": ("REFERENCES users (id)", "REFERENCES users"),
    "a named constraint": ("UNIQUE (owner, kind)", "CONSTRAINT one_each UNIQUE (owner, kind)"),
    "a key told at the end": (
        "INTEGER REFERENCES users (id) ON DELETE CASCADE,\n"
        "    kind TEXT COLLATE NOCASE, size INTEGER CHECK (size > 0),",
        'INTEGER, kind TEXT COLLATE NOCASE, size INTEGER, CHECK ( "size">0 ), '
        "FOREIGN KEY(owner) REFERENCES USERS(ID) ON DELETE CASCADE,",
    ),
    "small letters": ("CREATE TABLE users", "create table Users"),
    "a comment in a trigger": ("BEGIN UPDATE users", 'BEGIN /* none */ UPDATE "users"'),
}

OTHER = {
    "type": ("username VARCHAR(50)", "username VARCHAR(51)", "column", "users.username"),
    "null allowed": ("VARCHAR(50) NOT NULL", "VARCHAR(50)", "column", "users.username"),
    "default": ("(CURRENT_TIMESTAMP)", "(CURRENT_DATE)", "column", "users.created_at"),
    "default gone": (" DEFAULT (CURRENT_TIMESTAMP)", "", "column", "users.created_at"),
    "column gone": (" is_admin BOOLEAN,", "", "column", "users.is_admin"),
    "key": ("PRIMARY KEY (id)", "PRIMARY KEY (username)", "column", "users.id"),
    "not a rowid": ("id INTEGER NOT NULL", "id INT NOT NULL", "constraint", "users"),
    "collation": (" COLLATE NOCASE", "", "column", "entries.kind"),
    "autoincrement": (" AUTOINCREMENT", "", "table", "entries"),
    "check gone": (" CHECK (size > 0)", "", "constraint", "entries"),
    "check weakened": ("CHECK (size > 0)", "CHECK (size > -1)", "constraint", "entries"),
    "cascade": (" ON DELETE CASCADE", "", "constraint", "entries"),
    "deferred": ("CASCADE,", "CASCADE DEFERRABLE INITIALLY DEFERRED,", "constraint", "entries"),
    "parent": ("REFERENCES users", "REFERENCES user", "constraint", "entries"),
    "unique constraint gone": (", UNIQUE (owner, kind)", "", "constraint", "entries"),
    "unique constraint new": (
        "UNIQUE (owner, kind)",
        "UNIQUE (owner, kind), UNIQUE (size)",
        "constraint",
        "entries",
    ),
    "on conflict": (
        "UNIQUE (owner, kind)",
        "UNIQUE (owner, kind) ON CONFLICT REPLACE",
        "constraint",
        "entries",
    ),
    "index not unique": ("CREATE UNIQUE INDEX", "CREATE INDEX", "index", "ix_users_username"),
    "index order": ("size DESC)", "size)", "index", "ix_entries_kind"),
    "index collation": ("(kind, size", "(kind COLLATE BINARY, size", "index", "ix_entries_kind"),
    "index condition": ("WHERE size > 3", "WHERE size > 4", "index", "ix_entries_kind"),
    "index condition gone": (" WHERE size > 3", "", "index", "ix_entries_kind"),
    "index gone": (
        "CREATE UNIQUE INDEX ix_users_username ON users (username);",
        "",
        "index",
        "ix_users_username",
    ),
    "trigger": ("SET is_admin = 0", "SET is_admin = 1", "trigger", "tr"),
    "view": ("size < 9", "size < 8", "view", "small"),
    "view gone": ("CREATE VIEW small AS SELECT id FROM entries WHERE size < 9;", "", "view", "small"),
    "strict": ("PRIMARY KEY (id)\n)", "PRIMARY KEY (id)\n) WITHOUT ROWID", "table", "users"),
    "generated": ("is_admin BOOLEAN", "is_admin BOOLEAN AS (1)", "column", "users.is_admin"),
    "an added column that must be filled": (
        "is_admin BOOLEAN",
        "is_admin BOOLEAN, shoe INTEGER NOT NULL",
        "column",
        "users.shoe",
    ),
}

ADDED = {
    "table": ("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)", "table", "notes"),
    "column": (
        "ALTER TABLE users ADD COLUMN shoe INTEGER DEFAULT 42 CHECK (shoe > 9)",
        "column",
        "users.shoe",
    ),
    "column with a key": ("ALTER TABLE entries ADD COLUMN also REFERENCES users", "column", "entries.also"),
    "odd column": (
        'ALTER TABLE users ADD COLUMN "my shoe" CHECK ("my shoe" <> 3)',
        "column",
        "users.my shoe",
    ),
    "index": ("CREATE UNIQUE INDEX mine ON users (is_admin, username)", "index", "mine"),
    "trigger": ("CREATE TRIGGER mine BEFORE DELETE ON users BEGIN SELECT 1; END", "trigger", "mine"),
    "view": ("CREATE VIEW mine AS SELECT * FROM nowhere", "view", "mine"),
    "virtual table": ("CREATE VIRTUAL TABLE mine USING fts5 (text)", "table", "mine"),
}


def changed(old: str, new: str) -> str:
    assert old in SHEET
    return SHEET.replace(old, new, 1)


@pytest.mark.parametrize("name", SAME)
def test_spelling_does_not_matter(name: str) -> None:
    have = schema_from_sql(changed(*SAME[name]))
    assert difference(have, WANT) == []
    assert fingerprint(have, WANT) == fingerprint(WANT, WANT)


@pytest.mark.parametrize("name", OTHER)
def test_every_change_is_seen_and_named(name: str) -> None:
    old, new, what, named = OTHER[name]
    have = schema_from_sql(changed(old, new))
    found = [one for one in difference(have, WANT) if one.kind != "extra"]
    assert (what, named) in {(one.what, one.name) for one in found}
    assert fingerprint(have, WANT) != fingerprint(WANT, WANT)


@pytest.mark.parametrize("name", ADDED)
def test_what_the_owner_added_is_listed_and_nothing_else(name: str) -> None:
    statement, what, named = ADDED[name]
    have = schema_from_sql(SHEET + statement)
    found = difference(have, WANT)
    assert ("extra", what, named) in {(one.kind, one.what, one.name) for one in found}
    assert {one.kind for one in found} == {"extra"}
    assert fingerprint(have, WANT) == fingerprint(WANT, WANT)


@given(
    st.lists(st.sampled_from(sorted(OTHER)), max_size=2, unique=True),
    st.lists(st.sampled_from(sorted(ADDED)), max_size=3, unique=True),
)
def test_the_fingerprint_is_ours_exactly_when_nothing_is_missing_or_changed(
    changes: list[str], additions: list[str]
) -> None:
    text = SHEET
    for name in changes:
        text = text.replace(OTHER[name][0], OTHER[name][1], 1)
    text += ";".join(ADDED[name][0] for name in additions if ADDED[name][2] != "mine")
    try:
        have = schema_from_sql(text)
    except sqlite3.OperationalError:  # two changes that do not go together
        return
    drift = [one for one in difference(have, WANT) if one.kind != "extra"]
    assert (fingerprint(have, WANT) == fingerprint(WANT, WANT)) == (not drift)


def test_a_schema_made_by_alter_equals_one_made_whole() -> None:
    by_alter = schema_from_sql(
        SHEET.replace(" is_admin BOOLEAN,", "") + "ALTER TABLE users ADD COLUMN is_admin BOOLEAN;"
    )
    assert fingerprint(by_alter, WANT) == fingerprint(WANT, WANT)


def test_missing_tables_and_the_order_of_the_answer() -> None:
    have = schema_from_sql("CREATE TABLE zebra (a); CREATE TABLE users (id INTEGER PRIMARY KEY)")
    found = difference(have, WANT)
    assert Difference("missing", "table", "entries") in found
    assert found[-1] == Difference("extra", "table", "zebra")
    assert [one.kind for one in found] == sorted([one.kind for one in found], key=["missing", "extra"].index)


def test_a_damaged_virtual_table_and_a_name_that_is_not_utf8_do_not_stop_it(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "odd.db", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE plain (a)")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "INSERT INTO sqlite_master VALUES ('table', 'gone', 'gone', 0, "
            "'CREATE VIRTUAL TABLE gone USING no_such_module(a)')"
        )
        connection.execute(
            "INSERT INTO sqlite_master VALUES ('view', CAST(x'62e4' AS TEXT), CAST(x'62e4' AS TEXT), 0, "
            "CAST('CREATE VIEW ' || x'62e4' || ' AS SELECT 1' AS TEXT))"
        )
    with closing(sqlite3.connect(folder / "odd.db")) as connection:
        found = schema_of(connection)
    assert set(found.tables) == {"plain", "gone"}
    assert found.tables["gone"].columns == {}
    assert list(found.views) == ["b�"]


def test_every_old_database_has_a_schema(legacy_database: Path) -> None:
    with closing(sqlite3.connect(f"file:{legacy_database}?mode=ro&immutable=1", uri=True)) as connection:
        found = schema_of(connection)
    assert "users" in found.tables
    assert fingerprint(found, found) != fingerprint(found, WANT)
    assert difference(found, found) == []


def test_a_schema_is_read_anew_as_soon_as_a_statement_of_it_is_another(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "one.db", isolation_level=None)) as connection:
        connection.executescript(SHEET)
        first = schema_of(connection)
        assert schema_of(connection) is first, "the same statements are the same schema"
        connection.execute(MAKE)
        assert schema_of(connection) is first, "the index of the search is no part of it"
        connection.execute("BEGIN")
        connection.execute("ALTER TABLE users ADD COLUMN note TEXT")
        assert "note" in schema_of(connection).tables["users"].columns
        connection.execute("ROLLBACK")
        assert schema_of(connection) == first == WANT
