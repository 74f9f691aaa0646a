"""Revisions (entry_revisions). What was an entry before each of its changes, and which state is it in now?

The state of now is the entry's own row, and has a number too: a new entry writes no revision. Each change
puts the state that it ends here, a deletion too, inside the database and byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
)

from app import clock
from app.entries.shown_times import ShownTimes
from app.errors import NotFound
from app.prepared_statements import PreparedLookup, PreparedQuery, PreparedStatement
from app.tables import data_entries, entry_revisions

MORE = ShownTimes._fields
"""Columns of data_entries that are part of a state beside those with a column here."""

ROWS_OF_A_STEP = 500
State = dict[str, Any]
_ENTRY, _STATE = data_entries.c, entry_revisions.c
_LAST = (
    select(_STATE.number)
    .where(_STATE.entry_id == _ENTRY.id)
    .order_by(_STATE.number.desc())
    .limit(1)
    .scalar_subquery()
)
_SAID, _BEHIND = func.coalesce(_ENTRY.revision, 1), func.coalesce(_LAST, 0) + 1
# An older server, after a rollback, counts no states: what was kept before has its numbers already.
NUMBER = case((_SAID > _BEHIND, _SAID), else_=_BEHIND).label("number")
"""The column, in a query of data_entries, with the number of an entry's present state."""

_PRESENT = PreparedQuery(
    select(NUMBER, *(_ENTRY[name] for name in MORE)).where(_ENTRY.id == bindparam("of_entry"))
)
_PRESENT_OF_MANY = PreparedLookup(select(_ENTRY.id, NUMBER, *(_ENTRY[name] for name in MORE)), _ENTRY.id)
_KEEP = PreparedStatement(
    insert(entry_revisions).from_select(
        ["entry_id", "number", "data", "visibility", "slug", "is_active", "more", "written_at", "ended_at"],
        select(
            _ENTRY.id,
            bindparam("number", type_=Integer),
            _ENTRY.data,
            _ENTRY.visibility,
            _ENTRY.slug,
            _ENTRY.is_active,
            bindparam("more", type_=Text),
            func.coalesce(_ENTRY.updated_at, _ENTRY.created_at),
            bindparam("ended_at", type_=Text),
        ).where(_ENTRY.id == bindparam("of_entry")),
    )
)


def keep(connection: Connection, entry_id: int, now: datetime) -> int:
    """Keep the state that is in an entry's row, which will be changed; return the number of the next one."""
    ((number, *times),) = _PRESENT.rows(connection, {"of_entry": entry_id})
    said = {"number": number, "more": _more(times), "ended_at": clock.stored(now)}
    _KEEP.run(connection, {"of_entry": entry_id, **said})
    return int(number) + 1


def present_states(connection: Connection, entry_ids: Sequence[int]) -> dict[int, State]:
    """Return the states that are in these entries' rows, by id, for `keep_known`."""
    found = _PRESENT_OF_MANY.rows(connection, entry_ids)
    return {entry_id: state_of(entry_id, number, times) for entry_id, number, *times in found}


def state_of(entry_id: int, number: int, times: Sequence[str | None]) -> State:
    """Return what `keep_known` is told of a state: its NUMBER, and its values of MORE."""
    return {"of_entry": entry_id, "number": number, "more": _more(times)}


def keep_known(connection: Connection, states: Sequence[State], now: datetime) -> None:
    """Keep the states that are in these entries' rows, which will be changed, with one statement."""
    ended_at = clock.stored(now)
    _KEEP.run_all(connection, [{**each, "ended_at": ended_at} for each in states])


def _more(times: Sequence[str | None]) -> str | None:
    more = {name: value for name, value in zip(MORE, times, strict=True) if value is not None}
    return json.dumps(more) if more else None


def kept(connection: Connection, entry_id: int, below: int | None, most: int) -> Sequence[Row[Any]]:
    """Return the earlier states of an entry, the newest first: ``most`` at most, with numbers below that."""
    query = select(entry_revisions).where(_STATE.entry_id == entry_id)
    if below is not None:
        query = query.where(_STATE.number < below)
    return connection.execute(query.order_by(_STATE.number.desc()).limit(most)).all()


def get_revision(connection: Connection, entry_id: int, number: int) -> Row[Any]:
    """Return an earlier state of an entry; raises NotFound."""
    is_it = (_STATE.entry_id == entry_id, _STATE.number == number)
    found = connection.execute(select(entry_revisions).where(*is_it)).first()
    if found is None:
        raise NotFound("There is no such revision.", hint="GET the revisions of the entry: it lists them.")
    return found


def slug_before(connection: Connection, entry_id: int) -> str | None:
    """Return the slug that an entry had before its last change."""
    found = kept(connection, entry_id, None, 1)
    return found[0].slug if found else None


def is_any_older(connection: Connection, than: datetime) -> bool:
    """Whether `clear` would find anything."""
    old = select(_STATE.number).where(_STATE.ended_at < clock.stored(than)).limit(1)
    return connection.execute(old).first() is not None


def clear(connection: Connection, before: datetime) -> int:
    """Delete states that ended before that moment, ROWS_OF_A_STEP at most; return how many it were."""
    old = select(_STATE.entry_id, _STATE.number).where(_STATE.ended_at < clock.stored(before))
    rows = connection.execute(old.order_by(_STATE.ended_at).limit(ROWS_OF_A_STEP)).all()
    for entry_id, number in rows:
        is_it = (_STATE.entry_id == entry_id, _STATE.number == number)
        connection.execute(delete(entry_revisions).where(*is_it))
    return len(rows)
