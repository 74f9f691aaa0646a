"""Operations (jobs that a person began). How far is one, how did it end, and until when is its result kept?

A row belongs to its person. Its process says now and then that it lives; one that has not for a while was
killed with it, and has failed: so is what a backup brings back as running.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from app import clock
from app.errors import Conflict
from app.ids import draw, new_id
from app.tables import operations

RUNNING, DONE, FAILED = "running", "done", "failed"
DEAD_AFTER = timedelta(seconds=90)
"""Whose process has said nothing for so long is not running any more."""

KEPT_FOR = timedelta(days=7)
"""How long an operation that ended can be asked about, unless its result has a time of its own."""

LISTED_MOST = 100
_STOPPED = "The server was stopped while this ran. Begin it again."


@dataclass(frozen=True)
class Result:
    """What an operation left: a file by its name, if any, and until when it is kept."""

    file_name: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Operation:
    """One operation; ``done_count`` of ``total_count`` steps, where that is known; times as stored."""

    id: int
    user_id: int
    name: str
    state: str
    done_count: int | None = None
    total_count: int | None = None
    created_at: str | None = None
    seen_at: str | None = None
    finished_at: str | None = None
    expires_at: str | None = None
    file_name: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    fault: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return what its person is told of it."""
        file = {"name": self.file_name, "size_bytes": self.size_bytes, "sha256": self.sha256}
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "done_count": self.done_count,
            "total_count": self.total_count,
            "created_at": _told(self.created_at),
            "finished_at": _told(self.finished_at),
            "expires_at": _told(self.expires_at),
            "file": None if self.file_name is None else file,
            "fault": self.fault,
        }


def _told(stored: str | None) -> str | None:
    return None if stored is None else clock.rfc3339(stored)


# -- finding


def find_own(connection: Connection, user_id: int, operation_id: int, now: datetime) -> Operation | None:
    """Return an operation of that person, or None: for someone else's too."""
    mine = (operations.c.id == operation_id, operations.c.user_id == user_id)
    row = connection.execute(select(operations).where(*mine)).one_or_none()
    return None if row is None else _operation(row, now)


def list_own(connection: Connection, user_id: int, now: datetime) -> list[Operation]:
    """Return the operations of a person that are kept, the newest first."""
    newest_first = (operations.c.created_at.desc(), operations.c.id)
    query = select(operations).where(operations.c.user_id == user_id).order_by(*newest_first)
    return [_operation(row, now) for row in connection.execute(query.limit(LISTED_MOST))]


def is_running(connection: Connection, name: str, now: datetime, user_id: int | None = None) -> bool:
    """Return whether an operation of that name goes on: of that person, or of anyone."""
    alive = clock.stored(now - DEAD_AFTER)
    going_on = (operations.c.name == name, operations.c.state == RUNNING, operations.c.seen_at > alive)
    whose = () if user_id is None else (operations.c.user_id == user_id,)
    found = connection.execute(select(operations.c.id).where(*going_on, *whose).limit(1))
    return found.first() is not None


def with_files(connection: Connection, operation_ids: Collection[int], now: datetime) -> dict[int, int]:
    """Return which of these have a file, or make one now, and whose each is."""
    query = select(operations).where(operations.c.id.in_(operation_ids))
    found = [_operation(row, now) for row in connection.execute(query)]
    over = clock.stored(now)
    return {
        each.id: each.user_id for each in found if each.state != FAILED and (each.expires_at or over) > over
    }


def _operation(row: Any, now: datetime) -> Operation:
    found = Operation(**row._mapping)
    if found.state == RUNNING and (found.seen_at or "") <= clock.stored(now - DEAD_AFTER):
        return replace(found, state=FAILED, finished_at=found.seen_at, fault=_STOPPED)
    return found


# -- its life: each writes operations


def begin(
    connection: Connection, user_id: int, name: str, now: datetime, *, one_at_all: bool = False
) -> Operation:
    """Note an operation that begins. What ended long ago is cleared away.

    Raises Conflict where that person has one of that name that goes on; with ``one_at_all``, anyone.
    """
    clear_past(connection, now)
    if is_running(connection, name, now, None if one_at_all else user_id):
        raise Conflict(
            "The same operation is running already.", hint="GET /api/v1/operations shows how far yours are."
        )
    moment = clock.stored(now)
    made = Operation(
        id=new_id(connection, operations),
        user_id=user_id,
        name=name,
        state=RUNNING,
        created_at=moment,
        seen_at=moment,
        expires_at=clock.stored(now + KEPT_FOR),
    )
    connection.execute(insert(operations).values(**vars(made)))
    return made


def draw_id() -> int:
    """Return a random id for an operation of which there is no row; writes nothing."""
    return draw(operations)


def note(
    connection: Connection, operation_id: int, now: datetime, done: int | None, total: int | None
) -> None:
    """Note that an operation goes on, and how far it is."""
    values = {"seen_at": clock.stored(now), "done_count": done, "total_count": total}
    connection.execute(update(operations).where(operations.c.id == operation_id).values(values))


def finish(connection: Connection, operation_id: int, now: datetime, result: Result) -> None:
    """Note that an operation is done, and what it left."""
    values: dict[str, object] = {
        "state": DONE,
        "finished_at": clock.stored(now),
        "expires_at": clock.stored(result.expires_at or now + KEPT_FOR),
        "file_name": result.file_name,
        "size_bytes": result.size_bytes,
        "sha256": result.sha256,
    }
    connection.execute(update(operations).where(operations.c.id == operation_id).values(values))


def fail(connection: Connection, operation_id: int, now: datetime, fault: str) -> None:
    """Note that an operation failed, and why, in words for its person."""
    values = {"state": FAILED, "finished_at": clock.stored(now), "fault": fault}
    connection.execute(update(operations).where(operations.c.id == operation_id).values(values))


def clear_past(connection: Connection, now: datetime) -> None:
    """Delete what ended, and need not be told any more."""
    connection.execute(delete(operations).where(operations.c.expires_at <= clock.stored(now)))
