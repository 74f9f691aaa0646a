"""Retention of backups. Which may go? Old ones of ours, but the newest good one and what an upgrade needs.

Only a file with our manifest is ever removed, and only under the name that it was made with: the old server's
backups, somebody's own copies, and a backup that was renamed to be kept are left alone. What an upgrade needs
is, for every version of the database, the newest good backup that an upgrade of it made: a rollback goes back
to that one, however long ago it was, also when later upgrades failed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app import clock, files, journal, log
from app.backup.catalog import Backup, list_backups, newest_good
from app.backup.manifest import manifest_path
from app.settings import Settings
from app.storage import failures

UPGRADE = "upgrade"
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
) -> Pruned:
    """Remove the backups that are older than ``retention_days`` (the setting's, if None), and say which.

    ``needed`` names backups that stay whatever their age. With ``dry_run`` nothing is removed. Raises Refused
    when the folder may not be changed; what was removed until then is gone, whole backup by whole backup.
    """
    days = settings.backup_retention_days if retention_days is None else retention_days
    plan = _plan(list_backups(settings), (now or clock.now()) - timedelta(days=days), set(needed), days)
    if dry_run or not plan.removed:
        return plan
    folder = settings.backup_dir
    with failures.named(folder, "not all old backups were removed"):
        for backup in plan.removed:
            # The file first: a manifest without its file is no backup, a file without its manifest would be
            # taken for somebody's own and stay for ever.
            backup.path.unlink(missing_ok=True)
            manifest_path(backup.path).unlink(missing_ok=True)
            _logger.info("backup removed: %s", backup.path, extra={"backup": backup.name, "days": days})
        files.sync_folder(folder)
    names = [backup.name for backup in plan.removed]
    journal.try_to_write(settings, "pruned", message=f"{len(names)} old backups were removed", removed=names)
    return plan


def _plan(backups: list[Backup], oldest: datetime, needed: set[str], days: int) -> Pruned:
    newest = newest_good(backups)
    upgrades = {backup.name for backup in _last_of_each_upgrade(backups)}
    removed, stays = [], []
    for backup in backups:
        if backup.created_at >= oldest:
            continue
        reason = _reason_to_stay(backup, newest, needed, upgrades)
        if reason:
            stays.append((backup, reason))
        else:
            removed.append(backup)
    return Pruned(tuple(removed), tuple(stays), days)


def _reason_to_stay(backup: Backup, newest: Backup | None, needed: set[str], upgrades: set[str]) -> str:
    if backup.manifest is None:
        return "not made by this program, or without its manifest"
    if backup.manifest.file != backup.name:
        return "renamed by its owner"
    if newest is None:
        return "no backup is good"
    if backup.name == newest.name:
        return "the newest good one"
    if backup.name in upgrades:
        return "an upgrade needs it"
    return "needed" if backup.name in needed else ""


def _last_of_each_upgrade(backups: Iterable[Backup]) -> list[Backup]:
    last: dict[str | None, Backup] = {}
    for backup in backups:
        if backup.purpose == UPGRADE and backup.state == "good":
            known = last.get(backup.version)
            if known is None or known.created_at < backup.created_at:
                last[backup.version] = backup
    return list(last.values())
