"""Kinds of reserved names. Which are there, so that an address of Daemon's own may stand before theirs?"""

from __future__ import annotations

from app.reserved_names import FILES_OF_PERSON, RESERVED
from app.storage.types import StorageConnection

_NAMES = "SELECT name FROM endpoints ORDER BY name"


def reserved_kinds(connection: StorageConnection) -> tuple[str, ...]:
    """Return the names of kinds that no new kind may have. They stay; `~NAME` leads to them."""
    if "endpoints" not in connection.tables() or "name" not in connection.columns("endpoints"):
        return ()
    names = (str(name) for (name,) in connection.rows(_NAMES))
    return tuple(name for name in names if name in RESERVED | FILES_OF_PERSON)
