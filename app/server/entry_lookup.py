"""Entry lookup. Is what a caller asks for made in this process, or in a worker where it is costly?"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from app.entries import read
from app.entries.parts import Heavy, Part
from app.server.authenticate import Caller, Client, authenticate
from app.server.list_worker import ListRequest
from app.server.list_workers import STORED_MOST_HERE
from app.server.state import ServerState


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value that is JSON already."""

    body: bytes


@dataclass(frozen=True)
class Asked:
    """What is to be seen: a part of a list, of one person or the default's, or the entry ``entry_id``."""

    kind: str
    level: str | None
    owner: str | None = None
    part: Part | None = None
    entry_id: int | None = None


@dataclass(frozen=True)
class Seen:
    """Who asked, what they are answered, the cursor of the next page, and of which state of the database."""

    caller: Caller
    generation: int
    value: object
    next: str | None = None


def look(server: ServerState, client: Client, asked: Asked) -> Seen:
    """Return what ``client`` sees. Raises what `authenticate` and the reading of entries raise, and Busy."""
    generation = server.supervisor.generation()
    with server.supervisor.reading() as connection:
        caller = authenticate(server, connection, client)
        is_stranger = caller.viewer.is_stranger
        try:
            with server.list_workers.here() if is_stranger else nullcontext():
                return _here(connection, server, asked, caller, generation)
        except Heavy:
            pass
    with server.supervisor.lending():  # what was read so far is let go of: a reader holds up whoever writes
        ceiling = server.settings.privacy_level
        url = server.settings.database_url
        job = ListRequest(url, asked.kind, asked.owner, asked.level, ceiling, asked.part, asked.entry_id)
        made = server.list_workers.ask(job)
    return Seen(caller, generation, Encoded(made.body), made.next)


def _here(connection: Connection, server: ServerState, asked: Asked, caller: Caller, generation: int) -> Seen:
    viewer, ceiling = caller.viewer, server.settings.privacy_level
    most = STORED_MOST_HERE if viewer.is_stranger else None
    watch = partial(server.pending_audit.saw_read, viewer, caller.origin)
    if asked.entry_id is not None:
        view = read.item(
            connection,
            viewer,
            asked.kind,
            asked.entry_id,
            level=asked.level,
            ceiling=ceiling,
            most_stored=most,
            watch=watch,
        )
        return Seen(caller, generation, view)
    page = read.page(
        connection,
        viewer,
        asked.kind,
        asked.owner,
        level=asked.level,
        ceiling=ceiling,
        part=asked.part,
        most_stored=most,
        watch=watch,
    )
    return Seen(caller, generation, page.as_json(), page.next)
