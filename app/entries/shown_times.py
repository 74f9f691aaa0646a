"""Publication times (draft, publish_at, expires_at). From when until when may strangers be shown an entry?

What `meta` says of it is kept in two columns when an entry is written, and compared with the clock when it is
read: nothing has to run for an entry to appear or to go. An entry from before there were these columns has
none and is shown as it was, whatever its text says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    ScalarSelect,
    String,
    and_,
    bindparam,
    or_,
    select,
)

from app import clock
from app.entries.entry import invalid
from app.entries.partial_dates import span_of
from app.entries.validity import ALWAYS, Validity
from app.snapshot_memory import remember, remembered
from app.tables import data_entries

DRAFT = "draft"
NOT_YET = "9999-12-31 23:59:59"
"""From when on a draft is shown: later than any time that is written."""

WORDS = ("status", "publish_at", "expires_at")
_ENTRY = data_entries.c
_NOW = bindparam("now_shown", callable_=lambda: clock.stored(clock.now()), type_=String())
_FORM = "must be a day, or a time with its zone, as 2026-03-04T05:06:07Z"


class ShownTimes(NamedTuple):
    """Strangers may see an entry from ``shown_from`` on, before ``shown_until``; as stored, None: no end."""

    shown_from: str | None = None
    shown_until: str | None = None

    def are_now(self, now: datetime) -> bool:
        """Whether strangers may see it at this moment."""
        at = clock.stored(now)
        return (self.shown_from or at) <= at and (self.shown_until is None or at < self.shown_until)


NO_TIMES = ShownTimes()


def shown_times(content: object) -> ShownTimes:
    """Return what content says; raises InvalidContent for what is no time, and for an end before a begin."""
    meta = _meta_of(content)
    if not meta:
        return NO_TIMES
    begin, end = _moment(meta, "publish_at"), _moment(meta, "expires_at")
    if begin is not None and end is not None and end <= begin:
        raise invalid("/meta/expires_at", "must be later than publish_at")
    if begin is not None and begin.microsecond:
        begin = begin.replace(microsecond=0) + timedelta(seconds=1)  # never too early
    shown_from = None if begin is None else clock.stored(begin)
    return ShownTimes(
        NOT_YET if is_draft(content) else shown_from, None if end is None else clock.stored(end)
    )


def says_another(before: object, after: object) -> bool:
    """Whether what content says of its times differs."""
    was, now = _meta_of(before), _meta_of(after)
    return any(was.get(word) != now.get(word) for word in WORDS)


def words_said(content: object) -> list[str]:
    """Return the words of `meta` by which an entry would not be shown at all times."""
    said = ["status"] if is_draft(content) else []
    meta = _meta_of(content)
    return [*said, *(word for word in ("publish_at", "expires_at") if meta.get(word) is not None)]


def is_draft(content: object) -> bool:
    """Whether content calls itself a draft: in `meta`, where no kind has a status of its own."""
    status = _meta_of(content).get("status")
    return isinstance(status, str) and status.strip().casefold() == DRAFT


def is_within(times: ShownTimes, now: datetime) -> bool:
    """Whether it is the time now at which strangers may be shown an entry with these stored times."""
    at = clock.stored(now)
    has_begun = times.shown_from is None or times.shown_from <= at
    return has_begun and (times.shown_until is None or times.shown_until > at)


def is_its_time(entry: FromClause = data_entries) -> ColumnElement[bool]:
    """Return the condition that it is the time now at which strangers may be shown an entry."""
    has_begun = or_(entry.c.shown_from.is_(None), entry.c.shown_from <= _NOW)
    return and_(has_begun, or_(entry.c.shown_until.is_(None), entry.c.shown_until > _NOW))


def at_moment(now: datetime) -> dict[str, str]:
    """Return the values that let several statements see the entries of one moment."""
    return {_NOW.key: clock.stored(now)}


def time_between(connection: Connection) -> Validity:
    """Return from when until when no entry of anyone's comes or goes by itself.

    To be asked before what it is said of is read: the clock goes on meanwhile.
    """
    now = clock.now()
    found: Validity = remembered(connection, TIME_BETWEEN, lambda: _time_between(connection, now))
    if not found.holds_at(now):
        found = _time_between(connection, now)
        remember(connection, TIME_BETWEEN, found)
    return found


def _nearest(
    column: ColumnElement[Any], is_there: ColumnElement[bool], order: ColumnElement[Any]
) -> ScalarSelect[Any]:
    found = select(column).where(column.is_not(None), is_there).order_by(order)
    return found.limit(1).scalar_subquery()


_TIMES = (_ENTRY.shown_from, _ENTRY.shown_until)
TIME_BETWEEN = "time_between"  # as it is remembered
PAST_AND_TO_COME = (
    *(_nearest(column, column <= bindparam("now"), column.desc()) for column in _TIMES),
    *(_nearest(column, column > bindparam("now"), column.asc()) for column in _TIMES),
)
"""The columns of which `validity_of` makes what `time_between` returns, at the stored time in ``now``."""

_PAST_AND_TO_COME = select(*PAST_AND_TO_COME)


def _time_between(connection: Connection, now: datetime) -> Validity:
    return validity_of(connection.execute(_PAST_AND_TO_COME, {"now": clock.stored(now)}).one())


def validity_of(row: Sequence[Any]) -> Validity:
    """Return the moments around now at which nothing comes or goes, of a row of PAST_AND_TO_COME."""
    past, to_come = (list(filter(None, map(clock.parse_stored, part))) for part in (row[:2], row[2:]))
    if not past and not to_come:
        return ALWAYS
    return Validity(max(past, default=None), min(to_come, default=None))


def _meta_of(content: object) -> Mapping[str, Any]:
    meta = content.get("meta") if isinstance(content, dict) else None
    return meta if isinstance(meta, dict) else {}


def _moment(meta: Mapping[str, Any], name: str) -> datetime | None:
    said = meta.get(name)
    if said is None:
        return None
    text = said.strip() if isinstance(said, str) else ""
    span = span_of(text)
    if span is None or (span.precision == "time" and datetime.fromisoformat(text).tzinfo is None):
        raise invalid(f"/meta/{name}", _FORM)
    return span.begin
