"""Keys for hashes of values (HMAC). With which secret is a hash of this database made? Made at first use.

They are in every backup, and the rotation of SECRET_KEY does not touch them.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, bindparam, insert, select

from app import clock
from app.snapshot_memory import remembered
from app.tables import privacy_secrets

FINDING_VALUES = "finding_values"
_BYTES = 32
_HASH_DIGITS = 32


def find_key(connection: Connection, name: str) -> bytes | None:
    """Return the key of this name, None where none was made yet."""
    found = remembered(connection, ("secret", name), partial(_secret, connection, name), while_writing=True)
    return None if found is None else str(found).encode()


def _secret(connection: Connection, name: str) -> object:
    return connection.execute(_NAMED, {"name": name}).scalar()


_NAMED = select(privacy_secrets.c.secret).where(privacy_secrets.c.name == bindparam("name"))


def get_or_make_key(connection: Connection, name: str, now: datetime) -> bytes:
    """Return the key of this name; writes privacy_secrets where there is none yet."""
    found = find_key(connection, name)
    if found is None:
        made = secrets.token_hex(_BYTES)
        values = {"name": name, "secret": made, "created_at": clock.stored(now)}
        connection.execute(insert(privacy_secrets).values(values))
        found = made.encode()
    return found


def keep_key(connection: Connection, name: str, key: str, now: datetime) -> None:
    """Keep a key that was made by another installation; one of this name stays as it is."""
    if find_key(connection, name) is None:
        values = {"name": name, "secret": key, "created_at": clock.stored(now)}
        connection.execute(insert(privacy_secrets).values(values))


def find_keys(connection: Connection, beginning: str) -> list[bytes]:
    """Return the keys whose names begin so, by name."""
    query = select(privacy_secrets.c.secret).where(
        privacy_secrets.c.name.startswith(beginning, autoescape=True)
    )
    return [
        str(found).encode() for found in connection.execute(query.order_by(privacy_secrets.c.name)).scalars()
    ]


def keyed_hash(key: bytes, *said: str) -> str:
    """Return the hash of texts, which only who has the key can tell from any other: 32 hexadecimal digits."""
    message = "\0".join(said).encode("utf-8", "surrogatepass")
    return hmac.digest(key, message, "sha256").hex()[:_HASH_DIGITS]
