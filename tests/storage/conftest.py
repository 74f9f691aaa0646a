"""What do the storage tests share? Databases, other processes, and a picture of a folder."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

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
