"""Types of the storage protocol. Of which values are a database engine's answers made?"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from app.errors import DaemonError

if TYPE_CHECKING:
    import sqlalchemy

FileKind = Literal["missing", "empty", "sqlite", "not_sqlite"]


class CommitUncertain(DaemonError):
    """COMMIT, or making it durable, ended with an error: only a look at the database tells what is there."""

    code = "commit_uncertain"


@dataclass(frozen=True)
class TableDigest:
    """How many rows, and one hash of them all. Equal digests: equal rows. Compare, do not store."""

    rows: int
    digest: str


@dataclass(frozen=True)
class Orphan:
    """A row that names a row which is not there; ``rowid`` is None in a table without one.

    ``problem`` is set, and the rest is empty, where the keys of a table could not be checked at all.
    """

    table: str
    rowid: int | None
    parent: str
    columns: tuple[str, ...] = ()
    problem: str = ""

    def sentence(self) -> str:
        """Say it in one line."""
        if self.problem:
            return f"the foreign keys of {self.table} cannot be checked: {self.problem}"
        row = "a row" if self.rowid is None else f"row {self.rowid}"
        return (
            f"{self.table}, {row}: {', '.join(self.columns)} names a row of {self.parent} that is not there"
        )


class MigrationConnection(Protocol):
    """One open transaction that holds the write lock."""

    @property
    def connection(self) -> sqlalchemy.Connection:
        """For what speaks SQLAlchemy."""

    @property
    def sqlite(self) -> sqlite3.Connection:
        """The driver's connection below it, for what is asked of this storage."""

    def commit_durably(self) -> None:
        """Commit, and return when a power cut cannot undo it. Raises Busy, Refused, CommitUncertain."""


class Watch(Protocol):
    """Tells whether somebody has committed; may be asked from any thread, one at a time."""

    def commits(self) -> int:
        """A number that is another one after a commit by anybody; comparable within one watch."""

    def close(self) -> None:
        """Let go of the database."""
