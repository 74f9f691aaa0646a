"""Installation operation. How does a database come by its id, and how is said which copy is which?

The id is drawn with a new database, or inside the transaction of an upgrade. At the first opening for writing
it is drawn where it is missing, and place and time are noted; what cannot be noted stops nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app import clock, clock_leap, installation, journal, log
from app.backup.catalog import Backup, list_backups
from app.backup.ownership import Identity
from app.clock_leap import CLOCKS_DIFFER, ClockSeen
from app.errors import DaemonError, Refused
from app.installation import Installation
from app.storage import failures
from app.storage.registry import storage_at, storage_for
from app.storage.types import MigrationConnection, StorageConnection, StorageError
from app.upgrade.detect.identity import id_of_own_backups, identity_in, known_of, with_id
from app.upgrade.records.moved import refuse_moved, settle
from app.upgrade.versions.releases import NEWEST

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings
    from app.upgrade.records.waiting_writes import Waiting

NOTED_EVERY = timedelta(hours=20)
WAIT_SECONDS = 2.0
WAIT_FOR_SERVER_SECONDS = 30.0

_logger = log.get_logger(__name__)

Change = Callable[[Installation], Installation]


# -- in the transaction that makes or upgrades a database ----------------------------------------------------


def write_new(draft: Path, database: Path) -> None:
    """Draw the id of a database that is made in the file ``draft``, and will be at ``database``."""
    place = installation.here(database)
    rewrite(draft, Installation(installation.new_id(), 0, place, ClockSeen(clock.now())))


def say_moved_in(copy: Path, database: Path) -> None:
    """Say in a private copy that it is at ``database`` from now on, where it says something of places.

    Raises StorageError.
    """
    with storage_at(copy).alone() as connection:
        found = installation.find_installation(connection)
    if found is not None:
        rewrite(copy, replace(found, seen=installation.here(database)))


def rewrite(copy: Path, found: Installation) -> None:
    """Make this the row of a private copy that has the table. Raises StorageError, DaemonError."""
    with storage_at(copy).migration_connection() as migration:
        installation.write_installation(migration, found)
        migration.commit_durably()


def identified(settings: Settings, connection: StorageConnection, waiting: Waiting) -> Identity:
    """Return who an upgrade works for: by the database's own id, or by the one that it will get.

    That is the one which a rollback kept, which its own backups bear, or a new one, in this order.
    """
    identity, found = identity_in(settings, connection)
    if found is not None:
        return identity
    waits = _that_waits(waiting)
    return with_id(identity, waits.id if waits else _drawn(settings, identity))


def _drawn(settings: Settings, identity: Identity) -> str:
    """The id of a database that has none: by its own backups, by the restore that it is of, or new."""
    return (
        id_of_own_backups(settings, identity) or _id_of_restore(settings, identity) or installation.new_id()
    )


def _id_of_restore(settings: Settings, identity: Identity) -> str | None:
    """Return the id that the last restore here noted, where this database has the accounts of that backup."""
    for line in reversed(journal.read_journal(settings)):
        if line.event in ("restored", "initialised", "adopted") and journal.is_of_this(line, settings):
            name, noted = line.details.get("restored"), line.details.get("installation")
            source = settings.backup_dir / str(name)
            is_it = isinstance(noted, str) and identity.has_the_accounts_of(source)
            return noted if isinstance(noted, str) and is_it else None
    return None


def write_identity(
    settings: Settings, migration: MigrationConnection, waiting: Waiting, backup: Backup, seen: ClockSeen
) -> None:
    """Write which installation it is where the database has a place for it and nothing there yet.

    What a rollback kept comes back as it was; else the id is the one that ``backup`` bears, which is of the
    state before, and ``seen`` what was known of the clock then. Raises StorageError.
    """
    is_missing = migration.has("table", installation.TABLE) and not installation.find_installation(migration)
    drawn = backup.manifest.installation if backup.manifest else None
    if is_missing and drawn:
        new = Installation(drawn, backup.number or 0, installation.here(settings.database_path), seen)
        installation.write_installation(migration, _that_waits(waiting) or new)


def clock_by_backups(settings: Settings, identity: Identity, now: datetime) -> ClockSeen:
    """Return what its own backups tell of the clock, for a database that has not noted the time yet."""
    own = [
        one.created_at
        for one in list_backups(settings, hashing=False, identity=identity)
        if one.whose == "this" and one.manifest and one.created_at <= now + CLOCKS_DIFFER
    ]
    return clock_leap.judged(ClockSeen(), now, max(own, default=None))


def _that_waits(waiting: Waiting) -> Installation | None:
    kept = (file.kept.installation for file in reversed(waiting.files))
    found = (installation.read_row(row) for row in kept if row)
    return next((one for one in found if one), None)


# -- at an opening -------------------------------------------------------------------------------------------


def note_opening(settings: Settings) -> tuple[str, ...]:
    """Have a database that is opened for writing know its id, place and time, as far as it lacks them.

    To be called with the process lock held. Where a move left it to another database's mark whether this one
    is served, that is written first: raises DaemonError where it cannot be, and the database is not to be
    served then. Returns what is to be asked about its place and the clock, which is a line in the log where
    it cannot be written.
    """
    with failures.named(settings.database_path, "the database is not served"):
        settle(storage_for(settings.database_url))
    try:
        found = known_of(settings, serving=True)[1]
        now, place = clock.now(), installation.here(settings.database_path)
        if found is None or _noted(found, place, now) != found:
            found = changed(settings, lambda one: _noted(one, place, clock.now()), WAIT_SECONDS)
    except (StorageError, DaemonError, OSError) as error:
        _logger.warning("the time could not be noted in the database: %s", error)
        return ()
    return () if found is None else doubts(found, place, now)


def doubts(found: Installation, place: installation.Place, now: datetime) -> tuple[str, ...]:
    """Return what is to be asked about place and clock, each with what answers it."""
    of_place, of_clock = found.question(place), clock_leap.doubt(found.clock, now)
    said = [f"{of_place} {installation.QUESTION_HINT}"] if of_place else []
    said += [f"{of_clock} If it is right: {clock_leap.CONFIRM}"] if of_clock else []
    return tuple(said)


def _noted(found: Installation, place: installation.Place, now: datetime) -> Installation:
    """The row after an opening: a place where there was none, and the time, which is written once a day."""
    known = clock_leap.judged(found.clock, now)
    last = found.clock.seen_at
    is_recent = last is not None and known.is_leapt == found.clock.is_leapt and now - last < NOTED_EVERY
    return replace(found, seen=found.seen or place, clock=found.clock if is_recent else known)


def changed(settings: Settings, change: Change, wait_seconds: float) -> Installation | None:
    """Change the row in a transaction of its own, made first where it is missing; None without the table."""
    with storage_for(settings.database_url).migration_connection(wait_seconds) as migration:
        if not migration.has("table", installation.TABLE):
            return None
        identity, found = identity_in(settings, migration)
        if found is None:
            drawn = _drawn(settings, identity)
            own = with_id(identity, drawn)
            found = Installation(drawn, clock=clock_by_backups(settings, own, clock.now()))
        after = change(found)
        installation.write_installation(migration, after)
        migration.commit_durably()
    return after


# -- said by an operator -------------------------------------------------------------------------------------


def give_new_id(settings: Settings) -> Installation:
    """Make the database an installation of its own, under a new id; its backups until now stay the other's.

    Raises Refused where it has no place for an id, Busy.
    """
    return _said(settings, "it is an installation of its own now", _renewed)


def say_moved(settings: Settings) -> Installation:
    """Say that this is the installation which was seen elsewhere, moved here. Raises as `give_new_id`."""
    return _said(settings, "it was moved here", lambda found: found)


def confirm_clock(settings: Settings) -> Installation:
    """Say that the clock is right: what is held by a leap goes on. Raises as `give_new_id`."""
    return _said(
        settings,
        "the clock is right",
        lambda one: replace(one, clock=clock_leap.confirmed(clock.now())),
        True,
    )


def _renewed(found: Installation) -> Installation:
    return replace(found, id=installation.new_id(), clock=found.clock)


def _said(settings: Settings, what: str, change: Change, of_the_clock: bool = False) -> Installation:
    refuse_moved(settings)
    place = installation.here(settings.database_path)
    after = changed(
        settings,
        lambda found: change(found) if of_the_clock else replace(change(found), seen=place),
        WAIT_FOR_SERVER_SECONDS,
    )
    if after is None:
        raise Refused(
            f"The database has no id of an installation before version {NEWEST}; nothing was changed.",
            hint="daemon upgrade run",
        )
    journal.try_to_write(settings, "command", message=f"installation {after.id}: {what}")
    return after
