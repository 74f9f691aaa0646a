"""Installation identity of a database of any version. Which installation is it, and whose are backups?"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

from app import installation
from app.backup.catalog import list_backups
from app.backup.ownership import Identity, Marks
from app.errors import DaemonError
from app.installation import Installation
from app.storage import failures
from app.storage.registry import storage_for
from app.storage.types import StorageConnection, StorageError

if TYPE_CHECKING:
    from app.settings import Settings

_ACCOUNTS = "users"
_OF_AN_ACCOUNT = ("username", "created_at")


def marks_in(connection: StorageConnection) -> Marks:
    """Return what a database says of whose it is: its id, and its accounts. Raises StorageError."""
    found = installation.find_installation(connection)
    accounts = {}
    if connection.columns(_ACCOUNTS):
        for name, made in connection.as_written(_ACCOUNTS, _OF_AN_ACCOUNT):
            accounts[str(name).casefold()] = "" if made is None else str(made)
    return Marks(found.id if found else None, accounts)


def identity_of(settings: Settings, *, serving: bool = False) -> Identity:
    """Return who asks, as far as the live database tells. ``serving``: this process has it open."""
    return known_of(settings, serving=serving)[0]


def known_of(
    settings: Settings, *, serving: bool = False, must_be_told: bool = False
) -> tuple[Identity, Installation | None]:
    """Return who asks, and the row that says it; None where the database has none or cannot be read.

    With ``must_be_told`` it raises StorageError, DaemonError where that may be otherwise in a moment.
    """
    storage = storage_for(settings.database_url)
    try:
        if storage.file_kind() != "database":
            return _unknown(settings), None
        with _opened(settings, serving=serving) as connection:
            return identity_in(settings, connection)
    except (StorageError, DaemonError, OSError) as error:
        if must_be_told and not failures.is_lost(error, storage):
            raise
        return _unknown(settings), None


def identity_in(settings: Settings, connection: StorageConnection) -> tuple[Identity, Installation | None]:
    """Return the same of an open database. Raises StorageError."""
    found, marks = installation.find_installation(connection), marks_in(connection)
    identity = replace(_unknown(settings), marks=marks)
    if found is None:
        return identity, None
    is_settled = not found.question(installation.here(settings.database_path))
    return replace(identity, is_settled=is_settled, backups_made=found.backups_made), found


def with_id(identity: Identity, installation_id: str) -> Identity:
    """Return the same installation under an id."""
    marks = identity.marks or Marks()
    return replace(identity, marks=replace(marks, installation_id=installation_id), is_settled=True)


def id_of_own_backups(settings: Settings, identity: Identity) -> str | None:
    """Return the id that the newest of its backups bears, for a database that has lost it, or None."""
    own = list_backups(settings, hashing=False, identity=identity)
    found = (one.manifest.installation for one in own if one.whose == "this" and one.manifest)
    return next((each for each in found if each), None)


def _opened(settings: Settings, *, serving: bool) -> AbstractContextManager[StorageConnection]:
    storage = storage_for(settings.database_url)
    return storage.peek() if serving else storage.looking()


def _unknown(settings: Settings) -> Identity:
    return Identity(settings.database_path, None, marks_in)
