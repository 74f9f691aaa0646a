"""Replicas of the database that is read. Are there any, for this connection?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, cast

from sqlalchemy import ColumnElement, Connection

REPLICAS = "replicas"
"""What the storage notes with a connection (`app.storage.types.REPLICAS`, which rooms do not import)."""


class Replicas(Protocol):
    """What rooms ask of them; see `app.storage.types.Replicas`."""

    def revision_of(self, table: str) -> ColumnElement[str]:
        """The column that names the version of a row of a table."""

    def texts(self, table: str, column: str, revisions: Mapping[int, str]) -> dict[int, str]:
        """Return, by id, the column of those versions of rows that a replica has. Raises nothing."""


def replicas_of(connection: Connection) -> Replicas | None:
    """Return the replicas that a connection may leave the reading of texts to."""
    return cast("Replicas | None", connection.info.get(REPLICAS))
