"""Does a database go from SQLite to PostgreSQL and back, and may only one of the two be served?"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest

from app.backup import verify
from app.backup.restore import restore as restore_steps
from app.database import open_database
from app.errors import Busy, Conflict, DaemonError, MovedDatabase, NotFound, Refused, UsageError
from app.settings import Settings
from app.storage.registry import process_lock_at, storage_for
from app.upgrade.move import into_file
from app.upgrade.move import move as operation
from app.upgrade.move.copy import refuse_if_different
from app.upgrade.move.files_beside import files_to_copy
from app.upgrade.move.move import check_move, run_move
from app.upgrade.move.undo import undo_move
from app.upgrade.operations.back_up import back_up
from app.upgrade.operations.init import initialise
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.readiness import ask_readiness
from app.upgrade.versions.expected_schema import our_tables
from tests.conftest import SettingsIn
from tests.databases import PostgreSQLDatabases, SQLiteDatabases
from tests.postgresql import PostgreSQL
from tests.upgrade.places import everything_in, execute, put
from tests.upgrade.test_corpus import rebuild_all
from tests.upgrade.typed import everything

pytestmark = pytest.mark.needs("postgresql")


@pytest.fixture
def there(settings: Settings, postgresql_databases: PostgreSQLDatabases) -> Settings:
    """The settings of the same installation with an empty database on a server."""
    postgresql_databases.begin_test()
    return replace(settings, database_url=postgresql_databases.place(settings.data_dir))


@pytest.fixture
def settings(home: Path, settings_in: SettingsIn, sqlite_databases: SQLiteDatabases) -> Settings:
    """The settings of a folder with a fresh database."""
    sqlite_databases.fresh(home)
    return settings_in(home)


@pytest.fixture
def back(settings: Settings) -> Settings:
    """The same with another file, that is not there yet."""
    return replace(settings, database_url=f"sqlite:///{settings.data_dir / 'new' / 'back.db'}")


def settings_for(settings: Settings) -> Callable[[str], Settings]:
    return lambda url: replace(settings, database_url=url)


def readiness(settings: Settings) -> str:
    return ask_readiness(settings, storage_for(settings.database_url)).state


def test_a_new_database_goes_there_and_back(settings: Settings, there: Settings, back: Settings) -> None:
    before, bytes_before = everything(settings.database_path), settings.database_path.read_bytes()

    done = run_move(settings, there)

    assert done.rows == sum(len(rows) for table, rows in before.items() if table != "sqlite_sequence")
    assert settings.database_path.read_bytes() == bytes_before, "the source was written to"
    assert readiness(there) == "READY"
    assert readiness(settings) == "MOVED"
    sentence = ask_readiness(settings, storage_for(settings.database_url)).sentence
    assert there.database_name in sentence

    run_move(there, back)
    assert readiness(there) == "MOVED"
    assert readiness(back) == "READY"
    assert everything(back.database_path) == before


def test_every_table_of_the_newest_version_is_moved(settings: Settings, there: Settings) -> None:
    done = run_move(settings, there)
    assert set(our_tables()) <= set(done.digests)
    with storage_for(there.database_url).looking() as connection:
        assert set(connection.tables()) == set(our_tables())


def test_looking_writes_nothing_and_says_what_does_not_fit(settings: Settings, there: Settings) -> None:
    execute(
        settings.database_path,
        "INSERT INTO users (id, username, email, hashed_password, is_active) VALUES"
        " (1, 'ann' || char(0), 'a@example.org', 'x', 'perhaps')",
        "INSERT INTO data_entries (id, endpoint_id, data, created_by_id) VALUES (1, 1, '{}', 99)",
    )
    before = everything_in(settings.data_dir)
    census = check_move(settings, there)
    assert everything_in(settings.data_dir) == before
    assert storage_for(there.database_url).file_kind() == "missing"
    assert list(census.sentences()) == [
        "users.username: a text with a NUL byte: 1 row, the value kept in kept_values (1)",
        "users.is_active: a text in a flag: 1 row, the value kept in kept_values (1)",
        "data_entries: a row that names one which is not there: 1 row kept whole in kept_values and not"
        " served (1)",
    ]
    types = next(table.types for table in census.tables if table.table == "users")
    assert dict(types["is_active"]) == {"text": 1}


def test_what_the_owner_built_comes_back(settings: Settings, there: Settings, back: Settings) -> None:
    execute(
        settings.database_path,
        "ALTER TABLE data_entries ADD COLUMN mood TEXT COLLATE NOCASE",
        "ALTER TABLE data_entries ADD COLUMN loud TEXT GENERATED ALWAYS AS (upper(mood)) VIRTUAL",
        "CREATE TABLE diary (day, words BLOB, n REAL) ",
        "CREATE TABLE empty_one (a)",
        "INSERT INTO diary (rowid, day, words, n) VALUES (5, 'monday', x'00ff', 1.5), (3, 2, x'', 3)",
        "CREATE INDEX by_mood ON data_entries (mood)",
        "CREATE VIEW moods AS SELECT mood FROM data_entries",
        "CREATE TRIGGER bad BEFORE INSERT ON diary WHEN new.n = 1.5 BEGIN SELECT RAISE(ABORT, 'no'); END",
        "CREATE VIRTUAL TABLE found USING fts5(words)",
        "INSERT INTO found (words) VALUES ('a needle in hay')",
        "INSERT INTO data_entries (id, endpoint_id, data, mood) VALUES (1, 1, '{}', 'fine')",
        "INSERT INTO data_entries (id, endpoint_id, data) VALUES (2, 1, '{}')",
    )
    before = everything(settings.database_path)
    census = check_move(settings, there)
    assert any("the table diary: kept as its statement" in one for one in census.sentences())
    run_move(settings, there)
    run_move(there, back)
    assert everything(back.database_path) == before
    assert schema_of(back.database_path) == schema_of(settings.database_path)
    with closing(sqlite3.connect(back.database_path)) as connection:
        assert connection.execute("SELECT rowid FROM diary").fetchall() == [(3,), (5,)]
        assert connection.execute("SELECT words FROM found WHERE found MATCH 'needle'").fetchall()
        assert connection.execute("SELECT loud FROM data_entries WHERE id = 1").fetchall() == [("FINE",)]


def test_what_only_the_owner_s_program_can_make_is_kept_and_rows_come_back(
    settings: Settings, there: Settings, back: Settings
) -> None:
    with closing(sqlite3.connect(settings.database_path, isolation_level=None)) as connection:
        connection.create_collation("OWN", lambda one, other: (one > other) - (one < other))
        connection.create_function("own", 1, lambda value: value, deterministic=True)
        connection.execute("CREATE TABLE own_days (day TEXT COLLATE OWN PRIMARY KEY)")
        connection.execute("INSERT INTO own_days VALUES ('monday')")
        connection.execute("CREATE TABLE diary (day TEXT PRIMARY KEY, words)")
        connection.execute("CREATE INDEX by_own ON diary (own(words))")
        connection.execute("CREATE INDEX by_day ON diary (words COLLATE OWN)")
        connection.execute("INSERT INTO diary VALUES ('monday', 'rain'), ('tuesday', 'sun')")
    before = everything(settings.database_path)
    run_move(settings, there)
    run_move(there, back)
    found = everything(back.database_path)
    kept = [str(row) for row in found.pop("kept_values")]
    assert [sum(word in row and "move:made" in row for row in kept) for word in ("by_own", "by_day")] == [
        1,
        1,
    ]
    assert any("own_days" in row and "monday" in row for row in kept), "a table that cannot be made"
    assert [before.pop(name) != [] for name in ("kept_values", "own_days")] == [False, True]
    assert found == before


def schema_of(path: Path) -> set[tuple[Any, ...]]:
    """What was made besides our tables, whose text has the added columns in another spelling."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT type, name, sql FROM sqlite_master")
        return {row for row in found if row[1] not in our_tables()}


