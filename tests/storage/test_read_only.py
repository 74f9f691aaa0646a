"""Does looking change nothing, and does it see what was committed, whatever is there?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.errors import Busy
from app.storage.sqlite import read_only
from app.storage.sqlite.storage import SQLiteStorage
from app.storage.types import StorageError
from tests.storage.conftest import StartProcess, make_database, picture_of

WRITER = """
    import sqlite3, sys
    path, wal, rows = sys.argv[1], sys.argv[2] == "True", int(sys.argv[3])
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode = {'WAL' if wal else 'DELETE'}")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA cache_size = 2")  # so that an open transaction spills into the file
    for line in sys.stdin:
        connection.execute(line)
        print("done", flush=True)
"""
MANY = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "
    "INSERT INTO thing (word) SELECT 'uncommitted ' || hex(randomblob(40)) FROM n"
)


@contextmanager
def nothing_changes_in(folder: Path) -> Iterator[None]:
    before, own = picture_of(folder), folder.stat().st_mtime_ns
    yield
    assert picture_of(folder) == before
    assert folder.stat().st_mtime_ns == own


def seen(path: Path) -> int:
    with SQLiteStorage(path).looking() as connection:
        assert connection.sqlite.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(connection.sqlite.execute("SELECT count(*) FROM thing").fetchone()[0])


def test_an_ordinary_file(folder: Path) -> None:
    path = make_database(folder / "daemon.db")
    with nothing_changes_in(folder):
        assert seen(path) == 3


def test_it_cannot_write(folder: Path) -> None:
    for path in (make_database(folder / "a.db"), make_database(folder / "b.db", wal=True)):
        with (
            nothing_changes_in(folder),
            SQLiteStorage(path).looking() as connection,
            pytest.raises(sqlite3.OperationalError, match="readonly"),
        ):
            connection.sqlite.execute("DELETE FROM thing")


def test_a_wal_database_without_its_log_gets_no_companions(folder: Path) -> None:
    path = make_database(folder / "daemon.db", wal=True)
    assert [file.name for file in folder.iterdir()] == ["daemon.db"]
    with nothing_changes_in(folder):
        assert seen(path) == 3


def test_a_log_left_by_a_killed_process_is_read_and_left(folder: Path, other_process: StartProcess) -> None:
    path = make_database(folder / "daemon.db")
    writer = other_process(WRITER, path, True, 0)
    writer.tell("INSERT INTO thing (word) VALUES ('in the log')")
    writer.hears()
    writer.kill()
    assert (folder / "daemon.db-wal").stat().st_size > 0
    with nothing_changes_in(folder):
        assert seen(path) == 4


def test_a_log_in_use_is_read_without_the_open_transaction(folder: Path, other_process: StartProcess) -> None:
    path = make_database(folder / "daemon.db")
    writer = other_process(WRITER, path, True, 0)
    for statement in ("INSERT INTO thing (word) VALUES ('committed')", "BEGIN", MANY):
        writer.tell(statement)
        writer.hears()
    with nothing_changes_in(folder):
        assert seen(path) == 4
    writer.tell("COMMIT")
    writer.hears()
    assert seen(path) == 4004


def test_a_hot_journal_is_not_rolled_back_in_place(folder: Path, other_process: StartProcess) -> None:
    path = make_database(folder / "daemon.db", rows=2000)
    writer = other_process(WRITER, path, False, 0)
    for statement in ("BEGIN", "UPDATE thing SET word = 'half done'", MANY):
        writer.tell(statement)
        writer.hears()
    writer.kill()
    assert b"half done" in path.read_bytes()
    assert (folder / "daemon.db-journal").stat().st_size > 0
    with nothing_changes_in(folder), SQLiteStorage(path).looking() as connection:
        assert connection.sqlite.execute(
            "SELECT count(*) FROM thing WHERE word = 'half done'"
        ).fetchone() == (0,)
        assert connection.sqlite.execute("SELECT count(*) FROM thing").fetchone() == (2000,)


def test_a_writer_in_the_middle_of_a_transaction_is_not_disturbed(
    folder: Path, other_process: StartProcess
) -> None:
    path = make_database(folder / "daemon.db")
    writer = other_process(WRITER, path, False, 0)
    for statement in ("BEGIN IMMEDIATE", "INSERT INTO thing (word) VALUES ('not yet')"):
        writer.tell(statement)
        writer.hears()
    with nothing_changes_in(folder):
        assert seen(path) == 3
        assert SQLiteStorage(path).is_locked()
    writer.tell("COMMIT")
    writer.hears()
    assert seen(path) == 4
    assert not SQLiteStorage(path).is_locked()


def test_one_look_sees_one_state(folder: Path, other_process: StartProcess) -> None:
    path = make_database(folder / "daemon.db", wal=True)
    writer = other_process(WRITER, path, True, 0)
    with SQLiteStorage(path).looking() as connection:
        writer.tell("INSERT INTO thing (word) VALUES ('later')")
        writer.hears()
        assert connection.sqlite.execute("SELECT count(*) FROM thing").fetchone() == (3,)
    assert seen(path) == 4


def test_what_changes_while_it_is_copied_is_copied_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_database(folder / "daemon.db", wal=True)
    copied: list[int] = []

    def copy_and_write(real: Path, into: Path) -> None:
        copy_parts(real, into)
        copied.append(len(copied))
        if len(copied) <= 2:
            with closing(sqlite3.connect(real, isolation_level=None)) as connection:
                connection.execute("INSERT INTO thing (word) VALUES ('meanwhile')")

    copy_parts = read_only._copy_parts
    monkeypatch.setattr(read_only, "_copy_parts", copy_and_write)
    assert seen(path) == 5
    assert len(copied) == 3


def test_a_writer_that_never_pauses_is_named_busy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_database(folder / "daemon.db", wal=True)
    monkeypatch.setattr(read_only, "_PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(read_only, "_QUIET_SECONDS", 3600.0)
    with (
        nothing_changes_in(folder),
        pytest.raises(Busy, match="without a pause"),
        SQLiteStorage(path).looking(),
    ):
        pass


def test_an_exclusive_lock_is_waited_for_and_then_named_busy(
    folder: Path, other_process: StartProcess
) -> None:
    path = make_database(folder / "daemon.db")
    writer = other_process(WRITER, path, False, 0)
    writer.tell("BEGIN EXCLUSIVE")
    writer.hears()
    with nothing_changes_in(folder), pytest.raises(Busy), SQLiteStorage(path).looking(wait_seconds=0.05):
        pass


def test_no_room_for_a_private_copy(folder: Path, tmp_path: Path, other_process: StartProcess) -> None:
    path = make_database(folder / "daemon.db", rows=3000, wal=True)
    looker = other_process(
        """
        import resource, sys
        from pathlib import Path
        from app.errors import Refused
        from app.storage.sqlite.storage import SQLiteStorage
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        try:
            with SQLiteStorage(Path(sys.argv[1])).looking():
                print("looked")
        except Refused as error:
            print(error.message)
        """,
        path,
    )
    with nothing_changes_in(folder):
        assert "no room" in looker.hears()
        assert looker.wait() == 0


@pytest.mark.needs("root")
@pytest.mark.parametrize("wal", [False, True])
def test_another_account_in_a_folder_that_it_cannot_write(
    folder_for_all: Path, other_process: StartProcess, wal: bool
) -> None:
    path = make_database(folder_for_all / "daemon.db", wal=wal)
    path.chmod(0o444)
    look = """
        import os, sys
        from pathlib import Path
        from app.storage.sqlite.storage import SQLiteStorage
        def look():
            with SQLiteStorage(Path(sys.argv[1])).looking() as connection:
                return connection.count("thing")
        look()  # while this account may still read Python's own files
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        print(look())
    """
    with nothing_changes_in(folder_for_all):
        looker = other_process(look, path)
        assert looker.hears() == "3"


def test_what_is_no_database(folder: Path) -> None:
    (folder / "text.db").write_text("SQLite format 4, I was told, and long enough to be believed. " * 20)
    (folder / "cut.db").write_bytes(make_database(folder / "daemon.db").read_bytes()[:4096])
    with nothing_changes_in(folder):
        for name in ("text.db", "cut.db"):
            with pytest.raises(StorageError), SQLiteStorage(folder / name).looking() as connection:
                connection.sqlite.execute("SELECT * FROM thing").fetchall()
        with pytest.raises(FileNotFoundError), SQLiteStorage(folder / "none.db").looking():
            pass


def test_text_that_is_not_utf8_is_shown(folder: Path) -> None:
    path = make_database(folder / "daemon.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE thing SET word = CAST(x'ff41' AS TEXT) WHERE id = 1")
    with SQLiteStorage(path).looking() as looked:
        assert looked.rows("SELECT word FROM thing WHERE id = 1") == [("�A",)]


def test_a_link_is_followed_to_what_belongs_to_the_file(folder: Path, other_process: StartProcess) -> None:
    path = make_database(folder / "real.db")
    writer = other_process(WRITER, path, True, 0)
    writer.tell("INSERT INTO thing (word) VALUES ('in the log')")
    writer.hears()
    writer.kill()
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    link = elsewhere / "daemon.db"
    link.symlink_to(path)
    with nothing_changes_in(folder), nothing_changes_in(elsewhere):
        assert seen(link) == 4


def test_peek_does_not_roll_back_a_hot_journal(folder: Path, other_process: StartProcess) -> None:
    path = make_database(folder / "daemon.db", rows=2000)
    writer = other_process(WRITER, path, False, 0)
    for statement in ("BEGIN", "UPDATE thing SET word = 'half done'", MANY):
        writer.tell(statement)
        writer.hears()
    writer.kill()
    with nothing_changes_in(folder), SQLiteStorage(path).peek() as connection:
        assert connection.sqlite.execute(
            "SELECT count(*) FROM thing WHERE word = 'half done'"
        ).fetchone() == (0,)
    with (
        pytest.raises(StorageError, match="unable to open"),
        SQLiteStorage(folder / "none.db").peek(),
    ):
        pass


def test_peek_sees_the_live_file(folder: Path, other_process: StartProcess) -> None:
    path = make_database(folder / "daemon.db")
    writer = other_process(WRITER, path, True, 0)
    writer.tell("INSERT INTO thing (word) VALUES ('in the log')")
    writer.hears()
    with SQLiteStorage(path).peek() as connection:
        assert connection.sqlite.execute("SELECT count(*) FROM thing").fetchone() == (4,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.sqlite.execute("DELETE FROM thing")
