"""Backup operation. How is a backup made and old ones cleared away, for the installation that this is?

The clock is judged before a backup is made: afterwards the newest backup would say that all is well. The time
and the number are written into the database first; where that cannot be, the backup is made all the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app import clock, clock_leap, log
from app.backup.catalog import Backup, find_newest_good, list_backups
from app.backup.create import create_backup
from app.backup.order import next_number
from app.backup.prune import Pruned, prune_backups
from app.clock_leap import CLOCKS_DIFFER
from app.errors import DaemonError
from app.progress import OnEvent, say_nothing
from app.storage.types import StorageError
from app.upgrade.detect.identity import known_of
from app.upgrade.detect.recognise import describe
from app.upgrade.operations.identify import WAIT_SECONDS, changed, clock_by_backups, confirm_clock

if TYPE_CHECKING:
    from app.backup.ownership import Identity
    from app.installation import Installation
    from app.settings import Settings

_logger = log.get_logger(__name__)


def back_up(
    settings: Settings, purpose: str, *, on_event: OnEvent = say_nothing, serving: bool = False
) -> Backup:
    """Make a verified backup of this installation and count it. Raises what `create_backup` raises.

    ``serving``: this process has the database open.
    """
    identity, found = known_of(settings, serving=serving)
    if found is not None:
        identity = _counted(settings, identity)
    return create_backup(settings, purpose, describe=describe, identity=identity, on_event=on_event)


def find_own_newest_good(settings: Settings, *, serving: bool = False) -> Backup | None:
    """Return this one's newest good backup; those from the future, of a wrong clock, do not count."""
    identity = known_of(settings, serving=serving)[0]
    return find_newest_good(settings, clock.now() + CLOCKS_DIFFER, identity)


def clear_away(
    settings: Settings, *, dry_run: bool = False, clock_is_right: bool = False, serving: bool = False
) -> Pruned:
    """Clear away this installation's old backups; none while the clock has leapt and no one has confirmed it.

    ``clock_is_right`` confirms it. Raises what `prune_backups` raises, and for the confirmation what
    `confirm_clock` does.
    """
    identity, found = known_of(settings, serving=serving)
    if clock_is_right and found is not None and not dry_run:
        confirm_clock(settings)
    has_leapt = not clock_is_right and _has_leapt(settings, identity, found)
    return prune_backups(settings, identity=identity, dry_run=dry_run, has_leapt=has_leapt)


def _has_leapt(settings: Settings, identity: Identity, found: Installation | None) -> bool:
    now = clock.now()
    if found is None or found.clock.seen_at is None:
        return clock_by_backups(settings, identity, now).is_leapt
    return clock_leap.judged(found.clock, now).is_leapt


def _counted(settings: Settings, identity: Identity) -> Identity:
    """Note the time and the number of the backup that will be made; return who makes it, by then."""
    own = list_backups(settings, hashing=False, identity=identity)

    def count(found: Installation) -> Installation:
        seen = found.clock
        if seen.seen_at is None:
            seen = clock_by_backups(settings, identity, clock.now())
        known = clock_leap.judged(seen, clock.now())
        return replace(found, backups_made=next_number(own, found.backups_made), clock=known)

    try:
        counted = changed(settings, count, WAIT_SECONDS)
    except (StorageError, DaemonError, OSError) as error:
        _logger.info("the backup could not be counted in the database: %s", error)
        return identity
    return identity if counted is None else replace(identity, backups_made=counted.backups_made - 1)
