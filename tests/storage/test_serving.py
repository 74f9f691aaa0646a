"""Serving a database, on either engine: does it wait its turn, see one state, and lose nothing?"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.database import Database
from app.errors import Busy
from app.storage.engine import StorageEngine
from app.storage.postgresql import write_guard
from app.storage.registry import storage_for
from tests.databases import Databases, outside
from tests.storage.conftest import StartProcess, make_things, until, words_of

COUNT = text("SELECT count(*) FROM thing")
ADD = text("INSERT INTO thing (word) VALUES ('new')")
ADD_COUNTED = text("INSERT INTO thing (word) VALUES (:count)")
CLEAR = text("DELETE FROM thing")


@pytest.fixture(params=["delete", pytest.param("wal", marks=pytest.mark.only_on("sqlite"))])
def url(databases: Databases, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """As everywhere; a file in either journal mode, and a server has its log."""
    return make_things(databases.place(tmp_path), wal=request.param == "wal")


@pytest.fixture
def with_log(databases: Databases, tmp_path: Path) -> str:
    """One that is written to while someone reads it: on SQLite in WAL mode."""
    return make_things(databases.place(tmp_path), wal=True)


def idle(database: Database) -> bool:
    return database._in_use == 0


def add_as_many(database: Database) -> None:
    with database.writing() as connection:
        count = connection.execute(COUNT).scalar()
        connection.execute(ADD_COUNTED, {"count": str(count)})


def test_the_documented_snippet(url: str, root: Path) -> None:
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
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("3\n", "")
    assert words_of(url) == ["word 1", "word 2", "new"]


def test_writing_commits_or_leaves_nothing(url: str, database: Database) -> None:
    with database.writing() as connection:
        connection.execute(ADD)

    def fail_half_way() -> None:
        with database.writing() as connection:
            connection.execute(CLEAR)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert len(words_of(url)) == 4


def test_reading_cannot_write_and_the_next_writer_can(
    url: str, storage: StorageEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving = f"app.storage.{storage.engine_name}.serving"
    monkeypatch.setattr(f"{serving}.POOL_SIZE", 1)
    monkeypatch.setattr(f"{serving}.POOL_OVERFLOW", 0)
    database = Database(storage)
    with database.reading() as connection, pytest.raises(DBAPIError, match=r"read-?only"):
        connection.execute(ADD)
    with database.writing() as connection:
        connection.execute(ADD)
    with database.engine.begin() as connection:
        connection.execute(ADD)
    database.close()
    assert len(words_of(url)) == 5


def test_a_reader_sees_one_state(with_log: str) -> None:
    database = Database(storage_for(with_log))
    with database.reading() as connection, outside(with_log) as other:
        assert connection.execute(COUNT).scalar() == 3
        other.execute(CLEAR)
        assert connection.execute(COUNT).scalar() == 3
    with database.reading() as connection:
        assert connection.execute(COUNT).scalar() == 0
    database.close()


def test_a_snapshot_begins_with_the_block(with_log: str) -> None:
    database = Database(storage_for(with_log))
    with database.reading() as connection, outside(with_log) as other:
        other.execute(CLEAR)
        first = connection.execute(COUNT).scalar()
        other.execute(ADD)
        assert connection.execute(COUNT).scalar() == first
    database.close()


def test_the_lock_of_another_writer_is_waited_for(
    url: str, storage: StorageEngine, database: Database
) -> None:
    entered = threading.Event()

    def write() -> None:
        with database.writing() as connection:
            entered.set()
            connection.execute(ADD)

    thread = threading.Thread(target=write)
    with storage.migration_connection():
        thread.start()
        with database.reading() as connection:
            assert connection.execute(COUNT).scalar() == 3
        assert not entered.is_set()
    thread.join(30)
    assert entered.is_set()
    assert len(words_of(url)) == 4


def test_a_lock_that_is_never_let_go_is_busy(storage: StorageEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.storage.sqlite.storage.WAIT_SECONDS", 0.05)
    begin = write_guard.BEGIN_WRITING.replace(b"'10s'", b"'50ms'")
    monkeypatch.setattr(write_guard, "BEGIN_WRITING", begin)
    database = Database(storage)
    with storage.migration_connection(), pytest.raises(Busy), database.writing():
        pytest.fail("it may not write")
    with database.writing() as connection:
        connection.execute(ADD)
    database.close()


def test_many_writers_lose_nothing(url: str, database: Database, other_process: StartProcess) -> None:
    program = """
        import sys
        from sqlalchemy import text
        from app.database import Database
        from app.storage.registry import storage_for
        database = Database(storage_for(sys.argv[1]))
        for number in range(8):
            with database.writing() as connection:
                count = connection.execute(text("SELECT count(*) FROM thing")).scalar()
                connection.execute(text("INSERT INTO thing (word) VALUES (:count)"), {"count": str(count)})
        database.close()
    """
    others = [other_process(program, url) for _ in range(2)]

    def write() -> None:
        for _ in range(5):
            add_as_many(database)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait() for other in others] == [0, 0]
    assert words_of(url)[3:] == [str(number) for number in range(3, 39)]


def test_keys_are_enforced_and_conflicts_come_out_as_they_are(url: str, database: Database) -> None:
    with outside(url) as connection:
        connection.execute(text("CREATE TABLE child (thing BIGINT REFERENCES thing (id))"))
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"), database.writing() as writing:
        writing.execute(text("INSERT INTO child VALUES (99)"))


def test_the_generation_changes_with_every_commit_of_anybody(url: str, database: Database) -> None:
    seen = [database.generation()]
    assert database.generation() == seen[0]
    with database.writing() as connection:
        connection.execute(ADD)
    seen.append(database.generation())
    with outside(url) as other:
        other.execute(ADD)
    seen.append(database.generation())
    database.close()
    seen.append(database.generation())
    assert len(set(seen)) == 4
    with database.reading():
        pass
    assert database.generation() == seen[-1]


def held_by_this_process(url: str) -> int:
    """How many files or sessions are open."""
    if url.startswith("sqlite"):
        links = (entry.readlink() for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink())
        return sum(str(link).startswith(str(storage_for(url).path)) for link in links)
    with outside(url) as connection:
        query = "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
        return int(connection.execute(text(query)).scalar_one())


def test_close_lets_go_of_it_and_a_later_use_opens_it_again(url: str, database: Database) -> None:
    before = held_by_this_process(url)  # of a file, what may not be closed while it is open elsewhere
    database.generation()
    with database.reading() as connection:
        connection.execute(COUNT)
    assert held_by_this_process(url) > before
    database.close()
    until(lambda: held_by_this_process(url) == before)
    with database.reading() as connection:
        assert connection.execute(COUNT).scalar() == 3


def test_close_waits_for_who_is_inside_and_admits_nobody(url: str, database: Database) -> None:
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
    assert len(words_of(url)) == 4


def test_a_connection_given_back_in_the_middle_is_rolled_back(url: str, storage: StorageEngine) -> None:
    engine = storage.engine_for_serving()
    connection = engine.raw_connection()
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    cursor.execute("DELETE FROM thing")
    connection.close()
    with storage.migration_connection(0.1) as migration:  # the lock is free
        migration.execute("UPDATE thing SET word = 'later'")
        migration.commit_durably()
    assert words_of(url) == ["later"] * 3
    engine.dispose()


def test_reflection_works_on_it(storage: StorageEngine) -> None:
    engine = storage.engine_for_programs()
    assert sorted(sqlalchemy.inspect(engine).get_table_names()) == ["database_versions", "thing"]
    engine.dispose()
