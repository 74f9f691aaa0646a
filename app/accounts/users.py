"""Accounts. Found, listed, created and changed here; a new id is one that was never used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, insert, or_, select, update

from app import clock
from app.accounts import audit, privacy_settings
from app.accounts.audit import COMMAND_LINE, Actor
from app.errors import Conflict, NotFound
from app.ids import highest_id, next_id
from app.snapshot_memory import remembered
from app.tables import users


@dataclass(frozen=True)
class User:
    """One account as it is stored; ``stored_hash`` is whatever stands there, a hash or not."""

    id: int
    username: str
    full_name: str | None
    email: str
    stored_hash: object
    is_active: bool
    is_admin: bool
    created_at: str | None
    last_login: str | None
    token_generation: int = 0  # raised when every token of the account ends for good


@dataclass(frozen=True)
class NewUser:
    """What a new account is made from; ``password_hash`` is made by `passwords.hash_password`."""

    username: str
    email: str
    password_hash: str
    full_name: str | None = None
    is_admin: bool = False


_FOUND = select(users)
_BY_ID = _FOUND.where(users.c.id == bindparam("user_id"))
_IS_EXACT = users.c.username == bindparam("typed")
_AS_TYPED = (
    _FOUND.where(or_(_IS_EXACT, users.c.username_key == bindparam("folded")))
    .order_by(case((_IS_EXACT, 0), else_=1))
    .limit(2)
)
_CAME_IN = update(users).where(users.c.id == bindparam("of_user")).values(last_login=bindparam("now"))


# -- finding


def find_user(connection: Connection, username: str) -> User | None:
    """Return the account of exactly that name, or None."""
    return _only(connection.execute(_FOUND.where(users.c.username == username)).all())


def find_user_as_typed(connection: Connection, typed: str) -> User | None:
    """Return the account of exactly that name, or else the only one of that name in any case, or None.

    For what people type. A token or a key names its account exactly.
    """
    named = connection.execute(_AS_TYPED, {"typed": typed, "folded": typed.casefold()}).all()
    exact = [row for row in named if row.username == typed]
    return _only(exact or named)


def fold_missing_names(connection: Connection) -> None:
    """Store the case folded names of accounts that an older server made; a name that is no text has none."""
    missing = select(users.c.id, users.c.username).where(users.c.username_key.is_(None))
    for row in connection.execute(missing).all():
        if isinstance(row.username, str) and "\ufffd" not in row.username:
            folded = update(users).where(users.c.id == row.id).values(username_key=row.username.casefold())
            connection.execute(folded)


def find_user_by_id(connection: Connection, user_id: int) -> User | None:
    """Return the account of that id, or None."""

    def read() -> User | None:
        return _only(connection.execute(_BY_ID, {"user_id": user_id}).all())

    return remembered(connection, ("account", user_id), read, while_writing=True)


def get_user(connection: Connection, username: str) -> User:
    """Return the account that someone means who types that name; raises NotFound."""
    found = find_user_as_typed(connection, username)
    if found is None:
        raise NotFound(f"There is no user {username!r}.", hint="daemon user list")
    return found


def list_users(connection: Connection) -> list[User]:
    """Return every account, by id."""
    return [_user(row) for row in connection.execute(_FOUND.order_by(users.c.id))]


def _only(rows: Iterable[Any]) -> User | None:
    found = [_user(row) for row in rows]
    return found[0] if len(found) == 1 else None


def _user(row: Any) -> User:
    return User(
        id=row.id,
        username=row.username,
        full_name=row.full_name,
        email=row.email,
        stored_hash=row.hashed_password,
        is_active=row.is_active == 1,
        is_admin=row.is_admin == 1,
        created_at=row.created_at,
        last_login=row.last_login,
        token_generation=row.token_generation if isinstance(row.token_generation, int) else 0,
    )


# -- creating


def create_user(connection: Connection, new: NewUser, now: datetime) -> User:
    """Write the account, its privacy settings and an audit row; raises Conflict for a name or mail taken.

    Names and mail addresses that differ only in upper and lower case count as the same.
    """
    _refuse_twin(connection, new)
    user_id = next_id(connection, users)
    connection.execute(
        insert(users).values(
            id=user_id,
            username=new.username,
            username_key=new.username.casefold(),
            full_name=new.full_name,
            email=new.email,
            hashed_password=new.password_hash,
            is_active=True,
            is_admin=new.is_admin,
            created_at=clock.stored(now),
        )
    )
    privacy_settings.add_defaults(connection, user_id, now, releases_shipped_rules=True)
    said = {"username": new.username, "is_admin": new.is_admin}
    audit.record(connection, audit.CREATE, "users", user_id, now=now, user_id=user_id, new_values=said)
    created = find_user_by_id(connection, user_id)
    assert created is not None
    return created


def was_any_user_ever_named(connection: Connection) -> bool:
    """Return whether any row names a user, one that is gone included."""
    return highest_id(connection, users) > 0


def is_taken(connection: Connection, username: str, email: str) -> bool:
    """Return whether an account has this name or this mail address, in any case."""
    name, mail = username.casefold(), email.casefold()
    return any(
        str(each.username).casefold() == name or str(each.email).casefold() == mail
        for each in list_users(connection)
    )


def _refuse_twin(connection: Connection, new: NewUser) -> None:
    if is_taken(connection, new.username, new.email):
        raise Conflict("The user name or the mail address is taken.", hint="Choose another one.")


# -- changing


def set_password_hash(connection: Connection, user_id: int, password_hash: str) -> None:
    """Store another hash; every token that was issued before ends with it."""
    connection.execute(update(users).where(users.c.id == user_id).values(hashed_password=password_hash))


def change_password(
    connection: Connection, username: str, password_hash: str, now: datetime, actor: Actor = COMMAND_LINE
) -> User:
    """Give an account another password; raises NotFound. Writes users and audit_logs."""
    found = get_user(connection, username)
    set_password_hash(connection, found.id, password_hash)
    audit.record(connection, audit.PASSWORD, "users", found.id, now=now, **vars(actor))
    return found


def end_tokens(connection: Connection, user: User, now: datetime, actor: Actor = COMMAND_LINE) -> None:
    """End every token of an account, for good. Writes users and audit_logs."""
    ended = update(users).where(users.c.id == user.id).values(token_generation=user.token_generation + 1)
    connection.execute(ended)
    audit.record(connection, audit.LOGGED_OUT, "users", user.id, now=now, **vars(actor))


def change_full_name(
    connection: Connection, user: User, full_name: str | None, now: datetime, actor: Actor
) -> User:
    """Give an account another full name, or none; return it. Writes users and audit_logs."""
    connection.execute(update(users).where(users.c.id == user.id).values(full_name=full_name))
    audit.record(
        connection, audit.UPDATE, "users", user.id, now=now, **vars(actor),
        old_values={"full_name": user.full_name}, new_values={"full_name": full_name},
    )  # fmt: skip
    return replace(user, full_name=full_name)


def set_admin(connection: Connection, username: str, is_admin: bool, now: datetime) -> User:
    """Make an account an admin, or no longer one; raises NotFound, and Conflict for the last admin."""
    found = get_user(connection, username)
    if not is_admin:
        _refuse_last_admin(connection, found)
    connection.execute(update(users).where(users.c.id == found.id).values(is_admin=is_admin))
    audit.record(
        connection, audit.ADMIN, "users", found.id, now=now,
        old_values={"is_admin": found.is_admin}, new_values={"is_admin": is_admin},
    )  # fmt: skip
    return found


def set_active(connection: Connection, username: str, is_active: bool, now: datetime) -> User:
    """Let an account in, or keep it out; raises NotFound, and Conflict for the last admin.

    Its tokens end for good, those included that were issued before a server without generations kept it out.
    """
    found = get_user(connection, username)
    if not is_active:
        _refuse_last_admin(connection, found)
    is_same = is_active and found.is_active
    generation = found.token_generation + (0 if is_same else 1)
    connection.execute(
        update(users).where(users.c.id == found.id).values(is_active=is_active, token_generation=generation)
    )
    audit.record(
        connection, audit.ACTIVE, "users", found.id, now=now,
        old_values={"is_active": found.is_active}, new_values={"is_active": is_active},
    )  # fmt: skip
    return found


def set_as_it_was(connection: Connection, user_id: int, *, is_active: bool, created_at: object) -> None:
    """Give an account that was made just now the state that it had in another installation."""
    values = {"is_active": is_active, "created_at": created_at}
    connection.execute(update(users).where(users.c.id == user_id).values(values))


def note_login(connection: Connection, user_id: int, now: datetime) -> None:
    """Store when an account came in last."""
    connection.execute(_CAME_IN, {"of_user": user_id, "now": clock.stored(now)})


def _refuse_last_admin(connection: Connection, found: User) -> None:
    others = [
        each for each in list_users(connection) if each.is_admin and each.is_active and each.id != found.id
    ]
    if found.is_admin and found.is_active and not others:
        raise Conflict(
            f"{found.username} is the only active admin.",
            hint="Make another one first: daemon user admin NAME",
        )
