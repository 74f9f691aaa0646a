"""Question. Who asks for which entries, at which level? One value, from the door to the query."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from app.entries.list_filter import ListFilter
from app.entries.parts import Part, by_cursor
from app.privacy.levels import MOST_OPEN
from app.privacy.viewer import STRANGER, Viewer


@dataclass(frozen=True)
class Question:
    """What is asked of the entries of a kind: a part of a list, or the entry ``entry_id`` or ``slug``.

    ``owner`` is a username; None means the default: for a stranger the oldest active admin (or else the
    oldest active user), for a person their own, for an admin their own and the ownerless, for the local door
    what came in through it. ``level`` None: as much as the viewer may see; a level gives the stranger's view,
    to owners too. ``ceiling`` is the installation's PRIVACY_LEVEL. ``filter``: what of the list.
    """

    kind: str
    viewer: Viewer = STRANGER
    owner: str | None = None
    level: str | None = None
    ceiling: str = MOST_OPEN
    part: Part = field(default_factory=by_cursor)
    entry_id: int | None = None
    slug: str | None = None
    filter: ListFilter | None = None

    @property
    def is_for_one(self) -> bool:
        """Whether one entry is asked for."""
        return self.entry_id is not None or self.slug is not None

    def asked_by(self, viewer: Viewer, ceiling: str) -> Question:
        """Return the same question of another viewer, under the ceiling of an installation."""
        if viewer == self.viewer and ceiling == self.ceiling:
            return self
        return replace(self, viewer=viewer, ceiling=ceiling)
