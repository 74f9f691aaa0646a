"""Group commit: do those who wait share one commit, and neither a failure nor a word too early?"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from app.database import Database
from app.errors import Busy, DaemonError
from app.storage.sqlite import group_commit, serving
from app.storage.sqlite.group_commit import SharedWriter
from app.storage.sqlite.storage import SQLiteStorage
from app.storage.types import WriteJob
from tests.storage.conftest import StartProcess, make_database, words_in

DEADLINE_SECONDS = 30
ADD = text("INSERT INTO thing (word) VALUES (:word)")


class Site:
    """An open database whose commits are counted, and can be made to wait or to fail."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.database = Database(SQLiteStorage(path))
        writer = self.database._writer
        assert isinstance(writer, SharedWriter)
        self.writer = writer
        self.commits = 0
        self.permits: threading.Semaphore | None = None
        self.is_committing = threading.Event()
        commit = serving._commit

        def counted(driver: sqlite3.Connection) -> None:
            self._count()
            commit(driver)

        monkeypatch.setattr(serving, "_commit", counted)

    def _count(self) -> None:
        self.commits += 1
        self.is_committing.set()
        if self.permits is not None:
            assert self.permits.acquire(timeout=DEADLINE_SECONDS)

    def let_commit(self, times: int = 1_000) -> None:
        assert self.permits is not None
        self.permits.release(times)

    def add(self, word: str) -> None:
        with self.database.writing() as connection:
            connection.execute(ADD, {"word": word})

    def wait_for_line(self, count: int) -> None:
        ends = time.monotonic() + DEADLINE_SECONDS
        while len(self.writer._line._waiting) < count:
            assert time.monotonic() < ends
            time.sleep(0.001)


