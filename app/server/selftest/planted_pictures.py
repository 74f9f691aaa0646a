"""Planted pictures (self-test). Is a picture of an entry that is hidden, or a word about one, found anywhere?

What stands for the bytes of each is a marker, so that it is known again in an answer.
"""

from __future__ import annotations

from sqlalchemy import Connection

from app import clock
from app.accounts.audit import COMMAND_LINE
from app.entries import pictures
from app.formats.pictures import MEDIA_TYPE, PictureSize
from app.privacy.levels import NAMES
from app.server.selftest.plant import FULL, OPEN, Planted

_NAMES = ("small", "medium", "large")


def plant_pictures(connection: Connection, planted: Planted) -> None:
    """Give the open person an avatar, and pictures to their hidden entries and to one that is shown.

    Writes the tables of `pictures.add`.
    """
    owner_id = planted.people[OPEN].id
    made = [_add(connection, planted, owner_id, None, "of a person", frozenset(NAMES))]
    kind, entry_id = next(each for each in planted.entries if each[0] == planted.kinds[0])
    made.append(_add(connection, planted, owner_id, entry_id, f"of {kind}", frozenset(FULL)))
    for kind, entry_id in planted.hidden_entries:
        made.append(_add(connection, planted, owner_id, entry_id, f"of hidden {kind}", frozenset()))
    planted.ids["picture_id"] = [str(made[-1].id)]
    planted.media.extend(each.sizes[0].path for each in made)


def _add(
    connection: Connection,
    planted: Planted,
    owner_id: int,
    entry_id: int | None,
    place: str,
    levels: frozenset[str],
) -> pictures.Picture:
    mark = planted.markers.new(f"the bytes of a picture {place}", owner_id, levels).encode()
    sizes = [PictureSize(name, MEDIA_TYPE, 1, 1, b"RIFF" + mark) for name in _NAMES]
    alt = planted.markers.new(f"words about a picture {place}", owner_id, levels)
    now = clock.now()
    return pictures.add(connection, owner_id, entry_id, sizes, COMMAND_LINE, now, most_bytes=None, alt=alt)
