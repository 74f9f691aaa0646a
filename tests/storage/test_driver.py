"""Is an error of SQLite an sqlite3.Error, whatever bytes are in its words?"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.storage.sqlite.connect import connect
from tests.storage.conftest import make_database

WAYS: dict[str, Callable[[sqlite3.Connection], object]] = {
    "execute": lambda connection: connection.execute("SELECT * FROM thing"),
    "executemany": lambda connection: connection.executemany("INSERT INTO thing VALUES (?)", [(1,)]),
    "a cursor": lambda connection: connection.cursor().execute("SELECT * FROM thing"),
    "many with a cursor": lambda connection: connection.cursor().executemany("DELETE FROM thing", [()]),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("name", ["ff41", "c3", "61e962"])
def test_a_schema_that_names_what_is_not_utf8(
    way: Callable[[sqlite3.Connection], object], name: str, tmp_path: Path
) -> None:
    path = make_database(tmp_path / "daemon.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA writable_schema = 1")
        connection.execute(
            f"UPDATE sqlite_master SET name = CAST(x'{name}' AS TEXT), sql = 'CREATE TABLE no no'"
        )
    with closing(connect(path, "rw")) as connection:
        with pytest.raises(sqlite3.DatabaseError, match="malformed database schema") as raised:
            way(connection)
        assert raised.value.sqlite_errorcode == sqlite3.SQLITE_CORRUPT
        assert "�" in str(raised.value)
