"""Move into a file. How does a database of SQLite come into being that holds what another database held?

It is made beside its place, whole and compared, and put there by a link, which never overwrites. What a
killed try left is cleared away by the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app import files, interrupt
from app.disk import real_path
from app.errors import Refused
from app.progress import say_nothing
from app.storage.registry import COMPANION_ENDINGS, storage_at
from app.upgrade.operations.init import link_in_place, run_every_step
from app.upgrade.operations.journal_mode import use_wal_where_it_may_be

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings
    from app.storage.types import MigrationConnection

Fill = Callable[["MigrationConnection"], None]
"""Fills the open target, and raises where it does not hold then what it is to hold."""

_BESIDE = ("", *COMPANION_ENDINGS, ".lock", ".wanted")


def find_obstacle(settings: Settings) -> Refused | None:
    """Return why no database can be made in the place; None where it can."""
    storage = storage_at(settings.database_path)
    misplaced = storage.find_misplacement()
    if misplaced is not None:
        return misplaced
    left = storage.left_behind()
    if left:
        names = " and ".join(path.name for path in left)
        return Refused(
            f"Beside {settings.database_name} is {names} of a database that is not there; nothing was moved.",
            hint="Move it away, or name another place.",
        )
    return None


def fill(settings: Settings, copy: Fill, half_made: str) -> None:
    """Make the database, let ``copy`` fill it in one transaction, and put it in its place.

    ``half_made`` is the mark that it has from then on, until someone writes another one. Raises DaemonError,
    StorageError, OSError: nothing is in the place then.
    """
    place = real_path(settings.database_path)
    files.private_folder(place.parent)
    draft = place.with_name(f".{place.name}.moving")
    _clear(draft)
    try:
        run_every_step(draft, say_nothing)
        with storage_at(draft).migration_connection() as migration:
            copy(migration)
            migration.commit_durably()
        use_wal_where_it_may_be(storage_at(draft), place.parent)
        files.sync_file(draft)
        interrupt.last_moment()
        before = storage_at(place).note()
        storage_at(place).set_note(half_made)
        if not link_in_place(draft, place):
            storage_at(place).set_note(before)
            raise Refused(f"Someone else has just made {place}; nothing was moved.", hint="daemon status")
    finally:
        _clear(draft)


def remove(settings: Settings) -> None:
    """Remove what an earlier move left in the place: it holds nothing that is not elsewhere."""
    place = real_path(settings.database_path)
    for path in (*storage_at(place).companions(), place):
        path.unlink(missing_ok=True)
    files.sync_folder(place.parent)


def _clear(draft: Path) -> None:
    for ending in _BESIDE:
        draft.with_name(draft.name + ending).unlink(missing_ok=True)
