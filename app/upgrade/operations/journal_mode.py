"""Journal mode (WAL or rollback journal). How does an owner choose it, and where must it not be WAL?

Fresh databases use WAL where the SQLite library is without the WAL-reset fault and the disk is a local one;
a database that was upgraded keeps the mode that it has, until its owner says otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import Busy, Refused, UnknownDatabase
from app.storage.engine import StorageEngine
from app.storage.registry import process_lock_at, storage_for
from app.storage.types import StorageError
from app.upgrade.checks import host
from app.upgrade.model import Outcome
from app.upgrade.plan import look

if TYPE_CHECKING:
    from app.settings import Settings

WAIT_SECONDS = 60.0
WAL, ROLLBACK = "wal", "delete"
_IN_WORDS = {WAL: "WAL", ROLLBACK: "a rollback journal"}


def find_wal_refusal(storage: StorageEngine, folder: Path) -> Refused | None:
    """Return why a database in this folder must not use WAL here, or None."""
    if doubt := storage.find_doubt(WAL):
        return doubt
    mount = storage.mount_kind()
    if host.is_unfit_for_wal(mount):
        return Refused(
            f"{folder} is a network file system ({mount}), where WAL is not to be relied on.",
            hint="Move the database to a local disk and set DATABASE_URL to it.",
        )
    return None


def use_wal_where_it_may_be(storage: StorageEngine, folder: Path) -> None:
    """Let a database that no one uses yet keep a write-ahead log, unless that is refused here."""
    if find_wal_refusal(storage, folder) is None:
        storage.set_journal_mode(WAL)


def change_journal_mode(settings: Settings, mode: str) -> Outcome:
    """Let the configured database keep its journal so; the server steps aside meanwhile.

    Raises UnknownDatabase, Refused, and Busy where someone else goes on using it; it is as it was then.
    """
    storage = storage_for(settings.database_url)
    if storage.engine_name != "sqlite":
        storage.set_journal_mode(mode)  # which says that there is nothing to choose
    known = look(storage).recognition
    if known.kind != "daemon":
        raise UnknownDatabase(
            f"There is no Daemon database at {settings.database_name} ({known.label}); nothing was changed.",
            hint="daemon status",
        )
    if storage.journal_mode() == mode:
        return Outcome("nothing_to_do", 0, f"The database uses {_IN_WORDS[mode]} already.")
    if mode == WAL and (refusal := find_wal_refusal(storage, settings.data_dir)):
        raise refusal
    with process_lock_at(settings.database_path).exclusive(WAIT_SECONDS):
        try:
            storage.set_journal_mode(mode)
        except StorageError as error:
            raise storage.explained(error) from error
        if storage.journal_mode() != mode:
            raise Busy(
                "Another program uses the database; its journal is kept as before.", hint="daemon status"
            )
    return Outcome("done", 0, f"The database uses {_IN_WORDS[mode]} now.", _hint_after(mode))


def _hint_after(mode: str) -> str:
    if mode == WAL:
        return "Do not copy the file with cp while the server runs: daemon backup create"
    return "Back again: daemon database wal"
