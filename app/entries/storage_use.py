"""Storage quota of a member. How much may one person store here, and how much of it is used?

Counted as the person writes, so that no request counts rows; and counted anew where nothing is known yet, or
where it seems to be full. What changes many rows at once calls `forget`. Deleted entries count until they are
erased. Admins have no limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from app.accounts.users import find_user_by_id
from app.errors import InvalidContent, QuotaReached
from app.prepared_statements import PreparedStatement
from app.tables import data_entries, storage_limits, storage_use

EVERYONE = 0  # in the place of a person's id: the limits of whoever has none of their own
LARGEST = 2**53


@dataclass(frozen=True)
class Amount:
    """Entries, and bytes of their texts: how many there may be, or how many there are."""

    entries: int
    bytes: int


SHIPPED = Amount(50_000, 500_000_000)
_LIMITS = select(storage_limits).where(
    storage_limits.c.user_id.in_([EVERYONE, bindparam("person", type_=storage_limits.c.user_id.type)])
)
_USE = select(storage_use.c.entries_count, storage_use.c.bytes_count).where(
    storage_use.c.user_id == bindparam("person")
)
_COUNT = select(func.count(), func.coalesce(func.sum(func.length(data_entries.c.data)), 0)).where(
    data_entries.c.created_by_id == bindparam("person")
)
_ADD = PreparedStatement(
    update(storage_use)
    .where(storage_use.c.user_id == bindparam("person"))
    .values(entries_count=bindparam("entries"), bytes_count=bindparam("size"))
)


def limits_of(connection: Connection, user_id: int) -> Amount:
    """Return how much a member may store: what is their own, else everyone's, else what is shipped."""
    rows = {row.user_id: row for row in connection.execute(_LIMITS, {"person": user_id})}
    found = {"entries": SHIPPED.entries, "bytes": SHIPPED.bytes}
    for row in (rows.get(EVERYONE), rows.get(user_id)):
        if row is not None:
            found["entries"] = found["entries"] if row.most_entries is None else row.most_entries
            found["bytes"] = found["bytes"] if row.most_bytes is None else row.most_bytes
    return Amount(**found)


def set_limits(
    connection: Connection, user_id: int, most_entries: int | None, most_bytes: int | None
) -> None:
    """Let a member (or EVERYONE) store so much; None is what is said for everyone. Writes storage_limits."""
    for name, value in (("most_entries", most_entries), ("most_bytes", most_bytes)):
        if value is not None and not 0 <= value <= LARGEST:
            fault = f"{name} is a whole number from 0 to {LARGEST}."
            raise InvalidContent(fault, errors=[{"pointer": f"/{name}", "detail": fault}])
    connection.execute(delete(storage_limits).where(storage_limits.c.user_id == user_id))
    values = {"user_id": user_id, "most_entries": most_entries, "most_bytes": most_bytes}
    if most_entries is not None or most_bytes is not None:
        connection.execute(insert(storage_limits).values(values))


def use_of(connection: Connection, user_id: int) -> Amount:
    """Return how much a person has stored. Counts rows where that is not known; writes nothing."""
    row = connection.execute(_USE, {"person": user_id}).first()
    return _counted(connection, user_id) if row is None else Amount(*row)


def take(connection: Connection, user_id: int | None, entries: int, size: int) -> None:
    """Count what a person is about to store beside the rest; raises QuotaReached where there is no room.

    ``size`` is by how many bytes a text grows. Writes storage_use.
    """
    user = None if user_id is None else find_user_by_id(connection, user_id)
    if user is None or user.is_admin or (entries <= 0 and size <= 0):
        return
    most = limits_of(connection, user.id)
    row = connection.execute(_USE, {"person": user.id}).first()
    then = _with(_counted(connection, user.id) if row is None else Amount(*row), entries, size)
    if _is_over(then, most) and row is not None:  # some may have gone meanwhile
        then = _with(_counted(connection, user.id), entries, size)
    if _is_over(then, most):
        raise QuotaReached(
            f"There is no room for this: you may store {most.entries} entries and {most.bytes} bytes here.",
            hint="Erase what is not needed, or ask an admin: daemon user storage NAME --entries N --bytes N",
        )
    if row is None:
        values = {"user_id": user.id, "entries_count": then.entries, "bytes_count": then.bytes}
        connection.execute(insert(storage_use).values(values))
    else:
        _ADD.run(connection, {"person": user.id, "entries": then.entries, "size": then.bytes})


def forget(connection: Connection, user_id: int | None) -> None:
    """Have it counted anew at the person's next write. Writes storage_use."""
    if user_id is not None:
        connection.execute(delete(storage_use).where(storage_use.c.user_id == user_id))


def _counted(connection: Connection, user_id: int) -> Amount:
    count, size = connection.execute(_COUNT, {"person": user_id}).one()
    return Amount(int(count), int(size))


def _with(amount: Amount, entries: int, size: int) -> Amount:
    return Amount(amount.entries + entries, amount.bytes + max(0, size))


def _is_over(amount: Amount, most: Amount) -> bool:
    return amount.entries > most.entries or amount.bytes > most.bytes


def as_json(connection: Connection, user_id: int) -> dict[str, Any]:
    """Return what a person uses, and what they may."""
    use, most = use_of(connection, user_id), limits_of(connection, user_id)
    return {
        "entries": use.entries,
        "bytes": use.bytes,
        "most_entries": most.entries,
        "most_bytes": most.bytes,
    }
