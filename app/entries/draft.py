"""Draft (an entry before its transaction). What of a write can be done without the database, and before it?

All who write share one connection, and one turn. What takes long and needs nothing of the database is done
before that: whether the content fits its kind, its text, and the search of it. What is wrong is kept, and
raised when its turn has come: that there is no such kind is said before what does not fit it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.entries import forms, kinds
from app.entries.endpoints import Endpoint
from app.entries.entry import check_json, invalid
from app.entries.json_safe import Content, presentable, read_content
from app.entries.searched_texts import Pairs, SearchedTexts
from app.entries.shown_times import NO_TIMES, ShownTimes, shown_times
from app.errors import InvalidContent
from app.other_words import OtherWord, is_ordinary, words_not_heard
from app.privacy.entry_search import Words, search

ERRORS_MOST = 20
_NOTHING = Content("", None, is_readable=False)


@dataclass(frozen=True)
class Draft:
    """Content that may become an entry. Where there is a ``refusal``, nothing else is known of it.

    ``stored`` is what will be read of its text, ``shown`` the same without what JSON has no word for, and
    ``found`` what is found in that but for words of a never-list. ``fault`` is that of a built-in kind; only
    where one of that name ``is_checked`` is there surely no other.
    """

    content: dict[str, Any]
    refusal: InvalidContent | None = None
    fault: InvalidContent | None = None
    is_checked: bool = False
    text: str = ""
    times: ShownTimes = NO_TIMES
    stored: Content = _NOTHING
    shown: Any = None
    found: Pairs = ()

    def check(self, endpoint: Endpoint, now: datetime, texts: SearchedTexts | None) -> None:
        """Raise InvalidContent where this may not be an entry of its kind; raises as `forms.check`."""
        if self.refusal is not None:
            raise self.refusal
        if not is_ordinary(self.content):
            refuse_words(words_not_heard(self.content, endpoint.schema_text, now))
        if self.fault is not None:
            raise self.fault
        if not self.is_checked:
            forms.check(endpoint, self.content, texts)

    def found_with(self, words: Words | None, texts: SearchedTexts | None) -> Pairs:
        """Return what is found in its texts, with the words of its owner's never-list, if there is one.

        Raises NotSearchedYet where ``texts`` does.
        """
        if words is None:
            return self.found
        return list(search(self.shown, words)) if texts is None else texts.found_in(self.text, words)


def draft_of(kind: str, content: object, *, is_parsed: bool = False) -> Draft:
    """Return what can be known of ``content`` beforehand; raises nothing. Of `parse_body`'s ``is_parsed``."""
    try:
        if not is_parsed:
            check_json(content)
        checked = object_of(content)
    except InvalidContent as refusal:
        return Draft({}, refusal)
    is_checked = kind in kinds.always_built_in()
    try:
        if is_checked:
            kinds.check(kind, checked)
        times = shown_times(checked)
    except InvalidContent as fault:
        return Draft(checked, fault=fault, is_checked=True)
    text = json.dumps(checked)
    stored = Content(text, checked, is_readable=True) if is_parsed else read_content(text)
    shown = checked if is_parsed else presentable(stored.value)
    found = tuple(search(shown))
    return Draft(
        checked, is_checked=is_checked, text=text, times=times, stored=stored, shown=shown, found=found
    )


def object_of(content: object) -> dict[str, Any]:
    """Return content that is an object; raises InvalidContent."""
    if not isinstance(content, dict):
        raise invalid("", "must be an object")
    return content


def refuse_words(found: Sequence[OtherWord]) -> None:
    """Raise InvalidContent for words about who may see an entry that would not be heard, if there are any."""
    if found:
        raise InvalidContent(
            f"The content does not fit: {found[0].pointer}: {found[0].detail}.",
            hint='Say who may see it: "visibility": "private" (or "unlisted", "public"), without that word.',
            errors=[{"pointer": word.pointer, "detail": word.detail} for word in found[:ERRORS_MOST]],
        )
