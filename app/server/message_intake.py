"""Leaving a message. To whom may this one be left, and what is its sender told? Nothing that is not public.

Whoever lets no messages be left, and whoever shows nothing, is answered as someone who is not there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app import clock
from app.accounts import message_boxes, message_proofs, messages
from app.accounts.message_proofs import Proof
from app.accounts.messages import Draft, Sender
from app.accounts.throttle import network_of
from app.entries import people
from app.entries.policies import Policies
from app.entries.shown_times import time_between
from app.errors import NotFound
from app.privacy.viewer import STRANGER
from app.server.authenticate import Client, stranger_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.server.state import ServerState

SAID = "The message waits in the inbox. Whether it is read and answered is up to the person."


@dataclass(frozen=True)
class Left:
    """What someone wants to leave: for whom, what, by which door and program, and a proof of work or none."""

    username: str
    draft: Draft
    came_by: str
    program: str | None = None
    proof: Proof | None = None


def how_to_leave(server: ServerState, client: Client, username: str) -> dict[str, Any]:
    """Return what may be left for a person, and a challenge for who can work for it; raises NotFound."""
    with server.supervisor.reading() as connection:
        _recipient(server, connection, client, username)
    return {
        "text_most": messages.TEXT_MOST,
        "name_most": messages.NAME_MOST,
        "contact_most": messages.CONTACT_MOST,
        "proof": message_proofs.new_challenge(server.secret, username, clock.now()),
    }


def leave(server: ServerState, client: Client, left: Left) -> None:
    """Leave a message; raises NotFound, InvalidContent (the proof), TooMuch. Writes as `messages.leave`.

    Whose credential was sent makes no difference: a message is a stranger's.
    """
    now, network = clock.now(), network_of(client.origin.ip_address or "")
    sender = Sender(left.came_by, messages.network_hash(server.secret, network), left.program)
    with server.supervisor.reading() as connection:  # most of what is refused needs no turn to write
        _recipient(server, connection, client, left.username)
    proof_hash = None
    if left.proof is not None:
        proof_hash = message_proofs.check(server.secret, left.username, left.proof, left.draft.text, now)
    with server.supervisor.writing() as connection:
        user_id = _recipient(server, connection, client, left.username)
        messages.leave(connection, server.secret, user_id, left.draft, sender, now, proof_hash=proof_hash)


def takes_any_for_assistants(server: ServerState) -> bool:
    """Return whether assistants may leave anyone a message here: the same for all of them."""
    with server.supervisor.reading() as connection:
        open_to = set(message_boxes.open_boxes(connection))
        if not open_to:
            return False
        stranger = replace(STRANGER, is_assistant=True)
        shown = people.shown_people(connection, stranger, server.settings.privacy_level)
    return not open_to.isdisjoint(shown)


def _recipient(server: ServerState, connection: Connection, client: Client, username: str) -> int:
    """Return the id of whom a message may be left; raises NotFound, the same for all others."""
    asked = (connection, stranger_of(client), username, server.settings.privacy_level)
    found = people.find_person(*asked, Policies(connection), time_between(connection))
    if found is None or not found.is_active or not message_boxes.is_open(connection, found.id):
        raise NotFound("There is no such person.")
    return found.id
