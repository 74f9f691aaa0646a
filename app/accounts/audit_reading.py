"""Reading the audit. Its rows, newest first; a page costs the same however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Integer, Row, Select, and_, bindparam, exists, select, union

from app import clock
from app.prepared_statements import PreparedQuery
from app.tables import audit_logs, users

ROWS_OF_A_LOOK = 2_000
LARGEST_ID = 2**63 - 1

_LINE = audit_logs.c
_LINES_AFTER = PreparedQuery(
    select(_LINE.id, _LINE.action, _LINE.table_name, _LINE.record_id)
    .where(_LINE.id > bindparam("after"))
    .order_by(_LINE.id)
    .limit(bindparam("most", type_=Integer))
)
_LAST_LINE = PreparedQuery(select(_LINE.id).order_by(_LINE.id.desc()).limit(1))


@dataclass(frozen=True)
class Wanted:
    """Which rows: by or about an account, of one action, from a moment on; None is any."""

    user_id: int | None = None
    action: str | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class Look:
    """The ids that one look found, newest first, and the id before which to go on (None: that is all)."""

    ids: tuple[int, ...]
    next: int | None


class Line(NamedTuple):
    """What was done, without by whom."""

    id: int
    action: str
    table_name: str
    record_id: int


def look(connection: Connection, wanted: Wanted, most: int, before: int | None = None) -> Look:
    """Return at most ``most`` ids of rows below ``before``.

    Where an action is wanted, a look goes past ROWS_OF_A_LOOK rows at most: it may find few or none, and
    ``next`` still not be None. ``since`` is found by the index on time, as the first row from then on: ids
    are in the order of time, but where the clock was set.
    """
    deep = most + 1 if wanted.action is None else ROWS_OF_A_LOOK
    query = window_query(wanted, before or LARGEST_ID, _floor(connection, wanted), deep)
    window = connection.execute(query).all()
    found = [row.id for row in window if wanted.action is None or row.action == wanted.action]
    if len(found) > most:
        return Look(tuple(found[:most]), found[most - 1])
    return Look(tuple(found), window[-1].id if len(window) == deep else None)


def window_query(wanted: Wanted, before: int, floor: int, deep: int) -> Select[Any]:
    """Return the query of a look: ids and actions by the indexes, no row is read to its end."""
    row = audit_logs.c
    inside = and_(row.id < before, row.id >= floor)

    def newest(*which: Any) -> Any:
        found = select(row.id).where(inside, *which).order_by(row.id.desc()).limit(deep)
        return select(found.subquery().c.id)

    if wanted.user_id is None:
        ids = newest().subquery()
    else:
        about = and_(row.table_name == "users", row.record_id == wanted.user_id)
        ids = union(newest(row.user_id == wanted.user_id), newest(about)).subquery()
    return select(row.id, row.action).where(row.id.in_(select(ids.c.id))).order_by(row.id.desc()).limit(deep)


def rows_of(connection: Connection, ids: tuple[int, ...]) -> Iterator[Row[Any]]:
    """Give the rows of these ids, one at a time, with ``username``, the name of who did it."""
    query = select(audit_logs, users.c.username).select_from(
        audit_logs.outerjoin(users, users.c.id == audit_logs.c.user_id)
    )
    for row_id in ids:
        found = connection.execute(query.where(audit_logs.c.id == row_id)).first()
        if found is not None:
            yield found


def names_of_makers(
    connection: Connection, action: str, table_name: str, record_ids: Sequence[int]
) -> dict[int, str]:
    """Return who did an action on records, by their ids: names of accounts, as far as the audit has them."""
    line = audit_logs.c
    query = (
        select(line.record_id, users.c.username)
        .join(users, users.c.id == line.user_id)
        .where(line.table_name == table_name, line.record_id.in_(record_ids), line.action == action)
    )
    return {row.record_id: row.username for row in connection.execute(query)}


def lines_after(connection: Connection, row_id: int, most: int) -> Sequence[Line]:
    """Return what was done since a row, oldest first."""
    return [Line(*found) for found in _LINES_AFTER.rows(connection, {"after": row_id, "most": most})]


def last_line(connection: Connection) -> int:
    """Return the id of the newest row, 0 where there is none."""
    return int(_LAST_LINE.value(connection) or 0)


def is_recorded(table_name: str, record_id: ColumnElement[int], action: str) -> ColumnElement[bool]:
    """Return the condition that the audit tells of an action on a record, for a query of another room."""
    row = audit_logs.c
    return exists().where(row.table_name == table_name, row.record_id == record_id, row.action == action)


def _floor(connection: Connection, wanted: Wanted) -> int:
    if wanted.since is None:
        return 0
    row = audit_logs.c
    first = (
        select(row.id).where(row.created_at >= clock.stored(wanted.since)).order_by(row.created_at, row.id)
    )
    found = connection.execute(first.limit(1)).scalar()
    return LARGEST_ID if found is None else int(found)
