"""Planned writes. How is much worked out before the turn to write, and written in the state that it is of?

Others write while a plan is made. Where they have changed anything that it may hang on, it is made again;
after a few times while no one else can write.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from app import log
from app.errors import DaemonError
from app.snapshot_memory import RowChange, written_state

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.server.database_supervisor import DatabaseSupervisor

PLANS_MOST = 3

P = TypeVar("P")
T = TypeVar("T")
Opened = Callable[[], "AbstractContextManager[Connection]"]

_log = log.get_logger(__name__)


def write_planned(
    supervisor: DatabaseSupervisor,
    plan: Callable[[Connection], P],
    write: Callable[[Connection, P], T],
    user_id: int,
) -> T:
    """Return what ``write`` returns, given what ``plan`` returned for the same state of the database.

    The same but for entries of others: a plan is of what one person has, ``user_id``, and is for everyone.
    Raises what these raise, and what `reading` and `writing` do.
    """
    for _ in range(PLANS_MOST):
        known = supervisor.generation()
        with supervisor.reading() as connection:
            planned = plan(connection)
        with supervisor.writing() as connection:
            if is_as_planned(supervisor, connection, known, user_id):
                return write(connection, planned)
    with supervisor.writing() as connection:
        return write(connection, plan(connection))


def is_as_planned(supervisor: DatabaseSupervisor, connection: Connection, known: int, user_id: int) -> bool:
    """Whether nothing was committed since, or begun in this very transaction, that a plan may hang on.

    ``known`` is what `generation` was before it was planned, for a person and what they have.
    """
    now = supervisor.generation()
    committed = [] if known == now else supervisor.find_changes(known, now)
    state = written_state(connection)
    begun = () if state is None else state.find_changes()
    if known < 0 or committed is None or begun is None:
        return False
    return not any(_is_of(user_id, change) for change in (*committed, *begun))


def try_planned(
    supervisor: DatabaseSupervisor,
    plan: Callable[[Connection], P],
    in_steps: Callable[[Opened, P], T],
    at_once: Callable[[Opened], T],
) -> T:
    """Return what ``in_steps`` returns, given what ``plan`` returned; it takes back whatever it writes.

    What it is given to write with is for one step at a time: others write in between. Where it fails at what
    they have changed, ``at_once`` is asked, which plans in the very transaction in which it writes.
    Raises what these raise, and as `write_planned`.
    """
    with supervisor.reading() as connection:
        planned = plan(connection)
    try:
        return in_steps(supervisor.writing, planned)
    except DaemonError:
        raise
    except Exception as error:  # noqa: BLE001 - where it is none of the plan's it comes again
        _log.info("A trial is planned again.", extra={"error_type": type(error).__name__})
        return at_once(supervisor.writing)


def _is_of(user_id: int, change: RowChange) -> bool:
    """Whether an entry is, or may be, a person's; what was found in one is none of what a plan is made of."""
    values: Any = change.values
    return change.table == "data_entries" and values.get("created_by_id", user_id) == user_id
