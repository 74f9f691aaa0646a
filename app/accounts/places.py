"""Known places. Has this account come in from this network before? In the database, so a restart keeps them.

A network is kept as a hash keyed with the signing secret and the account: a thief of the table learns no
address, and not that two people share one. With another secret every place is a new one.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from app import clock
from app.tables import login_places

PLACES_COUNT = 50
"""As many places an account has; the one that was longest unused makes room."""

NOBODYS_ID = -1  # looked for where there is no account, so that it costs the same


def is_known(connection: Connection, secret: str, user_id: int | None, network: str) -> bool:
    """Return whether the account came in from that network before; asks the same for no account at all."""
    wanted = NOBODYS_ID if user_id is None else user_id
    query = select(login_places.c.user_id).where(_is_place(secret, wanted, network))
    return connection.execute(query).first() is not None


def remember(connection: Connection, secret: str, user_id: int, network: str, now: datetime) -> None:
    """Store that the account came in from that network; belongs into the transaction of the login."""
    seen = (
        update(login_places).where(_is_place(secret, user_id, network)).values(last_seen_at=clock.stored(now))
    )
    if connection.execute(seen).rowcount:
        return
    mark = mark_of(secret, user_id, network)
    connection.execute(
        insert(login_places).values(user_id=user_id, network=mark, last_seen_at=clock.stored(now))
    )
    mine = login_places.c.user_id == user_id
    newest_first = (login_places.c.last_seen_at.desc(), login_places.c.network)
    kept = select(login_places.c.network).where(mine).order_by(*newest_first).limit(PLACES_COUNT)
    connection.execute(delete(login_places).where(mine, login_places.c.network.not_in(kept)))


def mark_of(secret: str, user_id: int, network: str) -> str:
    """Return what is stored of a network for one account."""
    text = f"place:{user_id}:{network}".encode(errors="replace")
    return hmac.new(secret.encode(errors="replace"), text, hashlib.sha256).hexdigest()


def _is_place(secret: str, user_id: int, network: str) -> ColumnElement[bool]:
    mark = mark_of(secret, user_id, network)
    return and_(login_places.c.user_id == user_id, login_places.c.network == mark)
