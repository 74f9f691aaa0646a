"""Does the whole walk work with what owners build with JSON functions, full text and R*Tree?"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from app.backup.create import create_backup
from app.database import open_database
from app.entries import write
from app.privacy.viewer import Viewer
from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.detect.recognise import describe
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import exit_code_of, make_plan
from tests.upgrade.places import execute

BUILT = {
    "an index on a value in JSON": ("CREATE INDEX mine ON data_entries (json_extract(data, '$.content'))",),
    "an index on an arrow": ("CREATE INDEX mine ON data_entries (data ->> '$.content')",),
    "a partial index": ("CREATE INDEX mine ON data_entries (id) WHERE json_valid(data)",),
    "a unique index on JSON": ("CREATE UNIQUE INDEX mine ON data_entries (id, json_type(data))",),
    "a generated column": (
        "ALTER TABLE data_entries ADD COLUMN mine TEXT AS (json_extract(data, '$.meta.title')) VIRTUAL",
        "CREATE INDEX by_mine ON data_entries (mine)",
    ),
    "a check with rows": (
        "CREATE TABLE mine (j TEXT CHECK (json_valid(j)))",
        "INSERT INTO mine VALUES ('{\"a\": 1}'), ('[]')",
    ),
    "a default": (
        "CREATE TABLE mine (a, j TEXT DEFAULT (json_object('a', 1)))",
        "INSERT INTO mine (a) VALUES (1)",
    ),
    "a view": ("CREATE VIEW mine AS SELECT json_extract(data, '$.content') AS c FROM data_entries",),
    "a trigger": (
        "CREATE TABLE mine (title TEXT)",
        "CREATE TRIGGER on_write AFTER INSERT ON data_entries BEGIN"
        " INSERT INTO mine VALUES (json_extract(new.data, '$.content')); END",
    ),
    "full text (FTS5)": (
        "CREATE VIRTUAL TABLE mine USING fts5(words)",
        "INSERT INTO mine (rowid, words) SELECT id, data FROM data_entries WHERE typeof(data) = 'text'",
        "CREATE TRIGGER on_write AFTER INSERT ON data_entries BEGIN"
        " INSERT INTO mine (rowid, words) VALUES (new.id, new.data); END",
    ),
    "full text (FTS4)": (
        "CREATE VIRTUAL TABLE mine USING fts4(words)",
        "CREATE TRIGGER on_write AFTER INSERT ON data_entries BEGIN"
        " INSERT INTO mine (docid, words) VALUES (new.id, json_extract(new.data, '$.content')); END",
    ),
    "R*Tree": (
        "CREATE VIRTUAL TABLE mine USING rtree(id, low, high)",
        "INSERT INTO mine VALUES (1, 0.0, 1.0)",
        "CREATE TRIGGER on_write AFTER INSERT ON data_entries BEGIN"
        " INSERT INTO mine VALUES (new.id, new.id, new.id + 1); END",
    ),
}


def made(path: Path) -> list[tuple[str, str]]:
    """What the owner made, word for word."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE name IN ('mine', 'by_mine', 'on_write') ORDER BY name"
        ).fetchall()


@pytest.mark.parametrize("statements", BUILT.values(), ids=BUILT)
def test_the_whole_walk(statements: tuple[str, ...], old: Callable[[str], Path], settings: Settings) -> None:
    path = old("layout_b")
    execute(path, *statements)
    built = made(path)
    assert exit_code_of(make_plan(settings)) == 10
    storage = storage_for(settings.database_url)
    first = create_backup(settings, "manual", storage=storage, describe=describe)
    upgraded = run_upgrade(settings)
    assert (upgraded.state, upgraded.exit_code) == ("done", 0), upgraded.message
    assert made(path) == built
    post(settings)
    second = create_backup(settings, "manual", storage=storage, describe=describe)
    assert exit_code_of(make_plan(settings)) == 0
    restore_and_hold(settings, second.name)
    post(settings)
    back = run_rollback(settings)
    assert (back.state, back.exit_code) == ("done", 0), back.message
    assert made(path) == built
    restore_and_hold(settings, first.name)
    assert made(path) == built
    assert make_plan(settings).current.kind == "daemon"


def post(settings: Settings) -> None:
    """Write an entry as the server does."""
    database = open_database(settings)
    try:
        with database.writing() as connection:
            written = write.create(connection, Viewer("person", 1, "ann"), "ideas", {"content": "new"})
        with database.reading() as connection:
            assert connection.exec_driver_sql(
                "SELECT count(*) FROM data_entries WHERE id = ?", (written.id,)
            ).scalar()
    finally:
        database.close()
