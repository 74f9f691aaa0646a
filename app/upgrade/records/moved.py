"""Moved mark. Was this database moved elsewhere, so that it must not be served, or is it half made here?

The mark is with the database and in no row of it (`StorageEngine.note`): a file beside one of SQLite, a
comment on PostgreSQL. A database without a mark was never part of a move.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from app import database_urls
from app.errors import MovedDatabase
from app.storage.registry import storage_for

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.engine import StorageEngine

# moved: it is elsewhere now. half_made: what came here is not to be served yet. arrived: it came from
# elsewhere. undone: it went back there.
State = Literal["moved", "half_made", "arrived", "undone"]
_STATES = ("moved", "half_made", "arrived", "undone")


@dataclass(frozen=True)
class Moved:
    """The mark: in which state the database is, by which move, and where the other one is.

    ``other`` is for people, ``other_url`` for `daemon move --undo`: it has no password.
    """

    state: State
    move: str
    other: str
    other_url: str
    at: str

    def as_text(self) -> str:
        """The mark as it is written."""
        return json.dumps(asdict(self), sort_keys=True)


def find_moved(storage: StorageEngine) -> Moved | None:
    """Return the mark of a database, None where there is none. Raises StorageError, OSError.

    A mark that cannot be read counts as one that says moved: better not served than served twice.
    """
    text = storage.note()
    if not text:
        return None
    try:
        said = json.loads(text)
        found = Moved(**{name: str(said[name]) for name in Moved.__dataclass_fields__})  # type: ignore[arg-type]
    except (ValueError, KeyError, TypeError):
        return Moved("moved", "", "a place that its mark does not tell", "", "")
    return found if found.state in _STATES else Moved("moved", "", found.other, found.other_url, found.at)


def find_refusal(storage: StorageEngine, name: str) -> MovedDatabase | None:
    """Return why a database may neither be served nor changed; None where it may. Raises as `find_moved`."""
    found = find_moved(storage)
    return None if found is None else refusal_of(found, name)


def refuse_moved(settings: Settings) -> None:
    """Raise MovedDatabase where the configured database may not be changed: moved, or half made."""
    refusal = find_refusal(storage_for(settings.database_url), settings.database_name)
    if refusal is not None:
        raise refusal


def refusal_of(found: Moved, name: str) -> MovedDatabase | None:
    """Return what the mark forbids, in words; ``name`` is what the database is called."""
    match found.state:
        case "arrived":
            return None
        case "moved":
            message = f"The database {name} was moved on {found.at}: it is at {found.other} now."
            hint = "Set DATABASE_URL to where it is, or take the move back: daemon move --undo"
        case "half_made":
            message = f"A move from {found.other} to {name} was broken off: what is here is not served."
            hint = "With DATABASE_URL as it was before: daemon move --to URL   # begins again, or ends it"
        case "undone":
            message = f"The move to {name} was taken back: the database is at {found.other}."
            hint = "Set DATABASE_URL to where it is."
    return MovedDatabase(message, hint=hint, other=found.other)


def url_to_keep(url: str) -> str:
    """Return a URL as it may be written down: who logs in, without the password."""
    if not database_urls.is_of_server(url):
        return url
    parts = urlsplit(url)
    user, _, hosts = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key != "password"])
    return urlunsplit(parts._replace(netloc=f"{name}@{hosts}" if name else hosts, query=query))
