"""To whom may an entry be shown: public, unlisted or private?

The upgrade decides it for old entries by its own frozen copy of this rule (step 0002); a test compares
the two. Unlisted and private are, for now, both for the owner and admins only.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy import Row

from app.entries.json_safe import read_content

WORDS = ("private", "unlisted", "public")
"""Strictest first."""

DEPTH_READ = 400


def visibility_of(text: str, default: str) -> str:
    """Return the visibility of an entry with this stored text; ``default`` where it has no word of its own.

    Words at the top and in ``meta`` count, the strictest wins. Private are: an unknown word, a doubled
    key whose occurrences differ, text that is not JSON or is nested deeper than anyone means it.
    """
    if _nesting(text) > DEPTH_READ:
        return "private"
    try:
        value = json.loads(text, object_pairs_hook=_Pairs, parse_int=float)
    except (ValueError, RecursionError):
        return "private"
    if not isinstance(value, _Pairs):
        return default
    top = value.words()
    within = [meta.words() if isinstance(meta, _Pairs) else [] for meta in value.all_of("meta")]
    if any(len(set(words)) > 1 for words in (top, *within)) or any(words != within[0] for words in within):
        return "private"
    said = [*top, *(word for words in within for word in words)]
    return min(said, key=WORDS.index, default=default)


def default_visibility(kind_default: str | None, is_public: bool) -> str:
    """Return what an entry without a word of its own is: the kind file's default, if the endpoint row is
    public.

    A custom kind (``kind_default`` None) is public exactly when its row is.
    """
    return (kind_default or "public") if is_public else "private"


def said_words(content: dict[str, Any]) -> dict[str, object]:
    """Return what content says about its visibility: JSON Pointer -> the word there."""
    said = {"/visibility": content["visibility"]} if "visibility" in content else {}
    meta = content.get("meta")
    if isinstance(meta, dict) and "visibility" in meta:
        said["/meta/visibility"] = meta["visibility"]
    return said


def said_visibility(content: dict[str, Any]) -> str | None:
    """Return what content says of its visibility: the strictest word, None without; unknown is private."""
    words = [word if word in WORDS else "private" for word in said_words(content).values()]
    return min(words, key=WORDS.index) if words else None


def visibility_of_row(row: Row[Any]) -> str:
    """Return to whom an entry is shown now: an older server, without the column, says it in the text."""
    content = read_content(row.data).value
    in_text = said_visibility(content) if isinstance(content, dict) else None
    kept = row.visibility if row.visibility in WORDS else "private"
    return min(kept, in_text or kept, key=WORDS.index)


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with every occurrence of its keys, in order."""

    def all_of(self, key: str) -> list[Any]:
        return [value for name, value in self if name == key]

    def words(self) -> list[str]:
        return [_word(said) for said in self.all_of("visibility")]


def _word(said: object) -> str:
    return said if isinstance(said, str) and said in WORDS else "private"


def _nesting(text: str) -> int:
    deep = deepest = 0
    outside_strings = re.sub(r'"[^"\\]*(?:\\.[^"\\]*)*"', "", text, flags=re.DOTALL)
    for bracket in re.findall(r"[\[\]{}]", outside_strings):
        deep += 1 if bracket in "[{" else -1
        deepest = max(deepest, deep)
    return deepest
