"""Installation identity. Which installation is this database, where was it seen, and how is that written?

The table `installation` has one row at most. Its id is drawn at random when a database is made or upgraded;
backups bear it, and a copy of the folder has it too, until someone says that the copy is one of its own.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from app import clock, database_urls, settings
from app.clock_leap import ClockSeen
from app.disk import real_path
from app.storage.types import MigrationConnection, StorageConnection, Value

TABLE = "installation"
CONTAINER = "a container"
"""The host of whatever runs in a container: its host name is another one each time that it is made anew."""

SERVER = "a server of PostgreSQL"

NEW_ID, MOVED = "daemon init --new-id", "daemon init --moved"
_LONGEST_HOST = 255
THE_ROW = 1
_TIMES = ("clock_seen_at", "clock_leapt_from", "clock_leapt_to")
_COLUMNS = ("installation_id", "backups_made", "seen_host", "seen_path", *_TIMES)


@dataclass(frozen=True)
class Place:
    """Where a database is used: the host, and the path of its file there."""

    host: str
    path: str

    def is_other(self, than: Place) -> bool:
        """Whether it is another place. Of host names the first part counts: networks add their own."""
        return self.path != than.path or _first_part(self.host) != _first_part(than.host)


@dataclass(frozen=True)
class Installation:
    """The row: the id, how many backups were made, where the database was seen, and the clock there."""

    id: str
    backups_made: int = 0
    seen: Place | None = None
    clock: ClockSeen = field(default_factory=ClockSeen)

    def question(self, here: Place) -> str:
        """Return what is to be asked where this id was seen elsewhere before; "" where it was not."""
        if self.seen is None or not here.is_other(self.seen):
            return ""
        return (
            f"The installation {self.id} was seen at {self.seen.path} ({self.seen.host}), and this is"
            f" {here.path} ({here.host}): a copy of it, or the same one moved? Until you say so, only backups"
            " that were made here count as this one's."
        )


QUESTION_HINT = f"If this is a copy and the other one goes on: {NEW_ID}   If it was moved here: {MOVED}"


def here(database: Path) -> Place:
    """Return the place of the database at ``database``."""
    url = database_urls.url_at(database)
    if url is not None:  # whichever machine serves it
        return Place(SERVER, database_urls.in_words(url))
    host = CONTAINER if settings.is_in_container() else os.uname().nodename
    return Place(host[:_LONGEST_HOST], str(real_path(database)))


def new_id() -> str:
    """Draw an id."""
    return str(uuid.uuid4())


def find_installation(connection: StorageConnection) -> Installation | None:
    """Return what a database of any version says of itself; None where it says nothing."""
    if not connection.columns(TABLE):
        return None
    rows = connection.as_written(TABLE, _COLUMNS)
    return read_row(dict(zip(_COLUMNS, rows[0], strict=True))) if rows else None


def read_row(said: Mapping[str, Value]) -> Installation | None:
    """Return what a row means, whatever its values are; None where it has no id."""
    own, made, path = (said.get(name) for name in ("installation_id", "backups_made", "seen_path"))
    if not isinstance(own, str) or not own:
        return None
    return Installation(
        own,
        made if isinstance(made, int) else 0,
        Place(str(said.get("seen_host") or ""), path) if isinstance(path, str) else None,
        ClockSeen(*(clock.parse_stored(said.get(name)) for name in _TIMES)),
    )


def write_installation(migration: MigrationConnection, installation: Installation) -> None:
    """Make this the row of the database; the caller commits. Raises StorageError."""
    row = row_of(installation)
    names = ", ".join(row)
    if migration.count(TABLE):
        sets = ", ".join(f"{name} = :{name}" for name in row if name != "id")
        migration.execute(f"UPDATE {TABLE} SET {sets}", {k: v for k, v in row.items() if k != "id"})
    else:
        marks = ", ".join(f":{name}" for name in row)
        migration.execute(f"INSERT INTO {TABLE} ({names}) VALUES ({marks})", row)


def row_of(installation: Installation) -> dict[str, Value]:
    """Return the row as it is stored."""
    seen, known = installation.seen, installation.clock
    return {
        "id": THE_ROW,
        "installation_id": installation.id,
        "backups_made": installation.backups_made,
        "seen_host": seen.host if seen else None,
        "seen_path": seen.path if seen else None,
        "clock_seen_at": _stored(known.seen_at),
        "clock_leapt_from": _stored(known.leapt_from),
        "clock_leapt_to": _stored(known.leapt_to),
    }


def _stored(moment: datetime | None) -> str | None:
    return None if moment is None else clock.stored(moment)


def _first_part(host: str) -> str:
    return host.partition(".")[0].casefold()
