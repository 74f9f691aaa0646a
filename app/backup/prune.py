"""Retention of backups. Which may go? Old ones of ours, but the newest good one and what an upgrade needs.

The newest seven good ones stay too, and nothing goes by its age while the clock has leapt: all backups are
old at once then. Whoever says that the clock is right has them cleared away.

Only a file with our manifest is ever removed, only where it is this installation's, and only under the name
that it was made with: another one's backups, the old server's, someone's own copies, and a backup that was
renamed to be kept are left alone. What an upgrade needs is, for every version of the database, the newest
good backup that an upgrade of it made: a rollback goes back to that one, however long ago it was, also when
later upgrades failed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app import clock, files, journal, log
from app.backup.catalog import Backup, list_backups
from app.backup.manifest import manifest_path
from app.backup.ownership import Identity
from app.clock_leap import CLOCKS_DIFFER
from app.settings import Settings
from app.storage import failures

UPGRADE = "upgrade"
NEWEST_KEPT = 7
HELD_BY_LEAP = "the clock may have leapt since"
OF_ANOTHER = "another installation's"
UNKNOWN_WHOSE = "it cannot be told whose it is"
_logger = log.get_logger(__name__)


@dataclass(frozen=True)
class Pruned:
    """What was removed, and what is past its time and stays, with the reason."""

    removed: tuple[Backup, ...]
    stays: tuple[tuple[Backup, str], ...]
    days: int


def prune_backups(
    settings: Settings,
    *,
    now: datetime | None = None,
    retention_days: int | None = None,
    identity: Identity | None = None,
    needed: Collection[str] = (),
    dry_run: bool = False,
    has_leapt: bool = False,
) -> Pruned:
    """Remove this installation's backups that are older than ``retention_days`` (the setting's, if None).

    ``identity`` says which are this one's; without it all are. ``needed`` names backups that stay whatever
    their age. Where the clock ``has_leapt`` none is removed: each may only look old (HELD_BY_LEAP). With
    ``dry_run`` nothing is removed. Raises Refused when the folder may not be changed; what was removed until
    then is gone, whole backup by whole backup.
    """
    days = settings.backup_retention_days if retention_days is None else retention_days
    backups, now = list_backups(settings, identity=identity), now or clock.now()
    own = [backup for backup in backups if backup.whose == "this"]
    kept = _Kept(_newest(own, now), {one.name for one in _last_of_each_upgrade(own)}, set(needed), has_leapt)
    plan = _plan(backups, now, kept, days)
    if dry_run or not plan.removed:
        return plan
    folder = settings.backup_dir
    with failures.named(folder, "not all old backups were removed"):
        for backup in plan.removed:
            # The file first: a manifest without its file is no backup, a file without its manifest would be
            # taken for someone's own and stay for ever.
            backup.path.unlink(missing_ok=True)
            manifest_path(backup.path).unlink(missing_ok=True)
            _logger.info("backup removed: %s", backup.path, extra={"backup": backup.name, "days": days})
        files.sync_folder(folder)
    names = [backup.name for backup in plan.removed]
    journal.try_to_write(settings, "pruned", message=f"{len(names)} old backups were removed", removed=names)
    return plan


def find_reasons(backups: list[Backup], now: datetime) -> dict[str, str]:
    """Return, by name, why backups stay beyond their time as things are now; for the others nothing."""
    own = [backup for backup in backups if backup.whose == "this"]
    good = [backup for backup in own if backup.state in ("good", "unproved")]  # where none was hashed
    upgrades = {one.name for one in _last_of_each_upgrade([replace(one, state="good") for one in good])}
    kept = _Kept(_newest([replace(one, state="good") for one in good], now), upgrades, set(), False)
    reasons = ((backup.name, _reason_to_stay(backup, kept)) for backup in backups)
    return {name: reason for name, reason in reasons if reason}


@dataclass(frozen=True)
class _Kept:
    """The names of backups that stay: the newest good ones, what an upgrade or the caller needs.

    Where the clock ``has_leapt`` all others stay, too.
    """

    newest: list[str]
    upgrades: set[str]
    needed: set[str]
    has_leapt: bool


def _plan(backups: list[Backup], now: datetime, kept: _Kept, days: int) -> Pruned:
    oldest = now - timedelta(days=days)
    removed, stays = [], []
    for backup in backups:
        if backup.created_at >= oldest:
            continue
        reason = _reason_to_stay(backup, kept)
        if reason:
            stays.append((backup, reason))
        else:
            removed.append(backup)
    return Pruned(tuple(removed), tuple(stays), days)


def _reason_to_stay(backup: Backup, kept: _Kept) -> str:
    if backup.whose != "this":
        return OF_ANOTHER if backup.whose == "another" else UNKNOWN_WHOSE
    if backup.manifest is None:
        return "not made by this program, or without its manifest"
    if backup.manifest.file != backup.name:
        return "renamed by its owner"
    if not kept.newest:
        return "no backup is good"
    if backup.name in kept.newest:
        is_first = backup.name == kept.newest[0]
        return "the newest good one" if is_first else f"one of the newest {NEWEST_KEPT} good ones"
    if backup.name in kept.upgrades:
        return "an upgrade needs it"
    if backup.name in kept.needed:
        return "needed"
    return HELD_BY_LEAP if kept.has_leapt else ""


def _newest(own: list[Backup], now: datetime) -> list[str]:
    """Return the newest good ones, the newest first; those from the future only where there is no other."""
    good = [backup for backup in own if backup.state == "good"]
    good.sort(key=lambda backup: backup.created_at > now + CLOCKS_DIFFER)  # each group keeps its order
    return [backup.name for backup in good[:NEWEST_KEPT]]


def _last_of_each_upgrade(own: Iterable[Backup]) -> list[Backup]:
    """Return for every version the newest good one that an upgrade of it made; ``own``: the newest first."""
    last: dict[str | None, Backup] = {}
    for backup in own:
        if backup.purpose == UPGRADE and backup.state == "good":
            last.setdefault(backup.version, backup)
    return list(last.values())
