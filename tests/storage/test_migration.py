"""Is a migration all or nothing, alone, and durable before it is said to be done?"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
import sqlalchemy

from app.errors import Busy, DaemonError, Damaged, UnknownDatabase
from app.storage.sqlite.migration import _keep_temporary_files_at_home
from app.storage.sqlite.storage import SQLiteStorage
from app.storage.types import CommitUncertain, MigrationConnection, Soundness
from tests.storage.conftest import StartProcess, make_database, picture_of, words_in

MIGRATE = """
    import sys
    from pathlib import Path
    from app.storage.sqlite.storage import SQLiteStorage
    with SQLiteStorage(Path(sys.argv[1])).migration_connection(30) as migration:
        print("inside", flush=True)
        migration.sqlite.execute("PRAGMA cache_size = 2")
        migration.sqlite.execute("CREATE TABLE new (a)")
        migration.sqlite.execute("ALTER TABLE thing ADD COLUMN more TEXT")
        migration.sqlite.execute("UPDATE thing SET word = 'changed', more = hex(randomblob(200))")
        migration.sqlite.execute("CREATE INDEX by_more ON thing (more)")
        print("changed", flush=True)
        if input() == "commit":
            migration.commit_durably()
            print("done", flush=True)
            input()
"""
FULL_DISK = """
    import resource, sqlite3, sys
    from pathlib import Path
    from app.errors import DaemonError
    from app.storage.sqlite.storage import SQLiteStorage
    from app.storage.sqlite.errors import explained
    path, limit = Path(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        with SQLiteStorage(path).migration_connection() as migration:
            for _ in range(40):
                migration.sqlite.execute("INSERT INTO thing (word) VALUES (hex(randomblob(20000)))")
            migration.commit_durably()
        print("done")
    except DaemonError as error:
        print(error.code, error.message)
    except sqlite3.Error as error:
        told = explained(error, path)
        print(told.code, told.message)
"""


def _commit(migration: MigrationConnection) -> None:
    migration.commit_durably()


def _divide(migration: MigrationConnection) -> None:
    raise ZeroDivisionError


def _migrate(
    path: Path, statements: list[str], ending: Callable[[MigrationConnection], None] = _commit
) -> None:
    with SQLiteStorage(path).migration_connection(0.1) as migration:
        for statement in statements:
            migration.connection.execute(sqlalchemy.text(statement))
        ending(migration)


@pytest.mark.parametrize("wal", [False, True])
def test_killed_before_the_commit_nothing_is_left_of_it(
    folder: Path, other_process: StartProcess, wal: bool
) -> None:
    path = make_database(folder / "daemon.db", rows=500, wal=wal)
    before = words_in(path)
    migration = other_process(MIGRATE, path)
    assert migration.hears() == "inside"
    assert migration.hears() == "changed"
    migration.kill()
    assert words_in(path) == before
    with SQLiteStorage(path).looking() as connection:
        assert connection.soundness() == Soundness()
        assert set(connection.schema().tables) == {"thing"}


@pytest.mark.parametrize("wal", [False, True])
def test_killed_after_the_commit_all_of_it_is_there(
    folder: Path, other_process: StartProcess, wal: bool
) -> None:
    path = make_database(folder / "daemon.db", rows=500, wal=wal)
    migration = other_process(MIGRATE, path)
    migration.hears()
    migration.hears()
    migration.tell("commit")
    assert migration.hears() == "done"
    migration.kill()
    assert set(words_in(path)) == {"changed"}
    assert SQLiteStorage(path).journal_mode() == ("wal" if wal else "delete")


def test_whatever_raises_rolls_back(folder: Path) -> None:
    path = make_database(folder / "daemon.db")
    before = picture_of(folder)
    with pytest.raises(ZeroDivisionError):
        _migrate(path, ["DROP TABLE thing", "CREATE TABLE other (a)"], ending=_divide)
    with SQLiteStorage(path).migration_connection() as migration:
        migration.sqlite.execute("DELETE FROM thing")  # and no one commits
    assert {name: it[0] for name, it in picture_of(folder).items()} == {n: it[0] for n, it in before.items()}


@pytest.mark.parametrize(
    "statement",
    [
        "COMMIT",
        "END TRANSACTION",
        "ROLLBACK",
        "BEGIN",
        "ATTACH ':memory:' AS other",
        "PRAGMA journal_mode = OFF",
        "PRAGMA synchronous = OFF",
        "PRAGMA foreign_keys = ON",
        "VACUUM",
    ],
)
def test_no_step_can_end_or_weaken_the_transaction(folder: Path, statement: str) -> None:
    path = make_database(folder / "daemon.db")
    with SQLiteStorage(path).migration_connection() as migration:
        migration.sqlite.execute("DELETE FROM thing")
        with pytest.raises(sqlite3.DatabaseError):
            migration.sqlite.execute(statement)
        assert migration.sqlite.in_transaction
    assert len(words_in(path)) == 3


def test_neither_can_the_driver_or_sqlalchemy(folder: Path) -> None:
    path = make_database(folder / "daemon.db")
    with SQLiteStorage(path).migration_connection() as migration:
        migration.sqlite.execute("DELETE FROM thing")
        with suppress(sqlite3.DatabaseError):  # before 3.12 it commits first, which is refused
            migration.sqlite.executescript("CREATE TABLE a (b)")
        assert migration.sqlite.in_transaction
    with pytest.raises(RuntimeError, match="commit_durably"):
        _migrate(path, ["DELETE FROM thing"], ending=lambda migration: migration.connection.commit())
    assert len(words_in(path)) == 3


def test_how_the_connection_is_set_up(folder: Path) -> None:
    path = make_database(folder / "daemon.db")
    with SQLiteStorage(path).migration_connection() as migration:

        def pragma(name: str) -> object:
            return migration.sqlite.execute(f"PRAGMA {name}").fetchone()[0]

        assert pragma("foreign_keys") == 0
        assert pragma("synchronous") == 3
        assert pragma("cell_size_check") == 1
        assert pragma("trusted_schema") == 1
        assert pragma("mmap_size") == 0
        assert pragma("temp_store_directory") == str(folder)
        assert migration.sqlite.in_transaction


def test_where_the_folder_cannot_be_set_temporary_data_stays_in_memory(tmp_path: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        _keep_temporary_files_at_home(connection, tmp_path / "none")
        assert connection.execute("PRAGMA temp_store").fetchone() == (2,)


def test_only_one_at_a_time(folder: Path, other_process: StartProcess) -> None:
    path = make_database(folder / "daemon.db")
    first = other_process(MIGRATE, path)
    first.hears()
    first.hears()
    with pytest.raises(Busy), SQLiteStorage(path).migration_connection(0.1):
        pass
    second = other_process(MIGRATE.replace("ALTER TABLE thing ADD COLUMN more TEXT", "SELECT 1"), path)
    first.tell("commit")
    first.hears()
    assert second.hears() == "inside"  # it waited for the lock, then goes on


def test_a_reader_delays_the_commit_and_cannot_spoil_it(folder: Path) -> None:
    path = make_database(folder / "daemon.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM thing").fetchone()
        with pytest.raises(Busy):
            _migrate(path, ["DELETE FROM thing"])
    assert len(words_in(path)) == 3


def test_an_error_while_making_it_durable_is_told_as_uncertain(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(path: Path) -> None:
        raise OSError(5, "Input/output error")

    path = make_database(folder / "daemon.db")
    monkeypatch.setattr("app.files.sync_folder", fails)
    with pytest.raises(CommitUncertain, match="Input/output error"):
        _migrate(path, ["DELETE FROM thing"])
    assert words_in(path) == []


@pytest.mark.parametrize("wal", [False, True])
@pytest.mark.parametrize("limit_kib", [24, 64, 300, 600])
def test_a_file_that_cannot_grow_is_told_as_no_space(
    folder: Path, other_process: StartProcess, wal: bool, limit_kib: int
) -> None:
    path = make_database(folder / "daemon.db", wal=wal)
    before = words_in(path)
    said = other_process(FULL_DISK, path, limit_kib * 1024).hears()
    assert said.startswith("refused There is no space left"), said
    assert words_in(path) == before


@pytest.mark.parametrize(
    ("content", "kind"), [(None, UnknownDatabase), (b"not a database at all" * 50, UnknownDatabase)]
)
def test_where_there_is_no_database_nothing_is_made(
    folder: Path, content: bytes | None, kind: type[DaemonError]
) -> None:
    path = folder / "daemon.db"
    if content is not None:
        path.write_bytes(content)
    before = picture_of(folder)
    with pytest.raises(kind), SQLiteStorage(path).migration_connection():
        pass
    assert picture_of(folder) == before


def test_a_cut_file_is_damaged(folder: Path) -> None:
    path = make_database(folder / "daemon.db")
    path.write_bytes(path.read_bytes()[:4096])
    with pytest.raises(Damaged), SQLiteStorage(path).migration_connection():
        pass


@pytest.mark.needs("root")
@pytest.mark.parametrize("wal", [False, True])
def test_an_account_that_may_not_write_is_refused(
    folder_for_all: Path, other_process: StartProcess, wal: bool
) -> None:
    path = make_database(folder_for_all / "daemon.db", wal=wal)
    path.chmod(0o644)
    before = picture_of(folder_for_all)
    tries = other_process(
        """
        import os, sys
        from pathlib import Path
        from app.errors import Refused
        # imported while this account may still read the installed packages
        from app.storage.sqlite import migration as sqlite_migrating
        from app.storage.sqlite.storage import SQLiteStorage
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        try:
            with SQLiteStorage(Path(sys.argv[1])).migration_connection() as migration:
                migration.sqlite.execute("DELETE FROM thing")
                migration.commit_durably()
        except Refused as error:
            print(error.message, error.hint)
        """,
        path,
    )
    assert "may not read and write" in tries.hears()
    assert picture_of(folder_for_all) == before


def test_text_that_is_not_utf8_survives_a_step_that_reads_it(folder: Path) -> None:
    path = make_database(folder / "daemon.db")
    odd = b"\xff\xfe caf\xe9"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE thing SET word = CAST(? AS TEXT) WHERE id = 1", (odd,))
    with SQLiteStorage(path).migration_connection() as migration:
        (word,) = migration.sqlite.execute("SELECT word FROM thing WHERE id = 1").fetchone()
        assert word.encode("utf-8", "surrogateescape") == odd
        with pytest.raises(UnicodeEncodeError):
            migration.sqlite.execute("UPDATE thing SET word = ?", (word,))
        migration.sqlite.execute("UPDATE thing SET word = word || '!'")
        migration.commit_durably()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT CAST(word AS BLOB) FROM thing").fetchone() == (odd + b"!",)
