"""Leaving (departure, undo, erasure). Who leaves, until when can that be undone, and what is done then?

From the moment in which someone leaves they are out of sight as a deactivated account is, and can come in to
undo it, and for nothing else. Seven days later, or at once where that was asked for, the person is erased.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from app import clock, erased_people, erasures
from app.accounts import audit, departure_rows, one_time_links, sessions
from app.accounts.audit import COMMAND_LINE, Actor
from app.accounts.departure_rows import Departure
from app.accounts.users import User, find_user
from app.erasures import Erasure, OfToday
from app.errors import Conflict
from app.tables import users

UNDO_FOR = timedelta(days=7)
LAST_LOOK_AFTER = timedelta(minutes=3)
"""What requests noticed of the person is written so much later at the latest; then nothing comes any more."""

DUE_AT_ONCE = 10


def leave(
    connection: Connection, user: User, now: datetime, *, at_once: bool, actor: Actor = COMMAND_LINE
) -> Departure:
    """Let a person leave; return when that is final. Of one who leaves already it can be made to be now.

    Raises Conflict for the only active admin while others are there. Writes departures, users, sessions,
    one_time_links and audit_logs.
    """
    known = departure_rows.find(connection, user.id)
    if known is None:
        _refuse_only_admin(connection, user)
        due = now if at_once else now + UNDO_FOR
        departure_rows.add(connection, user.id, now, due, was_active=user.is_active)
        _set_active(connection, user, is_active=False)
        sessions.end_all(connection, user.id)
        one_time_links.end_for(connection, user.id)
        audit.record(connection, audit.LEAVE, "users", user.id, now=now, **vars(actor))
    elif at_once and not known.is_due(now):
        departure_rows.change(connection, user.id, due_at=clock.stored(now))
    found = departure_rows.find(connection, user.id)
    assert found is not None
    return found


def stay(connection: Connection, user: User, now: datetime, actor: Actor = COMMAND_LINE) -> None:
    """Undo that a person leaves: the account is as it was. Raises Conflict where there is nothing to undo.

    Writes departures, users and audit_logs.
    """
    known = departure_rows.find(connection, user.id)
    if known is None:
        raise Conflict(f"{user.username} is not leaving.", hint="There is nothing to undo.")
    if known.is_due(now):
        raise Conflict("It is too late: erasing has begun.", hint="What is gone cannot be brought back.")
    departure_rows.remove(connection, user.id)
    _set_active(connection, user, is_active=known.was_active)
    audit.record(connection, audit.STAY, "users", user.id, now=now, **vars(actor))


def line_of(connection: Connection, departure: Departure) -> Erasure:
    """Return the line of the ledger that there will be of someone who leaves."""
    erased_at = erasures.precise(clock.parse_stored(departure.due_at) or clock.now())
    return erased_people.line_of(OfToday(connection), departure.user_id, erased_at)


def find_begun(connection: Connection, username: str) -> User | None:
    """Return whom erasing has begun of, by the name that they had; a command that was killed goes on so."""
    found = find_user(connection, erased_people.hash_of_name(username))
    is_begun = found is not None and departure_rows.find(connection, found.id) is not None
    return found if is_begun else None


def leave_again(connection: Connection, line: Erasure, now: datetime) -> bool:
    """Have a person erased whom a backup's ledger says to be erased, and who is there; whether they are."""
    is_there = erased_people.is_there(OfToday(connection), line)
    if is_there and departure_rows.find(connection, line.record_id) is None:
        departure_rows.add(connection, line.record_id, now, now, was_active=False)
        deactivated = update(users).where(users.c.id == line.record_id).values(is_active=False)
        connection.execute(deactivated)
        sessions.end_all(connection, line.record_id)
    return is_there


def erase_step(connection: Connection, user_id: int, now: datetime) -> bool:
    """Do the next step of erasing a person whose time has come; whether there was anything left to do.

    Some hundredths of a second. Writes every table that has something of them, and the ledger.
    """
    return erased_people.step(OfToday(connection), user_id, erasures.precise(now))


def finish(connection: Connection, user_id: int, now: datetime) -> bool:
    """Note that a person is erased, once nothing of them can come in any more; whether that is so.

    Free pages hold what went until they are cleared. Writes departures, erasures and audit_logs.
    """
    known = departure_rows.find(connection, user_id)
    due_at = None if known is None else clock.parse_stored(known.due_at)
    if due_at is None or now < due_at + LAST_LOOK_AFTER:
        return False
    departure_rows.remove(connection, user_id)
    erased_people.finish(OfToday(connection), user_id, erasures.precise(now))
    audit.record(connection, audit.ERASE, "users", user_id, now=now)
    return True


def _set_active(connection: Connection, user: User, *, is_active: bool) -> None:
    values = {"is_active": is_active, "token_generation": user.token_generation + 1}
    connection.execute(update(users).where(users.c.id == user.id).values(values))


def _refuse_only_admin(connection: Connection, user: User) -> None:
    if not user.is_admin or not user.is_active:
        return
    others = (users.c.id != user.id, users.c.erased_at.is_(None))
    anyone = connection.execute(select(users.c.id).where(*others).limit(1)).first()
    admins = select(users.c.id).where(*others, users.c.is_admin == 1, users.c.is_active == 1)
    if anyone is not None and connection.execute(admins.limit(1)).first() is None:
        raise Conflict(
            f"{user.username} is the only active admin, and others have accounts here; nothing was changed.",
            hint="Make another one first: daemon user admin NAME",
        )
