"""Validity (valid from, valid until). At which moments is an answer what it would be if it were made then?

Nearly all answers hold until something is committed. Some end by themselves: at the end of the day on which
a job ends, which its person does not name while it is the current one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time


@dataclass(frozen=True, slots=True)
class Validity:
    """The moments from ``since`` on, and before ``until``; None is without an end on that side."""

    since: datetime | None = None
    until: datetime | None = None

    def holds_at(self, moment: datetime) -> bool:
        """Whether it is valid at a moment."""
        return (self.since is None or self.since <= moment) and (self.until is None or moment < self.until)

    def __and__(self, other: Validity) -> Validity:
        """Return when both are valid."""
        if other is ALWAYS:
            return self
        since = max(filter(None, (self.since, other.since)), default=None)
        return Validity(since, min(filter(None, (self.until, other.until)), default=None))


ALWAYS = Validity()


def of_days(first: date, before: date | None) -> Validity:
    """Return the validity of days (in UTC): from ``first`` on, before the day ``before``."""
    since = None if first == date.min else _midnight(first)
    until = None if before is None else _midnight(before)
    return ALWAYS if since is None and until is None else Validity(since, until)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
