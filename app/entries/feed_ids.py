"""Feed ids (urn:uuid, RFC 9562). Under which id does a feed reader know an entry, wherever it is served?

Made of the installation's id and the entry's own: neither a new address nor another name of its person
changes it, and it tells neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

from sqlalchemy import Connection

from app import erasures
from app.snapshot_memory import remembered


@dataclass(frozen=True)
class FeedIds:
    """Gives the ids of one installation."""

    namespace: UUID

    def of(self, name: str) -> str:
        """Return the id of what is named: `entry 7` in every feed, `feed ann/ideas`, `person ann`."""
        return uuid5(self.namespace, name).urn


def feed_ids(connection: Connection) -> FeedIds:
    """Return what gives the ids of this installation."""
    return remembered(connection, ("feed ids",), lambda: _read(connection))


def _read(connection: Connection) -> FeedIds:
    said = erasures.installation_id(erasures.OfToday(connection))
    try:
        return FeedIds(UUID(said))
    except ValueError:  # it says nothing of itself
        return FeedIds(UUID(int=0))