def test_what_was_written_on_the_server_wins_and_nothing_kept_is_lost(
    settings: Settings, there: Settings, back: Settings, postgresql_server: PostgreSQL
) -> None:
    execute(
        settings.database_path,
        "INSERT INTO users (id, username, full_name, email, hashed_password, created_at) VALUES"
        " (1, 'ann', 'A' || char(0) || 'nn', 'a@example.org', 'x', 5),"
        " (2, 'bob', x'00', 'b@example.org', 'x', 6)",
    )
    run_move(settings, there)
    name = there.database_url.rpartition("/")[2]
    postgresql_server.execute("UPDATE users SET full_name = 'Ann', created_at = '7' WHERE id = 1", name)
    run_move(there, back)
    with closing(sqlite3.connect(back.database_path)) as connection:
        users = connection.execute("SELECT full_name, created_at FROM users ORDER BY id").fetchall()
        kept = connection.execute("SELECT row_key, column_name, value FROM kept_values").fetchall()
    assert users == [("Ann", 7), (b"\0", 6)]
    assert ("move:cell:[1]", "full_name", "A\0nn") in kept
    assert ("move:cell:[1]", "created_at", 5) in kept
    assert ("move:cell:[1]", "created_at", "7") in kept, "a text that SQLite made a number of"


