"""Kinds and level of an API key. Are there such ones, as far as its owner may know?"""

from __future__ import annotations

from sqlalchemy import Connection

from app.accounts.key_scope import Scope
from app.entries.endpoints import find_endpoint
from app.entries.entry import invalid
from app.privacy.levels import NAMES
from app.privacy.viewer import Viewer


def check_scope(connection: Connection, owner: Viewer, scope: Scope) -> None:
    """Raise InvalidContent, with the JSON Pointer, for a kind or a level that the owner cannot mean."""
    for at, kind in enumerate(scope.kinds or ()):
        if find_endpoint(connection, owner, kind) is None:
            raise invalid(
                f"/kinds/{at}", "there is no such kind", hint="GET /api/v1/endpoints lists the kinds."
            )
    if scope.level is not None and scope.level not in NAMES:
        raise invalid("/privacy_level", f"a level is one of {', '.join(NAMES)}")
