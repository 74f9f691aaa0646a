"""One-time links (invitations, password resets). What does one open, and is it still good?

A link is a long random text, told once; of it the SHA-256 is stored. It is deleted by its use. An admin's is
good as long as that person is an admin, so that no one leaves doors behind who leaves.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, insert, select

from app import clock
from app.accounts import audit, users
from app.accounts.audit import COMMAND_LINE, Actor
from app.accounts.users import Role, User
from app.errors import Conflict, InvalidContent, NotAllowed, NotFound
from app.ids import new_id
from app.tables import one_time_links

Purpose = Literal["invitation", "password"]
INVITATION: Purpose = "invitation"
PASSWORD: Purpose = "password"

PREFIX = "daemon_link_"
LINK_BYTES = 32
LABEL_CHARACTERS = 100
INVITATION_DAYS = 7
LONGEST_DAYS = 30
PASSWORD_FOR = timedelta(hours=24)
INVITATIONS_MOST = 100
"""How many invitations that are still good there may be."""


@dataclass(frozen=True)
class Link:
    """A link that is still good: an invitation as ``role``, or another password for ``user_id``."""

    id: int
    purpose: Purpose
    user_id: int | None
    role: Role
    label: str | None
    created_by_id: int | None
    created_at: str
    expires_at: str


# -- finding


def find_link(connection: Connection, text: str, now: datetime) -> Link | None:
    """Return what a link opens; None for one that was used, is over, or never was."""
    row = connection.execute(select(one_time_links).where(one_time_links.c.token_hash == _hash_of(text)))
    found = row.one_or_none()
    if found is None or found.expires_at <= clock.stored(now):
        return None
    link = _link(found)
    return link if _holds(connection, link) else None


def get_link(connection: Connection, text: str, purpose: Purpose, now: datetime) -> Link:
    """Return a link for that purpose; raises NotAllowed where there is none, whatever the reason."""
    found = find_link(connection, text, now)
    if found is None or found.purpose != purpose:
        raise refused()
    return found


def refused() -> NotAllowed:
    """Return the error for a link that opens nothing."""
    return NotAllowed(
        "This link is not valid: it was used, is over, or never was.", hint="Ask an admin for another one."
    )


def list_invitations(connection: Connection, now: datetime) -> list[Link]:
    """Return the invitations that have not been used and are not over, by when they end."""
    going_on = (one_time_links.c.purpose == INVITATION, one_time_links.c.expires_at > clock.stored(now))
    query = select(one_time_links).where(*going_on).order_by(one_time_links.c.expires_at, one_time_links.c.id)
    return [_link(row) for row in connection.execute(query.limit(INVITATIONS_MOST))]


def get_invitation(connection: Connection, link_id: int) -> Link:
    """Return an invitation that has not been used; raises NotFound."""
    mine = (one_time_links.c.id == link_id, one_time_links.c.purpose == INVITATION)
    row = connection.execute(select(one_time_links).where(*mine)).one_or_none()
    if row is None:
        raise NotFound(f"There is no invitation {link_id}.", hint="daemon user invitations")
    return _link(row)


def _holds(connection: Connection, link: Link) -> bool:
    """Whether its maker may still give it (an active admin, or the command line), to who may come in."""
    if link.user_id is not None:
        person = users.find_user_by_id(connection, link.user_id)
        if person is None or not person.is_active:
            return False
    if link.created_by_id is None:
        return True
    maker = users.find_user_by_id(connection, link.created_by_id)
    return maker is not None and maker.is_admin and maker.is_active


def _link(row: Any) -> Link:
    return Link(
        id=row.id,
        purpose=row.purpose,
        user_id=row.user_id,
        role=row.role if row.role in users.ROLES else "member",
        label=row.label,
        created_by_id=row.created_by_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


# -- making and ending: each writes one_time_links and audit_logs


def invite(
    connection: Connection,
    role: Role,
    days: int,
    label: str | None,
    now: datetime,
    actor: Actor = COMMAND_LINE,
) -> tuple[Link, str]:
    """Make an invitation; return it with its text, which is told this once.

    Raises InvalidContent for a time or a label that cannot be, Conflict where there are too many.
    """
    _check(days, label)
    if _count_invitations(connection, now) >= INVITATIONS_MOST:
        raise Conflict(f"There are {INVITATIONS_MOST} invitations already.", hint="daemon user uninvite ID")
    values = {"purpose": INVITATION, "role": role, "label": label}
    return _make(connection, values, now, now + timedelta(days=days), actor)


def offer_password(
    connection: Connection, user: User, now: datetime, actor: Actor = COMMAND_LINE
) -> tuple[Link, str]:
    """Make a link with which an account gets another password, in place of an earlier one; return both.

    Raises Conflict for an account that is deactivated.
    """
    if not user.is_active:
        raise Conflict(f"{user.username} is deactivated.", hint="daemon user activate NAME")
    end_for(connection, user.id)
    return _make(connection, {"purpose": PASSWORD, "user_id": user.id}, now, now + PASSWORD_FOR, actor)


def use(connection: Connection, link: Link, now: datetime, actor: Actor) -> None:
    """Use a link up; raises NotAllowed where someone was faster."""
    if connection.execute(delete(one_time_links).where(one_time_links.c.id == link.id)).rowcount != 1:
        raise refused()
    said = {"purpose": link.purpose, "created_by_id": link.created_by_id}
    audit.record(
        connection, audit.LINK_USED, "one_time_links", link.id, now=now, new_values=said, **vars(actor)
    )


def withdraw(connection: Connection, link: Link, now: datetime, actor: Actor = COMMAND_LINE) -> None:
    """End a link that has not been used."""
    connection.execute(delete(one_time_links).where(one_time_links.c.id == link.id))
    audit.record(connection, audit.REVOKE, "one_time_links", link.id, now=now, **vars(actor))


def end_for(connection: Connection, user_id: int) -> None:
    """Delete what would give an account another password: it has got one."""
    connection.execute(delete(one_time_links).where(one_time_links.c.user_id == user_id))


def _make(
    connection: Connection, values: dict[str, Any], now: datetime, ends: datetime, actor: Actor
) -> tuple[Link, str]:
    connection.execute(delete(one_time_links).where(one_time_links.c.expires_at <= clock.stored(now)))
    text = PREFIX + secrets.token_urlsafe(LINK_BYTES)
    link_id = new_id(connection, one_time_links)
    connection.execute(
        insert(one_time_links).values(
            id=link_id,
            token_hash=_hash_of(text),
            created_by_id=actor.user_id,
            created_at=clock.stored(now),
            expires_at=clock.stored(ends),
            **values,
        )
    )
    audit.record(
        connection, audit.CREATE, "one_time_links", link_id, now=now, new_values=values, **vars(actor)
    )
    made = connection.execute(select(one_time_links).where(one_time_links.c.id == link_id)).one()
    return _link(made), text


def _count_invitations(connection: Connection, now: datetime) -> int:
    going_on = (one_time_links.c.purpose == INVITATION, one_time_links.c.expires_at > clock.stored(now))
    query = select(func.count()).select_from(one_time_links).where(*going_on)
    return int(connection.execute(query).scalar_one())


def _check(days: int, label: str | None) -> None:
    if not 1 <= days <= LONGEST_DAYS:
        _refuse("/days", f"An invitation holds for 1 to {LONGEST_DAYS} days.")
    if label is not None and not (1 <= len(label) <= LABEL_CHARACTERS and label.isprintable()):
        _refuse("/label", f"A label has 1 to {LABEL_CHARACTERS} printable characters.")


def _refuse(pointer: str, fault: str) -> None:
    raise InvalidContent(fault, errors=[{"pointer": pointer, "detail": fault}])


def _hash_of(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
