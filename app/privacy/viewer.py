"""Viewer. Who is looking?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ViewerKind = Literal["stranger", "person", "admin", "local"]


@dataclass(frozen=True)
class Viewer:
    """Who is looking: a stranger, a person with an account, an admin, or the unclaimed installation's
    own machine.

    ``local`` is the open door of an installation that no one has claimed yet: it sees what came in through
    it. ``user_id`` and ``username`` are those of the account; None for strangers and for the local door.
    ``is_assistant``: the program that asks says that it is one (`agents`).
    """

    kind: ViewerKind = "stranger"
    user_id: int | None = None
    username: str | None = None
    is_assistant: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether the viewer may see and change everything."""
        return self.kind == "admin"

    @property
    def is_stranger(self) -> bool:
        """Whether the viewer has no account and no other right."""
        return self.kind == "stranger"

    def owns(self, owner_id: int | None) -> bool:
        """Whether what belongs to ``owner_id`` is the viewer's own; no one owns what has no owner."""
        return self.kind in ("person", "admin") and owner_id is not None and owner_id == self.user_id


STRANGER = Viewer()
LOCAL = Viewer(kind="local")
