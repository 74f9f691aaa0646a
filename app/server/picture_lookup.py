"""Picture lookup. May who asks see the file at an address, or the pictures of an entry?

Asked of the very rules that decide who sees the entry: `read.item`, and `profile_of` for an avatar.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from app.accounts.people import find_name
from app.entries import endpoints, pictures, read
from app.entries.pictures import Picture, PictureFile
from app.entries.policies import Policies
from app.entries.profiles import profile_of
from app.entries.question import Question
from app.entries.validity import ALWAYS, Validity
from app.errors import NotFound
from app.server.authenticate import Asked, Caller, Client, authenticate, stranger_of
from app.server.entry_lookup import under_key
from app.server.state import ServerState

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
    """Return the file of a name; raises NotFound, the same whatever the reason, and as `authenticate`."""
    generation = server.supervisor.generation()
    client.asked = Asked("read", None)
    with server.supervisor.reading() as connection:
        caller = authenticate(server, connection, client)
        file = _find_file(connection, name)
        notes, validity, is_public = read.Notes(), ALWAYS, True
        try:
            validity = _stranger_sees(connection, server, client, caller, file, notes)
        except NotFound:
            if caller.key is not None or not caller.viewer.owns(file.user_id):
                raise nothing_here() from None
            is_public = False
        return SeenFile(caller, generation, file, is_public, notes.depends_on_agent, validity)


def look_at_pictures(server: ServerState, client: Client, question: Question) -> SeenPictures:
    """Return the pictures of the entry that is asked for, as who asks may see it; raises as `read.item`."""
    generation = server.supervisor.generation()
    client.asked = Asked("read", question.kind)
    with server.supervisor.reading() as connection:
        caller = authenticate(server, connection, client)
        notes = read.Notes()
        asked = under_key(question.asked_by(caller.viewer, server.settings.privacy_level), caller)
        assert isinstance(asked, Question)
        item = read.item(connection, asked, notes=notes, memory=server.views)
        entry_id = int(json.loads(item.body)["id"])
        found = pictures.of_entry(connection, entry_id)
        if not all(caller.viewer.owns(each.user_id) for each in found):
            found = pictures.as_strangers_see(connection, found)
        return SeenPictures(caller, generation, found, notes.depends_on_agent, item.validity)


def pictures_of_shown(
    server: ServerState, client: Client, entry_ids: Sequence[int]
) -> dict[int, list[Picture]]:
    """Return, by the entry's id, the pictures of those of these entries that strangers may see as ``client``.

    Whoever is answered the entries: where no stranger may see a picture, no program can fetch it. With a key
    only of what the key is for. Raises as `authenticate`.
    """
    with server.supervisor.reading() as connection:
        found = pictures.of_entries(connection, entry_ids)
        if not found:
            return {}
        caller = authenticate(server, connection, client)
        shown = {}
        for entry_id, its in found.items():
            with suppress(NotFound):
                _stranger_sees_entry(connection, server, client, caller, entry_id, read.Notes())
                shown[entry_id] = pictures.as_strangers_see(connection, its)
        return shown


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
    server: ServerState,
    client: Client,
    caller: Caller,
    file: PictureFile,
    notes: read.Notes,
) -> Validity:
    """Return as long as what strangers, such as who asks, may see it; raises NotFound where they may not."""
    ceiling, stranger = server.settings.privacy_level, stranger_of(client)
    if file.entry_id is None:
        settings = Policies(connection).settings_of(file.user_id)
        notes.depends_on_agent = not settings.ai_assistant_access
        username = find_name(connection, file.user_id)
        if username is None:
            raise nothing_here()
        return profile_of(connection, stranger, username, ceiling).validity
    return _stranger_sees_entry(connection, server, client, caller, file.entry_id, notes)


def _stranger_sees_entry(
    connection: Connection,
    server: ServerState,
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
    ceiling, stranger = server.settings.privacy_level, stranger_of(client)
    question = under_key(Question(endpoint.name, stranger, ceiling=ceiling, entry_id=entry_id), caller)
    assert isinstance(question, Question)
    return read.item(connection, question, notes=notes, memory=server.views).validity
