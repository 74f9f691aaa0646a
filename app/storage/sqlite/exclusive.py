"""Exclusive access. How is a whole database taken out of the live file or put into it, alone?

A restore is two copies: the state before goes out, the backup comes in. Done as two transactions, whatever
another program commits between them is in neither. Here one connection holds the file's exclusive lock
(locking_mode=EXCLUSIVE keeps it between transactions) while both copies are made through it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.progress import OnPages, say_nothing
from app.storage.sqlite.connect import trust_the_schema
from app.storage.sqlite.driver import open_database
from app.storage.sqlite.errors import as_storage_errors
from app.storage.sqlite.full_text import leave_out
from app.storage.sqlite.unusable import read_what_can_be_read

MODE_WAIT_SECONDS = 10.0  # for others who have the file open, when its journal is to be kept otherwise
_PAGES_A_STEP = 2048
_HEADER_BYTES = 100
_CHUNK_BYTES = 1 << 20


@dataclass
class Exchange:
    """A live database that is held exclusively; made by `exchange`."""

    _connection: sqlite3.Connection
    journal_mode: str

    old_name = ""  # what was there is in the backup that was made of it

    @as_storage_errors()
    def copy_out(self, target: Path, report: OnPages = say_nothing) -> None:
        """Copy the live database into the new file ``target``; raises StorageError."""
        with contextlib.closing(open_database(target.absolute().as_uri())) as into:
            into.execute("PRAGMA synchronous=OFF")  # the caller syncs the file when it is whole
            self._connection.backup(into, pages=_PAGES_A_STEP, progress=_reporting(report))

    @as_storage_errors()
    def copy_in(self, source: Path, report: OnPages = say_nothing) -> None:
        """Make the live database equal to the file ``source``, in one transaction.

        ``source`` must need no sibling (`make_self_contained`). The journal mode of the live database stays.
        Raises StorageError; the live database is then as it was, unless the error came from the commit.
        """
        was_wal = self.journal_mode == "wal"
        if was_wal and _page_size(self._connection) != _page_size_of_file(source):
            # A database in WAL mode cannot change its page size: it leaves that mode, under the same lock.
            self._set_journal_mode("delete")
        with _reading(source) as coming:
            coming.backup(self._connection, pages=_PAGES_A_STEP, progress=_reporting(report))
        if was_wal and self._mode_now() != "wal":
            self._set_journal_mode("wal")

    def _mode_now(self) -> str:
        return str(self._connection.execute("PRAGMA journal_mode").fetchone()[0])

    def _set_journal_mode(self, mode: str) -> None:
        became = self._connection.execute(f"PRAGMA journal_mode={mode}").fetchone()[0]
        if became != mode:
            raise sqlite3.OperationalError(f"the journal mode stayed {became}")


@contextlib.contextmanager
def exchange(path: Path, *, busy_seconds: float = 20.0) -> Iterator[Exchange]:
    """Hold the existing database ``path`` exclusively: no one else reads or writes until the end.

    A hot journal or a left write-ahead log is taken in first, as any opening does. Raises sqlite3.Error
    (SQLITE_BUSY when another program does not let go in time, SQLITE_NOTADB and SQLITE_CANTOPEN from the
    opening). Nothing is written unless `Exchange.copy_in` is called.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"
    with contextlib.closing(open_database(address, timeout=busy_seconds)) as connection:
        trust_the_schema(connection)
        read_what_can_be_read(connection)
        connection.execute("PRAGMA synchronous=EXTRA")
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
        held = Exchange(connection, str(connection.execute("PRAGMA journal_mode").fetchone()[0]))
        yield held


def make_self_contained(path: Path) -> str:
    """Fold whatever is beside the private copy ``path`` into it, and let it need no sibling ever after.

    Returns the journal mode that was recorded in it ("wal", "delete"). Raises sqlite3.Error. For copies only:
    a live database keeps its mode.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"
    with contextlib.closing(open_database(address)) as copy:
        read_what_can_be_read(copy)
        copy.execute("PRAGMA synchronous=OFF")  # the caller syncs the file when it is whole
        found = str(copy.execute("PRAGMA journal_mode").fetchone()[0])
        if found != "delete":
            copy.execute("PRAGMA locking_mode=EXCLUSIVE")
            became = copy.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
            if became != "delete":
                raise sqlite3.OperationalError(f"the journal mode of the copy stayed {became}")
    return found


def rewrite(path: Path) -> None:
    """Write the private copy ``path`` anew from its rows; what was deleted is in none of its pages then.

    Nor is it in the index of the search, which is left out: whoever serves the copy makes it anew.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"
    with contextlib.closing(open_database(address)) as copy:
        copy.execute("PRAGMA synchronous=OFF")  # the caller syncs the file when it is whole
        leave_out(copy)
        copy.execute("VACUUM")


def set_journal_mode(path: Path, mode: str) -> None:
    """Let the existing database keep its journal so. Raises sqlite3.Error."""
    address = f"{path.absolute().as_uri()}?mode=rw"
    with contextlib.closing(open_database(address, timeout=MODE_WAIT_SECONDS)) as connection:
        connection.execute(f"PRAGMA journal_mode={mode}").fetchall()


def is_same_database(one: Path, other: Path) -> bool:
    """Whether two self-contained files hold the same pages; what each copying counts up is left out."""
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        if _header_that_matters(first.read(_HEADER_BYTES)) != _header_that_matters(
            second.read(_HEADER_BYTES)
        ):
            return False
        while part := first.read(_CHUNK_BYTES):
            if part != second.read(_CHUNK_BYTES):
                return False
    return True


def _header_that_matters(header: bytes) -> bytes:
    # Left out: read and write version, the change counter, the version it is valid for, the library's number.
    return header[:18] + header[20:24] + header[28:92]


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    address = f"{path.absolute().as_uri()}?mode=ro"
    with contextlib.closing(open_database(address)) as connection:
        yield connection


def _page_size(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA page_size").fetchone()[0])


def _page_size_of_file(path: Path) -> int:
    with _reading(path) as connection:
        read_what_can_be_read(connection)
        return _page_size(connection)


def _reporting(report: OnPages) -> Callable[[int, int, int], None]:
    def progress(status: int, left: int, total: int) -> None:
        report(left, total)

    return progress