def test_only_an_empty_place_is_moved_to(settings: Settings, there: Settings, back: Settings) -> None:
    initialise(there, fresh=True)
    with pytest.raises(Refused, match="empty place"):
        run_move(settings, there)
    back.data_dir.mkdir()
    back.database_path.write_bytes(b"words")
    with pytest.raises(Refused, match="empty place"):
        run_move(there, back)
    assert (readiness(settings), readiness(there)) == ("READY", "READY")


def test_a_move_leads_to_the_other_engine(settings: Settings, back: Settings) -> None:
    with pytest.raises(UsageError, match="one engine"):
        run_move(settings, back)


def test_an_older_database_is_upgraded_first(
    settings: Settings, there: Settings, old: Callable[[str], Path]
) -> None:
    settings.database_path.unlink()
    old("layout_a")
    with pytest.raises(Refused) as refused:
        run_move(settings, there)
    assert "newest version" in refused.value.message
    assert refused.value.hint.startswith("daemon upgrade run")


def test_no_one_writes_to_the_source_while_it_is_moved(
    settings: Settings,
    there: Settings,
    back: Settings,
    postgresql_server: PostgreSQL,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compare, tried = refuse_if_different, []
    name = there.database_url.rpartition("/")[2]

    def compare_and_try_to_write(*digests: Any) -> None:
        compare(*digests)
        with closing(sqlite3.connect(settings.database_path, timeout=0.1)) as other:
            tried.append("sqlite")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("DELETE FROM endpoints")

    def compare_and_try_there(*digests: Any) -> None:
        compare(*digests)
        tried.append("postgresql")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            postgresql_server.execute("SET lock_timeout = 100; DELETE FROM endpoints", name)

    monkeypatch.setattr(operation, "refuse_if_different", compare_and_try_to_write)
    run_move(settings, there)
    monkeypatch.setattr(operation, "refuse_if_different", compare_and_try_there)
    run_move(there, back)
    assert tried == ["sqlite", "postgresql"]


def test_a_database_with_a_write_ahead_log_is_moved_with_what_is_in_it(
    settings: Settings, there: Settings, back: Settings
) -> None:
    with closing(sqlite3.connect(settings.database_path)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("UPDATE endpoints SET description = 'in the log' WHERE id = 1")
        writer.commit()
        before = everything(settings.database_path)
        run_move(settings, there)
    run_move(there, back)
    assert everything(back.database_path) == before


@pytest.mark.parametrize("direction", ["to the server", "from the server"])
def test_a_connection_that_is_cut_leaves_all_as_it_was(
    settings: Settings,
    there: Settings,
    back: Settings,
    postgresql_server: PostgreSQL,
    monkeypatch: pytest.MonkeyPatch,
    direction: str,
) -> None:
    source, target = (settings, there) if direction == "to the server" else (there, back)
    if source is there:
        run_move(settings, there)
    name = there.database_url.rpartition("/")[2]

    def cut(*digests: Any) -> None:
        postgresql_server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()",
            name,
        )

    with monkeypatch.context() as patch:
        patch.setattr(operation, "refuse_if_different", cut)
        with pytest.raises(DaemonError) as cut_off:
            run_move(source, target)
    assert "nothing was moved" in cut_off.value.message
    assert readiness(source) == "READY"
    run_move(source, target)
    assert (readiness(source), readiness(target)) == ("MOVED", "READY")


# -- taken back ----------------------------------------------------------------------------------------------


def test_a_move_is_taken_back_from_either_side(settings: Settings, there: Settings) -> None:
    for asked in (settings, there):
        run_move(settings, there)
        undo_move(asked, settings_for(settings), None)
        assert readiness(settings) == "READY"
        assert readiness(there) == "MOVED", "what is left there must not be served"
    run_move(settings, there)  # what is left there is cleared away
    assert readiness(there) == "READY"


def test_a_move_is_not_taken_back_once_something_was_written(
    settings: Settings, there: Settings, postgresql_server: PostgreSQL
) -> None:
    run_move(settings, there)
    name = there.database_url.rpartition("/")[2]
    postgresql_server.execute("UPDATE installation SET clock_seen_at = '2026-01-01 00:00:00'", name)
    postgresql_server.execute("UPDATE endpoints SET description = 'new' WHERE id = 1", name)
    with pytest.raises(Conflict, match=r"\(endpoints\)"):
        undo_move(settings, settings_for(settings), None)
    assert (readiness(settings), readiness(there)) == ("MOVED", "READY")


def test_nothing_is_taken_back_where_nothing_was_moved(settings: Settings, there: Settings) -> None:
    with pytest.raises(NotFound):
        undo_move(settings, settings_for(settings), None)


def test_a_move_is_taken_back_by_its_own_database_only(
    settings: Settings, there: Settings, back: Settings, tmp_path: Path
) -> None:
    run_move(settings, there)
    run_move(there, back)
    with pytest.raises(Conflict, match=f"is at {back.database_name} now"):
        undo_move(settings, settings_for(settings), None)
    assert [readiness(one) for one in (settings, there, back)] == ["MOVED", "MOVED", "READY"]
    undo_move(there, settings_for(settings), None)
    third = replace(settings, database_url=f"sqlite:///{tmp_path / 'third.db'}")
    run_move(there, third)
    with pytest.raises(Conflict, match="by another move"):
        undo_move(there, settings_for(settings), back.database_url)
    assert [readiness(one) for one in (there, back, third)] == ["MOVED", "MOVED", "READY"]
    copied = replace(settings, database_url=f"sqlite:///{tmp_path / 'copy.db'}")
    for ending in ("", ".moved"):
        shutil.copy(f"{third.database_path}{ending}", f"{copied.database_path}{ending}")
    with pytest.raises(Conflict, match="and this is"):
        undo_move(copied, settings_for(settings), None)
    assert readiness(there) == "MOVED"


def test_a_move_is_not_taken_back_where_there_is_nothing_to_compare_with(
    settings: Settings, there: Settings, postgresql_databases: PostgreSQLDatabases
) -> None:
    run_move(settings, there)
    empty = postgresql_databases.place(settings.data_dir / "mistyped")
    for is_gone in (False, True):
        with pytest.raises(Conflict, match="nothing can be compared"):
            undo_move(settings, settings_for(settings), empty, is_gone=is_gone)
    assert (readiness(settings), readiness(there)) == ("MOVED", "READY")


def test_a_served_database_is_waited_for_wherever_the_move_is_taken_back(
    settings: Settings, there: Settings, tmp_path: Path
) -> None:
    run_move(settings, there)
    serving = process_lock_at(there.database_path)
    serving.serve()
    from_elsewhere = replace(there, data_dir=tmp_path / "no folder of this machine yet")
    try:
        with pytest.raises(Busy):
            undo_move(settings, lambda url: from_elsewhere, None, wait_seconds=0.2)
    finally:
        serving.yield_()
    assert (readiness(settings), readiness(there)) == ("MOVED", "READY")


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("CREATE TABLE diary (day date)", "the table diary"),
        ("ALTER TABLE data_entries ADD COLUMN mood text", "the column data_entries.mood"),
    ],
)
def test_what_its_owner_made_there_is_not_lost(
    settings: Settings, there: Settings, postgresql_server: PostgreSQL, statement: str, what: str
) -> None:
    run_move(settings, there)
    name = there.database_url.rpartition("/")[2]
    postgresql_server.execute(statement, name)
    with pytest.raises(Conflict, match=what):
        undo_move(settings, settings_for(settings), None)
    assert (readiness(settings), readiness(there)) == ("MOVED", "READY")


