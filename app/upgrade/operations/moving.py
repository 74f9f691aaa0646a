"""Installation identity in a restore. Whose backup comes here, and under which id does the database go on?

A database keeps its id whatever is put back into it, as long as it has people. Into one without any, another
installation's backup brings its id along. What is known of the clock belongs to the place, and stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app import installation, log
from app.backup.catalog import read_known_manifest
from app.backup.ownership import Identity, Marks, Whose
from app.backup.restore.job import UNCHANGED
from app.errors import DaemonError
from app.installation import Installation
from app.storage import failures
from app.storage.registry import storage_at
from app.storage.types import StorageError
from app.upgrade.detect.identity import known_of, with_id
from app.upgrade.operations.identify import rewrite
from app.upgrade.operations.restored_logins import end_logins
from app.upgrade.operations.restored_work import end_operations, hold_deliveries

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings

_logger = log.get_logger(__name__)


@dataclass(frozen=True)
class Moving:
    """A backup on its way into the database of ``place``: whose it is, who is there, and both rows."""

    whose: Whose
    identity: Identity
    present: Installation | None
    coming: Installation | None
    in_manifest: str | None
    place: installation.Place

    @property
    def is_over_others(self) -> bool:
        """Whether another installation's backup would come over people."""
        return self.whose == "another" and self._has_people

    @property
    def _has_people(self) -> bool:
        return bool((self.identity.marks or Marks()).accounts)

    def afterwards(self) -> Installation | None:
        """Return the row that the database is to have; None where what comes has no place for one."""
        coming, present = self.coming, self.present
        if coming is None:
            return None
        if present is None:
            return replace(coming, seen=self.place)
        made = max(coming.backups_made, present.backups_made)
        if self._has_people or coming.id == present.id:
            return replace(present, backups_made=made)
        return replace(coming, backups_made=made, seen=self.place, clock=present.clock)

    def id_afterwards(self) -> str | None:
        """Return the id under which the database goes on, also where what comes has no place for it yet."""
        after = self.afterwards()
        if after is not None:
            return after.id
        is_of_here = self._has_people or self.whose == "this"
        return self.present.id if self.present and is_of_here else self.in_manifest

    def id_of_source(self) -> str | None:
        """Return of which installation the rows are that come, as far as it is told."""
        if self.coming is not None:
            return self.coming.id
        return self.in_manifest or (self.present.id if self.present and self.whose == "this" else None)

    def prepare(self, copy: Path) -> bool:
        """Write that row into the private copy; where it cannot be, `daemon status` asks afterwards.

        Its logins end, and nothing of it goes on by itself; returns whether there was anything.
        Raises StorageError, DaemonError where they cannot.
        """
        has_ended = [end_logins(copy), hold_deliveries(copy), end_operations(copy)]
        had_some = any(has_ended)
        after = self.afterwards()
        if after is None or after == self.coming:
            return had_some
        try:
            rewrite(copy, after)
        except (StorageError, DaemonError) as error:
            _logger.warning("the backup goes back with the id and the place that it had: %s", error)
        return had_some

    def identity_afterwards(self) -> Identity:
        """Return whose the backup of the state before is: of the installation that is here afterwards."""
        after = self.afterwards()
        if after is None or self.identity.installation_id in (None, after.id):
            return self.identity
        return with_id(self.identity, after.id)


def find_moving(settings: Settings, source: Path) -> Moving:
    """Look at the database and at the backup ``source``.

    Raises Damaged for a manifest that was changed, and DaemonError where the database, in which there may be
    people, cannot be asked for now.
    """
    with failures.named(settings.database_path, UNCHANGED):
        identity, present = known_of(settings, must_be_told=True)
    manifest = read_known_manifest(source)
    whose = identity.owner_of(source, manifest)
    in_manifest = manifest.installation if manifest else None
    place = installation.here(settings.database_path)
    return Moving(whose, identity, present, _row_in(source), in_manifest, place)


def _row_in(source: Path) -> Installation | None:
    try:
        with storage_at(source).looking() as connection:
            return installation.find_installation(connection)
    except (StorageError, DaemonError, OSError):
        return None  # what is wrong with it is told by the proof that every restore begins with
