"""Does the check of a database say which rows are against a rule, whatever the rule and the key?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.storage.sqlite.soundness import soundness_of

# What is there, how the rule comes to it, and the rows that the finding must name.
RULES = {
    "a NULL": (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); "
        "INSERT INTO t VALUES (3, NULL), (4, 'x'), (7, NULL)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL)",
        ("NULL value in t.a", ("3", "7")),
    ),
    "a CHECK": (
        "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2), (2, 1), (5, 3)",
        "CREATE TABLE t (a, b, CHECK (a < b))",
        ("CHECK (a < b) failed in t", ("2", "3")),
    ),
    "a table without numbers of its rows": (
        "CREATE TABLE t (k TEXT, n INT, a, PRIMARY KEY (k, n)) WITHOUT ROWID; "
        "INSERT INTO t VALUES ('x', 1, NULL)",
        "CREATE TABLE t (k TEXT, n INT, a NOT NULL, PRIMARY KEY (k, n)) WITHOUT ROWID",
        ("NULL value in t.a", ("x/1",)),
    ),
    "dots in its names": (
        'CREATE TABLE "a.b" ("c.d" TEXT); INSERT INTO "a.b" VALUES (NULL)',
        'CREATE TABLE "a.b" ("c.d" TEXT NOT NULL)',
        ("NULL value in a.b.c.d", ("1",)),
    ),
}


def changed_rule(path: Path, made: str, as_if: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(made)
        name = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchone()[0]
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (as_if, name))
        connection.commit()


@pytest.mark.parametrize(("made", "as_if", "expected"), RULES.values(), ids=RULES)
def test_the_rows_are_named(
    made: str, as_if: str, expected: tuple[str, tuple[str, ...]], tmp_path: Path
) -> None:
    changed_rule(tmp_path / "x.db", made, as_if)
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        found = soundness_of(connection)
    line, named = expected
    assert set(found.content) == {line}
    assert found.content_rows == {line: named}
    assert found.damage == ()


INDEXES = {
    "a column": ("CREATE INDEX i ON t (a)", "CREATE UNIQUE INDEX i ON t (a)"),
    "a case that does not count": (
        "CREATE INDEX i ON t (b COLLATE NOCASE)",
        "CREATE UNIQUE INDEX i ON t (b COLLATE NOCASE)",
    ),
    "an expression": ("CREATE INDEX i ON t (lower(b) DESC)", "CREATE UNIQUE INDEX i ON t (lower(b) DESC)"),
    "a part": ("CREATE INDEX i ON t (a) WHERE id < 9", "CREATE UNIQUE INDEX i ON t (a) WHERE id < 9"),
}


@pytest.mark.parametrize(("made", "as_if"), INDEXES.values(), ids=INDEXES)
def test_rows_that_share_what_may_be_there_once_are_named(made: str, as_if: str, tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b);"
            "INSERT INTO t VALUES (1, 1, 'Ann'), (2, 2, 'x'), (3, 1, 'ann'), (5, NULL, NULL), (6, NULL, 0);"
            f"{made}"
        )
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'i'", (as_if,))
        connection.commit()
    with closing(sqlite3.connect(path)) as connection:
        found = soundness_of(connection)
    assert set(found.content) == {"non-unique entry in index i"}
    assert found.content_rows == {"non-unique entry in index i": ("1", "3")}


def test_of_many_rows_a_few_are_named(tmp_path: Path) -> None:
    many = ", ".join("(NULL)" for _ in range(40))
    changed_rule(
        tmp_path / "x.db", f"CREATE TABLE t (a); INSERT INTO t VALUES {many}", "CREATE TABLE t (a NOT NULL)"
    )
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        found = soundness_of(connection)
    assert len(found.content) == 40
    assert found.content_rows == {"NULL value in t.a": ("1", "2", "3", "4", "5")}
