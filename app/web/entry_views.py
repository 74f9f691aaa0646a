"""How does a request get to see entries: here, or in a worker process where it is costly?"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

from fastapi import Request
from sqlalchemy import Connection

from app.entries import read
from app.entries.parts import Heavy, Part
from app.web.bodies import Encoded
from app.web.deps import Caller, caller_of
from app.web.house import House
from app.web.list_worker import Job
from app.web.list_workers import STORED_MOST_HERE


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


def look(request: Request, house: House, asked: Asked) -> Seen:
    """Return what the caller of ``request`` sees. Raises what `read.page` and `read.item` raise, and Busy."""
    generation = house.keeper.generation()
    with house.keeper.reading() as connection:
        caller = caller_of(request, house, connection)
        is_stranger = caller.viewer.is_stranger
        try:
            with house.list_workers.here() if is_stranger else nullcontext():
                return _here(connection, house, asked, caller, generation)
        except Heavy:
            pass
    with house.keeper.lending():  # what was read so far is let go of: a reader holds up whoever writes
        ceiling = house.settings.privacy_level
        url = house.settings.database_url
        job = Job(url, asked.kind, asked.owner, asked.level, ceiling, asked.part, asked.entry_id)
        made = house.list_workers.ask(job)
    return Seen(caller, generation, Encoded(made.body), made.next)


def _here(connection: Connection, house: House, asked: Asked, caller: Caller, generation: int) -> Seen:
    viewer, ceiling = caller.viewer, house.settings.privacy_level
    most = STORED_MOST_HERE if viewer.is_stranger else None
    watch = partial(house.pending_audit.saw_read, viewer, caller.origin)
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
