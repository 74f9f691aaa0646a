"""What is there when a move is killed, at each of its points? One database that is served, whole, or none."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.settings import Settings
from app.storage.postgresql.migration import PostgreSQLMigration
from app.storage.postgresql.storage import PostgreSQLStorage
from app.storage.postgresql.typed_rows import PostgreSQLTypedRows
from app.storage.registry import storage_for
from app.storage.sqlite.migration import SQLiteMigration
from app.storage.sqlite.storage import SQLiteStorage
from app.storage.sqlite.typed_rows import SQLiteTypedRows
from app.upgrade.move import into_file, into_server, move
from app.upgrade.move.move import run_move
from app.upgrade.operations.init import initialise
from app.upgrade.readiness import ask_readiness
from tests.postgresql import PostgreSQL
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
    "source marked": (PostgreSQLStorage, "set_note"),
}
POINTS = [
    (direction, name, when)
    for direction, points in (("server", TO_SERVER), ("file", TO_FILE))
    for name in points
    for when in ("before", "after")
]


def killed_at(place: Any, name: str, when: str, run: Callable[[], object]) -> None:
    """Run in a process of its own that is killed at its first call of ``name``, before or after it."""
    child = os.fork()
    if child == 0:
        try:
            called = getattr(place, name)

            def dying(*arguments: Any, **more: Any) -> None:
                if when == "after":
                    called(*arguments, **more)
                os.kill(os.getpid(), signal.SIGKILL)

            setattr(place, name, dying)
            run()
        finally:
            os._exit(9)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "it was not killed: that point was never reached"
    assert os.WTERMSIG(status) == signal.SIGKILL


def readiness(settings: Settings) -> str:
    return ask_readiness(settings, storage_for(settings.database_url)).state


@pytest.mark.sweep
@pytest.mark.parametrize(("direction", "name", "when"), POINTS, ids=map("-".join, POINTS))
def test_a_killed_move_leaves_one_database_and_the_next_ends_it(
    settings: Settings,
    postgresql_server: PostgreSQL,
    postgresql_database: str,
    direction: str,
    name: str,
    when: str,
) -> None:
    there = replace(settings, database_url=postgresql_server.url(postgresql_database))
    initialise(settings)
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
