"""Is a copy whole, and is a restore one transaction, whatever is beside the file?"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import Busy, Damaged
from app.storage.sqlite.storage import SQLiteStorage
from app.storage.types import StorageError
from tests.storage.conftest import StartProcess, make_database, picture_of, words_in

WRITER = """
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    for line in sys.stdin:
        connection.execute(line)
        print("done", flush=True)
"""
RESTORES = """
    import os, signal, sys
    from pathlib import Path
    from app.storage.sqlite import exclusive as exchange
    from app.storage.sqlite.storage import SQLiteStorage

    def restore(live, source, kill_at):
        steps = 0
        def progress(left, total):
            nonlocal steps
            steps += 1
            if steps == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
        SQLiteStorage(Path(live)).copy_into_live(Path(source), progress)

    exchange._PAGES_A_STEP = 4
    for line in sys.stdin:
        live, source, kill_at = line.split()
        child = os.fork()
        if child == 0:
            restore(live, source, int(kill_at))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.parametrize("wal", [False, True])
def test_a_copy_holds_what_was_committed_and_not_what_was_not(
    folder: Path, other_process: StartProcess, wal: bool
) -> None:
    path = make_database(folder / "daemon.db", wal=wal)
    writer = other_process(WRITER, path)
    for statement in (
        "INSERT INTO thing (word) VALUES ('in the log')",
        "BEGIN IMMEDIATE",
        "INSERT INTO thing (word) VALUES ('not committed')",
    ):
        writer.tell(statement)
        writer.hears()
    seen: list[tuple[int, int]] = []
    SQLiteStorage(path).copy_online(folder / "copy.db", lambda left, total: seen.append((left, total)))
    assert words_in(folder / "copy.db")[3:] == ["in the log"]
    assert seen[-1][0] == 0
    assert (folder / "copy.db").stat().st_mode & 0o777 == 0o600
    writer.tell("COMMIT")
    writer.hears()


@pytest.mark.parametrize("wal", [False, True])
def test_a_copy_can_be_taken_unseen(folder: Path, wal: bool) -> None:
    path = make_database(folder / "daemon.db", wal=wal)
    with closing(sqlite3.connect(path)) as other:
        other.execute("INSERT INTO thing (word) VALUES ('in the log')")
        other.commit()
        before = picture_of(folder)
        SQLiteStorage(path).copy_unseen(folder.parent / "copy.db")
        assert picture_of(folder) == before
    assert words_in(folder.parent / "copy.db") == words_in(path)


def test_writers_go_on_and_do_not_make_it_begin_again(folder: Path, other_process: StartProcess) -> None:
    path = make_database(folder / "daemon.db", rows=200_000, wal=True)
    writer = other_process(WRITER, path)

    def write_meanwhile(left: int, total: int) -> None:
        writer.tell("INSERT INTO thing (word) VALUES ('meanwhile')")
        writer.hears()

    SQLiteStorage(path).copy_online(folder / "copy.db", write_meanwhile)
    assert len(words_in(folder / "copy.db")) == 200_000
    assert "meanwhile" in words_in(path)


def test_under_the_lock_of_a_migration_the_copy_is_the_state_before(folder: Path) -> None:
    path = make_database(folder / "daemon.db")
    storage = SQLiteStorage(path)
    with storage.migration_connection() as migration:
        migration.sqlite.execute("DELETE FROM thing")
        storage.copy_online(folder / "copy.db")
        migration.commit_durably()
    assert len(words_in(folder / "copy.db")) == 3
    assert words_in(path) == []


def test_a_copy_replaces_nothing_and_leaves_nothing_when_it_fails(
    folder: Path, other_process: StartProcess
) -> None:
    path = make_database(folder / "daemon.db")
    (folder / "taken.db").write_text("mine")
    with pytest.raises(FileExistsError):
        SQLiteStorage(path).copy_online(folder / "taken.db")
    assert (folder / "taken.db").read_text() == "mine"
    writer = other_process(WRITER, path)
    writer.tell("BEGIN EXCLUSIVE")
    writer.hears()
    with pytest.raises(StorageError, match="locked"):
        SQLiteStorage(path).copy_online(folder / "copy.db", wait_seconds=0.05)
    with pytest.raises(StorageError):
        SQLiteStorage(folder / "none.db").copy_online(folder / "copy.db")
    assert sorted(file.name for file in folder.iterdir()) == ["daemon.db", "taken.db"]


