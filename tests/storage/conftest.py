"""What do the storage tests share? Databases, other processes, and a picture of a folder."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert

from app.database import Database
from app.storage.engine import StorageEngine
from app.storage.registry import storage_for
from app.storage.types import Mark
from app.upgrade.versions.releases import APPLICATION_ID
from tests.databases import Databases

Picture = dict[str, tuple[bytes, int, int]]


class OtherProcess:
    """A Python program beside the test: it says lines, waits for lines, and can be killed."""

    def __init__(self, program: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )

    def hears(self) -> str:
        """The next line that it says; fails when it ended instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the other process ended with {self._process.wait()}"
        return line.strip()

    def tell(self, line: str = "") -> None:
        """Give it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """End it as a power cut would: nothing of it runs any more."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def wait(self) -> int:
        """Its exit status, after it has ended by itself."""
        return self._process.wait(60)

    def rest(self) -> str:
        """What it said besides, once it has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.read()

    def close(self) -> None:
        """Kill it if need be and close the pipes."""
        if self._process.poll() is None:
            self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


StartProcess = Callable[..., OtherProcess]


@pytest.fixture
def other_process() -> Iterator[StartProcess]:
    """`other_process(program, *arguments)` starts one; all are ended with the test."""
    started: list[OtherProcess] = []

    def start(program: str, *arguments: object) -> OtherProcess:
        started.append(OtherProcess(program, *arguments))
        return started[-1]

    yield start
    for process in started:
        process.close()


def picture_of(folder: Path) -> Picture:
    """Every file of a folder with its bytes, size and time of change."""
    return {
        path.name: (path.read_bytes(), path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.iterdir())
    }


def make_database(path: Path, *, rows: int = 3, wal: bool = False, page_size: int = 4096) -> Path:
    """A small database of one table, `thing (id, word)`."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {page_size}")
        if wal:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY, word TEXT)")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO thing (word) VALUES (?)", [(f"word {n}",) for n in range(rows)])
        connection.execute("COMMIT")
    return path


def words_in(path: Path) -> list[str]:
    """What is in the table of `make_database`."""
    with closing(sqlite3.connect(path)) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM thing ORDER BY id")]


# -- the same on every engine

thing = Table("thing", MetaData(), Column("id", Integer, primary_key=True), Column("word", String))


def make_things(url: str, rows: int = 3, *, wal: bool = False) -> str:
    """Make a database at an empty place: the table `thing (id, word)`, and the mark that it is ours."""
    storage = storage_for(url)
    if storage.engine_name == "sqlite":
        storage.path.parent.mkdir(parents=True, exist_ok=True)
        storage.path.touch()
        storage.set_journal_mode("wal" if wal else "delete")
    with storage.migration_connection() as migration:
        thing.create(migration.connection)
        migration.execute("CREATE TABLE database_versions (id INTEGER PRIMARY KEY)")
        words = [{"word": f"word {number}"} for number in range(rows)]
        migration.connection.execute(insert(thing), words)
        migration.set_mark(Mark(APPLICATION_ID, 600))
        migration.commit_durably()
    return url


def words_of(url: str) -> list[str]:
    """What is in the table of `make_things`."""
    with storage_for(url).looking() as connection:
        return [word for (word,) in connection.rows("SELECT word FROM thing ORDER BY id")]


@pytest.fixture
def url(databases: Databases, tmp_path: Path) -> str:
    """A database of `make_things`, in rollback-journal mode where it is a file."""
    return make_things(databases.place(tmp_path))


@pytest.fixture
def storage(url: str) -> StorageEngine:
    """The storage of that database."""
    return storage_for(url)


@pytest.fixture
def database(storage: StorageEngine) -> Iterator[Database]:
    """That database, as a server opens it; closed with the test."""
    opened = Database(storage)
    yield opened
    opened.close()


def until(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends, "it never came about"
        time.sleep(0.01)


# -- folders


@pytest.fixture
def folder_for_all() -> Iterator[Path]:
    """An empty folder that every account may read, and only this one write."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for a database."""
    made = tmp_path / "data"
    made.mkdir()
    return made
