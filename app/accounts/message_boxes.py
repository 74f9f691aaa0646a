"""Message boxes (settings and rate limit). Does a person let anyone leave a message, and how many an hour?

Two lanes, each counted by itself in the database: what anyone sends, and what comes with a proof of work. So
a flood in the one never holds up the other. A lane is one moment: from when on all of an hour's messages may
come again (GCRA). What is counted holds for every process, and through a restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from app import clock
from app.errors import TooMuch
from app.snapshot_memory import remembered
from app.tables import message_boxes

HOUR = timedelta(hours=1)
OPEN_LANE_AN_HOUR = 20
PROOF_LANE_AN_HOUR = 60
OPEN_MOST = 500  # boxes that are looked at for whether anyone lets messages be left
_BOX = message_boxes.c


def is_open(connection: Connection, user_id: int) -> bool:
    """Return whether a person lets anyone leave a message; no one does who did not say so."""

    def read() -> bool:
        query = select(_BOX.is_open).where(_BOX.user_id == user_id)
        return connection.execute(query).scalar() == 1

    return remembered(connection, ("message box", user_id), read)


def open_boxes(connection: Connection) -> Sequence[int]:
    """Return the ids of people who let messages be left, a few hundred at most."""

    def read() -> Sequence[int]:
        query = select(_BOX.user_id).where(_BOX.is_open == 1).order_by(_BOX.user_id).limit(OPEN_MOST)
        return connection.execute(query).scalars().all()

    return remembered(connection, "open message boxes", read)


def set_open(connection: Connection, user_id: int, is_open: bool, now: datetime) -> None:
    """Let messages be left, or not any more; what is there stays. Writes message_boxes."""
    values = {"is_open": int(is_open), "updated_at": clock.stored(now)}
    mine = update(message_boxes).where(_BOX.user_id == user_id).values(values)
    if connection.execute(mine).rowcount == 0:
        connection.execute(insert(message_boxes).values(user_id=user_id, **values))


def take_turn(connection: Connection, user_id: int, now: datetime, *, has_proof: bool, spends: bool) -> None:
    """Count a message in its lane; raises TooMuch where an hour's messages have come.

    ``spends`` False: raises the same, and counts nothing. Writes message_boxes.
    """
    column = _BOX.proof_full_at if has_proof else _BOX.full_at
    step = HOUR / (PROOF_LANE_AN_HOUR if has_proof else OPEN_LANE_AN_HOUR)
    stored = connection.execute(select(column).where(_BOX.user_id == user_id)).scalar()
    full_at = max(clock.parse_stored(stored) or now, now) + step
    if full_at - now > HOUR:
        faster = "" if has_proof else " With a proof of work it is taken before others (docs/messages.md)."
        raise too_many(full_at - HOUR - now, faster)
    if spends:
        counted = update(message_boxes).where(_BOX.user_id == user_id)
        connection.execute(counted.values({column: clock.stored(full_at)}))


def too_many(wait: timedelta, more: str = "") -> TooMuch:
    """Return the error that says how long to wait."""
    seconds = max(1, int(wait.total_seconds()) + 1)
    return TooMuch(
        "Too many messages were left in the last hour; this one was not.",
        hint=f"Try again in {seconds} seconds.{more}",
        retry_after_seconds=seconds,
    )
