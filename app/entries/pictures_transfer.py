"""Pictures in an export (out and in). How do they leave with their entries, and come in elsewhere?

The largest size leaves. What comes in may be anyone's file: it is decoded and encoded anew, as at an upload,
and outside of the transaction that writes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from app import clock
from app.accounts.audit import Actor
from app.entries import pictures
from app.errors import InvalidContent
from app.formats.picture_process import PictureProcess
from app.row_pages import Reading, rows_in_pages
from app.tables import picture_sizes
from app.tables import pictures as table

FILE = "pictures.json"
COLUMNS = frozenset(("entry_id", "number", "alt", "created_at", "content_base64"))
SMALLER = ("small", "medium")
_PICTURE, _SIZE = table.c, picture_sizes.c
_PROCESS = PictureProcess()


# -- out


def rows_of(connection: Connection, user_id: int) -> list[dict[str, Any]]:
    """Return the pictures of a person for an export; ``entry_id`` None: the avatar."""
    query = (
        select(_PICTURE.entry_id, _PICTURE.number, _PICTURE.alt, _PICTURE.created_at, _SIZE.content)
        .join_from(table, picture_sizes, _SIZE.picture_id == _PICTURE.id)
        .where(_PICTURE.user_id == user_id, _SIZE.size.not_in(SMALLER))
        .order_by(_PICTURE.entry_id, _PICTURE.number, _PICTURE.id)
    )
    found = (dict(row._mapping) for row in connection.execute(query))
    return [{"content_base64": _text(row.pop("content")), **row} for row in found]


def _text(content: Any) -> str:
    return base64.b64encode(bytes(content)).decode()


def files_of(reading: Reading, user_id: int) -> Iterator[tuple[str, bytes]]:
    """Yield every size of a person's pictures as a file: its path in the archive of everything, its bytes."""
    mine = _SIZE.picture_id.in_(select(_PICTURE.id).where(_PICTURE.user_id == user_id))
    query = select(_SIZE.picture_id, _SIZE.size, _SIZE.content).where(mine)
    for row in rows_in_pages(reading, query, _SIZE.picture_id, _SIZE.size, most=1):
        yield f"pictures/{row.picture_id}-{row.size}.webp", bytes(row.content)


# -- in


def prepared(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of an export with the sizes that are made of its picture.

    Raises ValueError, KeyError and TypeError for what is no such row, InvalidContent for what is no picture.
    """
    content = base64.b64decode(row["content_base64"], validate=True)
    if clock.parse_stored(row["created_at"]) is None:
        raise InvalidContent("The time of a picture is none.")
    entry_id = row["entry_id"]
    return {
        "entry_id": entry_id,
        "alt": pictures.checked_alt(row.get("alt")),
        "created_at": row["created_at"],
        "sizes": _PROCESS.sizes_of(content, is_avatar=entry_id is None),
    }


def add(
    connection: Connection,
    user_id: int,
    rows: Sequence[Mapping[str, Any]],
    entry_ids: Mapping[int, int],
    now: datetime,
    actor: Actor,
    *,
    is_new: bool,
) -> None:
    """Keep the pictures of entries that were added (ids there -> here), and of an account that is new.

    Whether they are within a quota is asked afterwards (`pictures.check_use`). Writes as `pictures.add`.
    """
    for row in rows:
        entry_id = None if row["entry_id"] is None else entry_ids.get(row["entry_id"])
        if entry_id is None and (row["entry_id"] is not None or not is_new):
            continue
        made_at = clock.parse_stored(row["created_at"]) or now
        pictures.add(
            connection, user_id, entry_id, row["sizes"], actor, made_at, most_bytes=None, alt=row["alt"]
        )
