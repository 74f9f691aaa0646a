"""Entry lookup. Is what a caller asks for made in this process, or in a worker where it is costly?"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from app.entries import read
from app.entries.parts import Heavy
from app.entries.question import Question
from app.server.authenticate import Caller, Client, authenticate
from app.server.list_worker import ListRequest
from app.server.list_workers import STORED_MOST_HERE
from app.server.state import ServerState


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value that is JSON already."""

    body: bytes


@dataclass(frozen=True)
class Seen:
    """Who asked, what they are answered, the cursor of the next page, and of which state of the database.

    ``depends_on_agent``: someone else might be answered something else (`read.Notes`).
    """

    caller: Caller
    generation: int
    value: object
    next: str | None = None
    depends_on_agent: bool = False


def look(server: ServerState, client: Client, asked: Question) -> Seen:
    """Return what ``client`` sees, no matter who the viewer of ``asked`` is.

    Raises what `authenticate` and the reading of entries raise, and Busy.
    """
    generation = server.supervisor.generation()
    with server.supervisor.reading() as connection:
        caller = authenticate(server, connection, client)
        question = asked.asked_by(caller.viewer, server.settings.privacy_level)
        is_stranger = caller.viewer.is_stranger
        try:
            with server.list_workers.here() if is_stranger else nullcontext():
                return _here(connection, server, question, caller, generation)
        except Heavy:
            pass
    with (
        server.supervisor.lending()
    ):  # what was read so far is let go of: a reader holds up anyone who writes
        made = server.list_workers.ask(ListRequest(server.settings.database_url, question))
    return Seen(caller, generation, Encoded(made.body), made.next, made.depends_on_agent)


def _here(
    connection: Connection, server: ServerState, question: Question, caller: Caller, generation: int
) -> Seen:
    most = STORED_MOST_HERE if question.viewer.is_stranger else None
    watch = partial(server.pending_audit.saw_read, question.viewer, caller.origin)
    notes = read.Notes()
    if question.entry_id is not None:
        item = read.item(connection, question, most_stored=most, watch=watch, notes=notes)
        return Seen(caller, generation, item, depends_on_agent=notes.depends_on_agent)
    page = read.page(connection, question, most_stored=most, watch=watch, notes=notes)
    return Seen(caller, generation, page.as_json(), page.next, notes.depends_on_agent)
