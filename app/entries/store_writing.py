"""Entry rows (writing). How is one written, how are many at once, and what is kept of what they were?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, bindparam, case, insert, select, update

from app import clock
from app.accounts.people import find_name
from app.entries import revisions
from app.entries.order import next_place
from app.entries.row_types import NewEntry
from app.entries.shown_times import NO_TIMES, ShownTimes
from app.errors import Conflict
from app.ids import DRAWN, drawn_ids, is_given, new_id, no_id_left
from app.prepared_statements import PreparedQuery, PreparedStatement
from app.snapshot_memory import remembered
from app.tables import data_entries

_ADD = PreparedStatement(
    insert(data_entries),
    *("id", "endpoint_id", "data", "is_active", "created_at", "created_by_id"),
    *("visibility", "position", "slug", "shown_from", "shown_until"),
    unless_taken="id",
)
COLUMNS = (
    *("id", "endpoint_id", "data", "is_active", "created_at", "updated_at", "created_by_id"),
    *("visibility", "slug", "shown_from", "shown_until"),
)
"""What a row has for `add_entries`."""

_ADD_MANY = PreparedStatement(insert(data_entries), *COLUMNS, "position", unless_taken="id")
_NEXT_PLACE = PreparedQuery(select(next_place()))
_IS_GIVEN = PreparedQuery(select(case((is_given(data_entries), 1), else_=0)))


def add_entry(
    connection: Connection,
    endpoint_id: int,
    owner_id: int | None,
    text: str,
    visibility: str,
    now: datetime,
    slug: str | None = None,
    times: ShownTimes = NO_TIMES,
) -> NewEntry:
    """Write an entry with an id that no entry and no audit row ever named; return it."""
    created_at = clock.stored(now)
    values = {
        "endpoint_id": endpoint_id,
        "data": text,
        "is_active": 1,
        "created_at": created_at,
        "created_by_id": owner_id,
        "visibility": visibility,
        "slug": slug,
        "shown_from": times.shown_from,
        "shown_until": times.shown_until,
    }
    entry_id = _add(connection, values)
    owner = None if owner_id is None else find_name(connection, owner_id)
    return NewEntry(entry_id, text, created_at, owner_id, visibility, owner, endpoint_id, slug, *times)


def add_entries(connection: Connection, rows: Sequence[Mapping[str, object]], **alike: object) -> None:
    """Write entries, each in the next place of its kind, with one statement.

    ``rows`` have all of COLUMNS but what is ``alike`` in all; the ids are of `ids.new_ids`. Raises Conflict
    where someone else was given one of them meanwhile; then the transaction has to be taken back.
    """
    kinds_there = {row["endpoint_id"] for row in rows}
    ends = {endpoint_id: _end_of(connection, endpoint_id) for endpoint_id in kinds_there}
    placed = []
    for row in rows:
        end = ends[row["endpoint_id"]]
        placed.append({**row, **alike, "position": end.place})
        end.place += 1
    placed.sort(key=itemgetter("id"))  # as they stand in the table, and in most of its indexes
    if _ADD_MANY.run_all(connection, placed) < len(rows):
        raise Conflict("An id was given to something else meanwhile; nothing was written.", hint="Try again.")


def add_entry_as_it_was(connection: Connection, endpoint_id: int, **values: object) -> int:
    """Write an entry with the times and flags that it had in another installation; return its id here."""
    entry_id = new_id(connection, data_entries)
    row = {**dict.fromkeys(COLUMNS), **values, "id": entry_id, "endpoint_id": endpoint_id}
    add_entries(connection, [row])
    return entry_id


def _add(connection: Connection, values: dict[str, object]) -> int:
    """Write an entry with an id that no entry and no audit row ever named, in the next place of its kind.

    Returns the id. Another one is drawn where someone else writes an entry with the same at the same time.
    """
    end = _end_of(connection, values["endpoint_id"])
    for drawn in drawn_ids(data_entries):
        if _IS_GIVEN.value(connection, {DRAWN: drawn}):
            continue
        if _ADD.run(connection, {**values, "id": drawn, "position": end.place}):
            end.place += 1
            return drawn
    raise no_id_left(data_entries)


@dataclass
class _End:
    """Which place the next entry of a kind gets."""

    place: int


def _end_of(connection: Connection, endpoint_id: object) -> _End:
    """Return where a kind's list ends. What is remembered hangs on no row of entries: `_add` moves it on."""

    def read() -> _End:
        return _End(_NEXT_PLACE.value(connection, {"endpoint_id": endpoint_id}))

    return remembered(connection, ("end of list", endpoint_id), read, while_writing=True)


def change_entry(connection: Connection, entry_id: int, now: datetime, **values: object) -> None:
    """Write new values of an entry: data, visibility, is_active, slug, shown_from, shown_until.

    What it was is kept as a revision.
    """
    number = revisions.keep(connection, entry_id, now)
    changed = {**values, "updated_at": clock.stored(now), "revision": number}
    _changing(*sorted(changed)).run(connection, {**changed, "of_entry": entry_id})


def delete_entries(
    connection: Connection, states: Sequence[revisions.State], named: Set[int], now: datetime
) -> None:
    """Mark the entries that are in these states as deleted; the states are kept.

    Takes a statement for all of them, and one for those that are ``named`` by a slug, which is free then.
    """
    revisions.keep_known(connection, states, now)
    gone = {"is_active": 0, "updated_at": clock.stored(now)}
    rows = [
        {**gone, "of_entry": each["of_entry"], "revision": int(each["number"]) + 1, "slug": None}
        for each in states
    ]
    columns = ("is_active", "revision", "updated_at")
    change_entries(connection, [row for row in rows if row["of_entry"] not in named], columns)
    change_entries(connection, [row for row in rows if row["of_entry"] in named], (*columns, "slug"))


def change_entries(connection: Connection, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write new values of entries into these columns, with a statement for all of them.

    Each row has of_entry (the id), what of it changes, and its visibility and its times in any case: those
    who keep lists of entries are told. What they were is kept by the caller (`revisions.keep_known`).
    """
    _changing(*sorted(columns)).run_all(connection, rows)


@lru_cache
def _changing(*columns: str) -> PreparedStatement:
    """The statement that writes these columns of an entry."""
    return PreparedStatement(update(data_entries).where(data_entries.c.id == bindparam("of_entry")), *columns)
