"""Markers. Which word was planted where, and who may be shown it?

A marker is a word that no one would write: it is found in an answer by its form, and known by its number.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

LETTERS = "bcdfghjklmnpqrstvwxz"
_DIGITS = 4


@dataclass(frozen=True)
class Marker:
    """What was planted: a word, the place for people to read, whose it is, and at which levels it is shown.

    ``levels`` are those at which strangers may see it, an upper bound; ``for_assistants``: who says that they
    are one may, too. ``deleted_by_id``: it is in an entry that this person has deleted, and is answered to
    them where they can bring it back, and nowhere else.
    """

    text: str
    place: str
    owner_id: int | None = None
    levels: frozenset[str] = frozenset()
    for_assistants: bool = True
    deleted_by_id: int | None = None


@dataclass
class Markers:
    """All that were planted; ``seed`` makes them other ones than those of the run before."""

    seed: str = field(default_factory=lambda: "".join(secrets.choice(LETTERS) for _ in range(8)))
    planted: dict[str, Marker] = field(default_factory=dict)
    # Of every marker; None before it is made, and where one of another form came since.
    _form: re.Pattern[bytes] | None = field(default=None, init=False, repr=False, compare=False)

    def new(
        self,
        place: str,
        owner_id: int | None = None,
        levels: Iterable[str] = (),
        *,
        text: str = "",
        for_assistants: bool = True,
        deleted_by_id: int | None = None,
    ) -> str:
        """Plant one more, and return its text. ``text``: one of another form, unlike all others."""
        text = text or f"{self.seed}{_word(len(self.planted))}"
        self._form = self._form if text.startswith(self.seed) else None
        self.planted[text] = Marker(text, place, owner_id, frozenset(levels), for_assistants, deleted_by_id)
        return text

    def give(self, text: str, owner_id: int) -> None:
        """Say whose a marker is, where that was not known before."""
        self.planted[text] = replace(self.planted[text], owner_id=owner_id)

    def found_in(self, answer: bytes) -> Iterator[Marker]:
        """Yield the markers that stand in an answer."""
        self._form = self._form or self._made_form()
        words = {word.decode() for word in self._form.findall(answer)}
        yield from (self.planted[word] for word in sorted(words) if word in self.planted)

    def _made_form(self) -> re.Pattern[bytes]:
        others = [re.escape(text) for text in self.planted if not text.startswith(self.seed)]
        return re.compile("|".join([rf"{self.seed}[{LETTERS}]{{{_DIGITS}}}", *others]).encode())


def _word(number: int) -> str:
    word = ""
    for _ in range(_DIGITS):
        number, digit = divmod(number, len(LETTERS))
        word = LETTERS[digit] + word
    return word