def test_what_its_owner_made_beside_what_a_move_left_stays(
    settings: Settings, there: Settings, postgresql_server: PostgreSQL
) -> None:
    run_move(settings, there)
    undo_move(settings, settings_for(settings), None)
    name = there.database_url.rpartition("/")[2]
    postgresql_server.execute("CREATE TABLE diary (day date)", name)
    with pytest.raises(Refused, match="the table diary; nothing was moved"):
        run_move(settings, there)
    assert postgresql_server.execute("SELECT count(*) FROM diary", name) == [(0,)]
    assert readiness(settings) == "READY"


def test_who_writes_beside_an_undo_is_refused(settings: Settings, there: Settings) -> None:
    """Its session that held the database was lost, unnoticed so far; the operator has it alone."""
    run_move(settings, there)
    database = open_database(there)
    try:
        with database.writing():
            pass
        undo_move(settings, settings_for(settings), None)
        with pytest.raises(Busy, match="moved under this server"), database.writing():
            pass
    finally:
        database.close()


def test_a_database_that_was_marked_under_its_server_is_let_go_of(
    settings: Settings, there: Settings, postgresql_server: PostgreSQL
) -> None:
    run_move(settings, there)
    name = there.database_url.rpartition("/")[2]
    postgresql_server.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    storage, database = storage_for(there.database_url), open_database(there)
    lock = storage.process_lock()
    lock.serve()
    try:
        with database.writing():
            pass
        assert lock.is_held()
        storage.set_note(storage.note().replace("arrived", "undone"))
        with pytest.raises(Busy, match="moved under this server"), database.writing():
            pass
        assert not lock.is_held()
    finally:
        database.close()
        lock.yield_()


