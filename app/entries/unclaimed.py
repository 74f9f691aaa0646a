"""What came in before there was an account, and how much of it is taken? One row each in unclaimed_entries.

Whether such an entry was written by anyone who sits at the machine, or by a stranger whom a proxy on it let
through, cannot always be told. So there is a bound, everything is private, and the first account looks
through it (`review`). A row stays until its entry is published or deleted by someone with an account.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from app import clock
from app.entries import access
from app.entries.endpoints import NAME
from app.errors import Conflict
from app.prepared_statements import PreparedQuery, PreparedStatement
from app.tables import data_entries, endpoints, unclaimed_entries

MOST_ENTRIES = 200
MOST_BYTES = 2_000_000
COST_OF_A_WRITE_BYTES = 500  # beside the text: a row here, one in the audit, and their places in the indexes


def take(connection: Connection, entry_id: int, size_bytes: int, now: datetime) -> None:
    """Count what the open local door writes; raises Conflict where it is full. Deleting gives nothing back.

    Writes unclaimed_entries; never more than MOST_ENTRIES rows, so that counting them costs little.
    """
    row = unclaimed_entries.c
    cost = size_bytes + COST_OF_A_WRITE_BYTES
    known = update(unclaimed_entries).where(row.entry_id == entry_id)
    if connection.execute(known.values(size_bytes=row.size_bytes + cost)).rowcount == 0:
        values = {"entry_id": entry_id, "size_bytes": cost, "received_at": clock.stored(now)}
        connection.execute(insert(unclaimed_entries).values(values))
    count, held_bytes = connection.execute(select(func.count(), func.sum(row.size_bytes))).one()
    if count > MOST_ENTRIES or held_bytes > MOST_BYTES:
        raise Conflict(
            f"As long as no one has claimed this installation it takes {MOST_ENTRIES} entries and "
            f"{MOST_BYTES:,} bytes without an account, and it is full; nothing was written.",
            hint="Claim it first: daemon user create NAME --admin",
        )


def settle(connection: Connection, entry_id: int) -> None:
    """Forget that an entry waits for its review: someone with an account has decided."""
    _SETTLE.run(connection, {"of_entry": entry_id})


def settle_all(connection: Connection, entry_ids: Iterable[int]) -> None:
    """Forget that of each of these; mostly no entry waits at all, and never many."""
    waiting = {row[0] for row in _WAITING.rows(connection)}
    _SETTLE.run_all(connection, [{"of_entry": each} for each in entry_ids if each in waiting])


_WAITING = PreparedQuery(select(unclaimed_entries.c.entry_id))
_SETTLE = PreparedStatement(
    delete(unclaimed_entries).where(unclaimed_entries.c.entry_id == bindparam("of_entry"))
)


def count_waiting(connection: Connection) -> int:
    """Return how many entries that came in before the claim no one has looked through yet."""
    return int(connection.execute(select(func.count()).select_from(unclaimed_entries)).scalar_one())


def hand_over(connection: Connection, user_id: int) -> None:
    """Give everything that came in through the local door to the first account. Writes data_entries.

    What was deleted again counted until now, so that deleting gave no room; it waits for no review.
    """
    unclaimed = update(data_entries).where(access.is_unclaimed()).values(created_by_id=user_id)
    connection.execute(unclaimed)
    there = select(data_entries.c.id).where(access.is_there())
    connection.execute(delete(unclaimed_entries).where(unclaimed_entries.c.entry_id.not_in(there)))


def waiting(connection: Connection, owner_id: int | None = None) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return what waits for its review, by id; ``owner_id`` None: no matter whose they are."""
    entry, kind = data_entries.c, endpoints.c
    query = (
        select(
            entry.id,
            entry.data,
            entry.created_by_id,
            *(kind.id.label("endpoint_id"), NAME.label("kind"), kind.is_public),
            *(kind.name, kind.user_id, kind.is_shipped, kind.default_visibility),
            unclaimed_entries.c.received_at,
        )
        .select_from(
            unclaimed_entries.join(data_entries, entry.id == unclaimed_entries.c.entry_id).join(
                endpoints, kind.id == entry.endpoint_id
            )
        )
        .where(access.is_there())
        .order_by(entry.id)
    )
    if owner_id is not None:
        query = query.where(entry.created_by_id == owner_id)
    return connection.execute(query).all()
