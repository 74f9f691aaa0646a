"""Dates with a precision (ISO 8601). Of which time is an entry that says a year, a month, a day or a moment?

What is written stays as it is written: here it is only compared. A time without a zone is in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

_FORM = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
LONGEST = 40  # characters; nothing longer is a date
LAST = datetime.max.replace(tzinfo=UTC)


class Span(NamedTuple):
    """The time from ``begin`` on, before ``end``; ``precision`` is year, month, day or time."""

    begin: datetime
    end: datetime
    precision: str


@lru_cache(maxsize=2_048)
def span_of(text: str) -> Span | None:
    """Return the time that a text means: `2026`, `2026-03`, `2026-03-04`, `2026-03-04T05:06:07Z`; or None."""
    if len(text) > LONGEST:
        return None
    parts = _FORM.fullmatch(text)
    try:
        return _moment(text) if parts is None else _part(*(int(part or 0) for part in parts.groups()))
    except (ValueError, OverflowError):
        return None


def _part(year: int, month: int, day: int) -> Span:
    begin = datetime(year, month or 1, day or 1, tzinfo=UTC)
    if day:
        return Span(begin, begin + timedelta(days=1), "day")
    if month:
        return Span(begin, (begin + timedelta(days=31)).replace(day=1), "month")
    return Span(begin, LAST if year == LAST.year else begin.replace(year=year + 1), "year")


def _moment(text: str) -> Span | None:
    if len(text) < len("2026-03-04T05:06") or not text[:4].isdigit() or text[4] != "-":
        return None
    moment = datetime.fromisoformat(text)
    at = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return Span(at, at + timedelta(microseconds=1), "time")
