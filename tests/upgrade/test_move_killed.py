"""What is there when a move is killed, at each of its points? One database that is served, whole, or none."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.errors import MovedDatabase, Refused
from app.settings import Settings
from app.storage import failures
from app.storage.postgresql.migration import PostgreSQLMigration
from app.storage.postgresql.storage import PostgreSQLStorage
from app.storage.postgresql.typed_rows import PostgreSQLTypedRows
from app.storage.registry import storage_for
from app.storage.sqlite.migration import SQLiteMigration
from app.storage.sqlite.storage import SQLiteStorage
from app.storage.sqlite.typed_rows import SQLiteTypedRows
from app.storage.types import StorageError
from app.upgrade.move import into_file, into_server, move
from app.upgrade.move.move import check_move, run_move
from app.upgrade.readiness import ask_readiness
from tests.conftest import SettingsIn
from tests.databases import PostgreSQLDatabases, SQLiteDatabases
from tests.upgrade.killing import killed_at
from tests.upgrade.places import execute
from tests.upgrade.typed import everything

pytestmark = pytest.mark.needs("postgresql")

# (where, what): the process is killed just before the call, and just after it.
TO_SERVER: dict[str, tuple[Any, str]] = {
    "tables": (into_server, "apply_all"),
    "rows": (PostgreSQLTypedRows, "insert_all"),
    "compare": (move, "refuse_if_different"),
    "half made": (PostgreSQLMigration, "set_note"),
    "commit": (PostgreSQLMigration, "commit_durably"),
    "files": (move, "copy_files"),
    "source marked": (SQLiteStorage, "set_note"),
    "target marked": (PostgreSQLStorage, "set_note"),
}
TO_FILE: dict[str, tuple[Any, str]] = {
    "tables": (into_file, "run_every_step"),
    "rows": (SQLiteTypedRows, "insert_all"),
    "compare": (move, "refuse_if_different"),
    "commit": (SQLiteMigration, "commit_durably"),
    "half made": (SQLiteStorage, "set_note"),
    "in place": (into_file, "link_in_place"),
    "files": (move, "copy_files"),
    "source marked": (PostgreSQLMigration, "commit_durably"),
}
DEADLINE_SECONDS = 30.0
POINTS = [
    (direction, name, when)
    for direction, points in (("server", TO_SERVER), ("file", TO_FILE))
    for name in points
    for when in ("before", "after")
]


@pytest.fixture
def settings(home: Path, settings_in: SettingsIn, sqlite_databases: SQLiteDatabases) -> Settings:
    """The settings of a folder with a fresh database."""
    sqlite_databases.fresh(home)
    return settings_in(home)


def readiness(settings: Settings) -> str:
    """The state once a server has noticed that who held the database is gone: until then it is BUSY."""
    ends = time.monotonic() + DEADLINE_SECONDS
    while True:
        state = ask_readiness(settings, storage_for(settings.database_url)).state
        if state != "BUSY" or time.monotonic() > ends:
            return state
        time.sleep(0.01)


@pytest.mark.sweep
@pytest.mark.parametrize(("direction", "name", "when"), POINTS, ids=map("-".join, POINTS))
def test_a_killed_move_leaves_one_database_and_the_next_ends_it(
    settings: Settings,
    postgresql_databases: PostgreSQLDatabases,
    direction: str,
    name: str,
    when: str,
) -> None:
    postgresql_databases.begin_test()
    there = replace(settings, database_url=postgresql_databases.place(settings.data_dir))
    execute(settings.database_path, "UPDATE endpoints SET is_active = 'perhaps' WHERE id = 3")
    before, bytes_before = everything(settings.database_path), settings.database_path.read_bytes()
    source, target, points = settings, there, TO_SERVER
    if direction == "file":
        run_move(settings, there)
        back = replace(settings, database_url=f"sqlite:///{settings.data_dir / 'back.db'}")
        source, target, points = there, back, TO_FILE

    killed_at(*points[name], when, lambda: run_move(source, target))

    states = (readiness(source), readiness(target))
    assert states in {
        ("READY", "LOST"),
        ("READY", "MOVED"),
        ("READY", "EMPTY"),
        ("MOVED", "MOVED"),
        ("MOVED", "READY"),
    }
    assert settings.database_path.read_bytes() == bytes_before
    if states != ("MOVED", "READY"):
        run_move(source, target)
    assert (readiness(source), readiness(target)) == ("MOVED", "READY")
    if direction == "file":
        assert everything(target.database_path) == before
        assert not list(settings.data_dir.glob(".*.moving*"))


def test_a_move_that_lacks_only_its_last_mark_says_so_and_the_next_ends_it(
    settings: Settings, postgresql_databases: PostgreSQLDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgresql_databases.begin_test()
    there = replace(settings, database_url=postgresql_databases.place(settings.data_dir))

    def fails(storage: PostgreSQLStorage, text: str) -> None:
        raise StorageError("not_opened", psycopg.OperationalError("server closed the connection"))

    with monkeypatch.context() as patched:
        patched.setattr(PostgreSQLStorage, "set_note", fails)
        with pytest.raises(MovedDatabase, match="is not served any more") as told:
            run_move(settings, there)
    assert "nothing was moved" not in str(told.value)
    assert "daemon move --to" in told.value.hint
    assert (readiness(settings), readiness(there)) == ("MOVED", "MOVED")
    assert run_move(settings, there).was_ended
    assert (readiness(settings), readiness(there)) == ("MOVED", "READY")


def test_a_move_into_a_file_asks_for_room_first(
    settings: Settings, postgresql_databases: PostgreSQLDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgresql_databases.begin_test()
    there = replace(settings, database_url=postgresql_databases.place(settings.data_dir))
    run_move(settings, there)
    back = replace(settings, database_url=f"sqlite:///{settings.data_dir / 'new' / 'back.db'}")
    monkeypatch.setattr(failures, "free_bytes", lambda folder: 1_000_000)
    for act in (check_move, run_move):
        with pytest.raises(Refused, match=r"too little room.*nothing was moved"):
            act(there, back)
    assert readiness(there) == "READY"
    assert not back.data_dir.joinpath("new").exists()
