"""Daily backup. Is one due, and what is pruned with it?"""

from __future__ import annotations

from datetime import timedelta

from app import clock, log
from app.settings import Settings

BACKUP_EVERY = timedelta(hours=24)
CLOCKS_DIFFER = timedelta(hours=1)  # a backup from later than that was made while the clock was wrong

_log = log.get_logger(__name__)


def back_up_daily(settings: Settings) -> bool:
    """Make a backup where the newest good one is older than a day, then prune; return whether one was made.

    A backup from the future does not count: it would stop this one until its day has come.

    Raises what making and pruning backups raise.
    """
    from app.backup.catalog import find_newest_good
    from app.backup.create import create_backup
    from app.backup.prune import prune_backups
    from app.upgrade.detect.recognise import describe

    now = clock.now()
    newest = find_newest_good(settings, made_by=now + CLOCKS_DIFFER)
    if newest is not None and now - newest.created_at < BACKUP_EVERY:
        return False
    made = create_backup(settings, "daily", describe=describe)
    _log.info("The daily backup was made.", extra={"backup": made.name})
    prune_backups(settings)
    return True
