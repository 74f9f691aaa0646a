"""Upkeep of preview images (background job). Which pictures of pages are other ones since the last commit?

Each is drawn before anyone asks for it, by every process that serves the database, for itself: of whoever
wrote since, and of all who are named at the beginning (some dozens) where something was changed for all. What
would be drawn is what a stranger or an assistant who asks is shown: the same lookup, the same key
(`preview_image`). Where neither the name nor a line under it changed there is nothing to draw; nor is anyone
looked up again who wrote something of which no picture says anything. What was there
at the start of the process is drawn when it is asked for. What draws is loaded where there is anything to
draw.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Lock

from cachetools import LRUCache

from app import clock
from app.accounts import audit_reading
from app.accounts.people import find_name
from app.entries import due_pages
from app.entries.due_pages import DuePages
from app.entries.entry import Origin
from app.errors import NotFound
from app.privacy.agents import ASSISTANT
from app.privacy.viewer import STRANGER
from app.server.authenticate import Client
from app.server.state import ServerState

AGAIN_SECONDS = 60.0  # where nothing was committed: what comes and goes by itself
STEP_SECONDS = 0.2  # of the server's time, before it does something else
FORMAT = "open-graph"
KNOWN_COUNT = 1_000  # people


class PreviewUpkeep:
    """Draws what is due, one after the other."""

    def __init__(self, server: ServerState) -> None:
        self._server = server
        self._turn = Lock()
        self._line: int | None = None
        self._generation = -1
        self._looked_at = clock.now()
        self._again_at = 0.0
        self._due: dict[str, None] = {}
        self._made: LRUCache[str, bool] = LRUCache(KNOWN_COUNT)  # whose pictures were made by this process

    def is_wanted(self) -> bool:
        """Whether something was committed since, or a picture waits to be drawn."""
        server = self._server
        is_new = server.supervisor.generation() != self._generation or time.monotonic() >= self._again_at
        return server.is_claimed and (is_new or bool(self._due))

    def step(self) -> None:
        """Look what is due, and draw for a while. Writes nothing but to the memory of `preview_image`."""
        with self._turn:
            self._look()
            until = time.monotonic() + STEP_SECONDS
            while self._due and time.monotonic() < until:
                username = next(iter(self._due))
                del self._due[username]
                self._draw(username)

    def _look(self) -> None:
        from app.entries.profiles import shown_people

        now, generation = clock.now(), self._server.supervisor.generation()
        names: dict[int, str | None] = {}
        found: list[str] = []
        with self._server.supervisor.reading() as connection:
            last = audit_reading.last_line(connection)
            if self._line is None or last < self._line:  # the first look, or another database
                self._line = last
            due = due_pages.since(connection, self._line, self._looked_at, now)
            if due.is_all:
                found = shown_people(connection, STRANGER, self._server.settings.privacy_level)
            else:
                names = {each: find_name(connection, each) for each in (*due.wished, *due.wrote)}
        self._due |= dict.fromkeys(found or self._to_draw(due, names))
        self._line, self._looked_at, self._generation = due.last_line, now, generation
        self._again_at = time.monotonic() + AGAIN_SECONDS

    def _to_draw(self, due: DuePages, names: dict[int, str | None]) -> Iterator[str]:
        """Yield whose pictures may be other ones; what is loaded for it is loaded while nothing is read."""
        for user_id, name in names.items():
            if name is not None and (
                user_id in due.wished or name not in self._made or _is_on_pictures(due.wrote[user_id])
            ):
                yield name

    def _draw(self, username: str) -> None:
        from app.server.profile_lookup import people_who_want

        for agent in (None, ASSISTANT):
            client = Client(Origin(user_agent=agent))
            with suppress(NotFound):  # nothing of theirs is shown
                if people_who_want(self._server, client, [username], FORMAT):
                    _made_ahead(self._server, client, username)
                    self._made[username] = True


def _is_on_pictures(kinds: frozenset[str]) -> bool:
    from app.web.pages.profile_head import KINDS_OF_LINES

    return not KINDS_OF_LINES.isdisjoint(kinds)


def _made_ahead(server: ServerState, client: Client, username: str) -> None:
    from app.server.profile_lookup import look_at_profile
    from app.web.pages.preview_image import preview_image, preview_of
    from app.web.pages.profile_head import KINDS_OF_LINES

    preview_image(preview_of(look_at_profile(server, client, username, None, only=KINDS_OF_LINES)))
