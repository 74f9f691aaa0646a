"""API keys. Whose key is this, and what may it do? It reads entries; one writes only where its owner said so.

A key is a long random text (`key_text`), shown once; of it the SHA-256 is stored, as the old server did. It
never makes or lists keys, and its owner's rights as an admin are not its own. What it may do of what its
owner may is its scope (`key_scope`).
"""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, insert, or_, select, update

from app import clock
from app.accounts import audit
from app.accounts.audit import COMMAND_LINE, Actor
from app.accounts.key_scope import WHOLE, Scope, stored_scope, with_writing
from app.accounts.key_text import SHOWN_CHARACTERS, draw_key, is_mistyped
from app.accounts.users import User, find_user_by_id
from app.errors import Conflict, InvalidContent, NotAuthenticated, NotFound
from app.ids import new_id
from app.snapshot_memory import remembered
from app.tables import api_keys, users

USE_IS_NOTED_EVERY = timedelta(hours=1)  # so that reading with a key does not write at every request
NAME_CHARACTERS = 100
MOST_KEYS = 100
"""How many keys that are not revoked an account may have when it asks for another one."""


@dataclass(frozen=True)
class KeyUse:
    """A key that is valid now: its id, whose it is, what it may, and whether this use should be noted."""

    key_id: int
    user: User
    scope: Scope
    is_to_be_noted: bool


@dataclass(frozen=True)
class Key:
    """What may be told of a key: everything but its text, which no one knows, and the hash."""

    id: int
    name: str
    user_id: int
    owner: str | None
    scope: Scope
    is_active: bool
    expires_at: str | None
    last_used: str | None
    created_at: str | None
    prefix: str | None

    def as_json(self) -> dict[str, object]:
        """Return it as programs are told."""
        said = {name: value for name, value in vars(self).items() if name != "scope"}
        return {**said, **self.scope.as_json()}


@dataclass(frozen=True)
class NewKey:
    """What a key is made from; ``expires_at`` None is a key without an end."""

    name: str
    scope: Scope = WHOLE
    expires_at: datetime | None = None


# -- using

_BY_HASH = select(api_keys).where(api_keys.c.key_hash == bindparam("key_hash"))


def hash_of(key: str) -> str:
    """Return what is stored of a key: SHA-256 of its whole text, as the old server did."""
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()


def use_key(connection: Connection, key: str, now: datetime) -> KeyUse:
    """Return whose key it is; raises NotAuthenticated for one that is unknown, switched off or over."""
    if is_mistyped(key):
        raise _refused()
    key_hash = hash_of(key)

    def read() -> Row[Any] | None:
        return connection.execute(_BY_HASH, {"key_hash": key_hash}).one_or_none()

    found = remembered(connection, ("key", key_hash), read, while_writing=True)
    if found is None or found.is_active != 1 or is_over(found.expires_at, now):
        raise _refused()
    user = find_user_by_id(connection, found.user_id)
    if user is None or not user.is_active:
        raise _refused()
    last_used = clock.parse_stored(found.last_used)
    is_to_be_noted = last_used is None or now - last_used >= USE_IS_NOTED_EVERY
    return KeyUse(found.id, user, stored_scope(found), is_to_be_noted)


def is_over(expires_at: object, now: datetime) -> bool:
    """Return whether a key that ends then has ended; a moment that cannot be read has passed."""
    if expires_at is None:
        return False
    ends = clock.parse_stored(expires_at)
    return ends is None or ends <= now


def note_use(connection: Connection, key_id: int, now: datetime) -> None:
    """Store when a key was used last."""
    connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(last_used=clock.stored(now)))


def _refused() -> NotAuthenticated:
    return NotAuthenticated(
        "The API key is not valid here.", hint="Ask its owner, or the admin, for another one."
    )


# -- finding


def list_keys(
    connection: Connection, user_id: int | None = None, *, after_id: int = 0, most: int | None = None
) -> list[Key]:
    """Return the keys of one person, or everyone's, that are not revoked, oldest first.

    ``after_id`` is the one of theirs after which to go on.
    """
    made_at, key = func.coalesce(api_keys.c.created_at, ""), api_keys.alias()
    last = select(func.coalesce(key.c.created_at, "")).where(key.c.id == after_id)
    query = _found().where(api_keys.c.is_active == 1).order_by(made_at, api_keys.c.id)
    if user_id is not None:
        query, last = query.where(api_keys.c.user_id == user_id), last.where(key.c.user_id == user_id)
    if after_id:
        last_at = last.scalar_subquery()
        query = query.where(or_(made_at > last_at, and_(made_at == last_at, api_keys.c.id > after_id)))
    return [_key(row) for row in connection.execute(query if most is None else query.limit(most))]


def get_key(connection: Connection, key_id: int, user_id: int | None = None) -> Key:
    """Return a key, of that person where one is named, revoked or not; raises NotFound."""
    query = _found().where(api_keys.c.id == key_id)
    query = query if user_id is None else query.where(api_keys.c.user_id == user_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"There is no key {key_id}.", hint="daemon key list")
    return _key(row)


