"""Erasures at a restore. What was erased since a backup was made leaves the copy before it is put back.

The ledger is in the database of here and in the manifest of every backup beside it: a newer backup tells what
an older one must not bring back, also where the database of here is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import log
from app.backup.catalog import ledger_of, list_backups
from app.backup.restore.job import UNCHANGED
from app.erased_people import erase_whole, is_there
from app.erasures import Erasure, erase, has_ledger, ledger_in, merged, record, still_there
from app.errors import DaemonError
from app.storage import failures
from app.storage.registry import storage_at, storage_for
from app.storage.types import StorageError

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings
    from app.upgrade.operations.moving import Moving

_logger = log.get_logger(__name__)


def known_erasures(settings: Settings, moving: Moving) -> list[Erasure]:
    """Return all that is known to have been erased: as the database of here says, and every manifest.

    Raises DaemonError where that database may be there, and cannot be asked at this moment: what it alone
    knows of would come back.
    """
    told = ledger_of(list_backups(settings, hashing=False, identity=moving.identity))
    storage = storage_for(settings.database_url)
    with failures.named(settings.database_path, UNCHANGED):
        try:
            if storage.file_kind() == "database":
                with storage.looking() as connection:
                    return merged(told, ledger_in(connection))
        except (StorageError, DaemonError, OSError) as error:
            if not failures.is_lost(error, storage):
                raise
    return told


def erase_again(copy: Path, ledger: list[Erasure], installation_id: str | None) -> int:
    """Take out of a private copy what the ledger names, and keep the ledger in it; return how many it were.

    The copy is of an installation, whatever it is here afterwards. Where its version has no ledger, the
    manifests go on telling, and the server writes it down once the database is upgraded. Raises StorageError,
    DaemonError.
    """
    if not ledger:
        return 0
    storage, count = storage_at(copy), 0
    with storage.migration_connection() as migration:
        for line in list(still_there(migration, ledger, installation_id or "")):
            erase(migration, line.record_id)
            count += 1
        for line in ledger:
            if line.installation_id == installation_id and is_there(migration, line):
                erase_whole(migration, line.record_id, line.erased_at)
                count += 1
        if has_ledger(migration):
            for line in ledger:
                record(migration, line)
        migration.commit_durably()
    try:
        storage.rewrite()
    except StorageError as error:  # the owner's objects need what is not here: the server tries again
        _logger.warning("free pages of the backup may hold what was erased: %s", error)
    return count