def test_the_mark_of_a_file_is_as_it_was_where_someone_else_makes_that_file(
    settings: Settings, there: Settings, back: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_move(settings, there)
    monkeypatch.setattr(into_file, "link_in_place", lambda draft, place: False)
    with pytest.raises(Refused, match="Someone else has just made"):
        run_move(there, back)
    assert storage_for(back.database_url).note() == ""
    assert readiness(there) == "READY"


# -- a restore meanwhile -------------------------------------------------------------------------------------


def test_what_was_moved_while_a_backup_was_proved_is_not_restored(
    settings: Settings, there: Settings, back: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_move(settings, there)
    made = back_up(there, "manual")
    proved = verify.proved_copy

    def moved_meanwhile(*arguments: Any) -> Any:
        run_move(there, back)
        return proved(*arguments)

    monkeypatch.setattr(restore_steps, "proved_copy", moved_meanwhile)
    with pytest.raises(MovedDatabase):
        restore_and_hold(there, made.name)
    assert (readiness(there), readiness(back)) == ("MOVED", "READY")


def test_a_restored_database_is_marked_as_the_one_before(
    settings: Settings, there: Settings, back: Settings
) -> None:
    """A backup has the mark of its time, which is of the place."""
    run_move(settings, there)
    storage = storage_for(there.database_url)
    arrived = storage.note()
    storage.set_note(arrived.replace("arrived", "undone"))
    made = back_up(there, "manual")
    storage.set_note(arrived)
    restore_and_hold(there, made.name)
    assert storage.note() == arrived
    assert readiness(there) == "READY"


# -- files beside --------------------------------------------------------------------------------------------


def test_the_files_beside_it_go_along(settings: Settings, there: Settings, tmp_path: Path) -> None:
    elsewhere = replace(there, data_dir=tmp_path / "elsewhere")
    settings.secret_path.write_text("k" * 40)
    settings.claim_path.write_text("claim")
    run_move(settings, elsewhere)
    assert elsewhere.secret_path.read_text() == "k" * 40
    assert elsewhere.claim_path.read_text() == "claim"
    assert elsewhere.secret_path.stat().st_mode & 0o777 == 0o600


def test_no_file_beside_a_database_is_forgotten(settings: Settings, there: Settings, tmp_path: Path) -> None:
    """Each path that the settings name in the folder of the data goes along, or is said here not to."""
    elsewhere = replace(there, data_dir=tmp_path / "elsewhere")
    # The one is what is moved; the others are kept for a day, and good for an hour.
    stay = {"database_path", "exports_path", "operator_path"}
    named = {
        name for name in dir(Settings) if name.endswith("_path") and isinstance(getattr(settings, name), Path)
    }
    for name in named:
        getattr(settings, name).write_text("x")
    copied = set(files_to_copy(settings, elsewhere))
    assert {name for name in named if getattr(settings, name) not in copied} == stay


# -- old databases -------------------------------------------------------------------------------------------


@pytest.mark.sweep
def test_an_old_database_goes_there_and_back(
    legacy_database: Path,
    settings: Settings,
    there: Settings,
    back: Settings,
    manifest_tool: ModuleType,
    tmp_path: Path,
) -> None:
    """Every row that the checker finds before the move it finds afterwards; and each value is the same."""
    manifest = json.loads(legacy_database.with_suffix(".json").read_text())
    put(legacy_database, settings.database_path)
    assert run_upgrade(settings).exit_code == 0
    faults = manifest_tool.check(str(settings.database_path), manifest)
    before = everything(settings.database_path)
    run_move(settings, there)
    run_move(there, back)
    assert everything(back.database_path) == before
    assert manifest_tool.check(str(back.database_path), manifest) == faults
    rebuilt = tmp_path / "rebuilt.db"
    shutil.copyfile(back.database_path, rebuilt)
    rebuild_all(rebuilt)
    assert manifest_tool.check(str(rebuilt), manifest) == []
