"""Does the server's engine make nothing, wait its turn, see one state, and lose nothing?"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from app.database import Database, open_database
from app.errors import Busy, Damaged, UnknownDatabase
from app.storage.sqlite import serving
from app.storage.sqlite.storage import SQLiteStorage
from tests.conftest import SettingsIn
from tests.storage.conftest import StartProcess, make_database, words_in

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


def idle(database: Database) -> bool:
    return database._in_use == 0


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


def test_the_documented_snippet(folder: Path, root: Path) -> None:
    path = make_database(folder / "daemon.db")
    program = (
        "from app.database import engine\n"
        "from sqlalchemy import text\n"
        "with engine.connect() as connection:\n"
        "    print(connection.execute(text('SELECT count(*) FROM thing')).scalar())\n"
        "    connection.execute(text(\"INSERT INTO thing (word) VALUES ('new')\"))\n"
        "    connection.commit()\n"
        "with engine.begin() as connection:\n"
        "    connection.execute(text('DELETE FROM thing WHERE id = 1'))\n"
        "with engine.connect() as connection:\n"
        "    connection.execute(text('DELETE FROM thing'))  # not committed\n"
    )
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{path}"}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("3\n", "")
    assert words_in(path) == ["word 1", "word 2", "new"]


def test_an_unknown_name_is_an_error() -> None:
    import app.database

    with pytest.raises(AttributeError, match="no attribute 'motor'"):
        app.database.motor  # noqa: B018


def test_writing_commits_or_leaves_nothing(path: Path) -> None:
    database = opened(path)
    with database.writing() as connection:
        connection.execute(ADD)

    def fail_half_way() -> None:
        with database.writing() as connection:
            connection.execute(text("DELETE FROM thing"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    database.close()
    assert len(words_in(path)) == 4


def test_reading_cannot_write_and_the_next_writer_can(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "POOL_SIZE", 1)
    monkeypatch.setattr(serving, "POOL_OVERFLOW", 0)
    database = opened(path)
    with database.reading() as connection, pytest.raises(OperationalError, match="readonly"):
        connection.execute(ADD)
    with database.writing() as connection:
        connection.execute(ADD)
    with database.engine.begin() as connection:
        connection.execute(ADD)
    database.close()
    assert len(words_in(path)) == 5


def test_a_reader_sees_one_state(folder: Path, other_process: StartProcess) -> None:
    path = make_database(folder / "daemon.db", wal=True)
    database = opened(path)
    writer = other_process(HOLD, path)
    with database.reading() as connection:
        assert connection.execute(COUNT).scalar() == 3
        writer.tell("DELETE FROM thing")
        writer.hears()
        assert connection.execute(COUNT).scalar() == 3
    with database.reading() as connection:
        assert connection.execute(COUNT).scalar() == 0
    database.close()


def test_a_snapshot_begins_with_the_block(folder: Path, other_process: StartProcess) -> None:
    path = make_database(folder / "daemon.db", wal=True)
    database = opened(path)
    writer = other_process(HOLD, path)
    with database.reading() as connection:
        writer.tell("DELETE FROM thing")
        writer.hears()
        first = connection.execute(COUNT).scalar()
        writer.tell("INSERT INTO thing (word) VALUES ('later')")
        writer.hears()
        assert connection.execute(COUNT).scalar() == first
    database.close()


def test_the_lock_of_another_process_is_waited_for(path: Path, other_process: StartProcess) -> None:
    database = opened(path)
    holder = other_process(HOLD, path)
    holder.tell("BEGIN IMMEDIATE")
    holder.hears()
    entered = threading.Event()

    def write() -> None:
        with database.writing() as connection:
            entered.set()
            connection.execute(ADD)

    thread = threading.Thread(target=write)
    thread.start()
    with database.reading() as connection:
        assert connection.execute(COUNT).scalar() == 3
    assert not entered.is_set()
    holder.tell("COMMIT")
    holder.hears()
    thread.join(30)
    assert entered.is_set()
    database.close()
    assert len(words_in(path)) == 4


def test_a_lock_that_is_never_let_go_is_busy(
    path: Path, other_process: StartProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.sqlite.storage.WAIT_SECONDS", 0.05)
    database = opened(path)
    holder = other_process(HOLD, path)
    holder.tell("BEGIN IMMEDIATE")
    holder.hears()
    with pytest.raises(Busy), database.writing():
        pass
    database.close()


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


def test_many_writers_lose_nothing(path: Path, other_process: StartProcess) -> None:
    database = opened(path)
    program = """
        import sys
        from pathlib import Path
        from sqlalchemy import text
        from app.database import Database
        from app.storage.sqlite.storage import SQLiteStorage
        database = Database(SQLiteStorage(Path(sys.argv[1])))
        for number in range(8):
            with database.writing() as connection:
                count = connection.execute(text("SELECT count(*) FROM thing")).scalar()
                connection.execute(text("INSERT INTO thing (word) VALUES (:count)"), {"count": str(count)})
        database.close()
    """
    others = [other_process(program, path) for _ in range(2)]

    def write() -> None:
        for _ in range(5):
            with database.writing() as connection:
                count = connection.execute(COUNT).scalar()
                connection.execute(text("INSERT INTO thing (word) VALUES (:count)"), {"count": str(count)})

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait() for other in others] == [0, 0]
    database.close()
    assert words_in(path)[3:] == [str(number) for number in range(3, 39)]


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


def test_keys_are_enforced_and_conflicts_come_out_as_they_are(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE child (thing INTEGER REFERENCES thing (id))")
    database = opened(path)
    with pytest.raises(IntegrityError, match="FOREIGN KEY"), database.writing() as writing:
        writing.execute(text("INSERT INTO child VALUES (99)"))
    database.close()


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


def test_the_generation_changes_with_every_commit_of_anybody(path: Path, other_process: StartProcess) -> None:
    database = opened(path)
    other = other_process(HOLD, path)
    seen = [database.generation()]
    assert database.generation() == seen[0]
    with database.writing() as connection:
        connection.execute(ADD)
    seen.append(database.generation())
    other.tell("INSERT INTO thing (word) VALUES ('other')")
    other.hears()
    seen.append(database.generation())
    database.close()
    seen.append(database.generation())
    assert len(set(seen)) == 4
    with database.reading():
        pass
    assert database.generation() == seen[-1]
    database.close()


def test_close_lets_go_of_the_file_and_a_later_use_opens_it_again(path: Path) -> None:
    def descriptors() -> int:
        links = (entry.readlink() for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink())
        return sum(str(link).startswith(str(path)) for link in links)

    database = opened(path)
    database.generation()
    with database.reading() as connection:
        connection.execute(COUNT)
    assert descriptors() > 0
    database.close()
    assert descriptors() == 0
    with database.reading() as connection:
        assert connection.execute(COUNT).scalar() == 3
    database.close()


def test_close_waits_for_who_is_inside_and_admits_nobody(path: Path) -> None:
    database = opened(path)
    inside, leave, closed = threading.Event(), threading.Event(), threading.Event()

    def use() -> None:
        with database.writing() as connection:
            inside.set()
            leave.wait(30)
            connection.execute(ADD)

    def close() -> None:
        database.close(wait_seconds=30)
        closed.set()

    user, closer = threading.Thread(target=use), threading.Thread(target=close)
    user.start()
    inside.wait(30)
    assert not idle(database)
    closer.start()
    while True:  # until the door is shut
        try:
            with database.reading():
                pass
        except Busy:
            break
    assert not closed.is_set()
    leave.set()
    user.join(30)
    closer.join(30)
    assert closed.is_set()
    assert idle(database)
    assert len(words_in(path)) == 4


def test_a_connection_given_back_in_the_middle_is_rolled_back(path: Path) -> None:
    engine = SQLiteStorage(path).engine_for_serving()
    connection = engine.raw_connection()
    connection.cursor().execute("BEGIN IMMEDIATE")
    connection.close()
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    engine.dispose()


def test_reflection_works_on_it(path: Path) -> None:
    engine = SQLiteStorage(path).engine_for_serving()
    assert sqlalchemy.inspect(engine).get_table_names() == ["thing"]
    engine.dispose()
