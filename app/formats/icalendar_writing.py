"""iCalendar (RFC 5545), written. Which events do entries make, of what they may show of their day?

An event needs a day: one that says a year or a month only, or whose day is not shown, is in no calendar. A
time without a zone is in UTC, as everywhere here; `time` beside a day is the time of the place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from app.formats.content_lines import escaped, line, moment_of, texts_of, uri_of, written
from app.formats.dates import date_of
from app.formats.items import Content

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CLOCK = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)(?:[:.]\d\d)?")
_PLACES = ("venue", "location", "city", "country")


def calendar(views: Iterable[Content]) -> bytes:
    """Return a calendar of those entries that say a day."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Daemon//Daemon//EN"]
    for view in views:
        lines += _event(view)
    return written([*lines, "END:VCALENDAR"])


def has_day(view: Content) -> bool:
    """Whether an entry would be in a calendar."""
    return bool(_event(view))


def _event(view: Content) -> list[str]:
    data = view.get("data")
    said = data if isinstance(data, dict) else {}
    meta = said["meta"] if isinstance(said.get("meta"), dict) else {}
    begin = _first(said, meta, "start_date", "date")
    times = list(_times(begin, _first(said, meta, "end_date"), _first(said, meta, "time")))
    if not times:
        return []
    changed = moment_of(view.get("updated_at")) or moment_of(view.get("created_at"))
    title = _first(said, meta, "title", "name", "event") or "(no title)"
    lines = [
        "BEGIN:VEVENT",
        line("UID", escaped(f"daemon-events-{view['id']}")),
        line("DTSTAMP", changed or "19700101T000000Z"),
        *times,
        line("SUMMARY", escaped(title)),
    ]
    text = _first(said, meta, "content", "description", "summary", "body")
    place = ", ".join(
        dict.fromkeys(each for key in _PLACES for each in texts_of(said.get(key) or meta.get(key)))
    )
    lines += [line("DESCRIPTION", escaped(text))] if text else []
    lines += [line("LOCATION", escaped(place))] if place else []
    address = uri_of(_first(said, meta, "url"))
    lines += [line("URL", address)] if address else []
    tags = list(dict.fromkeys([*texts_of(said.get("tags")), *texts_of(meta.get("tags"))]))
    lines += [line("CATEGORIES", ",".join(map(escaped, tags)))] if tags else []
    return [*lines, "END:VEVENT"]


def _first(said: Content, meta: Content, *names: str) -> str:
    return next((text for name in names for each in (said, meta) for text in texts_of(each.get(name))), "")


def _times(begin: str, end: str, at: str) -> Iterator[str]:
    first, last = _time_of(begin), _time_of(end)
    clock = _CLOCK.fullmatch(at.strip())
    if isinstance(first, datetime):
        yield line("DTSTART", _utc(first))
        if isinstance(last, datetime) and last > first:
            yield line("DTEND", _utc(last))
    elif first is not None and clock is not None and last in (None, first):
        yield line("DTSTART", f"{_plain(first)}T{int(clock[1]):02d}{clock[2]}00")
    elif first is not None:
        yield line("DTSTART", _plain(first), {"VALUE": ["DATE"]})
        day = last.date() if isinstance(last, datetime) else last
        if day is not None and day > first:  # the end is the day after the last one
            yield line("DTEND", _plain(_after(day)), {"VALUE": ["DATE"]})


def _plain(day: date) -> str:
    return day.isoformat().replace("-", "")


def _utc(moment: datetime) -> str:
    return moment.replace(microsecond=0, tzinfo=None).isoformat().replace("-", "").replace(":", "") + "Z"


def _after(day: date) -> date:
    return day if day == date.max else day + timedelta(days=1)


def _time_of(text: str) -> date | datetime | None:
    """Return the day or, in UTC, the moment that a text says; None for less, or for none that there is."""
    try:
        if _DAY.match(text) and len(text) >= len("2026-03-04T05:06"):
            moment = datetime.fromisoformat(text)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        day = date_of(text)
        return date.fromisoformat(day) if day is not None and _DAY.fullmatch(day) else None
    except (ValueError, OverflowError):
        return None
