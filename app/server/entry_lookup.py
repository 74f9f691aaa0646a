"""Entry lookup. Is what a caller asks for made in this process, or in a worker where it is costly?"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection

from app.entries import read, search
from app.entries.entry import Item, Origin, Page
from app.entries.listing import Listing
from app.entries.parts import Heavy
from app.entries.question import Question
from app.entries.search import Found
from app.entries.search_question import SearchQuestion
from app.entries.strangers import WHATEVER_IT_TAKES, Budget
from app.entries.validity import ALWAYS, Validity
from app.errors import DaemonError
from app.privacy.levels import FOR_ASSISTANTS, meet
from app.server.authenticate import Asked, Caller, Client, authenticate, stranger_of
from app.server.list_worker import ListAnswer, ListRequest
from app.server.list_workers import SEARCHED_MOST_HERE
from app.server.response_cache import Address, CachedResponse
from app.server.state import ServerState

# What has been read before is in the system's memory, and so is what was written just now: few others.
IN_PASSING = Budget(read=100_000, searched=400, views=3)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value that is JSON already; ``tag_source`` is another text where that is."""

    body: bytes
    tag_source: bytes


@dataclass(frozen=True)
class Seen:
    """Who asked, what they are answered, the cursor of the next page, and of which state of the database.

    ``depends_on_agent``: someone else might be answered something else (`read.Notes`). ``validity``: when it
    is what it would be if it were made then, as long as nothing is committed. What was answered of the same
    ``page`` before can be answered again.
    """

    caller: Caller
    generation: int
    value: Encoded
    next: str | None = None
    depends_on_agent: bool = False
    validity: Validity = ALWAYS
    page: Page | None = None


def look(
    server: ServerState, client: Client, asked: Question | SearchQuestion, *, as_stranger: bool = False
) -> Seen:
    """Return what ``client`` sees or finds, no matter who the viewer of ``asked`` is; or what strangers do.

    Raises what `authenticate` and the reading of entries raise, and Busy.
    """
    generation = server.supervisor.generation()
    client.asked = Asked("read", _kind_of(asked))
    with server.supervisor.reading() as connection:
        caller = authenticate(server, connection, client)
        viewer = stranger_of(client) if as_stranger else caller.viewer
        question = under_key(asked.asked_by(viewer, _ceiling_of(server, client)), caller)
        is_stranger = viewer.is_stranger
        try:
            with server.list_workers.here() if is_stranger else nullcontext():
                return _here(connection, server, question, caller, generation)
        except Heavy:
            pass
    made = made_apart(server, question)
    body = Encoded(made.body, made.tag_source)
    return Seen(caller, generation, body, made.next, made.depends_on_agent, made.validity)


def made_apart(server: ServerState, question: Question | SearchQuestion) -> ListAnswer:
    """Return a stranger's answer from a worker; raises what making it raises, and Busy.

    To be asked when what was read so far is let go of: a reader holds up anyone who writes.
    """
    with server.supervisor.lending():
        settings = server.settings
        request = ListRequest(settings.database_url, question, place=settings.database_path)
        made = server.list_workers.ask(request)
    for (entry_id, level), view in made.views:
        server.views.keep(entry_id, level, view)  # where it is asked for, it is compared with what is there
    return made


def budget_here() -> Budget:
    """Return how much may be done in this process for what a stranger is answered."""
    return Budget(searched=SEARCHED_MOST_HERE)


def _ceiling_of(server: ServerState, client: Client) -> str:
    """The most that strangers' views show: less through the assistants' door, with a key too."""
    most = server.settings.privacy_level
    return meet(most, FOR_ASSISTANTS) if client.is_assistants_door else most


def _kind_of(asked: Question | SearchQuestion) -> str | None:
    if isinstance(asked, Question):
        return asked.kind
    return None if asked.kinds is None else asked.kinds[0]


def under_key(asked: Question | SearchQuestion, caller: Caller) -> Question | SearchQuestion:
    """Return the question as who asks may ask it: with a key that has a level of strangers' views at that."""
    if caller.key is None:
        return asked
    level = caller.key.scope.level
    question = asked.among(caller.key.scope.kinds) if isinstance(asked, SearchQuestion) else asked
    if level is None:
        return question
    return replace(question, level=question.level or level, ceiling=meet(question.ceiling, level))


def glance(server: ServerState, question: Question, generation: int) -> Seen | None:
    """Return the list that a stranger sees, if that takes no time: for the thread that answers everyone.

    ``generation`` is the database's from before. None where `look` is to be asked, for what it refuses too.
    """
    if not server.views.keeps:
        return None
    notes = read.Notes()
    try:
        with server.supervisor.glancing() as connection:
            page = read.page(
                connection, question, budget=replace(IN_PASSING), notes=notes, memory=server.views
            )
    except (DaemonError, Heavy):
        return None
    caller, body = Caller(question.viewer, None, Origin()), Encoded(page.body, page.tag_source)
    return Seen(caller, generation, body, page.next, notes.depends_on_agent, page.validity, page)


def carried(server: ServerState, address: Address, generation: int) -> CachedResponse | None:
    """Return a list that was kept, where commits since are known not to have changed it; None for others."""

    def is_same(before: int, listed: Listing) -> bool:
        changes = server.supervisor.find_changes(before, generation)
        return changes is not None and listed.is_same_after(changes)

    return server.response_cache.carry(address, generation, is_same)


def _here(
    connection: Connection,
    server: ServerState,
    question: Question | SearchQuestion,
    caller: Caller,
    generation: int,
) -> Seen:
    budget = budget_here() if question.viewer.is_stranger else WHATEVER_IT_TAKES
    watch = partial(server.pending_audit.saw_read, question.viewer, caller.origin)
    notes, views = read.Notes(), server.views
    found: Item | Page | Found
    if isinstance(question, SearchQuestion):
        found = search.search(connection, question, budget=budget, watch=watch, notes=notes, memory=views)
    elif question.is_for_one:
        found = read.item(connection, question, budget=budget, watch=watch, notes=notes, memory=views)
    else:
        found = read.page(connection, question, budget=budget, watch=watch, notes=notes, memory=views)
    body = Encoded(found.body, found.tag_source)
    return Seen(caller, generation, body, found.next, notes.depends_on_agent, found.validity)