def count_keys(connection: Connection, user_id: int) -> int:
    """Return how many keys of a person are not revoked."""
    query = select(func.count()).where(api_keys.c.user_id == user_id, api_keys.c.is_active == 1)
    return int(connection.execute(query).scalar_one())


def _found() -> Select[Any]:
    columns = [column for column in api_keys.c if column.name != "key_hash"]
    return select(*columns, users.c.username.label("owner")).select_from(
        api_keys.outerjoin(users, users.c.id == api_keys.c.user_id)
    )


def _key(row: Any) -> Key:
    return Key(
        id=row.id,
        name=row.name,
        user_id=row.user_id,
        owner=row.owner,
        scope=stored_scope(row),
        is_active=row.is_active == 1,
        expires_at=row.expires_at,
        last_used=row.last_used,
        created_at=row.created_at,
        prefix=row.prefix,
    )


# -- making and changing: each writes api_keys and audit_logs


def make_key(
    connection: Connection, owner: User, new: NewKey, now: datetime, actor: Actor = COMMAND_LINE
) -> tuple[Key, str]:
    """Make a key; return it with its text, which is told this once.

    Raises InvalidContent for a name or an end that cannot be, Conflict for an account that is deactivated or
    has MOST_KEYS.
    """
    _check(new, now)
    if not owner.is_active:
        raise Conflict(
            f"{owner.username} is deactivated.", hint=f"daemon user activate {shlex.quote(owner.username)}"
        )
    if count_keys(connection, owner.id) >= MOST_KEYS:
        raise Conflict(f"There are {MOST_KEYS} keys already.", hint="Revoke one: daemon key revoke ID")
    text = draw_key()
    key_id = new_id(connection, api_keys)
    connection.execute(
        insert(api_keys).values(
            id=key_id,
            name=new.name,
            key_hash=hash_of(text),
            user_id=owner.id,
            is_active=1,
            prefix=text[:SHOWN_CHARACTERS],
            **new.scope.columns(),
            expires_at=None if new.expires_at is None else clock.stored(new.expires_at),
            created_at=clock.stored(now),
        )
    )
    made = get_key(connection, key_id)
    said = {"name": made.name, "user_id": owner.id, **_told(made.scope)}
    audit.record(connection, audit.CREATE, "api_keys", key_id, now=now, new_values=said, **vars(actor))
    return made, text


def let_write(
    connection: Connection, key: Key, can_write: bool, now: datetime, actor: Actor = COMMAND_LINE
) -> Key:
    """Let a key write, or read only; raises Conflict for one that is revoked, or whose scope forbids it."""
    if not key.is_active:
        raise Conflict(f"The key {key.id} is revoked.", hint="daemon key create USERNAME NAME")
    scope = with_writing(key.scope, can_write)
    connection.execute(update(api_keys).where(api_keys.c.id == key.id).values(scope.columns()))
    before, after = {"can_write": key.scope.can_write}, {"can_write": can_write}
    audit.record(
        connection,
        audit.UPDATE,
        "api_keys",
        key.id,
        now=now,
        old_values=before,
        new_values=after,
        **vars(actor),
    )
    return get_key(connection, key.id)


def revoke_key(connection: Connection, key: Key, now: datetime, actor: Actor = COMMAND_LINE) -> Key:
    """End a key for good; one that is revoked stays so."""
    if key.is_active:
        connection.execute(update(api_keys).where(api_keys.c.id == key.id).values(is_active=0))
        audit.record(connection, audit.REVOKE, "api_keys", key.id, now=now, **vars(actor))
        if actor.user_id not in (None, key.user_id):  # a line that its owner sees
            said = {"did": audit.REVOKE, "name": key.name}
            audit.record(
                connection, audit.ADMIN_CHANGE, "users", key.user_id, now=now, new_values=said, **vars(actor)
            )
    return get_key(connection, key.id)


def end_keys(connection: Connection, user_id: int, now: datetime, actor: Actor = COMMAND_LINE) -> int:
    """Revoke every key of a person; return how many there were."""
    found = list_keys(connection, user_id)
    for key in found:
        revoke_key(connection, key, now, actor)
    return len(found)


def _told(scope: Scope) -> dict[str, object]:
    """What the audit is told of a scope: whether it writes, and what it is limited to."""
    limits = {name: value for name, value in scope.columns().items() if value is not None}
    return {**limits, "can_write": scope.can_write}


def _check(new: NewKey, now: datetime) -> None:
    if not 1 <= len(new.name) <= NAME_CHARACTERS or not new.name.isprintable() or new.name.isspace():
        fault = f"A key's name has 1 to {NAME_CHARACTERS} printable characters."
        raise InvalidContent(fault, errors=[{"pointer": "/name", "detail": fault}])
    if new.expires_at is not None and new.expires_at <= now:
        fault = "A key ends in the future."
        raise InvalidContent(fault, errors=[{"pointer": "/expires_at", "detail": fault}])
