"""Message blocks (list). From whom does a person want no more messages? By keyed hashes, never told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from app import clock
from app.errors import NotFound
from app.ids import new_id
from app.tables import message_blocks

BLOCKS_MOST = 1_000  # of a person; the oldest goes first
LABEL_MOST = 200
_BLOCK = message_blocks.c


def is_any_blocked(connection: Connection, user_id: int, hashes: Sequence[str]) -> bool:
    """Return whether a person wants no messages from any of these."""
    query = select(_BLOCK.id).where(_BLOCK.user_id == user_id, _BLOCK.value_hash.in_(hashes)).limit(1)
    return connection.execute(query).first() is not None


def add(
    connection: Connection, user_id: int, what: str, value_hash: str, label: str | None, now: datetime
) -> None:
    """Take no more from there; once is enough. Writes message_blocks."""
    if is_any_blocked(connection, user_id, [value_hash]):
        return
    mine = select(_BLOCK.id).where(_BLOCK.user_id == user_id).order_by(_BLOCK.created_at.desc(), _BLOCK.id)
    oldest = connection.execute(mine.offset(BLOCKS_MOST - 1)).scalars().all()
    if oldest:
        connection.execute(delete(message_blocks).where(_BLOCK.id.in_(oldest)))
    connection.execute(
        insert(message_blocks).values(
            id=new_id(connection, message_blocks),
            user_id=user_id,
            what=what,
            value_hash=value_hash,
            label=label and label[:LABEL_MOST],
            created_at=clock.stored(now),
        )
    )


def listed(connection: Connection, user_id: int) -> list[dict[str, Any]]:
    """Return what a person has blocked, the newest first: what, and how the sender called themselves."""
    query = select(_BLOCK.id, _BLOCK.what, _BLOCK.label, _BLOCK.created_at).where(_BLOCK.user_id == user_id)
    rows = connection.execute(query.order_by(_BLOCK.created_at.desc(), _BLOCK.id)).all()
    return [{**row._mapping, "created_at": clock.rfc3339(row.created_at)} for row in rows]


def remove(connection: Connection, user_id: int, block_id: int) -> None:
    """Take messages from there again; raises NotFound."""
    mine = (_BLOCK.id == block_id, _BLOCK.user_id == user_id)
    if connection.execute(delete(message_blocks).where(*mine)).rowcount == 0:
        raise NotFound("There is no such block.", hint="GET /api/v1/me/message-blocks lists them.")
