"""Memory budget for request bodies. How many bytes of unfinished requests does the server hold at a time?"""

from __future__ import annotations

from dataclasses import dataclass

from app.errors import TooLarge
from app.formats.pictures import MOST_BYTES as MOST_PICTURE_BYTES
from app.server.overload import TooManyAtOnce

MOST_AUTH_BYTES = 65_536  # of a body that anyone may send: a name and a password, a message
MOST_PICTURE_FORM_BYTES = MOST_PICTURE_BYTES + 65_536  # of a form with a picture, and words about it
KNOWN_BYTES = 24 * 2**20  # of all bodies in flight whose senders have a valid credential
ANONYMOUS_BYTES = 4 * 2**20  # of all the others
SAVE_LESS = "Nothing was saved. Go back: what is still in the form there can be copied, and saved in parts."
PIECE_BYTES = 64  # what holding a piece of a body costs beside its bytes: one byte a piece is not free
RETRY_SECONDS = 2


class BodyBudget:
    """How many bytes of bodies the server holds at a time: a share for known senders, one for all others.

    Within a share a body may hold at most as much as is still free. So a few large ones cannot keep out the
    small ones that come after them: a login still passes where nothing large does.
    """

    def __init__(self, most_bytes: int) -> None:
        """``most_bytes`` is the largest body; where nothing else is in flight, one of that size is taken."""
        self.known = Share(max(KNOWN_BYTES, 2 * most_bytes + 2**20))
        self.anonymous = Share(ANONYMOUS_BYTES)


@dataclass
class Share:
    """One part of the budget, in bytes."""

    most_bytes: int
    held_bytes: int = 0


class Intake:
    """What one request has sent of its body so far. Its sender is anonymous until someone says otherwise."""

    def __init__(self, budget: BodyBudget, most_bytes: int) -> None:
        self._budget = budget
        self._share = budget.anonymous
        self._most_bytes = most_bytes
        self.is_entry_form = False
        self._received_bytes = 0
        self._held_bytes = 0

    def has_known_sender(self) -> None:
        """Count what comes from here on to the share of those whose credential is valid."""
        self._share.held_bytes -= self._held_bytes
        self._share = self._budget.known
        self._share.held_bytes += self._held_bytes

    def take(self, piece: bytes) -> None:
        """Count a piece that came in; raises TooLarge, and Busy where the server holds too much already."""
        self._received_bytes += len(piece)
        if self._received_bytes > self._most_bytes:
            raise too_large(self._most_bytes, is_entry_form=self.is_entry_form)
        cost = len(piece) + PIECE_BYTES
        self._held_bytes += cost
        self._share.held_bytes += cost
        if self._held_bytes > self._share.most_bytes - self._share.held_bytes + PIECE_BYTES:
            self.let_go()  # now, not with the answer: else all who come at once would be sent away together
            raise TooManyAtOnce(
                "The server holds as many unfinished requests as it can; nothing was changed.",
                hint="Try again in a moment.",
                retry_after_seconds=RETRY_SECONDS,
            )

    def let_go(self) -> None:
        """Give back what was held, when the request is answered."""
        self._share.held_bytes -= self._held_bytes
        self._held_bytes = 0


def most_of_an_entry_form(most_bytes: int) -> int:
    """Return how large a form with an entry may be: larger than the entry over the API, ``most_bytes``.

    So what is too much for that is answered by the screen, with all that was typed. As much as one body may
    hold where nothing else is in flight, at most.
    """
    return min(2 * most_bytes, max(KNOWN_BYTES, 2 * most_bytes + 2**20) // 2)


def too_large(most_bytes: int, *, is_entry_form: bool = False) -> TooLarge:
    """Return the error that says how large a body may be."""
    hint = SAVE_LESS if is_entry_form else "MAX_BODY_BYTES is the setting for this."
    if most_bytes == MOST_PICTURE_FORM_BYTES:
        hint = "A picture has 10 MB at most. Go back, and choose a smaller one."
    elif most_bytes in (MOST_AUTH_BYTES, MOST_PICTURE_BYTES):
        hint = ""
    return TooLarge(f"The body is larger than {most_bytes} bytes.", hint=hint)
