"""Person lookup. Is there someone of a name of whom something is public, and may assistants know of them?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.entries.feed_ids import FeedIds, feed_ids
from app.entries.page_wishes import Wishes
from app.entries.profiles import profile_of
from app.entries.validity import Validity
from app.errors import NotFound
from app.privacy.viewer import STRANGER
from app.server.authenticate import Caller, Client, authenticate, stranger_of
from app.server.state import ServerState


@dataclass(frozen=True)
class SeenPerson:
    """Someone who has a page, and what a door must know of it beside (`entry_lookup.Seen`)."""

    caller: Caller
    generation: int
    username: str
    wishes: Wishes
    ids: FeedIds
    depends_on_agent: bool
    validity: Validity


def look_at_person(server: ServerState, client: Client, username: str) -> SeenPerson:
    """Return whose page has a name; raises NotFound, and what `authenticate` raises."""
    generation = server.supervisor.generation()
    ceiling = server.settings.privacy_level
    with server.supervisor.reading() as connection:
        caller = authenticate(server, connection, client)
        profile = profile_of(connection, stranger_of(client), username, ceiling)
        try:
            profile_of(connection, replace(STRANGER, is_assistant=True), username, ceiling)
            depends_on_agent = False
        except NotFound:
            depends_on_agent = True
        ids = feed_ids(connection)
    return SeenPerson(
        caller,
        generation,
        profile.username,
        profile.wishes,
        ids,
        depends_on_agent,
        profile.validity,
    )
