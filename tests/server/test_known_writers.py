"""Known writers: for a moment only, by the whole credential, and never in the place of the question?"""

from __future__ import annotations

from app.entries.entry import Origin
from app.server.authenticate import Client
from app.server.known_writers import KNOWN_MOST, KNOWN_SECONDS, KnownWriters

NOWHERE = Origin()


def client(authorization: str | None = None, api_key: str | None = None) -> Client:
    return Client(NOWHERE, authorization, api_key)


def test_who_was_accepted_is_known_for_a_moment() -> None:
    now = [0.0]
    known = KnownWriters(lambda: now[0])
    assert not known.knows(client("Bearer a"))
    known.accepted(client("Bearer a"))
    assert known.knows(client("Bearer a"))
    for other in (client("Bearer b"), client(api_key="Bearer a"), client("Bearer a", "x"), client()):
        assert not known.knows(other)
    now[0] = KNOWN_SECONDS + 0.1
    assert not known.knows(client("Bearer a"))


def test_who_sends_nothing_is_no_one() -> None:
    known = KnownWriters()
    known.accepted(client())
    assert not known.knows(client())


def test_the_memory_is_bounded_and_holds_no_credential() -> None:
    known = KnownWriters()
    for number in range(2 * KNOWN_MOST):
        known.accepted(client(f"Bearer secret-{number}"))
    assert len(known._known) <= KNOWN_MOST
    assert all(len(key) == 16 for key in known._known)
