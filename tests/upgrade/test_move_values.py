"""Does every value come back with its type, also those that PostgreSQL cannot hold?"""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from app.storage.postgresql.types import type_of
from app.storage.schema import quoted
from app.upgrade.move.fit import Column, fitted
from app.upgrade.move.move import check_move, run_move
from app.upgrade.versions.expected_schema import our_tables, schema_at
from app.upgrade.versions.releases import NEWEST
from tests.conftest import SettingsIn
from tests.databases import PostgreSQLDatabases, SQLiteDatabases
from tests.upgrade.typed import everything

pytestmark = pytest.mark.needs("postgresql")

NASTY: tuple[Any, ...] = (
    None,
    *(0, 1, -1, 7, 2**15, 2**31, 2**63 - 1, -(2**63), 2**53 - 1),
    *(0.5, -0.0, 1e308, float("inf"), float("-inf"), 3.0),
    *("", "1", " 2 ", "1.50", "1e3", ".5", "0x10", "abc", "true", "2026-01-01 00:00:00", "{}", "[1]", "12a"),
    *("a\0b", "\0", "\x01", "Zoë", "\U0001f600", "\\N", "\\", "tab\tnl\n", '{"a": "\\u0000"}', "\ufffd"),
    *(b"", b"abc", b"\xff\x00", b"1"),
)
BROKEN = (
    b"\xff",
    b"ok\xc3",
    b"\xed\xa0\x80",
    b"a\x00\xfe",
)  # bytes that are no text in UTF-8, stored as text


@pytest.fixture
def settings(home: Path, settings_in: SettingsIn, sqlite_databases: SQLiteDatabases) -> Settings:
    """The settings of a folder with a fresh database."""
    sqlite_databases.fresh(home)
    return settings_in(home)


def abuse(path: Path, seed: int, rows: int = 25) -> None:
    """Put rows with whatever SQLite takes into every table of ours, the rules of keys aside."""
    chance = random.Random(seed)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        for table in our_tables():
            columns = connection.execute(f"PRAGMA table_info({quoted(table)})").fetchall()
            for _ in range(rows):
                _insert(connection, table, columns, chance)
        for table in ("users", "data_entries", "audit_logs"):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({quoted(table)})")]
            for column in columns[1:]:
                broken = chance.choice(BROKEN)
                connection.execute(
                    f"UPDATE OR IGNORE {table} SET {quoted(column)} = CAST(? AS TEXT)"
                    f" WHERE id = (SELECT id FROM {table} ORDER BY random() LIMIT 1)",
                    (broken,),
                )


def _insert(
    connection: sqlite3.Connection, table: str, columns: list[tuple[Any, ...]], chance: random.Random
) -> None:
    values: list[Any] = []
    for _, name, declared, *_ in columns:
        if name == "id" or (name in ("user_id", "created_by_id", "endpoint_id") and chance.random() < 0.7):
            values.append(chance.randint(1, 40))
        elif chance.random() < 0.6 and declared not in ("INTEGER", "BOOLEAN"):
            values.append(f"{name} {chance.random()}")
        else:
            values.append(chance.choice(NASTY))
    names = ", ".join(quoted(row[1]) for row in columns)
    marks = ", ".join("?" * len(values))
    with suppress(sqlite3.IntegrityError):  # a row that even SQLite does not take
        connection.execute(f"INSERT OR IGNORE INTO {quoted(table)} ({names}) VALUES ({marks})", values)


@pytest.fixture
def places(
    settings: Settings, postgresql_databases: PostgreSQLDatabases
) -> tuple[Settings, Settings, Settings]:
    """A new database, the empty one on a server, and a file that is not there yet."""
    postgresql_databases.begin_test()
    there = replace(settings, database_url=postgresql_databases.place(settings.data_dir))
    back = replace(settings, database_url=f"sqlite:///{settings.data_dir / 'back.db'}")
    return settings, there, back


def test_every_column_is_known_as_what_it_is_on_the_server() -> None:
    on_server = {
        "number": "BIGINT",
        "flag": "SMALLINT",
        "text": "TEXT",
        "any": "BYTEA",
        "real": "DOUBLE PRECISION",
    }
    for table in our_tables():
        for name, known in schema_at(NEWEST).tables[table].columns.items():
            assert on_server[Column(name, known.type).kind] == type_of(known.type), f"{table}.{name}"


def test_what_stands_for_a_switch_means_what_the_value_meant() -> None:
    """Readers ask whether a switch is 1, and whether it is not 0: both say the same of what stands for it."""
    flag = Column("is_active", "BOOLEAN")
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (value BOOLEAN)")
        connection.executemany("INSERT INTO t VALUES (?)", [(value,) for value in NASTY])
        for value, is_one, is_not_zero in connection.execute("SELECT value, value = 1, value <> 0 FROM t"):
            stands = fitted(value, flag, "postgresql").stored
            meant = (None, None) if stands is None else (int(stands == 1), int(stands != 0))
            assert meant == (is_one, is_not_zero), value


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(12))
def test_affinity_abuse_comes_back_unchanged(places: tuple[Settings, Settings, Settings], seed: int) -> None:
    source, there, back = places
    abuse(source.database_path, seed)
    before = everything(source.database_path)
    census = check_move(source, there)

    run_move(source, there)
    run_move(there, back)

    assert everything(back.database_path) == before
    assert census.misfits, "nothing was odd: the abuse is none"
