"""Daily backup. Is one due, and what is pruned with it?"""

from __future__ import annotations

from datetime import timedelta

from app import clock, log
from app.clock_leap import CONFIRM
from app.settings import Settings

BACKUP_EVERY = timedelta(hours=24)

_log = log.get_logger(__name__)


def back_up_daily(settings: Settings) -> bool:
    """Make a backup where this installation's newest good one is older than a day, then prune; was one made?

    A backup from the future does not count: it would stop this one until its day has come. Another
    installation's does not count either.

    Raises what making and pruning backups raise.
    """
    from app.backup.prune import HELD_BY_LEAP
    from app.upgrade.operations.back_up import back_up, clear_away, find_own_newest_good

    newest = find_own_newest_good(settings, serving=True)
    if newest is not None and clock.now() - newest.created_at < BACKUP_EVERY:
        return False
    made = back_up(settings, "daily", serving=True)
    _log.info("The daily backup was made.", extra={"backup": made.name})
    pruned = clear_away(settings, serving=True)
    held = [backup.name for backup, reason in pruned.stays if reason == HELD_BY_LEAP]
    if held:
        _log.warning(
            "Backups that look old are kept: the clock leapt by thirty days or more, or nothing ran here."
            f" If it is right: {CONFIRM}",
            extra={"count": len(held), "newest": held[0]},
        )
    return True
