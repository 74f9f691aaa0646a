"""Known writers: for a moment only, by the whole credential, and never in the place of the question?"""

from __future__ import annotations

from app.server.known_writers import KNOWN_MOST, KNOWN_SECONDS, KnownWriters


def test_who_was_accepted_is_known_for_a_moment() -> None:
    now = [0.0]
    known = KnownWriters(lambda: now[0])
    assert not known.knows("Bearer a", None)
    known.accepted("Bearer a", None)
    assert known.knows("Bearer a", None)
    for other in (("Bearer b", None), (None, "Bearer a"), ("Bearer a", "x"), (None, None)):
        assert not known.knows(*other)
    now[0] = KNOWN_SECONDS + 0.1
    assert not known.knows("Bearer a", None)


def test_who_sends_nothing_is_no_one() -> None:
    known = KnownWriters()
    known.accepted(None, None)
    assert not known.knows(None, None)


def test_the_memory_is_bounded_and_holds_no_credential() -> None:
    known = KnownWriters()
    for number in range(2 * KNOWN_MOST):
        known.accepted(f"Bearer secret-{number}", None)
    assert len(known._known) <= KNOWN_MOST
    assert all(len(key) == 16 for key in known._known)
