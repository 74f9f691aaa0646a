"""Texts searched before the turn to write. How does a long text not hold up everyone who writes?

Whose words are to be looked for, and what a merge makes of an entry, is known only in the transaction. So a
long text that was not searched for these words gives its turn back, is searched, and comes again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from app.entries import own_schemas
from app.entries.json_safe import presentable, read_content
from app.privacy.entry_search import Words, search
from app.privacy.found import Found

LONG_CHARACTERS = 8_192
TRIES = 3  # then it is searched in its turn: others change the entry again and again

Pairs = Sequence[tuple[Found, str]]


class NotSearchedYet(Exception):
    """A long text is to be searched for these words first, or held to a schema; nothing was written."""

    def __init__(self, text: str, words: Words | None, schema_text: str | None = None) -> None:
        super().__init__("a text is to be searched first")
        self.text = text
        self.words = words
        self.schema_text = schema_text


class SearchedTexts:
    """What was found in the long texts of one request, and what of them does not fit which schema."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Words | None], Pairs] = {}
        self._faults: dict[tuple[str, str], list[own_schemas.Fault]] = {}

    def found_in(self, text: str, words: Words | None) -> Pairs:
        """Return what is found in a stored text; raises NotSearchedYet for a long one, at first."""
        known = self._found.get((text, words))
        if known is not None:
            return known
        if len(text) > LONG_CHARACTERS and len(self._found) < TRIES:
            raise NotSearchedYet(text, words)
        return search_text(text, words)

    def check(self, schema_text: str, content: object, kind: str) -> None:
        """Raise InvalidContent where content does not fit the schema of an own kind.

        Raises NotSearchedYet, at first, where that takes long.
        """
        if own_schemas.is_quick(schema_text, content):
            own_schemas.check_content(schema_text, content, kind)
            return
        text = json.dumps(content)
        faults = self._faults.get((text, schema_text))
        if faults is None and len(self._faults) < TRIES:
            raise NotSearchedYet(text, None, schema_text)
        own_schemas.refuse(
            own_schemas.content_faults(schema_text, content) if faults is None else faults, kind
        )

    def prepare(
        self, text: str, content: object, shown: object, words: Words | None, schema_text: str | None
    ) -> None:
        """Search a text of someone with these words, and hold its content to a schema where that takes long.

        ``shown`` is what of the text can be searched (`json_safe.presentable`).
        """
        self._found[text, words] = list(search(shown, words))
        if schema_text is not None and not own_schemas.is_quick(schema_text, content):
            self._faults[text, schema_text] = own_schemas.content_faults(schema_text, content)

    def search(self, missing: NotSearchedYet) -> None:
        """Search the text that was missing, or hold it to its schema."""
        if missing.schema_text is not None:
            faults = own_schemas.content_faults(missing.schema_text, json.loads(missing.text))
            self._faults[missing.text, missing.schema_text] = faults
            return
        self._found[missing.text, missing.words] = search_text(missing.text, missing.words)


def search_text(stored: object, words: Words | None = None) -> Pairs:
    """Return what is found in the texts of a stored entry, each with the text that was found."""
    return list(search(presentable(read_content(stored).value), words))
