"""Accounts. Found, listed, created and changed here; a new id is one that was never used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, bindparam, case, func, insert, or_, select, update

from app import clock
from app.accounts import audit, departure_rows, names, privacy_settings, sessions
from app.accounts.audit import COMMAND_LINE, Actor
from app.errors import Conflict, InvalidContent, NotFound
from app.ids import highest_id, next_id
from app.snapshot_memory import remembered
from app.tables import users

Role = Literal["admin", "member", "reader"]
ROLES: tuple[Role, ...] = ("admin", "member", "reader")
READER = "reader"
"""Stored in ``role``; an admin is who has ``is_admin``, as ever, and everyone else is a member."""


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
    is_reader: bool = False

    @property
    def role(self) -> Role:
        """What the account may do; ``is_admin`` alone makes an admin, whatever else is stored."""
        return "admin" if self.is_admin else "reader" if self.is_reader else "member"


@dataclass(frozen=True)
class NewUser:
    """What a new account is made from; ``password_hash`` is made by `passwords.hash_password`."""

    username: str
    email: str
    password_hash: str
    full_name: str | None = None
    is_admin: bool = False
    is_reader: bool = False


_FOUND = select(users)
_IS_SOMEONE = users.c.erased_at.is_(None)
_BY_ID = _FOUND.where(_IS_SOMEONE, users.c.id == bindparam("user_id"))
_IS_EXACT = users.c.username == bindparam("typed")
_AS_TYPED = (
    _FOUND.where(_IS_SOMEONE, or_(_IS_EXACT, users.c.username_key == bindparam("folded")))
    .order_by(case((_IS_EXACT, 0), else_=1))
    .limit(2)
)
_CAME_IN = update(users).where(users.c.id == bindparam("of_user")).values(last_login=bindparam("now"))


# -- finding


def find_user(connection: Connection, username: str) -> User | None:
    """Return the account of exactly that name, or None; of a hash in its place that of someone erased."""
    return _only(connection.execute(_FOUND.where(users.c.username == username)).all())


def find_user_as_typed(connection: Connection, typed: str) -> User | None:
    """Return the account of exactly that name, or else the only one of that name in any case, or None.

    For what people type. A token or a key names its account exactly.
    """
    named = connection.execute(_AS_TYPED, {"typed": typed, "folded": typed.casefold()}).all()
    exact = [row for row in named if row.username == typed]
    return _only(exact or named)


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
    """Return every account, by id; no one who was erased."""
    return [_user(row) for row in connection.execute(_FOUND.where(_IS_SOMEONE).order_by(users.c.id))]


def page_of_users(connection: Connection, after_id: int, most: int) -> list[User]:
    """Return accounts by id, those after one."""
    query = _FOUND.where(_IS_SOMEONE, users.c.id > after_id).order_by(users.c.id).limit(most)
    return [_user(row) for row in connection.execute(query)]


def count_users(connection: Connection) -> int:
    """Return how many accounts there are."""
    return int(connection.execute(select(func.count()).where(_IS_SOMEONE)).scalar_one())


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
        is_reader=row.role == READER,
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
            email_key=new.email.casefold(),
            hashed_password=new.password_hash,
            is_active=True,
            is_admin=new.is_admin,
            role=READER if new.is_reader else None,
            created_at=clock.stored(now),
        )
    )
    privacy_settings.add_defaults(connection, user_id, now, releases_shipped_rules=True)
    said: dict[str, object] = {"username": new.username, "is_admin": new.is_admin}
    if new.is_reader:
        said["role"] = READER
    audit.record(connection, audit.CREATE, "users", user_id, now=now, user_id=user_id, new_values=said)
    created = find_user_by_id(connection, user_id)
    assert created is not None
    return created


def was_any_user_ever_named(connection: Connection) -> bool:
    """Return whether any row names a user, one that is gone included."""
    return highest_id(connection, users) > 0


def _first_id(connection: Connection, *conditions: ColumnElement[bool]) -> bool:
    return connection.execute(select(users.c.id).where(*conditions).limit(1)).first() is not None


def _refuse_twin(connection: Connection, new: NewUser) -> None:
    if names.is_taken(connection, new.username, new.email):
        raise Conflict("The user name or the mail address is taken.", hint="Choose another one.")


# -- changing


def set_password_hash(connection: Connection, user_id: int, password_hash: str) -> None:
    """Store another hash; every session, and every token that was issued before, ends with it."""
    sessions.end_all(connection, user_id)
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
    """End every session and token of an account, for good. Writes users, sessions and audit_logs."""
    sessions.end_all(connection, user.id)
    ended = update(users).where(users.c.id == user.id).values(token_generation=user.token_generation + 1)
    connection.execute(ended)
    audit.record(connection, audit.LOGGED_OUT, "users", user.id, now=now, **vars(actor))


def change_profile(
    connection: Connection,
    user: User,
    now: datetime,
    actor: Actor,
    *,
    full_name: str | None,
    email: str,
) -> User:
    """Give an account another full name, or none, and mail address; return it. Writes users and audit_logs.

    Raises Conflict for a mail address that is taken, in any case of its letters.
    """
    wanted = {"full_name": full_name, "email": email}
    before = {name: getattr(user, name) for name in wanted}
    changed = {name: value for name, value in wanted.items() if value != before[name]}
    if not changed:
        return user
    if email.casefold() != str(user.email).casefold() and names.is_mail_taken(connection, email):
        raise Conflict("The mail address is taken.", hint="Choose another one.")
    values = {**changed, "email_key": email.casefold()}
    connection.execute(update(users).where(users.c.id == user.id).values(values))
    audit.record(
        connection, audit.UPDATE, "users", user.id, now=now, **vars(actor),
        old_values={name: before[name] for name in changed}, new_values=changed,
    )  # fmt: skip
    return replace(user, full_name=full_name, email=email)


def set_admin(connection: Connection, username: str, is_admin: bool, now: datetime) -> User:
    """Make an account an admin, or no longer one; raises NotFound, and Conflict for the last admin."""
    return set_role(connection, get_user(connection, username), "admin" if is_admin else "member", now)


def role_named(text: str) -> Role:
    """Return the role of that name; raises InvalidContent."""
    for role in ROLES:
        if role == text:
            return role
    fault = f"A role is one of {', '.join(ROLES)}."
    raise InvalidContent(fault, errors=[{"pointer": "/role", "detail": fault}])


def set_role(
    connection: Connection, user: User, role: Role, now: datetime, actor: Actor = COMMAND_LINE
) -> User:
    """Give an account another role, from its next request on; return it as it was.

    Raises Conflict for the last active admin. Writes users and audit_logs.
    """
    if role != "admin":
        refuse_last_admin(connection, user)
    values = {"is_admin": role == "admin", "role": READER if role == READER else None}
    connection.execute(update(users).where(users.c.id == user.id).values(values))
    audit.record(
        connection, audit.ADMIN, "users", user.id, now=now, **vars(actor),
        old_values={"is_admin": user.is_admin, "role": user.role},
        new_values={"is_admin": role == "admin", "role": role},
    )  # fmt: skip
    return user


def set_active(
    connection: Connection, username: str, is_active: bool, now: datetime, actor: Actor = COMMAND_LINE
) -> User:
    """Let an account in, or keep it out; raises NotFound, and Conflict for the last admin.

    Its tokens end for good, those included that were issued before a server without generations kept it out.
    Of someone who leaves it says whether they may undo that; who lets them in lets them stay: Conflict.
    """
    found = get_user(connection, username)
    if departure_rows.find(connection, found.id) is not None:
        if is_active:
            raise Conflict(f"{found.username} is leaving.", hint="To undo that: daemon user keep NAME")
        departure_rows.change(connection, found.id, was_active=False)
    if not is_active:
        refuse_last_admin(connection, found)
        sessions.end_all(connection, found.id)
    is_same = is_active and found.is_active
    generation = found.token_generation + (0 if is_same else 1)
    connection.execute(
        update(users).where(users.c.id == found.id).values(is_active=is_active, token_generation=generation)
    )
    audit.record(
        connection, audit.ACTIVE, "users", found.id, now=now, **vars(actor),
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


def refuse_last_admin(connection: Connection, user: User) -> None:
    """Raise Conflict where no active admin would be left without this account.

    Ask in the transaction that changes it: two admins cannot leave at the same time.
    """
    if not user.is_admin or not user.is_active:
        return
    if not _first_id(connection, users.c.is_admin == 1, users.c.is_active == 1, users.c.id != user.id):
        raise Conflict(
            f"{user.username} is the only active admin.",
            hint="Make another one first: daemon user admin NAME",
        )
