"""Write-ahead log (WAL). Does one connection of a server alone write and fold the log, and close last?

Where two connections did so at the same instant, SQLite from 3.7.0 to 3.51.2 could lose what was committed
(the WAL-reset race). It shows once in very many runs, so beside the stress what connections do is counted.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.database import Database
from app.storage.sqlite import connect, driver
from app.storage.sqlite.storage import SQLiteStorage
from tests.storage.conftest import make_database, words_in

ADD = text("INSERT INTO thing (word) VALUES (:word)")
PAD = "x" * 2_000  # so that a log of a thousand pages, which SQLite folds by itself, is there soon
SECONDS = 2.0
WRITERS = 6
READERS = 4


class Opened:
    """The connections that were opened, what each did to the file, and in which order they were closed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements: dict[int, list[str]] = {}
        self.folds_at: dict[int, int] = {}
        self.closed: list[int] = []
        self._open = driver.open_database
        monkeypatch.setattr(connect, "open_database", self.open)

    def open(self, address: str, **options: Any) -> sqlite3.Connection:
        made = self._open(address, **options)
        number = len(self.statements)
        said = self.statements[number] = []
        made.set_trace_callback(said.append)
        close = made.close

        def closing_it() -> None:
            (self.folds_at[number],) = made.execute("PRAGMA wal_autocheckpoint").fetchone()
            self.closed.append(number)
            close()

        return Closed(made, closing_it)  # type: ignore[return-value]

    def wrote(self) -> set[int]:
        """Which of them wrote or folded the log."""
        words = ("INSERT", "BEGIN IMMEDIATE", "PRAGMA wal_checkpoint(")
        return {
            number for number, said in self.statements.items() if any(w in s for s in said for w in words)
        }


class Closed:
    """A connection whose closing is noticed; all else is its own."""

    def __init__(self, made: sqlite3.Connection, close: Callable[[], None]) -> None:
        self.__dict__["made"] = made
        self.__dict__["close"] = close

    def __getattr__(self, name: str) -> Any:
        return getattr(self.made, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.made, name, value)


@pytest.fixture
def path(folder: Path) -> Path:
    return make_database(folder / "daemon.db", wal=True)


def until(ends: float, act: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        while time.monotonic() < ends:
            act()

    return run


def stressed(database: Database) -> int:
    """Write, read, fold and ask for commits on many threads at once; return how much was written."""
    ends, written, failures = time.monotonic() + SECONDS, [0] * WRITERS, []

    def write(number: int) -> None:
        with database.writing() as connection:
            connection.execute(ADD, {"word": f"{number}.{written[number]} {PAD}"})
        written[number] += 1

    def read() -> None:
        with database.reading() as connection:
            before = connection.execute(text("SELECT count(*) FROM thing")).scalar_one()
            assert connection.execute(text("SELECT count(*) FROM thing")).scalar_one() == before

    def fold() -> None:
        database.checkpoint()
        database.generation()
        time.sleep(0.001)

    def caught(act: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                act()
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test tells of it
                failures.append(error)

        return run

    acts = [*(lambda number=number: write(number) for number in range(WRITERS)), *[read] * READERS, fold]
    threads = [threading.Thread(target=caught(until(ends, act))) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    return sum(written)


def test_under_stress_one_connection_writes_and_folds_and_closes_last(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Opened(monkeypatch)
    database = Database(SQLiteStorage(path))
    written = stressed(database)
    database.close()
    (writer,) = opened.wrote()
    assert opened.closed[-1] == writer
    assert {number for number, at in opened.folds_at.items() if at > 0} == {writer}
    assert len(opened.statements) >= 3
    words = [word.split()[0] for word in words_in(path)[3:]]
    assert len(words) == len(set(words)) == written > 0
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_what_has_to_write_on_its_own_connection_waits_for_its_turn(path: Path) -> None:
    database = Database(SQLiteStorage(path))
    with database.writing() as connection:
        connection.execute(ADD, {"word": "first"})
    came: list[str] = []

    def write() -> None:
        with database.writing() as connection:
            connection.execute(ADD, {"word": "later"})
        came.append("later")

    with database.without_writers():
        thread = threading.Thread(target=write)
        thread.start()
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as own:
            own.execute("INSERT INTO thing (word) VALUES ('own')")  # no one has the lock
        size = path.with_name("daemon.db-wal").stat().st_size
        database_thread = threading.Thread(target=database.checkpoint)
        database_thread.start()
        database_thread.join(20)
        assert path.with_name("daemon.db-wal").stat().st_size == size > 0
        assert came == []
    thread.join(20)
    database.close()
    assert words_in(path)[-3:] == ["first", "own", "later"]


@pytest.mark.parametrize("alone", ["without_writers", "checkpoint"])
def test_who_has_the_turn_without_writing_ends_what_was_handed_on(path: Path, alone: str) -> None:
    database, began, told = Database(SQLiteStorage(path)), threading.Event(), threading.Event()
    line = database._writer._line  # type: ignore[attr-defined]

    def write() -> None:
        with database.writing() as connection:
            connection.execute(ADD, {"word": "new"})
            began.set()
            assert wait_until(lambda: len(line._waiting) == 1)
        told.set()

    def act_alone() -> None:
        if alone == "checkpoint":
            enter = line.enter
            line.enter = lambda wait_seconds: enter(20.0)  # it came at the last moment
            database.checkpoint()
        else:
            with database.without_writers():
                assert told.wait(10)

    writer, other = threading.Thread(target=write), threading.Thread(target=act_alone)
    writer.start()
    assert began.wait(10)
    other.start()
    for thread in (writer, other):
        thread.join(20)
        assert not thread.is_alive()
    assert told.is_set()
    database.close()
    assert words_in(path)[-1] == "new"


def wait_until(holds: Callable[[], bool]) -> bool:
    ends = time.monotonic() + 20
    while not holds() and time.monotonic() < ends:
        time.sleep(0.001)
    return holds()
