"""Does a rebuilt table keep everything, and do set-aside triggers and views come back as they were?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.storage.fingerprint import difference
from app.storage.sqlite.rebuild import rebuild_table
from app.storage.sqlite.schema import schema_of
from app.storage.sqlite.storage import SQLiteStorage

OLD = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT, owner INTEGER REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT COLLATE NOCASE, before INTEGER REFERENCES entry (id)
);
CREATE TABLE child (id INTEGER PRIMARY KEY, entry INTEGER REFERENCES entry (id) ON DELETE CASCADE);
CREATE UNIQUE INDEX by_kind ON entry (kind DESC, owner) WHERE owner > 0;
CREATE INDEX by_expression ON entry (lower(kind));
CREATE TRIGGER count_up AFTER INSERT ON entry BEGIN UPDATE users SET name = name || '+'; END;
CREATE TRIGGER elsewhere AFTER DELETE ON users BEGIN DELETE FROM entry WHERE owner = old.id; END;
CREATE VIEW names AS SELECT entry.id, users.name FROM entry JOIN users ON owner = users.id;
CREATE TRIGGER on_view INSTEAD OF DELETE ON names BEGIN SELECT 1; END;
INSERT INTO users VALUES (1, 'ann');
INSERT INTO entry VALUES (1, 1, 'a', NULL), (2, 1, 'B', 1), (90, 1, 'c', 2);
DELETE FROM entry WHERE id = 90;
INSERT INTO child VALUES (1, 1), (2, 2), (3, 2);
"""
NEW = """CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- as before
    owner INTEGER REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT COLLATE NOCASE NOT NULL, before INTEGER REFERENCES entry (id), length INTEGER
)"""


@pytest.fixture
def path(folder: Path) -> Path:
    with closing(sqlite3.connect(folder / "daemon.db")) as connection:
        connection.executescript(OLD)
    return folder / "daemon.db"


def statements_in(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


def test_a_rebuild_keeps_rows_children_indexes_triggers_views_and_the_counter(path: Path) -> None:
    storage = SQLiteStorage(path)
    before = statements_in(path)
    with storage.migration_connection() as migration:
        columns = {name: name for name in ("id", "owner", "kind", "before")} | {"length": "length(kind)"}
        assert rebuild_table(migration.sqlite, "entry", NEW, columns) == 2
        migration.commit_durably()
    assert statements_in(path) == before | {"entry": NEW}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM entry").fetchall() == [
            (1, 1, "a", None, 1),
            (2, 1, "B", 1, 1),
        ]
        assert connection.execute("SELECT count(*) FROM child").fetchone() == (3,)
        assert connection.execute("SELECT name FROM users").fetchone() == ("ann+++",)  # as of the first three
        assert connection.execute("SELECT seq FROM sqlite_sequence").fetchall() == [(90,)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = schema_of(connection)
    assert next(iter(found.tables["child"].foreign_keys)).parent == "entry"


def test_a_rebuild_into_the_same_form_changes_nothing(path: Path) -> None:
    storage = SQLiteStorage(path)
    with storage.migration_connection() as migration:
        was = migration.schema()
        digest = migration.digest("entry", ["id", "owner", "kind", "before"])
        sql = statements_in(path)["entry"]
        rebuild_table(migration.sqlite, "entry", sql, ["id", "owner", "kind", "before"])
        assert migration.schema() == was
        assert migration.digest("entry", ["id", "owner", "kind", "before"]) == digest


def test_a_counter_survives_an_empty_table(path: Path) -> None:
    storage = SQLiteStorage(path)
    with storage.migration_connection() as migration:
        migration.sqlite.execute("DELETE FROM entry")
        rebuild_table(migration.sqlite, "ENTRY", NEW, ["id", "kind"])
        assert migration.sqlite.execute("SELECT name, seq FROM sqlite_sequence").fetchall() == [("entry", 90)]


def test_rows_that_do_not_arrive_stop_it(path: Path) -> None:
    storage = SQLiteStorage(path)
    with storage.migration_connection() as migration:
        lossy = NEW.replace("kind TEXT COLLATE NOCASE", "kind TEXT UNIQUE ON CONFLICT IGNORE")
        with pytest.raises(RuntimeError, match="had 2 rows before it was rebuilt, and 1 after"):
            rebuild_table(migration.sqlite, "entry", lossy, {"id": "id", "kind": "'same'"})
    assert "IGNORE" not in statements_in(path)["entry"]


def test_it_refuses_where_it_would_take_the_rows_of_others(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(RuntimeError, match="inside a transaction"):
            rebuild_table(connection, "entry", NEW, ["id", "kind"])
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN")
        with pytest.raises(RuntimeError, match="foreign keys off"):
            rebuild_table(connection, "entry", NEW, ["id", "kind"])


def test_triggers_and_views_stand_aside_and_come_back_verbatim(path: Path) -> None:
    storage = SQLiteStorage(path)
    with storage.migration_connection() as migration:
        was = migration.schema()
        aside = migration.drop_triggers()
        assert len(aside) == 4
        now = migration.schema()
        assert (now.triggers, now.views) == ({}, {})
        migration.sqlite.execute("INSERT INTO entry (kind) VALUES ('silent')")
        migration.create_again(aside)
        assert difference(migration.schema(), was) == []
        migration.commit_durably()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM users").fetchone() == ("ann+++",)
    before = {line.split("(")[0].strip() for line in OLD.split(";") if "CREATE" in line}
    assert len(statements_in(path)) == len(before) + 1  # sqlite_sequence


def test_a_view_of_something_that_is_gone_comes_back_too(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE VIEW broken AS SELECT a FROM nowhere")
    storage = SQLiteStorage(path)
    with storage.migration_connection() as migration:
        aside = migration.drop_triggers()
        migration.create_again(aside)
        assert "broken" in migration.schema().views
