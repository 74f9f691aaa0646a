"""Daily backup. Is one due, and what is pruned with it?"""

from __future__ import annotations

from datetime import timedelta

from app import clock, log
from app.settings import Settings

BACKUP_EVERY = timedelta(hours=24)

_log = log.get_logger(__name__)


def back_up_daily(settings: Settings) -> bool:
    """Make a backup where the newest good one is older than a day, then prune; return whether one was made.

    A backup from the future does not count: it would stop this one until its day has come.

    Raises what making and pruning backups raise.
    """
    from app.backup.catalog import find_newest_good
    from app.backup.create import create_backup
    from app.backup.prune import BEFORE_A_LEAP, CLOCKS_DIFFER, prune_backups
    from app.upgrade.detect.recognise import describe

    now = clock.now()
    newest = find_newest_good(settings, made_by=now + CLOCKS_DIFFER)
    if newest is not None and now - newest.created_at < BACKUP_EVERY:
        return False
    made = create_backup(settings, "daily", describe=describe)
    _log.info("The daily backup was made.", extra={"backup": made.name})
    pruned = prune_backups(settings, is_automatic=True)
    held = [backup.name for backup, reason in pruned.stays if reason == BEFORE_A_LEAP]
    if held:
        _log.warning(
            "Backups that look old are kept: there was none for thirty days, or the clock leapt."
            " To clear them away: daemon backup prune",
            extra={"count": len(held), "newest": held[0]},
        )
    return True
