"""Retention of backups. Which may go? Old ones of ours, but the newest good one and what an upgrade needs.

The newest seven good ones stay too, and by itself the server removes nothing that is before a gap of thirty
days: a clock that leapt makes all backups old at once. Someone who asks for it has them cleared away.

Only a file with our manifest is ever removed, and only under the name that it was made with: the old server's
backups, someone's own copies, and a backup that was renamed to be kept are left alone. What an upgrade needs
is, for every version of the database, the newest good backup that an upgrade of it made: a rollback goes back
to that one, however long ago it was, also when later upgrades failed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app import clock, files, journal, log
from app.backup.catalog import Backup, list_backups
from app.backup.manifest import manifest_path
from app.settings import Settings
from app.storage import failures

UPGRADE = "upgrade"
NEWEST_KEPT = 7
LEAP = timedelta(days=30)
CLOCKS_DIFFER = timedelta(hours=1)  # a backup from later than that was made while the clock was wrong
BEFORE_A_LEAP = "the clock may have leapt since"
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
    needed: Collection[str] = (),
    dry_run: bool = False,
    is_automatic: bool = False,
) -> Pruned:
    """Remove the backups that are older than ``retention_days`` (the setting's, if None), and say which.

    ``needed`` names backups that stay whatever their age. Where it ``is_automatic``, nothing is removed that
    may only look old (BEFORE_A_LEAP). With ``dry_run`` nothing is removed. Raises Refused when the folder may
    not be changed; what was removed until then is gone, whole backup by whole backup.
    """
    days = settings.backup_retention_days if retention_days is None else retention_days
    backups, now = list_backups(settings), now or clock.now()
    leapt = _before_leap(backups, now) if is_automatic else set()
    plan = _plan(backups, now, _Kept(_newest(backups, now), set(needed), leapt), days)
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


@dataclass(frozen=True)
class _Kept:
    """The names of backups that stay: the newest good ones, what the caller needs, what a leap made old."""

    newest: list[str]
    needed: set[str]
    leapt: set[str]


def _plan(backups: list[Backup], now: datetime, kept: _Kept, days: int) -> Pruned:
    oldest = now - timedelta(days=days)
    upgrades = {backup.name for backup in _last_of_each_upgrade(backups)}
    removed, stays = [], []
    for backup in backups:
        if backup.created_at >= oldest:
            continue
        reason = _reason_to_stay(backup, kept, upgrades)
        if reason:
            stays.append((backup, reason))
        else:
            removed.append(backup)
    return Pruned(tuple(removed), tuple(stays), days)


def _reason_to_stay(backup: Backup, kept: _Kept, upgrades: set[str]) -> str:
    if backup.manifest is None:
        return "not made by this program, or without its manifest"
    if backup.manifest.file != backup.name:
        return "renamed by its owner"
    if not kept.newest:
        return "no backup is good"
    if backup.name in kept.newest:
        is_first = backup.name == kept.newest[0]
        return "the newest good one" if is_first else f"one of the newest {NEWEST_KEPT} good ones"
    if backup.name in upgrades:
        return "an upgrade needs it"
    if backup.name in kept.needed:
        return "needed"
    return BEFORE_A_LEAP if backup.name in kept.leapt else ""


def _newest(backups: list[Backup], now: datetime) -> list[str]:
    """Return the newest good ones, the newest first; those from the future only where there is no other."""
    good = sorted(
        (backup for backup in backups if backup.state == "good"),
        key=lambda backup: (backup.created_at <= now + CLOCKS_DIFFER, backup.created_at, backup.name),
        reverse=True,
    )
    return [backup.name for backup in good[:NEWEST_KEPT]]


def _before_leap(backups: list[Backup], now: datetime) -> set[str]:
    """Return what was made before the newest gap of thirty days between two backups of ours, or until now."""
    ours = sorted(
        (backup for backup in backups if backup.manifest and backup.created_at <= now + CLOCKS_DIFFER),
        key=lambda backup: backup.created_at,
        reverse=True,
    )
    later = now
    for place, backup in enumerate(ours):
        if later - backup.created_at >= LEAP:
            return {each.name for each in ours[place:]}
        later = backup.created_at
    return set()


def _last_of_each_upgrade(backups: Iterable[Backup]) -> list[Backup]:
    last: dict[str | None, Backup] = {}
    for backup in backups:
        if backup.purpose == UPGRADE and backup.state == "good":
            known = last.get(backup.version)
            if known is None or known.created_at < backup.created_at:
                last[backup.version] = backup
    return list(last.values())
