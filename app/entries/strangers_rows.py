"""Rows for strangers (prepared queries). What is read of the entries that strangers see, and nothing besides?

Who sees which is `access`'s to say. Rows come as the driver has them: there are many, and they are read at
every request.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, select

from app.accounts.people import PEOPLE
from app.entries import access
from app.entries.endpoints import Endpoint
from app.entries.order import PLACE, Place, after, in_order, is_after
from app.entries.parts import Part
from app.entries.row_types import Listed, StrangersRow
from app.entries.shown_times import at_moment
from app.entries.store import FINDINGS
from app.entries.view_changes import changed_at, label_of
from app.prepared_statements import prepared
from app.tables import data_entries, text_findings

STATEMENTS_KEPT = 512
_ROOMS = (1, 8, 64)  # how many entries a prepared query takes; of more it is made for as many as they are

Rows = Generator[StrangersRow, None, None]
RawRow = tuple[Any, ...]  # the columns of a StrangersRow, as the driver has them
DATA = StrangersRow._fields.index("data")
_ENTRY = data_entries.c
_LISTED = (_ENTRY.id, _ENTRY.endpoint_id, PLACE.label("place"))
_TIMES = (_ENTRY.created_at, _ENTRY.updated_at)
ROW = (*_LISTED, _ENTRY.data, *_TIMES, _ENTRY.created_by_id, _ENTRY.shown_from, *FINDINGS)
"""The columns of a StrangersRow but for the last one."""

_NAMES = StrangersRow._fields[:-1]
WITH_OWNER = data_entries.outerjoin(PEOPLE, PEOPLE.c.id == _ENTRY.created_by_id)
WITH_FINDINGS = WITH_OWNER.outerjoin(text_findings, text_findings.c.entry_id == _ENTRY.id)


def listed(
    connection: Connection, endpoint: Endpoint, person_id: int, part: Part, now: datetime
) -> list[Listed]:
    """Return the entries of a part of a list, and one more, if any: what `rows` would yield, unread.

    They are those of the moment ``now``.
    """
    query = prepared(_list(endpoint, None, part.is_reversed))
    asked = _asked(endpoint, person_id, part) | at_moment(now)
    return [*map(Listed._make, query.rows(connection, asked))]


def rows(
    connection: Connection, endpoint: Endpoint, person_id: int, part: Part, level: str
) -> Generator[RawRow, None, None]:
    """Return the entries of a part of a list, and one more, if any. Each is read when it is asked for."""
    query = prepared(_list(endpoint, level, part.is_reversed))
    return query.rows(connection, _asked(endpoint, person_id, part))


def rows_among(
    connection: Connection,
    endpoint: Endpoint,
    entry_ids: Sequence[int],
    level: str,
    now: datetime,
    *,
    is_reversed: bool = False,
) -> Rows:
    """Yield those of these entries that strangers see at the moment ``now``, in the order of a list."""
    if entry_ids:
        ids = list(entry_ids)
        ids += ids[-1:] * (_room_for(len(ids)) - len(ids))  # one that is named again changes nothing
        query = prepared(_among_so_many(endpoint, level, is_reversed, len(ids)))
        values = {f"entry_id_{at}": entry_id for at, entry_id in enumerate(ids)}
        yield from map(StrangersRow._make, query.rows(connection, values | at_moment(now)))


def shared_rows(
    connection: Connection,
    endpoint: Endpoint,
    person_id: int,
    entry_ids: Collection[int] | None,
    place: Place,
    most: int,
    level: str,
) -> Iterator[StrangersRow]:
    """Yield a person's entries of a kind, after a place, that a link shows: all, or those of these ids."""
    query = _shared(endpoint, level).where(_ENTRY.created_by_id == person_id, is_after())
    if entry_ids is not None:
        query = query.where(_ENTRY.id.in_(entry_ids))
    query = query.order_by(*in_order()).limit(most)
    yield from map(StrangersRow._make, connection.execute(query, after(place)))


def of_any(row: Row[Any], level: str) -> StrangersRow:
    """Return what of a row of `store`, with the column `changed_at` of a level, is read for strangers."""
    return StrangersRow._make([*(getattr(row, name) for name in _NAMES), getattr(row, label_of(level))])


def _asked(endpoint: Endpoint, person_id: int, part: Part) -> dict[str, Any]:
    asked = after(part.after(endpoint.id)) | {"skipped": part.skipped, "most": part.count + 1}
    return asked | {"person_id": person_id}


# conditions of `access` are built once too, and are found as what they are
@lru_cache(maxsize=STATEMENTS_KEPT)
def _list(endpoint: Endpoint, level: str | None, is_reversed: bool = False) -> Select[Any]:
    """The query of a list; without a level for no more than which entries are in it."""
    is_theirs = _ENTRY.created_by_id == bindparam("person_id")
    return (
        _shown(endpoint, level)
        .where(_ENTRY.endpoint_id == endpoint.id, is_theirs, is_after(is_reversed=is_reversed))
        .order_by(*in_order(is_reversed=is_reversed))
        .offset(bindparam("skipped"))
        .limit(bindparam("most"))
    )


@lru_cache(maxsize=STATEMENTS_KEPT)
def among(endpoint: Endpoint, level: str, is_reversed: bool = False) -> Select[Any]:
    """Return the query of `rows_among`, for any number of entries (``entry_ids``)."""
    return _among(endpoint, level, is_reversed, bindparam("entry_ids", expanding=True))


def _room_for(count: int) -> int:
    return next((size for size in _ROOMS if count <= size), count)


@lru_cache(maxsize=STATEMENTS_KEPT)
def _among_so_many(endpoint: Endpoint, level: str, is_reversed: bool, count: int) -> Select[Any]:
    named = [bindparam(f"entry_id_{at}", type_=_ENTRY.id.type) for at in range(count)]
    return _among(endpoint, level, is_reversed, named)


def _among(endpoint: Endpoint, level: str, is_reversed: bool, entry_ids: Any) -> Select[Any]:
    is_asked = _ENTRY.id.in_(entry_ids)
    # A sum, which no index has: SQLite would go through all entries of the kind for the sake of the order.
    is_of_kind = _ENTRY.endpoint_id + 0 == endpoint.id
    ordered = in_order(is_reversed=is_reversed)
    return _shown(endpoint, level).where(is_of_kind, is_asked).order_by(*ordered)


def _shared(endpoint: Endpoint, level: str) -> Select[Any]:
    query = select(*ROW, changed_at(level)).select_from(WITH_FINDINGS)
    return query.where(_ENTRY.endpoint_id == endpoint.id, access.is_shared(endpoint))


def _shown(endpoint: Endpoint, level: str | None) -> Select[Any]:
    columns: tuple[ColumnElement[Any], ...] = _LISTED if level is None else (*ROW, changed_at(level))
    joined = WITH_OWNER if level is None else WITH_FINDINGS
    return select(*columns).select_from(joined).where(access.is_public(endpoint))
