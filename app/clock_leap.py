"""Clock leap. Did the clock jump since this database was last seen, and what does that hold up? Pure values.

A clock that jumped ahead makes every backup old at once. A leap is remembered until someone confirms it or
the clock goes back; who removes by age asks `ClockSeen.is_leapt` first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app import clock

LEAP = timedelta(days=30)
CLOCKS_DIFFER = timedelta(hours=1)  # what is later than that was made while a clock was wrong
CONFIRM = "daemon backup prune --clock-is-right"


@dataclass(frozen=True)
class ClockSeen:
    """The latest time at which a database was served or backed up, and a leap that no one has confirmed."""

    seen_at: datetime | None = None
    leapt_from: datetime | None = None
    leapt_to: datetime | None = None

    @property
    def is_leapt(self) -> bool:
        """Whether the clock has leapt and no one has said that it is right."""
        return self.leapt_from is not None and self.leapt_to is not None


def judged(known: ClockSeen, now: datetime, newest_backup: datetime | None = None) -> ClockSeen:
    """Return what is known once the clock says ``now``: a new leap, a leap that is over, or the time alone.

    ``newest_backup`` stands in for a time that was never noted.
    """
    if known.leapt_from is not None and known.is_leapt:
        if now - known.leapt_from < LEAP:
            return ClockSeen(max(now, known.leapt_from))
        return replace(known, seen_at=max(now, known.seen_at or now))
    last = known.seen_at or newest_backup
    if last is None or last > now:
        return replace(known, seen_at=known.seen_at or now)
    return ClockSeen(now, last, now) if now - last >= LEAP else ClockSeen(now)


def confirmed(now: datetime) -> ClockSeen:
    """Return what is known once someone has said that the clock is right."""
    return ClockSeen(now)


def doubt(known: ClockSeen, now: datetime) -> str:
    """Return in a sentence what is odd about the clock, "" for nothing; `CONFIRM` is what settles it."""
    known = judged(known, now)
    if known.leapt_from is not None and known.leapt_to is not None:
        days = (known.leapt_to - known.leapt_from).days
        return (
            f"The clock went from {clock.rfc3339(known.leapt_from)} to {clock.rfc3339(known.leapt_to)}"
            f" ({days} days) with nothing in between: it leapt, or nothing ran here. No backup is cleared"
            " away by its age until you say that the clock is right."
        )
    if known.seen_at is not None and known.seen_at > now + CLOCKS_DIFFER:
        return (
            f"The clock says {clock.rfc3339(now)}, and it has said {clock.rfc3339(known.seen_at)} before: one"
            " of them is wrong."
        )
    return ""
