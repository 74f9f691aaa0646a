"""Snapshot memory (state of the database). What was read of this state already, and holds still?

Kept by the number that the storage gives a state, for all connections of this process that see the same one,
and thrown away some states later: whoever has committed, and whatever. A transaction that writes sees another
state after each change of its own, too, but for rows of a few tables (NOT_COUNTED), on which nothing that it
remembers may depend. Where an engine cannot tell that, a transaction that may write remembers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from sqlalchemy import Connection

STATE = "state"
"""What the storage notes with a connection (`app.storage.types.STATE`, which rooms do not import): for one
that reads, the number of the state that it sees; for one that writes, a `WrittenState`, or None."""

NOT_COUNTED = frozenset(
    {
        *("audit_anchors", "audit_logs", "data_entries", "entry_revisions", "id_counters", "storage_use"),
        *("imported_entries", "text_findings", "unclaimed_entries", "view_changes", "webhook_events"),
    }
)
"""Tables whose rows change nothing that a transaction remembers which writes."""

NOTED = frozenset({"data_entries", "text_findings", "view_changes"})
"""Those of them that strangers' views are made of: which rows of them a transaction writes is noted."""

STATES_MOST = 16  # an engine may number them apart for each connection of a pool
VALUES_MOST = 500  # of each state
LONGEST_NAME = 100
_MEMORY = "snapshot_memory"  # of a connection that writes

T = TypeVar("T")
_Values = dict[Hashable, Any]
_states: dict[int, _Values] = {}
_lock = Lock()


class RowChange(NamedTuple):
    """A row of a table in NOTED that was written, with what it was written with."""

    table: str
    values: Mapping[str, Any]


class WrittenState(Protocol):
    """What a transaction that writes sees. Another value of ``now`` means that it may be something else."""

    noted_most: int
    """How many changes are noted of a transaction; of one with more nothing is known."""

    def now(self) -> Hashable:
        """Which state it is."""

    def count(self) -> int:
        """How many rows were changed up to here."""

    def leave_out(self, counted_before: int, rows: int, noted: Sequence[RowChange] = ()) -> None:
        """Do not take the change since that count for one, but note it; if it was of so many rows exactly."""

    def find_changes(self) -> tuple[RowChange, ...] | None:
        """Return what was noted of the transaction; None where it has changed anything else, or much."""

    def leave_out_all(self, counted_before: int) -> None:
        """Do not take what was changed since that count for a change: only searches are made of it."""


def remembered(
    connection: Connection, key: Hashable, read: Callable[[], T], *, while_writing: bool = False
) -> T:
    """Return what ``read`` returns in this state of the database, which must not be changed; asks it once.

    Of a ``key`` nothing long may be part that anyone can choose (LONGEST_NAME). What is raised is not kept.
    With ``while_writing`` also in a transaction that writes: what is read depends on no row of NOT_COUNTED.
    """
    values = _values_of(connection, while_writing=while_writing)
    if values is None:
        return read()
    try:
        return cast("T", values[key])
    except KeyError:
        made = read()
    _keep(values, key, made)
    return made


def is_remembered(connection: Connection, key: Hashable) -> bool:
    """Whether `remembered` would ask no one."""
    values = _values_of(connection)
    return values is not None and key in values


def remember(connection: Connection, key: Hashable, value: object) -> None:
    """Keep what was read of this state together with something else."""
    values = _values_of(connection)
    if values is not None:
        _keep(values, key, value)


def memory_of(connection: Connection) -> dict[Hashable, Any] | None:
    """Return all that is remembered of the state that a connection sees which reads, to be carried over.

    None where nothing is.
    """
    return _values_of(connection)


def state_of(connection: Connection) -> int | None:
    """Return the number of the state that a connection sees which reads; None where it is not known."""
    state = connection.info.get(STATE)
    return state if type(state) is int else None


def written_state(connection: Connection) -> WrittenState | None:
    """Return what knows the state that a transaction sees which writes; None where nothing does."""
    state = connection.info.get(STATE)
    return None if state is None or type(state) is int else cast("WrittenState", state)


def _keep(values: _Values, key: Hashable, value: object) -> None:
    if len(values) >= VALUES_MOST:
        values.clear()
    values[key] = value


def _values_of(connection: Connection, *, while_writing: bool = False) -> _Values | None:
    info = connection.info
    state = info.get(STATE)
    if type(state) is int:
        values = _states.get(state)
        return _begun(state) if values is None else values
    if state is None or not while_writing:
        return None
    now = cast("WrittenState", state).now()
    of_state, values = info.get(_MEMORY, (None, {}))
    if of_state != now:
        values = {}
        info[_MEMORY] = now, values
    return cast("_Values", values)


def _begun(state: int) -> _Values:
    with _lock:
        values = _states.setdefault(state, {})
        while len(_states) > STATES_MOST:
            _states.pop(next(iter(_states)))
    return values
