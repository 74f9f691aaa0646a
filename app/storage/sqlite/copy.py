"""Online copy. How is a whole SQLite database copied, out of a file that is in use and back into it?

Never as a file: a copy of the main file alone loses what is in the write-ahead log, and a backup copied
over it is undone by the log that was left. SQLite's backup interface knows both.
"""

from __future__ import annotations

import os
import shlex
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app import files
from app.errors import Busy, Damaged
from app.progress import OnPages, say_nothing
from app.storage.holders import holders_of_database
from app.storage.sqlite import files as database_files
from app.storage.sqlite.connect import connect, snapshot
from app.storage.sqlite.driver import open_database
from app.storage.sqlite.exclusive import exchange, make_self_contained
from app.storage.sqlite.read_only import looking, peek
from app.storage.sqlite.soundness import soundness_of
from app.temporary import temporary_folder

_PAGES_AT_ONCE = 2048
_STUCK = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def copy_online(path: Path, target: Path, progress: OnPages | None, wait_seconds: float) -> None:
    """Write one committed state of ``path`` to the new file ``target`` (0600), synced; others go on working.

    Works while another connection holds the write lock: the copy is then the state before its transaction.
    Without a write-ahead log, writers wait with their COMMIT until the copy is made (a second for 200 MB).
    The copy keeps the page size and journal mode of the original. Raises sqlite3.Error, OSError
    (FileExistsError when ``target`` is there), Busy; ``target`` is then gone again.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, files.PRIVATE_FILE))
    try:
        with (
            closing(connect(path, "rw", wait_seconds=wait_seconds)) as source,
            closing(connect(target, "rw")) as copy,
            snapshot(source),  # held to the end: no writer can make the copy begin again
        ):
            copy.execute("PRAGMA synchronous = OFF")  # synced once, below: no one knows the file before
            source.backup(copy, pages=_PAGES_AT_ONCE, progress=_reporting(path, progress, wait_seconds))
        files.sync_file(target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def copy_unseen(path: Path, target: Path, progress: OnPages | None, wait_seconds: float) -> None:
    """Write one committed state of ``path`` to the new file ``target`` (0600); nothing of ``path`` changes.

    For a copy that is thrown away: it is not synced. Raises what `looking` raises, sqlite3.Error, OSError.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, files.PRIVATE_FILE))
    with looking(path, wait_seconds=wait_seconds) as source, closing(connect(target, "rw")) as copy:
        source.backup(copy, pages=_PAGES_AT_ONCE, progress=_reporting(path, progress, wait_seconds))


def copy_into_live(path: Path, source: Path, progress: OnPages | None, wait_seconds: float) -> None:
    """Make ``path`` the database that is in ``source``, in one transaction, and check it from outside.

    Killed at any moment, ``path`` is wholly the old database or wholly the new one; its journal mode stays.
    ``source`` is not changed. Raises sqlite3.Error and OSError (``path`` is then as it was, unless the error
    came with the commit), Damaged when what can be read afterwards is not sound.
    """
    with _self_contained(source) as whole:
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, files.PRIVATE_FILE))
            files.private_file(path)
        with exchange(path, busy_seconds=wait_seconds) as held:
            held.copy_in(whole, progress or say_nothing)
    files.sync_folder(path.parent)
    with peek(path) as connection:
        faults = soundness_of(connection).damage
    if faults:
        raise Damaged(
            f"{path} is damaged after {source} was put back ({faults[0]}): the disk is not to be trusted.",
            hint=f"daemon backup restore {shlex.quote(source.name)}",
        )


@contextmanager
def _self_contained(source: Path) -> Iterator[Path]:
    """``source`` itself, or a passing copy of it that needs no sibling where it does."""
    head = database_files.header(source) or b""
    if not database_files.is_wal(head) and not database_files.present_siblings(source):
        yield source
        return
    with temporary_folder(".daemon-restore-", source.parent, database_files.whole_size(source)) as folder:
        copy = folder / "source.db"
        with looking(source) as connection, closing(open_database(copy.as_uri())) as into:
            connection.backup(into)
        make_self_contained(copy)
        yield copy


def _reporting(path: Path, progress: OnPages | None, wait_seconds: float) -> Callable[[int, int, int], None]:
    """What the driver calls after each step; it would wait for a lock for ever, this gives up in time."""
    tell = progress or say_nothing
    moved_at = time.monotonic()

    def step(status: int, left: int, total: int) -> None:
        nonlocal moved_at
        if status not in _STUCK:
            moved_at = time.monotonic()
        elif time.monotonic() - moved_at > wait_seconds:
            holders = [str(one) for one in holders_of_database(path)]
            raise Busy("Another program holds the database.", hint="Try again.", holders=holders)
        tell(left, total)

    return step
