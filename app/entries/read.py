"""What does this viewer see of the entries? Filtered views only; a door never gets a row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.entries.entry import LIMIT_DEFAULT, Page, View
from app.privacy.viewer import Viewer


def page(
    conn: Connection,
    viewer: Viewer,
    kind: str,
    owner: str | None = None,
    *,
    level: str | None = None,
    ceiling: str = "public_full",
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
) -> Page:
    """Return one page of the entries of a kind that the viewer may see, oldest first (by id).

    ``owner`` is a username; None means the default: for a stranger the oldest active admin (or else the oldest
    active user), for a person their own, for an admin their own and the ownerless, for the local door what came in
    through it. ``level`` None: as much as the viewer may see; a level gives the stranger's view, to owners too.
    ``ceiling`` is the installation's PRIVACY_LEVEL.
    Raises NotFound (no such kind or person, as far as the viewer may know), UnknownLevel, UsageError (limit, cursor).
    """
    raise NotImplementedError


def item(
    conn: Connection,
    viewer: Viewer,
    kind: str,
    entry_id: int,
    *,
    level: str | None = None,
    ceiling: str = "public_full",
) -> View:
    """Return one entry as the viewer may see it; raises NotFound, UnknownLevel.

    Whatever the reason why the viewer may not see it, the error is the same.
    """
    raise NotImplementedError


def kinds(conn: Connection, viewer: Viewer) -> list[dict[str, Any]]:
    """Return the kinds of entries that the viewer may know of, in the order of their rows.

    Each: name, title, description, schema (JSON Schema of a write), is_public, is_active, is_builtin, created_at.
    """
    raise NotImplementedError


def kind(conn: Connection, viewer: Viewer, name: str) -> dict[str, Any]:
    """Return one kind, as `kinds` does; raises NotFound."""
    raise NotImplementedError


def default_person(conn: Connection) -> tuple[int, str] | None:
    """Return (id, username) of the person whom addresses without a username mean, or None where there is nobody."""
    raise NotImplementedError
