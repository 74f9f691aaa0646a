"""Snippets (excerpts with hits). Which parts of a view are quoted? Plain text, and ranges in it.

No markup is in them: where a hit begins and ends is told in characters, and whoever shows it marks it as
they will.
"""

from __future__ import annotations

from typing import Any

from app.entries.list_filter import Texts
from app.entries.text_match import TextQuery

SNIPPETS_MOST = 3
BEFORE_CHARACTERS = 60  # of a text are shown before the first hit
CHARACTERS_MOST = 240


def snippets_of(query: TextQuery, texts: Texts) -> list[dict[str, Any]]:
    """Return excerpts of the first texts that have a hit.

    Each is pointer (JSON Pointer in `data`), text, hits ([begin, end] in it), is_begin, is_end: whether
    nothing of the text is before or behind it.
    """
    found: list[dict[str, Any]] = []
    for pointer, text, words in texts:
        places = query.places(words)
        if places:
            found.append(_snippet(pointer, text, places))
        if len(found) == SNIPPETS_MOST:
            break
    return found


def _snippet(pointer: str, text: str, places: list[tuple[int, int]]) -> dict[str, Any]:
    begin = _begin(text, places[0][0])
    end = _end(text, begin, places[0][1])
    hits = [[first - begin, min(last, end) - begin] for first, last in places if first < end]
    return {
        "pointer": pointer,
        "text": text[begin:end],
        "hits": hits,
        "is_begin": begin == 0,
        "is_end": end == len(text),
    }


def _begin(text: str, hit: int) -> int:
    """Where an excerpt begins: at a word, if there is one soon."""
    begin = max(0, hit - BEFORE_CHARACTERS)
    blank = text.find(" ", begin, hit) if begin else -1
    return begin if blank < 0 else blank + 1


def _end(text: str, begin: int, hit_end: int) -> int:
    end = begin + CHARACTERS_MOST
    if end >= len(text):
        return len(text)
    blank = text.rfind(" ", hit_end, end)
    return end if blank < 0 else blank
