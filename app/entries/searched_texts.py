"""Texts searched before the turn to write. How does a long text not hold up everyone who writes?

Whose words are to be looked for, and what a merge makes of an entry, is known only in the transaction. So a
long text that was not searched for these words gives its turn back, is searched, and comes again.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.entries.json_safe import presentable, read_content
from app.privacy.entry_search import Words, search
from app.privacy.found import Found

LONG_CHARACTERS = 8_192
TRIES = 3  # then it is searched in its turn: others change the entry again and again

Pairs = Sequence[tuple[Found, str]]


class NotSearchedYet(Exception):
    """A long text is to be searched for these words first; nothing was written."""

    def __init__(self, text: str, words: Words | None) -> None:
        super().__init__("a text is to be searched first")
        self.text = text
        self.words = words


class SearchedTexts:
    """What was found in the long texts of one request."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Words | None], Pairs] = {}

    def found_in(self, text: str, words: Words | None) -> Pairs:
        """Return what is found in a stored text; raises NotSearchedYet for a long one, at first."""
        known = self._found.get((text, words))
        if known is not None:
            return known
        if len(text) > LONG_CHARACTERS and len(self._found) < TRIES:
            raise NotSearchedYet(text, words)
        return search_text(text, words)

    def search(self, missing: NotSearchedYet) -> None:
        """Search the text that was missing."""
        self._found[missing.text, missing.words] = search_text(missing.text, missing.words)


def search_text(stored: object, words: Words | None = None) -> Pairs:
    """Return what is found in the texts of a stored entry, each with the text that was found."""
    return list(search(presentable(read_content(stored).value), words))
