"""How are entries created, replaced, changed and deleted? Each with its audit row, in the caller's transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from app.entries.entry import Origin, Written
from app.privacy.viewer import Viewer

FROM_COMMAND_LINE = Origin()


def create(
    conn: Connection, viewer: Viewer, kind: str, content: object, *, origin: Origin = FROM_COMMAND_LINE
) -> Written:
    """Keep ``content`` as a new entry of the viewer (of nobody, through the local door).

    Raises NotFound (kind), NotAuthenticated (stranger), InvalidContent. Writes data_entries and audit_logs.
    """
    raise NotImplementedError


def replace(
    conn: Connection,
    viewer: Viewer,
    kind: str,
    entry_id: int,
    content: object,
    *,
    origin: Origin = FROM_COMMAND_LINE,
) -> Written:
    """Put ``content`` in the place of an entry's. Without a visibility word the entry's visibility stays.

    Raises NotFound, NotAuthenticated, NotAllowed (visible, and somebody else's), InvalidContent.
    """
    raise NotImplementedError


def merge(
    conn: Connection,
    viewer: Viewer,
    kind: str,
    entry_id: int,
    patch: object,
    *,
    origin: Origin = FROM_COMMAND_LINE,
) -> Written:
    """Change an entry by a JSON merge patch (RFC 7396); raises as `replace`."""
    raise NotImplementedError


def delete(
    conn: Connection, viewer: Viewer, kind: str, entry_id: int, *, origin: Origin = FROM_COMMAND_LINE
) -> None:
    """Mark an entry as deleted: afterwards it is not found by anybody. Raises as `replace`."""
    raise NotImplementedError
