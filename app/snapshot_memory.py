"""Snapshot memory (data version). What was read of this state of the database already, and holds still?

Kept with each connection, and thrown away when its next transaction sees another state: whoever
has committed, and whatever. A transaction that writes sees another state after each change of its own, too,
but for rows of a few tables (NOT_COUNTED), on which nothing that it remembers may depend. Where an engine
cannot tell that, a transaction that may write remembers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar, cast

from sqlalchemy import Connection

STATE = "data_version"
"""What the storage notes with a connection: for one that reads, a number that is another one in another
state; for one that writes, a `WrittenState`, or None."""

NOT_COUNTED = frozenset({"audit_logs", "data_entries", "id_counters", "text_findings"})
"""Tables whose rows change nothing that a transaction remembers which writes."""

VALUES_MOST = 500  # for each connection
LONGEST_NAME = 100
_MEMORY = "snapshot_memory"

T = TypeVar("T")


class WrittenState(Protocol):
    """What a transaction that writes sees. Another value of ``now`` means that it may be something else."""

    def now(self) -> Hashable:
        """Which state it is."""

    def count(self) -> int:
        """How many rows were changed up to here."""

    def leave_out(self, counted_before: int, rows: int) -> None:
        """Do not take the change since that count for one; if it was of so many rows exactly."""


def remembered(
    connection: Connection, key: Hashable, read: Callable[[], T], *, while_writing: bool = False
) -> T:
    """Return what ``read`` returns in this state of the database, which must not be changed; asks it once.

    Of a ``key`` nothing long may be part that anyone can choose (LONGEST_NAME). What is raised is not kept.
    With ``while_writing`` also in a transaction that writes: what is read depends on no row of NOT_COUNTED.
    """
    info = connection.info
    state = info.get(STATE)
    if state is None:
        return read()
    if type(state) is not int:
        if not while_writing:
            return read()
        state = cast("WrittenState", state).now()
    of_state, values = info.get(_MEMORY, (None, {}))
    if of_state != state or len(values) >= VALUES_MOST:
        values = {}
        info[_MEMORY] = state, values
    if key not in values:
        values[key] = read()
    return cast("T", values[key])


def written_state(connection: Connection) -> WrittenState | None:
    """Return what knows the state that a transaction sees which writes; None where nothing does."""
    state = connection.info.get(STATE)
    return None if state is None or type(state) is int else cast("WrittenState", state)
