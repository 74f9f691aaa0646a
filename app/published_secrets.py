"""Published secrets. Not a secret: what was published, holds the words of an example, or is no random text.

What was published is data: `published_secrets.json` beside this file. Its words are long enough that a random
text holds none of them by chance.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources

FEWEST_CHARACTERS = 8
_PUNCTUATION = re.compile(r"[\W_]+")


def why_known(secret: str) -> str:
    """Return why anyone may know ``secret``, as the end of "SECRET_KEY ...", or an empty text.

    Compared without case, and without what is no letter or digit.
    """
    text = _bare(secret)
    secrets, words = _published()
    if text in secrets:
        return "is one that was published, and known to everyone"
    if any(word in text for word in words):
        return "holds words of an example, as published ones do"
    if len(set(secret)) < FEWEST_CHARACTERS:
        return f"has fewer than {FEWEST_CHARACTERS} different characters"
    if _repeats_itself(text):
        return "repeats one short text"
    return ""


def _bare(text: str) -> str:
    return _PUNCTUATION.sub("", text.casefold())


@cache
def _published() -> tuple[frozenset[str], tuple[str, ...]]:
    found = json.loads((resources.files("app") / "published_secrets.json").read_text(encoding="utf-8"))
    return frozenset(map(_bare, found["secrets"])), tuple(found["words"])


def _repeats_itself(text: str) -> bool:
    """Whether the whole is one unit over and over, the last time perhaps not to its end."""
    # A text that repeats a unit is found again in itself, that unit's length further on.
    return any(text[unit:] == text[:-unit] for unit in range(1, len(text) // 2 + 1))