class Writers:
    """Threads of which each writes once, and what became of each."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.ends: dict[str, BaseException | None] = {}

    def start(self, name: str, write: Callable[[], object]) -> None:
        def run() -> None:
            try:
                write()
            except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
                self.ends[name] = error
            else:
                self.ends[name] = None

        self.threads.append(threading.Thread(target=run, daemon=True))
        self.threads[-1].start()

    def wait(self) -> dict[str, BaseException | None]:
        for thread in self.threads:
            thread.join(DEADLINE_SECONDS)
            assert not thread.is_alive()
        return self.ends


@pytest.fixture(params=["delete", "wal"])
def site(folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    made = Site(make_database(folder / "daemon.db", wal=request.param == "wal"), monkeypatch)
    yield made
    if made.permits is not None:
        made.let_commit()
    made.database.close()


@pytest.fixture
def writers() -> Writers:
    return Writers()


def held_up(site: Site, writers: Writers) -> None:
    """Let a first one be in the middle of its commit, so that whoever comes has to wait."""
    site.permits = threading.Semaphore(0)
    writers.start("first", lambda: site.add("first"))
    assert site.is_committing.wait(DEADLINE_SECONDS)


def test_those_who_wait_share_one_commit(site: Site, writers: Writers) -> None:
    held_up(site, writers)
    for number in range(10):
        writers.start(f"w{number}", lambda number=number: site.add(f"w{number}"))  # type: ignore[misc]
    site.wait_for_line(10)
    assert writers.ends == {}
    site.let_commit()
    assert set(writers.wait().values()) == {None}
    assert site.commits == 2
    assert len(words_in(site.path)) == 3 + 11


def test_no_one_is_answered_before_the_commit_is_over(site: Site, writers: Writers) -> None:
    held_up(site, writers)
    for name in ("a", "b"):
        writers.start(name, lambda name=name: site.add(name))  # type: ignore[misc]
    site.wait_for_line(2)
    site.is_committing.clear()
    site.let_commit(1)
    writers.threads[0].join(DEADLINE_SECONDS)
    assert site.is_committing.wait(DEADLINE_SECONDS)  # that of a and b, which waits now
    assert writers.ends == {"first": None}
    assert "a" not in words_in(site.path)
    site.let_commit()
    writers.wait()
    assert {"a", "b"} <= set(words_in(site.path))


def test_one_that_fails_takes_no_one_with_it(site: Site, writers: Writers) -> None:
    def half() -> None:
        with site.database.writing() as connection:
            connection.execute(ADD, {"word": "half"})
            connection.execute(text("INSERT INTO thing (id, word) VALUES (1, 'taken')"))

    def nothing() -> None:
        with site.database.writing():
            raise ZeroDivisionError

    held_up(site, writers)
    parts = {"a": lambda: site.add("a"), "half": half, "b": lambda: site.add("b"), "nothing": nothing}
    for count, (name, write) in enumerate(parts.items(), 1):
        writers.start(name, write)
        site.wait_for_line(count)
    site.let_commit()
    ends = writers.wait()
    assert ends["a"] is ends["b"] is ends["first"] is None
    assert isinstance(ends["half"], IntegrityError)
    assert isinstance(ends["nothing"], ZeroDivisionError)
    assert words_in(site.path) == ["word 0", "word 1", "word 2", "first", "a", "b"]
    assert site.commits == 2


def test_where_the_commit_fails_no_one_is_there_and_everyone_is_told(site: Site, writers: Writers) -> None:
    with closing(sqlite3.connect(site.path)) as owner, owner:
        owner.execute(
            "CREATE TABLE part (id INTEGER, of_id INTEGER REFERENCES thing(id) DEFERRABLE INITIALLY DEFERRED)"
        )

    def orphan() -> None:
        with site.database.writing() as connection:
            connection.execute(text("INSERT INTO part VALUES (1, 99999)"))  # found at the commit only

    held_up(site, writers)
    for count, (name, write) in enumerate({"a": lambda: site.add("a"), "orphan": orphan}.items(), 1):
        writers.start(name, write)
        site.wait_for_line(count)
    site.let_commit()
    ends = writers.wait()
    assert isinstance(ends["a"], DaemonError)
    assert isinstance(ends["orphan"], DaemonError)
    assert ends["a"] is not ends["orphan"]
    assert words_in(site.path) == ["word 0", "word 1", "word 2", "first"]
    site.add("later")
    assert words_in(site.path)[-1] == "later"


def test_where_sqlite_gives_the_transaction_up_no_one_is_there(site: Site, writers: Writers) -> None:
    def lost() -> None:
        with site.database.writing() as connection:
            connection.execute(ADD, {"word": "lost"})
            connection.execute(text("ROLLBACK"))  # as SQLite does by itself on a full disk

    held_up(site, writers)
    for count, (name, write) in enumerate({"a": lambda: site.add("a"), "lost": lost}.items(), 1):
        writers.start(name, write)
        site.wait_for_line(count)
    site.let_commit()
    ends = writers.wait()
    assert isinstance(ends["a"], DaemonError)
    assert isinstance(ends["lost"], DaemonError)
    assert words_in(site.path) == ["word 0", "word 1", "word 2", "first"]
    site.add("later")
    assert words_in(site.path)[-1] == "later"


def test_a_transaction_ends_although_more_and_more_come(
    site: Site, writers: Writers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MEMBERS_MOST", 4)
    held_up(site, writers)
    for number in range(12):
        writers.start(f"w{number}", lambda number=number: site.add(f"w{number}"))  # type: ignore[misc]
    site.wait_for_line(12)
    site.let_commit()
    assert set(writers.wait().values()) == {None}
    assert site.commits == 4


def test_who_waits_in_vain_is_told_and_holds_no_one_up(site: Site, writers: Writers) -> None:
    site.writer._wait_seconds = 0.05
    with site.database.writing() as connection:
        connection.execute(ADD, {"word": "slow"})
        writers.start("impatient", lambda: site.add("impatient"))
        assert isinstance(writers.wait()["impatient"], Busy)
    site.add("later")
    assert words_in(site.path)[-2:] == ["slow", "later"]


def test_the_log_is_folded_into_the_file_when_asked_and_at_the_end(folder: Path) -> None:
    path = make_database(folder / "daemon.db", wal=True)
    log = path.with_name("daemon.db-wal")
    with closing(sqlite3.connect(path)) as other:  # a log goes with who closes last
        other.execute("SELECT count(*) FROM thing").fetchall()
        database = Database(SQLiteStorage(path))
        for word in ("one", "two"):
            with database.writing() as connection:
                connection.execute(ADD, {"word": word})
            assert log.stat().st_size > 0
            if word == "one":
                database.checkpoint()
                assert log.stat().st_size == 0
        database.close()
        assert log.stat().st_size == 0
        assert words_in(path)[-2:] == ["one", "two"]


def test_no_one_who_reads_or_writes_waits_for_a_checkpoint(folder: Path, writers: Writers) -> None:
    path = make_database(folder / "daemon.db", wal=True)
    database = Database(SQLiteStorage(path))
    with database.reading() as reader:
        assert reader.execute(text("SELECT count(*) FROM thing")).scalar() == 3
        with database.writing() as connection:
            connection.execute(ADD, {"word": "new"})
            began = time.monotonic()
            writers.start("checkpoint", database.checkpoint)  # someone writes
            assert writers.wait()["checkpoint"] is None
        database.checkpoint()  # someone reads an older state
        assert time.monotonic() - began < 10
        assert reader.execute(text("SELECT count(*) FROM thing")).scalar() == 3
    database.close()


VICTIM = """
    import os, sys, threading
    from pathlib import Path
    from sqlalchemy import text
    from app.database import Database
    from app.storage.sqlite.storage import SQLiteStorage

    database = Database(SQLiteStorage(Path(sys.argv[1])))

    def write(thread):
        for number in range(100_000):
            word = f"{thread}.{number}"
            with database.writing() as connection:
                connection.execute(text("INSERT INTO thing (word) VALUES (:w)"), {"w": word})
                connection.execute(text("INSERT INTO thing (word) VALUES (:w)"), {"w": word})
            os.write(1, f"{word}\\n".encode())  # it is answered

    for thread in range(8):
        threading.Thread(target=write, args=(thread,)).start()
