"""Known places. Has this account come in from this network before? In the database, so a restart keeps them.

A network is kept as a hash keyed with the signing secret and the account: a thief of the table learns no
address, and not that two people share one. With another secret every place is a new one.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update

from app import clock
from app.tables import login_places

PLACES_COUNT = 50
"""As many places an account has; the one that was longest unused makes room."""

NOBODYS_ID = -1  # looked for where there is no account, so that it costs the same


def is_known(connection: Connection, secret: str, user_id: int | None, network: str) -> bool:
    """Return whether the account came in from that network before; asks the same for no account at all."""
    place = _place(secret, NOBODYS_ID if user_id is None else user_id, network)
    return connection.execute(_KNOWN, place).first() is not None


def remember(connection: Connection, secret: str, user_id: int, network: str, now: datetime) -> None:
    """Store that the account came in from that network; belongs into the transaction of the login."""
    place = _place(secret, user_id, network)
    if connection.execute(_SEEN, {**place, "now": clock.stored(now)}).rowcount:
        return
    mark = place["of_network"]
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


def _place(secret: str, user_id: int, network: str) -> dict[str, object]:
    return {"of_user": user_id, "of_network": mark_of(secret, user_id, network)}


_IS_PLACE = and_(
    login_places.c.user_id == bindparam("of_user"), login_places.c.network == bindparam("of_network")
)
_KNOWN = select(login_places.c.user_id).where(_IS_PLACE)
_SEEN = update(login_places).where(_IS_PLACE).values(last_seen_at=bindparam("now"))
