"""Identities at a provider (OpenID Connect). Who comes in as whom, by issuer and subject alone?

A row is made by a person who has come in already, or by an invitation. A mail address that a provider names
is never looked at: whoever may choose it there could be anyone here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from app import clock
from app.accounts import audit, users
from app.accounts.audit import COMMAND_LINE, Actor
from app.accounts.users import User
from app.errors import Conflict, NotFound
from app.tables import login_identities

_ROW = login_identities.c


@dataclass(frozen=True)
class Identity:
    """Someone at a provider, who comes in here as ``user_id``."""

    issuer: str
    subject: str
    user_id: int
    created_at: str
    last_used_at: str | None

    def as_json(self) -> dict[str, object]:
        """Return what its person is told of it."""
        used = self.last_used_at
        return {
            "issuer": self.issuer,
            "subject": self.subject,
            "created_at": clock.rfc3339(self.created_at),
            "last_used_at": None if used is None else clock.rfc3339(used),
        }


def find_user(connection: Connection, issuer: str, subject: str) -> User | None:
    """Return the active account that someone at a provider comes in as, or None."""
    mine = (_ROW.issuer == issuer, _ROW.subject == subject)
    user_id = connection.execute(select(_ROW.user_id).where(*mine)).scalar()
    found = None if user_id is None else users.find_user_by_id(connection, user_id)
    return found if found is not None and found.is_active else None


def list_of(connection: Connection, user_id: int) -> list[Identity]:
    """Return who comes in as that person, by issuer."""
    query = select(login_identities).where(_ROW.user_id == user_id).order_by(_ROW.issuer)
    return [Identity(**row._mapping) for row in connection.execute(query)]


def link(
    connection: Connection,
    user_id: int,
    issuer: str,
    subject: str,
    now: datetime,
    actor: Actor = COMMAND_LINE,
) -> None:
    """Let someone at a provider come in as that person. Writes login_identities and audit_logs.

    Raises Conflict where they come in as someone already, or where another one of that provider does so here.
    """
    taken = (_ROW.issuer == issuer) & ((_ROW.subject == subject) | (_ROW.user_id == user_id))
    if connection.execute(select(_ROW.user_id).where(taken).limit(1)).first() is not None:
        raise Conflict(
            "This login, or this account, is linked already.", hint="DELETE /auth/oidc ends yours."
        )
    made = {"issuer": issuer, "subject": subject, "user_id": user_id, "created_at": clock.stored(now)}
    connection.execute(insert(login_identities).values(**made))
    _note(connection, user_id, now, actor, old=None, new=issuer)


def note_use(connection: Connection, issuer: str, subject: str, now: datetime) -> None:
    """Note that someone came in by a provider. Writes login_identities."""
    mine = (_ROW.issuer == issuer, _ROW.subject == subject)
    connection.execute(update(login_identities).where(*mine).values(last_used_at=clock.stored(now)))


def unlink(connection: Connection, user_id: int, now: datetime, actor: Actor = COMMAND_LINE) -> None:
    """Let no one of any provider come in as that person any more; sessions go on. Raises NotFound."""
    found = list_of(connection, user_id)
    if not found:
        raise NotFound("No login of a provider is linked with this account.", hint="GET /auth/oidc")
    connection.execute(delete(login_identities).where(_ROW.user_id == user_id))
    for each in found:
        _note(connection, user_id, now, actor, old=each.issuer, new=None)


def _note(
    connection: Connection, user_id: int, now: datetime, actor: Actor, *, old: str | None, new: str | None
) -> None:
    audit.record(
        connection,
        audit.LOGIN_LINK,
        "users",
        user_id,
        now=now,
        old_values={"issuer": old},
        new_values={"issuer": new},
        **vars(actor),
    )
