"""Backup ownership. Whose is a backup: this installation's, another's, or can it not be told?

Its manifest bears the id of the installation. Where it has none, or the database has none yet, a backup is
this one's where the path and the accounts agree. What a database says of whose it is, is told by the caller:
this room knows no table of today's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from app.backup.manifest import Manifest
from app.disk import real_path
from app.storage.registry import DUMP_ENDING, storage_at
from app.storage.types import StorageConnection, StorageError

Whose = Literal["this", "another", "unknown"]


@dataclass(frozen=True)
class Marks:
    """What tells a database from those of other installations: its id, and when its accounts were made.

    ``accounts`` has the moment by name, "" where it is not known.
    """

    installation_id: str | None = None
    accounts: Mapping[str, str] = field(default_factory=dict)

    def has_the_accounts_of(self, other: Marks) -> bool:
        """Whether the two have an account in common, or neither has any."""
        if not self.accounts and not other.accounts:
            return True
        both = self.accounts.keys() & other.accounts.keys()
        return any(_agree(self.accounts[name], other.accounts[name]) for name in both)


@dataclass(frozen=True)
class Identity:
    """The installation that asks. ``marks`` is None where its database cannot be read.

    ``marks_in`` reads the marks of any database. Where the id was seen elsewhere before and no one has said
    which is which, it is not ``is_settled``: then the path must agree too, and its backups bear no id.
    """

    database: Path
    marks: Marks | None
    marks_in: Callable[[StorageConnection], Marks]
    is_settled: bool = True
    backups_made: int = 0

    @property
    def installation_id(self) -> str | None:
        """The id, None where there is none."""
        return None if self.marks is None else self.marks.installation_id

    @property
    def id_for_manifests(self) -> str | None:
        """The id that its backups bear."""
        return self.installation_id if self.is_settled else None

    def owner_of(self, path: Path, manifest: Manifest | None) -> Whose:
        """Return whose the backup ``path`` is. Opens the file only where the manifest does not tell."""
        own = self.installation_id
        if manifest is not None and manifest.installation and own:
            if manifest.installation != own:
                return "another"
            return "this" if self.is_settled or self._is_of_this_path(manifest) else "unknown"
        found = self._marks_of(path)
        if manifest is None and own and found is not None and found.installation_id:
            return "this" if found.installation_id == own else "another"
        if self.marks is None or found is None:
            return "unknown"
        if not self.marks.has_the_accounts_of(found):
            return "another"
        # One without a manifest is never cleared away, so that the accounts alone may tell whose it is.
        return "this" if manifest is None or self._is_of_this_path(manifest) else "unknown"

    def has_the_accounts_of(self, path: Path) -> bool:
        """Whether the accounts of the database agree with those in the backup ``path``."""
        found = self._marks_of(path)
        return self.marks is not None and found is not None and self.marks.has_the_accounts_of(found)

    def _is_of_this_path(self, manifest: Manifest) -> bool:
        written = Path(manifest.database)
        return written == self.database or real_path(written) == real_path(self.database)

    def _marks_of(self, path: Path) -> Marks | None:
        if path.suffix == DUMP_ENDING:
            return None  # it would have to be restored somewhere to be asked
        with contextlib.suppress(StorageError, OSError), storage_at(path).looking() as connection:
            return self.marks_in(connection)
        return None


def _agree(one: str, other: str) -> bool:
    return one == other or not one or not other
