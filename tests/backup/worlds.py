"""Databases for the tests of backups: a small Daemon, written here, and what is in a file."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.storage.types import StorageConnection

ROOT = Path(__file__).resolve().parents[2]
DDL = """
CREATE TABLE users (id INTEGER PRIMARY KEY, username VARCHAR(50) NOT NULL, is_admin BOOLEAN);
CREATE TABLE endpoints (id INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL);
CREATE TABLE data_entries (id INTEGER PRIMARY KEY, endpoint_id INTEGER REFERENCES endpoints (id), data JSON);
CREATE INDEX ix_data_entries_endpoint ON data_entries (endpoint_id);
CREATE TABLE "owner's table" (a, b);
INSERT INTO users VALUES (1, 'ada', 1), (2, 'bob', 0);
INSERT INTO endpoints VALUES (1, 'ideas');
INSERT INTO data_entries VALUES (900, 77, '{"content": "an orphan"}');
"""


@dataclass(frozen=True)
class Known:
    """What the tests' own recogniser says of a database."""

    version_label: str
    fingerprint: str | None
    is_daemon: bool


def describe(connection: StorageConnection) -> Known:
    """A database is a Daemon's when it has its tables; the version stands in user_version."""
    version = connection.mark().schema_number
    return Known(f"0.{version}.0", f"f{version}", {"users", "data_entries"} <= set(connection.tables()))


def make_daemon(
    path: Path, *, entries: int = 50, wal: bool = False, page_size: int = 4096, version: int = 1
) -> None:
    """Write a database of that many entries and close it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size={page_size}")
        connection.execute(f"PRAGMA user_version={version}")
        connection.execute(f"PRAGMA journal_mode={'wal' if wal else 'delete'}")
        connection.executescript(DDL)
        add_entries(connection, entries)


def add_entries(connection: sqlite3.Connection, count: int) -> None:
    """Add entries in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        "INSERT INTO data_entries (endpoint_id, data) VALUES (1, ?)",
        [(f'{{"content": "{number} {"x" * 200}"}}',) for number in range(count)],
    )
    connection.execute("COMMIT")


def write_more(path: Path, count: int = 7) -> None:
    """Add entries to the database and close it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        add_entries(connection, count)


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, read from a private copy with all that is beside the file."""
    with tempfile.TemporaryDirectory() as scratch:
        for suffix in ("", "-wal", "-journal"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                shutil.copyfile(part, Path(scratch) / ("copy.db" + suffix))
        with contextlib.closing(sqlite3.connect(Path(scratch) / "copy.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            names = [
                name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            return {
                name: connection.execute(f"SELECT rowid, * FROM {quoted(name)} ORDER BY rowid").fetchall()
                for name in names
            }


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def snapshot(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Name, mode, time and bytes of everything in a folder: equal before and after, nothing was written."""
    found = {}
    for path in sorted([folder, *folder.rglob("*")]):
        known = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path.relative_to(folder))] = (known.st_mode, known.st_mtime_ns, content)
    return found


def flip_byte(path: Path, at: int) -> None:
    """Change one byte of a file."""
    content = bytearray(path.read_bytes())
    content[at] ^= 0x41
    path.write_bytes(bytes(content))


def spoil_a_page(path: Path) -> None:
    """Overwrite a page of the table of entries: opening works, the integrity check does not."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        page_size = connection.execute("PRAGMA page_size").fetchone()[0]
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'data_entries'"
        root_page = connection.execute(query).fetchone()[0]
    content = bytearray(path.read_bytes())
    start = (root_page - 1) * page_size
    content[start : start + page_size] = b"\x5a" * page_size
    path.write_bytes(bytes(content))


def start_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a process that runs ``code`` with the project and the tests importable."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


LEAVE_A_LOG = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("PRAGMA wal_autocheckpoint=0")
connection.execute("UPDATE data_entries SET data = 'written to the log'")
os.kill(os.getpid(), 9)
"""


def leave_a_log(path: Path) -> Path:
    """A process that was killed while its writes were still in the write-ahead log."""
    start_python(LEAVE_A_LOG, path).communicate(timeout=30)
    log = path.with_name(path.name + "-wal")
    assert log.stat().st_size > 0
    return log


LEAVE_A_HOT_JOURNAL = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size=5")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE data_entries SET data = data || 'half done'")
connection.execute("INSERT INTO data_entries (data) SELECT data FROM data_entries")
os.kill(os.getpid(), 9)
"""


def leave_a_hot_journal(path: Path) -> Path:
    """A process that was killed in the middle of a transaction that had already reached the file."""
    write_more(path, 3000)
    start_python(LEAVE_A_HOT_JOURNAL, path).communicate(timeout=30)
    journal = path.with_name(path.name + "-journal")
    assert journal.stat().st_size > 0
    return journal


@contextlib.contextmanager
def as_other_account(uid: int = 54321) -> Iterator[None]:
    """Run what is within as an account that owns nothing; without root, as who we are.

    Only the effective ids change, so that files already open and modules yet to be imported stay reachable
    afterwards.
    """
    if os.geteuid() != 0:
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
