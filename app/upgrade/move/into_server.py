"""Move into a server. How does an empty database of PostgreSQL come to hold what another database held?

Tables, rows and the mark are one transaction: until its commit the database is as empty as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app import interrupt
from app.errors import Refused
from app.progress import say_nothing
from app.storage.registry import storage_for
from app.storage.schema import quoted
from app.upgrade.move.contents import contents_of
from app.upgrade.operations.init import apply_all

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.types import MigrationConnection

Fill = Callable[["MigrationConnection"], None]
_LONGEST_WAIT_SECONDS = 10.0


def find_obstacle(settings: Settings) -> Refused | None:
    """Return why the role may not make tables there; None where it may."""
    return storage_for(settings.database_url).find_refusal()


def fill(settings: Settings, copy: Fill, half_made: str) -> None:
    """Make the tables, let ``copy`` fill them, and mark the database with ``half_made``, in one transaction.

    What an earlier move left is dropped in it: it is marked, and holds nothing that is not elsewhere. Raises
    DaemonError (where there is something of its owner's beside it, too), StorageError: the database is as it
    was then.
    """
    storage = storage_for(settings.database_url)
    is_left = bool(storage.note())
    with storage.migration_connection(_LONGEST_WAIT_SECONDS) as migration:
        if is_left:
            _refuse_foreign(migration, settings)
            names = ", ".join(map(quoted, migration.tables()))
            migration.execute(f"DROP TABLE {names}")
        apply_all(migration, say_nothing)
        copy(migration)
        on_server = migration.of_server
        assert on_server is not None
        on_server.set_note(half_made)
        interrupt.last_moment()
        migration.commit_durably()


def _refuse_foreign(migration: MigrationConnection, settings: Settings) -> None:
    foreign = contents_of(migration.engine_name, migration.typed_rows(), migration).foreign_objects()
    if foreign:
        raise Refused(
            f"Beside what an earlier move left, {settings.database_name} holds {', '.join(foreign)}; nothing"
            " was moved.",
            hint="createdb NAME   # an empty database, or put what is not Daemon's into another schema",
        )
