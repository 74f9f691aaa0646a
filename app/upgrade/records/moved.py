"""Moved mark. Was this database moved elsewhere, so that it must not be served, or is it half made here?

The mark is with the database and in no row of it (`StorageEngine.note`): a file beside one of SQLite, a
comment on PostgreSQL. A database without a mark was never part of a move.

A move has two marks to write, its undo too, and may be killed between them. So one mark decides, that of the
file, and the one on the server says that it is to be asked: two-phase commit with the file as coordinator
(Gray, Notes on Data Base Operating Systems, 1978). At each moment exactly one of the two is served.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from app import database_urls
from app.errors import MovedDatabase
from app.storage.registry import storage_for

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.engine import StorageEngine

# moved: it is elsewhere now. half_made: what came here is not to be served, unless the file that it came from
# is marked as moved. leaving: on a server; it is to be served, unless the file that it goes to is marked as
# arrived. arrived: it came from elsewhere. undone: it went back there.
State = Literal["moved", "half_made", "leaving", "arrived", "undone"]
_STATES = ("moved", "half_made", "leaving", "arrived", "undone")


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
    """Return what the mark of a database comes to, None where it is as without one. Raises as `read_mark`.

    Where that is for the other database's mark to say, it is asked.
    """
    mark = read_mark(storage)
    return None if mark is None else _decided(mark)


def settle(storage: StorageEngine) -> None:
    """Write what the mark comes to, so that the other database need not be asked again.

    To be called with the process lock held, so that no move is under way. Raises as `read_mark`.
    """
    mark = read_mark(storage)
    found = None if mark is None else _decided(mark)
    if mark is None or found == mark:
        return
    file = storage_for(mark.other_url)
    file.set_note(file.note())  # whoever wrote it may have been killed before it was on the disk
    storage.set_note("" if found is None else found.as_text())


def read_mark(storage: StorageEngine) -> Moved | None:
    """Return the mark of a database as it is written, None where there is none. Raises StorageError, OSError.

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


def _decided(mark: Moved) -> Moved | None:
    """Return the mark that this one comes to; itself where the file that decides cannot be seen from here."""
    if mark.state not in ("half_made", "leaving"):
        return mark
    of_file = _mark_of_file(mark)
    if of_file is None or of_file.move != mark.move:
        return mark
    if mark.state == "half_made":
        return replace(mark, state="arrived") if of_file.state == "moved" else mark
    return replace(mark, state="moved") if of_file.state == "arrived" else None


def _mark_of_file(mark: Moved) -> Moved | None:
    """Return the mark of the file that the other database is; None where it is none, or not to be seen."""
    if not mark.other_url or database_urls.is_of_server(mark.other_url):
        return None
    return read_mark(storage_for(mark.other_url))


def is_left_over(mark: Moved, source_url: str) -> bool:
    """Whether a marked database is what a move left, is not served, and no one has to ask for its mark.

    ``source_url`` is what is to be moved there now. Raises as `read_mark`.
    """
    if mark.state not in ("half_made", "undone"):
        return False
    if database_urls.is_of_server(mark.other_url):  # of a file, for whose mark that server may have to ask
        return mark.other_url == url_to_keep(source_url)
    if mark.state == "undone":
        return True
    of_file = _mark_of_file(mark)
    may_have_decided = of_file is not None and of_file.state == "moved" and of_file.move in ("", mark.move)
    return not may_have_decided and storage_for(mark.other_url).file_kind() != "missing"


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
        case "leaving":
            message = (
                f"A move from {name} to {found.other} was broken off. Whether {found.other} is served now is"
                f" noted beside it, and that note cannot be seen from here: {name} is not served."
            )
            hint = (
                "Where that file is: daemon move --to URL   # begins again, or ends it; if it is nowhere any"
                " more: daemon move --undo --gone"
            )
        case "half_made":
            message = (
                f"A move from {found.other} to {name} was broken off, or taken back: what is here is not"
                " served."
            )
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
