"""Clock. What time is it, and how is a moment written down? The only file that asks the system's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


def now() -> datetime:
    """Return this moment, aware, in UTC."""
    return datetime.now(UTC)


@lru_cache(maxsize=64)  # a request writes the moment at which it came several times
def stored(moment: datetime) -> str:
    """Return ``YYYY-MM-DD HH:MM:SS`` in UTC, as SQLite's CURRENT_TIMESTAMP writes it.

    A moment without a zone is taken as UTC.
    """
    return _in_utc(moment).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")


def parse_stored(text: object) -> datetime | None:
    """Return the aware UTC moment that a stored value means, or None where it means none.

    Takes what old databases hold: with or without fractions, with ``T`` or a blank, with or without a zone
    (none means UTC). Anything that is not text, and text that is not a moment, gives None.
    """
    if not isinstance(text, str):
        return None
    try:
        return _in_utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return None


def stored_second(seconds: int) -> str:
    """Return the stored form of a number of seconds since 1970."""
    return stored(datetime.fromtimestamp(seconds, UTC))


def seconds_of_stored(text: object) -> int:
    """Return the seconds since 1970 of a stored moment; 0 of what is none."""
    moment = parse_stored(text)
    return 0 if moment is None else int(moment.timestamp())


def stamp(moment: datetime) -> str:
    """Return ``YYYYMMDD_HHMMSS`` in UTC, for names of files."""
    return _in_utc(moment).strftime("%Y%m%d_%H%M%S")


def rfc3339(moment: datetime | str) -> str:
    """Return ``YYYY-MM-DDTHH:MM:SSZ`` (with the fraction where there is one) for an API answer.

    Stored text that is not a moment is returned as it is: an odd value must not break a list.
    """
    known = parse_stored(moment) if isinstance(moment, str) else _in_utc(moment)
    if known is None:
        return str(moment)
    return known.replace(tzinfo=None).isoformat() + "Z"


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
