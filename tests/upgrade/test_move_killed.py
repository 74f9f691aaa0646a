"""What is there when a move or its undo is killed, at each point? One database that is served, whole."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app import files
from app.errors import Conflict, DaemonError, MovedDatabase, Refused
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
from app.upgrade.move import into_file, into_server, move, undo
from app.upgrade.move.move import check_move, run_move
from app.upgrade.move.undo import undo_move
from app.upgrade.operations.identify import note_opening
from app.upgrade.operations.init import initialise
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
    "decided": (SQLiteStorage, "set_note"),
    "server marked": (PostgreSQLStorage, "set_note"),
}
TO_FILE: dict[str, tuple[Any, str]] = {
    "tables": (into_file, "run_every_step"),
    "rows": (SQLiteTypedRows, "insert_all"),
    "compare": (move, "refuse_if_different"),
    "commit": (SQLiteMigration, "commit_durably"),
    "half made": (SQLiteStorage, "set_note"),
    "in place": (into_file, "link_in_place"),
    "files": (move, "copy_files"),
    "server to ask": (PostgreSQLMigration, "commit_durably"),
    "decided": (move, "_decide"),
    "server marked": (PostgreSQLStorage, "set_note"),
}
UNDO: dict[str, dict[str, tuple[Any, str]]] = {
    "server": {
        "server to ask": (PostgreSQLMigration, "commit_durably"),
        "decided": (SQLiteStorage, "set_note"),
        "server marked": (undo, "_note_afterwards"),
    },
    "file": {
        "server to ask": (PostgreSQLStorage, "set_note"),
        "decided": (SQLiteStorage, "set_note"),
        "server marked": (undo, "_note_afterwards"),
    },
}
WHEN = ("before", "after")
DEADLINE_SECONDS = 30.0
POINTS = [
    (direction, name, when)
    for direction, points in (("server", TO_SERVER), ("file", TO_FILE))
    for name in points
    for when in WHEN
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


@pytest.fixture
def there(settings: Settings, postgresql_databases: PostgreSQLDatabases) -> Settings:
    """The settings of the same installation with an empty database on a server."""
    postgresql_databases.begin_test()
    return replace(settings, database_url=postgresql_databases.place(settings.data_dir))


@pytest.fixture
def back(settings: Settings) -> Settings:
    """The same with another file, that is not there yet."""
    return replace(settings, database_url=f"sqlite:///{settings.data_dir / 'back.db'}")


def settings_for(settings: Settings) -> Callable[[str], Settings]:
    return lambda url: replace(settings, database_url=url)


@pytest.mark.sweep
@pytest.mark.parametrize(("direction", "name", "when"), POINTS, ids=map("-".join, POINTS))
def test_a_killed_move_leaves_one_database_and_the_next_ends_it(
    settings: Settings, there: Settings, back: Settings, direction: str, name: str, when: str
) -> None:
    execute(settings.database_path, "UPDATE endpoints SET is_active = 'perhaps' WHERE id = 3")
    before, bytes_before = everything(settings.database_path), settings.database_path.read_bytes()
    source, target, points = settings, there, TO_SERVER
    if direction == "file":
        run_move(settings, there)
        source, target, points = there, back, TO_FILE

    killed_at(*points[name], when, lambda: run_move(source, target))

    states = (readiness(source), readiness(target))
    assert states in {
        ("READY", "LOST"),
        ("READY", "MOVED"),
        ("READY", "EMPTY"),
        ("MOVED", "READY"),
    }
    assert settings.database_path.read_bytes() == bytes_before
    note_opening(source if states[0] == "READY" else target)  # as whoever serves it does
    assert (readiness(source), readiness(target)) == states
    if states != ("MOVED", "READY"):
        run_move(source, target)
    assert (readiness(source), readiness(target)) == ("MOVED", "READY")
    if direction == "file":
        assert everything(target.database_path) == before
        assert not list(settings.data_dir.glob(".*.moving*"))


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("direction", "name", "when"),
    [(direction, name, when) for direction in UNDO for name in UNDO[direction] for when in WHEN],
)
def test_a_killed_undo_leaves_one_database_and_the_next_ends_it(
    settings: Settings, there: Settings, back: Settings, direction: str, name: str, when: str
) -> None:
    run_move(settings, there)
    source, target = settings, there
    if direction == "file":
        run_move(there, back)
        source, target = there, back

    killed_at(*UNDO[direction][name], when, lambda: undo_move(source, settings_for(settings), None))

    states = (readiness(source), readiness(target))
    assert states in {("READY", "MOVED"), ("MOVED", "READY")}
    if states == ("MOVED", "READY"):
        undo_move(target, settings_for(settings), None)
    assert (readiness(source), readiness(target)) == ("READY", "MOVED")
    run_move(source, target)
    assert (readiness(source), readiness(target)) == ("MOVED", "READY")


def server_is_gone(storage: PostgreSQLStorage, text: str) -> None:
    raise StorageError("not_opened", psycopg.OperationalError("server closed the connection"))


@pytest.mark.parametrize("direction", ["server", "file"])
def test_a_move_that_lacks_only_its_last_mark_says_so_and_the_next_ends_it(
    settings: Settings, there: Settings, back: Settings, monkeypatch: pytest.MonkeyPatch, direction: str
) -> None:
    source, target = settings, there
    if direction == "file":
        run_move(settings, there)
        source, target = there, back
    with monkeypatch.context() as patched:
        patched.setattr(PostgreSQLStorage, "set_note", server_is_gone)
        with pytest.raises(MovedDatabase, match="is not served any more") as told:
            run_move(source, target)
    assert "nothing was moved" not in str(told.value)
    assert "daemon move --to" in told.value.hint
    assert (readiness(source), readiness(target)) == ("MOVED", "READY")
    assert run_move(source, target).was_ended
    assert (readiness(source), readiness(target)) == ("MOVED", "READY")


@pytest.fixture
def last_mark_lacks(monkeypatch: pytest.MonkeyPatch) -> Callable[[Settings, Settings], None]:
    """Moves, and ends before the mark on the server."""

    def run(source: Settings, target: Settings) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(PostgreSQLStorage, "set_note", server_is_gone)
            with pytest.raises(MovedDatabase):
                run_move(source, target)

    return run


def test_who_serves_it_notes_what_the_file_decided(
    settings: Settings, there: Settings, last_mark_lacks: Callable[[Settings, Settings], None]
) -> None:
    last_mark_lacks(settings, there)
    note_opening(there)
    for path in (settings.database_path, settings.database_path.with_name("daemon.db.moved")):
        path.unlink()  # the old one is needed no more
    assert readiness(there) == "READY"


def test_what_arrived_and_was_not_noted_yet_is_never_cleared_away(
    settings: Settings, there: Settings, last_mark_lacks: Callable[[Settings, Settings], None], tmp_path: Path
) -> None:
    last_mark_lacks(settings, there)
    other = replace(settings, database_url=f"sqlite:///{tmp_path / 'other' / 'daemon.db'}")
    other.database_path.parent.mkdir()
    shutil.copy(settings.database_path, other.database_path)
    with pytest.raises(Refused, match="empty place only"):  # served: the file that decides says so
        run_move(other, there)
    away = settings.data_dir.with_name("away")
    settings.data_dir.rename(away)
    assert readiness(there) == "MOVED"
    with pytest.raises(Refused, match="empty place only"):  # and where it cannot be seen, it might be
        run_move(other, there)
    away.rename(settings.data_dir)
    assert readiness(there) == "READY"


def test_a_server_s_database_whose_file_cannot_be_seen_is_not_served(
    settings: Settings, there: Settings, tmp_path: Path, last_mark_lacks: Callable[[Settings, Settings], None]
) -> None:
    run_move(settings, there)
    elsewhere = replace(settings, database_url=f"sqlite:///{tmp_path / 'elsewhere' / 'back.db'}")
    last_mark_lacks(there, elsewhere)
    elsewhere.database_path.parent.rename(tmp_path / "mounted there only")
    found = ask_readiness(there, storage_for(there.database_url))
    assert found.state == "MOVED"
    assert "cannot be seen from here" in found.sentence
    assert "daemon move --undo" in found.command
    with pytest.raises(Conflict, match="there would be two"):
        undo_move(there, settings_for(settings), None)
    assert readiness(there) == "MOVED"
    undo_move(there, settings_for(settings), None, is_gone=True)
    assert readiness(there) == "READY"


def test_what_is_put_in_a_file_s_place_is_not_removed(
    settings: Settings, there: Settings, back: Settings
) -> None:
    """The marks of `back` are of a move from the server; what is there is another installation's."""
    run_move(settings, there)
    run_move(there, back)
    undo_move(there, settings_for(settings), None)
    other = replace(settings, database_url=f"sqlite:///{settings.data_dir / 'other.db'}")
    initialise(other, fresh=True)
    other.database_path.replace(back.database_path)
    with pytest.raises(Refused, match="empty place only"):
        run_move(there, back)
    assert back.database_path.exists()


