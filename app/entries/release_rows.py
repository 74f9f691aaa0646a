"""Release rows. What has a person released, as it is stored?"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from app.privacy.released import Release, Releases
from app.tables import finding_releases

_ROW = finding_releases.c
RELEASE = (_ROW.id, _ROW.entry_id, _ROW.endpoint_id, _ROW.detector, _ROW.value_hash, _ROW.created_at)
"""The columns of which a `Release` is made, in its order."""

_OF_PERSON = select(*RELEASE).where(_ROW.user_id == bindparam("user_id")).order_by(_ROW.id)


def releases_of(connection: Connection, user_id: int | None) -> Releases:
    """Return what a person has released, by id."""
    if user_id is None:
        return Releases()
    rows = connection.execute(_OF_PERSON, {"user_id": user_id})
    return Releases(tuple(Release(*row) for row in rows))
