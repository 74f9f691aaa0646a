"""Serving a file of SQLite: does it make nothing, settle a hot journal, read what is odd, tell damage?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, column, select, table, text
from sqlalchemy.engine.interfaces import CacheStats

from app.database import Database, open_database
from app.errors import Damaged, UnknownDatabase
from app.storage.sqlite.storage import SQLiteStorage
from tests.conftest import SettingsIn
from tests.storage.conftest import StartProcess, make_database

COUNT = text("SELECT count(*) FROM thing")
ADD = text("INSERT INTO thing (word) VALUES ('new')")
HOLD = """
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    for line in sys.stdin:
        connection.execute(line)
        print("done", flush=True)
"""


@pytest.fixture(params=["delete", "wal"])
def path(folder: Path, request: pytest.FixtureRequest) -> Path:
    return make_database(folder / "daemon.db", wal=request.param == "wal")


def opened(path: Path) -> Database:
    return Database(SQLiteStorage(path))


def test_a_missing_file_is_never_made(folder: Path, settings_in: SettingsIn) -> None:
    database = open_database(settings_in(folder))
    for use in (database.reading, database.writing, database.engine.connect):
        with pytest.raises(UnknownDatabase, match="There is no database") as caught, use():
            pass
        assert "daemon init" in caught.value.hint
    with pytest.raises(UnknownDatabase):
        database.generation()
    assert list(folder.iterdir()) == []


def test_an_unknown_name_is_an_error() -> None:
    import app.database

    with pytest.raises(AttributeError, match="no attribute 'motor'"):
        app.database.motor  # noqa: B018


def test_a_hot_journal_is_settled_by_the_first_use(folder: Path, other_process: StartProcess) -> None:
    path = make_database(folder / "daemon.db", rows=3000)
    writer = other_process(HOLD, path)
    for statement in ("PRAGMA cache_size = 2", "BEGIN", "UPDATE thing SET word = 'half done'"):
        writer.tell(statement)
        writer.hears()
    writer.kill()
    assert b"half done" in path.read_bytes()
    database = opened(path)
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM thing WHERE word = 'half done'")).scalar() == 0
    database.close()
    assert [file.name for file in folder.iterdir()] == ["daemon.db"]


def test_how_a_connection_is_set_up(path: Path) -> None:
    is_wal = SQLiteStorage(path).journal_mode() == "wal"
    database = opened(path)
    with database.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("foreign_keys", "synchronous", "trusted_schema", "busy_timeout", "mmap_size")
        }
    database.close()
    assert found == {
        "foreign_keys": 1,
        "synchronous": 2 if is_wal else 3,  # FULL, and EXTRA, which also syncs the folder
        "trusted_schema": 1,
        "busy_timeout": 20000,
        "mmap_size": 0,
    }


def test_text_that_is_not_utf8_is_read(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE thing SET word = CAST(x'ff41' AS TEXT) WHERE id = 1")
    database = opened(path)
    with database.reading() as reading:
        words = reading.execute(text("SELECT word FROM thing ORDER BY id")).scalars().all()
    database.close()
    assert words == ["�A", "word 1", "word 2"]


def test_damage_is_told_as_damage(folder: Path) -> None:
    path = make_database(folder / "daemon.db", rows=2000)
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    path.write_bytes(content)
    database = opened(path)
    with pytest.raises(Damaged), database.reading() as connection:
        connection.execute(text("SELECT * FROM thing")).all()
    database.close()


def is_compiled_before(connection: Connection, name: str) -> bool:
    found: Any = connection.execute(select(column(name)).select_from(table("thing")))
    return bool(found.context.cache_hit is CacheStats.CACHE_HIT)


def test_a_statement_is_compiled_once_for_all_who_ask(folder: Path) -> None:
    one, other = (opened(make_database(folder / name)) for name in ("one.db", "other.db"))
    with one.reading() as connection:
        assert not is_compiled_before(connection, "word")
        assert is_compiled_before(connection, "word")
    with one.writing() as connection:
        assert is_compiled_before(connection, "word")
    with other.reading() as connection:
        assert is_compiled_before(connection, "word")
        assert not is_compiled_before(connection, "id")
    one.close()
    other.close()
