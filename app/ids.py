"""Row ids. Which is free? A random one where people are shown it, else the one above the highest ever given.

A random id tells nothing of what others have written. A deleted row's id names nothing else: the audit keeps
it. What is counted is kept in ``id_counters``, and what an older server wrote beside it is found by the end
of an index. The cost of an id does not depend on how many rows there are.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    ScalarSelect,
    Table,
    bindparam,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)

from app.errors import Conflict
from app.prepared_statements import PreparedQuery, PreparedStatement
from app.tables import (
    api_keys,
    audit_logs,
    data_entries,
    endpoints,
    erasures,
    id_counters,
    user_privacy_settings,
)

LARGEST_ID = 2**53
"""Beyond it a JSON client cannot name an id; what an odd row says above it counts for nothing."""

RANDOM_FROM, RANDOM_TO = 2**52, LARGEST_ID - 2**32
"""Between which ids are drawn. Below are those of before 0.6.0, which were counted; above is room for an
older server after a rollback, which goes on from the highest id that it finds."""

TRIES = 8
IDS_AT_ONCE = 500
DRAWN = "drawn_id"

# Other columns that name rows of a table: no one inherits the entries of an account that is gone.
_NAMED_BY: dict[str, tuple[Column[Any], ...]] = {
    "users": (
        data_entries.c.created_by_id,
        endpoints.c.created_by_id,
        api_keys.c.user_id,
        audit_logs.c.user_id,
        user_privacy_settings.c.user_id,
    ),
    "endpoints": (data_entries.c.endpoint_id,),
}


def next_id(connection: Connection, table: Table) -> int:
    """Return a new id for a row of ``table`` and remember that it was given; raises Conflict at the end.

    Writes id_counters in the caller's transaction: with the row, the counter is taken back.
    """
    free = _counted_up(table).run(connection)
    if free is None:  # the first one of this table
        free = highest_id(connection, table) + 1
        _count(connection, table, free)
    if free >= LARGEST_ID:
        raise no_id_left(table)
    return int(free)


def new_id(connection: Connection, table: Table) -> int:
    """Return a random id that no row of ``table`` has, and no audit row or erasure names; writes nothing.

    The table's key has the last word, where someone else draws the same one at the same time.
    """
    for drawn in drawn_ids(table):
        if not _given(table).value(connection, {DRAWN: drawn}):
            return drawn
    raise no_id_left(table)


def new_ids(connection: Connection, table: Table, count: int) -> list[int]:
    """Return so many different ids as `new_id` returns one; asks about some hundreds of them at once.

    To be asked before a transaction that writes, so that nothing but the key need be looked at in it.
    """
    found: dict[int, None] = {}
    for _ in range(TRIES + count // IDS_AT_ONCE):
        drawn = {draw(table) for _ in range(min(count - len(found), IDS_AT_ONCE))} - found.keys()
        given = set(connection.execute(_given_of(table), {"drawn": sorted(drawn)}).scalars())
        found |= dict.fromkeys(drawn - given)
        if len(found) == count:
            return list(found)
    raise no_id_left(table)


def drawn_ids(table: Table) -> Iterator[int]:
    """Yield a few random numbers that may be ids of rows of ``table``."""
    return (draw(table) for _ in range(TRIES))


def draw(_table: Table) -> int:
    """Return a random number that may be an id."""
    return RANDOM_FROM + secrets.randbelow(RANDOM_TO - RANDOM_FROM)


def is_given(table: Table) -> ColumnElement[bool]:
    """Return the condition that the id in the parameter DRAWN is or was a row's of ``table``."""
    drawn = bindparam(DRAWN, type_=BigInteger)
    there = exists().where(table.c.id == drawn)
    named = exists().where(audit_logs.c.table_name == table.name, audit_logs.c.record_id == drawn)
    erased = exists().where(erasures.c.table_name == table.name, erasures.c.record_id == drawn)
    return or_(there, named, erased)


def no_id_left(table: Table) -> Conflict:
    """Return the error for a table in which no free id is found."""
    return Conflict(f"There is no free id left in {table.name}.")


def keep_highest(connection: Connection, table: Table) -> None:
    """Remember the highest id of ``table``, so that rows which alone name it may go. Writes id_counters."""
    _count(connection, table, highest_id(connection, table))


def _count(connection: Connection, table: Table, last_id: int) -> None:
    counted = update(id_counters).where(id_counters.c.table_name == table.name).values(last_id=last_id)
    if connection.execute(counted).rowcount == 0:
        connection.execute(insert(id_counters).values(table_name=table.name, last_id=last_id))


def highest_id(connection: Connection, table: Table) -> int:
    """Return the highest id that a row of ``table`` ever had, 0 for none."""
    return int(_found_highest(table).value(connection))


@lru_cache  # a statement is built once for each table
def _counted_up(table: Table) -> PreparedStatement:
    """The statement that counts the next id of a table, and returns it."""
    of_table = update(id_counters).where(id_counters.c.table_name == table.name)
    return PreparedStatement(of_table.values(last_id=_highest(table) + 1).returning(id_counters.c.last_id))


@lru_cache
def _found_highest(table: Table) -> PreparedQuery:
    return PreparedQuery(select(_highest(table)))


@lru_cache
def _given(table: Table) -> PreparedQuery:
    return PreparedQuery(select(case((is_given(table), 1), else_=0)))


@lru_cache
def _given_of(table: Table) -> CompoundSelect[Any]:
    """Those of the ids in the parameter ``drawn`` that are or were given to rows of a table."""
    drawn = bindparam("drawn", type_=BigInteger, expanding=True)
    named, erased = audit_logs.c, erasures.c
    return union_all(
        select(table.c.id).where(table.c.id.in_(drawn)),
        select(named.record_id).where(named.table_name == table.name, named.record_id.in_(drawn)),
        select(erased.record_id).where(erased.table_name == table.name, erased.record_id.in_(drawn)),
    )


@lru_cache
def _highest(table: Table) -> ScalarSelect[Any]:
    counters = id_counters.alias()  # not those of the statement around it
    counter = select(counters.c.last_id).where(counters.c.table_name == table.name)
    audited = select(func.max(audit_logs.c.record_id)).where(
        audit_logs.c.table_name == table.name, audit_logs.c.record_id < LARGEST_ID
    )
    named = (
        select(func.max(column)).where(column < LARGEST_ID)
        for column in (table.c.id, *_NAMED_BY.get(table.name, ()))
    )
    # Each a scalar of its own: only so SQLite takes the end of the index, and does not read all of it.
    found = (select(query.scalar_subquery()) for query in (counter, audited, *named))
    ids = union_all(select(literal(0).label("id")), *found).subquery("ids")
    is_number = ids.c.id < literal(LARGEST_ID) + 1  # what is no number is above every number
    return select(cast(func.max(ids.c.id), BigInteger)).where(is_number).scalar_subquery()
