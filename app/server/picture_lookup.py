"""Picture lookup. May who asks see the file at an address, or the pictures of an entry?

Asked of the very rules that decide who sees the entry: `read.item`, and `profile_of` for an avatar. What of
that is costly for a stranger is made in a worker, as `entry_lookup.look` has it made, and then asked once
more, so that pictures and what is seen are of one state of the database.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection

from app.accounts.people import find_name
from app.entries import endpoints, pictures, read
from app.entries.entry import Item
from app.entries.parts import Heavy
from app.entries.pictures import Picture, PictureFile
from app.entries.policies import Policies
from app.entries.profiles import profile_of
from app.entries.question import Question
from app.entries.strangers import WHATEVER_IT_TAKES, Budget
from app.entries.validity import ALWAYS, Validity
from app.errors import Busy, NotFound
from app.server.authenticate import Asked, Caller, Client, authenticate, stranger_of
from app.server.entry_lookup import budget_here, made_apart, under_key
from app.server.list_worker import ListAnswer
from app.server.state import ServerState

TRIES = 4  # where the database is changed by others meanwhile
T = TypeVar("T")
_ADDRESS = re.compile(r"[A-Za-z0-9_-]{20,40}")


@dataclass(frozen=True)
class SeenFile:
    """A file that who asks may see, and what a door must know of it beside (as `entry_lookup.Seen`).

    ``is_for_everyone``: any stranger may see it.
    """

    caller: Caller
    generation: int
    file: PictureFile
    is_for_everyone: bool
    depends_on_agent: bool
    validity: Validity


@dataclass(frozen=True)
class SeenPictures:
    """The pictures of an entry, and the same beside it."""

    caller: Caller
    generation: int
    pictures: list[Picture]
    depends_on_agent: bool
    validity: Validity


def look_at_file(server: ServerState, client: Client, name: str) -> SeenFile:
    """Return the file of a name; raises NotFound, whatever the reason, Busy, and as `authenticate`."""
    client.asked = Asked("read", None)

    def attempt(asking: _Asking) -> SeenFile:
        with server.supervisor.reading() as connection:
            caller = authenticate(server, connection, client)
            file = _find_file(connection, name)
            notes, validity, is_public = read.Notes(), ALWAYS, True
            try:
                validity = _stranger_sees(connection, asking, client, caller, file, notes)
            except NotFound:
                if caller.key is not None or not caller.viewer.owns(file.user_id):
                    raise nothing_here() from None
                is_public = False
            return SeenFile(caller, asking.generation, file, is_public, notes.depends_on_agent, validity)

    return _settled(server, attempt)


def look_at_pictures(server: ServerState, client: Client, question: Question) -> SeenPictures:
    """Return the pictures of the entry that is asked for, as who asks may see it; raises as `read.item`."""
    client.asked = Asked("read", question.kind)

    def attempt(asking: _Asking) -> SeenPictures:
        with server.supervisor.reading() as connection:
            caller = authenticate(server, connection, client)
            notes = read.Notes()
            asked = under_key(question.asked_by(caller.viewer, server.settings.privacy_level), caller)
            assert isinstance(asked, Question)
            body, validity = asking.item(connection, asked, notes)
            found = pictures.of_entry(connection, int(json.loads(body)["id"]))
            if not all(caller.viewer.owns(each.user_id) for each in found):
                found = pictures.as_strangers_see(connection, found)
            return SeenPictures(caller, asking.generation, found, notes.depends_on_agent, validity)

    return _settled(server, attempt)


def pictures_of_shown(
    server: ServerState, client: Client, entry_ids: Sequence[int]
) -> dict[int, list[Picture]]:
    """Return, by the entry's id, the pictures of those of these entries that strangers may see as ``client``.

    Whoever is answered the entries: where no stranger may see a picture, no program can fetch it. With a key
    only of what the key is for. Raises as `authenticate`, and Busy.
    """

    def attempt(asking: _Asking) -> dict[int, list[Picture]]:
        with server.supervisor.reading() as connection:
            found = pictures.of_entries(connection, entry_ids)
            if not found:
                return {}
            caller = authenticate(server, connection, client)
            shown = {}
            for entry_id, its in found.items():
                with suppress(NotFound):
                    _stranger_sees_entry(connection, asking, client, caller, entry_id, read.Notes())
                    shown[entry_id] = pictures.as_strangers_see(connection, its)
            return shown

    return _settled(server, attempt)


@dataclass
class _Asking:
    """Asks what is seen of entries, all of them in one state of the database and out of one budget.

    ``wanted``: questions that are too costly here; ``answers`` of a worker, by the entry.
    """

    server: ServerState
    generation: int = -1
    budget: Budget = field(default_factory=budget_here)
    wanted: list[Question] = field(default_factory=list)
    answers: dict[tuple[object, ...], ListAnswer | NotFound] = field(default_factory=dict)

    def begin(self) -> None:
        """Begin anew: answers from before a commit count for nothing."""
        generation, self.budget, self.wanted = self.server.supervisor.generation(), budget_here(), []
        if generation != self.generation:
            self.answers.clear()
        self.generation = generation

    def is_of_one_state(self) -> bool:
        """Whether what was read is of the state that a worker answered of, where one did."""
        return not self.answers or self.server.supervisor.generation() == self.generation

    def item(self, connection: Connection, question: Question, notes: read.Notes) -> tuple[bytes, Validity]:
        """Return the view of an entry and how long it holds; raises NotFound, where it is ``wanted`` too."""
        known = self.answers.get(_key_of(question))
        if isinstance(known, NotFound):
            raise known
        if known is not None:
            notes.depends_on_agent |= known.depends_on_agent
            return known.body, known.validity
        try:
            found = self._here(connection, question, notes)
        except Heavy:
            self.wanted.append(question)
            raise nothing_here() from None
        return found.body, found.validity

    def _here(self, connection: Connection, question: Question, notes: read.Notes) -> Item:
        views = self.server.views
        if not question.viewer.is_stranger:
            return read.item(connection, question, budget=WHATEVER_IT_TAKES, notes=notes, memory=views)
        with self.server.list_workers.here():
            return read.item(connection, question, budget=self.budget, notes=notes, memory=views)

    def have_made(self) -> None:
        """Have a worker make what is wanted."""
        for question in self.wanted:
            try:
                self.answers[_key_of(question)] = made_apart(self.server, question)
            except NotFound as error:
                self.answers[_key_of(question)] = error


def _key_of(question: Question) -> tuple[object, ...]:
    return question.kind, question.entry_id, question.slug


def _settled(server: ServerState, attempt: Callable[[_Asking], T]) -> T:
    """Return what ``attempt`` does once nothing that it asks is wanted; raises what it raises, and Busy."""
    asking = _Asking(server)
    for _ in range(TRIES):
        asking.begin()
        try:
            found = attempt(asking)
        except NotFound:
            if not asking.wanted:
                raise
        else:
            if not asking.wanted and asking.is_of_one_state():
                return found
        asking.have_made()
    raise Busy("This is changed while it is asked for.", hint="Try again.", retry_after_seconds=1)


def avatar_bytes(server: ServerState, client: Client, avatar: Picture, size: str) -> PictureFile:
    """Return the file of a size of an avatar; raises as `look_at_file`."""
    return look_at_file(server, client, avatar.size(size).path.removeprefix(pictures.PREFIX)).file


def nothing_here() -> NotFound:
    """Return the one error for what is not there, or may not be seen."""
    return NotFound("There is nothing at this address.")


def _find_file(connection: Connection, name: str) -> PictureFile:
    address = name.removesuffix(pictures.SUFFIX)
    is_one = name.endswith(pictures.SUFFIX) and _ADDRESS.fullmatch(address)
    file = pictures.find_file(connection, address) if is_one else None
    if file is None:
        raise nothing_here()
    return file


def _stranger_sees(
    connection: Connection,
    asking: _Asking,
    client: Client,
    caller: Caller,
    file: PictureFile,
    notes: read.Notes,
) -> Validity:
    """Return as long as what strangers, such as who asks, may see it; raises NotFound where they may not."""
    ceiling, stranger = asking.server.settings.privacy_level, stranger_of(client)
    if file.entry_id is None:
        settings = Policies(connection).settings_of(file.user_id)
        notes.depends_on_agent = not settings.ai_assistant_access
        username = find_name(connection, file.user_id)
        if username is None:
            raise nothing_here()
        return profile_of(connection, stranger, username, ceiling).validity
    return _stranger_sees_entry(connection, asking, client, caller, file.entry_id, notes)


def _stranger_sees_entry(
    connection: Connection,
    asking: _Asking,
    client: Client,
    caller: Caller,
    entry_id: int,
    notes: read.Notes,
) -> Validity:
    """Return the same of what belongs to an entry."""
    endpoint = endpoints.find_of_entry(connection, entry_id)
    if endpoint is None:
        raise nothing_here()
    kinds = None if caller.key is None else caller.key.scope.kinds
    if kinds is not None and endpoint.name not in kinds:
        raise nothing_here()
    ceiling, stranger = asking.server.settings.privacy_level, stranger_of(client)
    question = under_key(Question(endpoint.name, stranger, ceiling=ceiling, entry_id=entry_id), caller)
    assert isinstance(question, Question)
    return asking.item(connection, question, notes)[1]