def test_the_mark_of_a_file_that_a_server_may_ask_for_stays(
    settings: Settings,
    there: Settings,
    back: Settings,
    postgresql_databases: PostgreSQLDatabases,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_move(settings, there)
    run_move(there, back)
    with monkeypatch.context() as patched:
        patched.setattr(undo, "_note_afterwards", lambda settings, text: None)  # killed before it
        undo_move(there, settings_for(settings), None)
    other = replace(settings, database_url=postgresql_databases.place(settings.data_dir / "other"))
    copied = replace(settings, database_url=f"sqlite:///{settings.data_dir / 'copy.db'}")
    shutil.copy(settings.database_path, copied.database_path)
    run_move(copied, other)
    with pytest.raises(Refused, match="empty place only"):
        run_move(other, back)
    assert (readiness(there), readiness(back)) == ("READY", "MOVED")


@pytest.mark.parametrize("text", ["", "torn"])
def test_a_server_s_database_is_not_cleared_where_the_file_that_decides_cannot_be_read(
    settings: Settings, there: Settings, last_mark_lacks: Callable[[Settings, Settings], None], text: str
) -> None:
    last_mark_lacks(settings, there)
    copied = replace(settings, database_url=f"sqlite:///{settings.data_dir / 'copy.db'}")
    shutil.copy(settings.database_path, copied.database_path)
    mark = settings.database_path.with_name("daemon.db.moved")
    mark.write_text(text or mark.read_text()[:40])
    with pytest.raises(Refused, match="empty place only"):
        run_move(copied, there)


def test_a_move_back_into_the_place_of_the_file_that_decides(
    settings: Settings, there: Settings, last_mark_lacks: Callable[[Settings, Settings], None]
) -> None:
    last_mark_lacks(settings, there)
    settings.database_path.unlink()  # its mark stays
    killed_at(into_file, "link_in_place", "after", lambda: run_move(there, settings))
    assert (readiness(there), readiness(settings)) == ("READY", "MOVED")
    run_move(there, settings)
    assert (readiness(there), readiness(settings)) == ("MOVED", "READY")


def test_a_move_that_an_older_daemon_left_without_its_last_mark_is_ended(
    settings: Settings, there: Settings, back: Settings
) -> None:
    """It marked a server as moved first, and the file as arrived then."""
    run_move(settings, there)
    run_move(there, back)
    storage = storage_for(back.database_url)
    storage.set_note(storage.note().replace("arrived", "half_made"))
    assert (readiness(there), readiness(back)) == ("MOVED", "MOVED")
    assert run_move(there, back).was_ended
    assert (readiness(there), readiness(back)) == ("MOVED", "READY")


def test_what_cannot_be_noted_is_not_served(
    settings: Settings,
    there: Settings,
    last_mark_lacks: Callable[[Settings, Settings], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    last_mark_lacks(settings, there)
    monkeypatch.setattr(PostgreSQLStorage, "set_note", server_is_gone)
    with pytest.raises(DaemonError):
        note_opening(there)


def test_an_undo_whose_last_mark_cannot_be_written_is_done(
    settings: Settings, there: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_move(settings, there)
    with monkeypatch.context() as patched:
        patched.setattr(PostgreSQLStorage, "set_note", server_is_gone)
        undo_move(settings, settings_for(settings), None)
    assert (readiness(settings), readiness(there)) == ("READY", "MOVED")


def test_what_was_seen_before_the_locks_is_looked_at_again(
    settings: Settings,
    there: Settings,
    last_mark_lacks: Callable[[Settings, Settings], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    last_mark_lacks(settings, there)
    make = files.private_folder

    def another_operator_was_faster(path: Path) -> None:
        monkeypatch.setattr(files, "private_folder", make)
        undo_move(settings, settings_for(settings), None)
        make(path)

    monkeypatch.setattr(files, "private_folder", another_operator_was_faster)
    assert not run_move(settings, there).was_ended  # but moved again
    assert (readiness(settings), readiness(there)) == ("MOVED", "READY")


def test_a_move_into_a_file_asks_for_room_first(
    settings: Settings, there: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_move(settings, there)
    back = replace(settings, database_url=f"sqlite:///{settings.data_dir / 'new' / 'back.db'}")
    monkeypatch.setattr(failures, "free_bytes", lambda folder: 1_000_000)
    for act in (check_move, run_move):
        with pytest.raises(Refused, match=r"too little room.*nothing was moved"):
            act(there, back)
    assert readiness(there) == "READY"
    assert not back.data_dir.joinpath("new").exists()