@pytest.mark.parametrize("live_wal", [False, True])
@pytest.mark.parametrize("source_wal", [False, True])
@pytest.mark.parametrize("page_size", [1024, 4096, 16384])
def test_a_restore_of_any_page_size_into_any_mode(
    folder: Path, live_wal: bool, source_wal: bool, page_size: int
) -> None:
    live = make_database(folder / "daemon.db", rows=500, wal=live_wal)
    source = make_database(folder.parent / "source.db", rows=7, wal=source_wal, page_size=page_size)
    before = picture_of(folder.parent / "data")["daemon.db"], source.read_bytes()
    SQLiteStorage(live).copy_into_live(source)
    assert len(words_in(live)) == 7
    assert SQLiteStorage(live).journal_mode() == ("wal" if live_wal else "delete")
    assert source.read_bytes() == before[1]
    assert sorted(file.name for file in folder.iterdir()) == ["daemon.db"]


@pytest.mark.parametrize("page_size", [4096, 16384])
def test_a_log_left_by_a_crash_does_not_undo_it(
    folder: Path, other_process: StartProcess, page_size: int
) -> None:
    live = make_database(folder / "daemon.db", rows=500, wal=True)
    source = make_database(folder.parent / "source.db", rows=7, page_size=page_size)
    writer = other_process(WRITER, live)
    writer.tell("UPDATE thing SET word = 'in the log'")
    writer.hears()
    writer.kill()
    assert (folder / "daemon.db-wal").stat().st_size > 0
    SQLiteStorage(live).copy_into_live(source)
    assert words_in(live) == words_in(source)


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_into_a_missing_file_what_its_predecessor_left_does_not_count(folder: Path, suffix: str) -> None:
    source = make_database(folder.parent / "source.db", rows=7)
    (folder / f"daemon.db{suffix}").write_bytes(os.urandom(9000))
    SQLiteStorage(folder / "daemon.db").copy_into_live(source)
    assert words_in(folder / "daemon.db") == words_in(source)
    assert (folder / "daemon.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("live_wal", [False, True])
@pytest.mark.parametrize("page_size", [4096, 1024])
def test_killed_at_any_step_it_is_the_old_one_or_the_new_one(
    folder: Path, other_process: StartProcess, live_wal: bool, page_size: int
) -> None:
    source = make_database(folder.parent / "source.db", rows=900, page_size=page_size)
    new = words_in(source)
    restores = other_process(RESTORES)
    kill_at, ended = 1, False
    while not ended:
        live = make_database(folder / f"{kill_at}.db", rows=800, wal=live_wal)
        restores.tell(f"{live} {source} {kill_at}")
        ended = restores.hears() == "0"
        now = words_in(live)
        assert len(now) in (800, 900)
        assert (now == new) or not ended
        with closing(sqlite3.connect(live)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        kill_at += 1
    assert kill_at > 2, "it was never killed on the way"


def test_somebody_who_does_not_let_go(folder: Path, other_process: StartProcess) -> None:
    live = make_database(folder / "daemon.db")
    source = make_database(folder.parent / "source.db", rows=7)
    writer = other_process(WRITER, live)
    writer.tell("BEGIN IMMEDIATE")
    writer.hears()
    with pytest.raises(StorageError, match="locked"):
        SQLiteStorage(live).copy_into_live(source, wait_seconds=0.05)
    assert len(words_in(live)) == 3


def test_a_source_that_is_damaged_is_told_afterwards_or_before(folder: Path) -> None:
    live = make_database(folder / "daemon.db")
    source = make_database(folder.parent / "source.db", rows=2000)
    content = bytearray(source.read_bytes())
    content[3 * 4096 : 3 * 4096 + 200] = b"\xff" * 200
    source.write_bytes(content)
    with pytest.raises(Damaged):
        SQLiteStorage(live).copy_into_live(source)


def test_the_driver_is_not_waited_for_for_ever() -> None:
    from app.storage.sqlite.copy import _reporting

    step = _reporting(Path("daemon.db"), None, wait_seconds=-1.0)
    step(sqlite3.SQLITE_OK, 5, 9)
    with pytest.raises(Busy):
        step(sqlite3.SQLITE_BUSY, 5, 9)
