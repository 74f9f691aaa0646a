"""Snapshot memory (data version). What was read of this state of the database already, and holds still?

Kept with each connection, and thrown away when its next transaction sees another state: whoever
has committed, and whatever. A transaction that may write has none, since it would not notice its
own changes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from sqlalchemy import Connection

STATE = "data_version"
"""What the storage notes with a connection that reads: a number that is another one in another state."""

VALUES_MOST = 500  # for each connection
LONGEST_NAME = 100
_MEMORY = "snapshot_memory"

T = TypeVar("T")


def remembered(connection: Connection, key: Hashable, read: Callable[[], T]) -> T:
    """Return what ``read`` returns in this state of the database, which must not be changed; asks it once.

    Of a ``key`` nothing long may be part that anyone can choose (LONGEST_NAME). What is raised is not kept.
    """
    state = connection.info.get(STATE)
    if state is None:
        return read()
    of_state, values = connection.info.get(_MEMORY, (None, {}))
    if of_state != state or len(values) >= VALUES_MOST:
        values = {}
        connection.info[_MEMORY] = state, values
    if key not in values:
        values[key] = read()
    return cast("T", values[key])