"""


@pytest.mark.parametrize("wal", [False, True])
def test_killed_anywhere_what_was_answered_is_there_and_all_else_whole_or_absent(
    folder: Path, other_process: StartProcess, wal: bool
) -> None:
    path = make_database(folder / "daemon.db", wal=wal)
    answered_in_all = 0
    for answered in (1, 2, 5, 9, 14, 23):  # at the beginning, and in the middle of the groups to come
        with closing(sqlite3.connect(path, isolation_level=None)) as emptied:
            emptied.execute("DELETE FROM thing")
        victim = other_process(VICTIM, path)
        told = [victim.hears() for _ in range(answered)]
        victim.kill()
        told += victim.rest().splitlines()
        words = words_in(path)
        assert set(told) <= set(words)
        assert all(words.count(word) == 2 for word in words)
        answered_in_all += len(told)
    assert answered_in_all >= 54


# -- jobs, which one thread does for many


def word_job(word: str) -> WriteJob:
    def add(connection: Connection) -> str:
        connection.execute(ADD, {"word": word})
        return word.upper()

    return WriteJob(add)


def statement_job(statement: str) -> WriteJob:
    def run(connection: Connection) -> None:
        connection.execute(ADD, {"word": "half"})
        connection.execute(text(statement))

    return WriteJob(run)


def test_jobs_share_one_commit_and_one_that_fails_takes_no_one_with_it(site: Site) -> None:
    jobs = [word_job("a"), statement_job("INSERT INTO thing (id, word) VALUES (1, 'taken')"), word_job("b")]
    assert site.database.write_each(iter(jobs)) == jobs
    assert [job.value for job in jobs] == ["A", None, "B"]
    assert [type(job.error) for job in jobs] == [type(None), IntegrityError, type(None)]
    assert words_in(site.path)[3:] == ["a", "b"]
    assert site.commits == 1


def test_where_the_transaction_of_jobs_is_lost_each_is_told_and_the_rest_are_left(site: Site) -> None:
    jobs = [word_job("a"), statement_job("ROLLBACK"), word_job("b")]
    left = iter(jobs)
    assert site.database.write_each(left) == jobs[:2]
    assert all(isinstance(job.error, DaemonError) for job in jobs[:2])
    assert jobs[0].error is not jobs[1].error
    assert site.database.write_each(left) == jobs[2:]
    assert words_in(site.path)[3:] == ["b"]


def test_where_the_commit_of_jobs_fails_each_is_told(site: Site) -> None:
    with closing(sqlite3.connect(site.path)) as owner, owner:
        owner.execute(
            "CREATE TABLE part (id INTEGER, of_id INTEGER REFERENCES thing(id) DEFERRABLE INITIALLY DEFERRED)"
        )
    jobs = [word_job("a"), statement_job("INSERT INTO part VALUES (1, 99999)")]
    site.database.write_each(iter(jobs))
    assert all(isinstance(job.error, DaemonError) for job in jobs)
    assert words_in(site.path)[3:] == []


def test_jobs_and_others_who_write_wait_for_each_other(site: Site, writers: Writers) -> None:
    held_up(site, writers)
    jobs = [word_job(f"job {number}") for number in range(3)]
    writers.start("jobs", partial(site.database.write_each, iter(jobs)))
    site.wait_for_line(1)
    writers.start("other", lambda: site.add("other"))
    site.wait_for_line(2)
    assert [job.value for job in jobs] == [None, None, None]
    site.let_commit()
    assert set(writers.wait().values()) == {None}
    assert words_in(site.path)[3:] == ["first", "job 0", "job 1", "job 2", "other"]
    assert site.commits == 2


def test_jobs_wait_no_longer_than_anyone_for_their_turn(site: Site) -> None:
    site.writer._wait_seconds = 0.05
    job = word_job("never")
    with site.database.writing(), pytest.raises(Busy):
        site.database.write_each(iter([job]))
    assert (job.value, job.error) == (None, None)


def test_only_so_many_jobs_go_into_one_commit(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MEMBERS_MOST", 4)
    jobs = iter([word_job(str(number)) for number in range(6)])
    assert len(site.database.write_each(jobs)) == 4
    assert len(site.database.write_each(jobs)) == 2
    assert site.commits == 2
