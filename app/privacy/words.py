"""Words of names (tokeniser). Which words is a field's name made of?

Names are compared as whole words, never as substrings: ``author`` has nothing of ``auth``, ``homePhone_2``
has ``phone``. Letters are compared without case, accents and invisible characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_PARTS = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-zß-öø-ÿ0-9])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])")

# Words that people write together with another one: homephone, zipcode, mypassword.
_AFFIXES = (
    *("business", "cell", "home", "main", "mobile", "my", "office", "personal", "primary", "private", "work"),
    *("code", "data", "hash", "id", "info", "key", "nr", "num", "number", "str", "text", "value"),
)


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, in order: ``homePhone_2`` gives home, phone, 2."""
    return tuple(_plain(part) for part in _PARTS.findall(_CAMEL.sub(" ", _visible(name))))


def has_words(name: str, wanted: tuple[str, ...]) -> bool:
    """Whether a name has these words in a row, in singular or plural, written apart or together."""
    words, (each, together) = words_of(name), _spelled(wanted)
    if not together.isdisjoint(_together(words)):
        return True
    rows = (words[at : at + len(each)] for at in range(len(words) - len(each) + 1))
    return any(all(word in forms for word, forms in zip(row, each, strict=True)) for row in rows)


@lru_cache(maxsize=4096)
def _spelled(wanted: tuple[str, ...]) -> tuple[tuple[frozenset[str], ...], frozenset[str]]:
    """What each of these words is alike, and all of them written together."""
    return tuple(map(_alike, wanted)), _alike("".join(wanted))


def _alike(word: str) -> frozenset[str]:
    """The word in singular and plural."""
    return frozenset({word, f"{word}s", f"{word}es", f"{word.removesuffix('y')}ies"})


@lru_cache(maxsize=4096)
def _together(words: tuple[str, ...]) -> frozenset[str]:
    """The words as they are, two and three neighbours as one, the whole, and each without its affix."""
    return frozenset(_forms(words))


def _forms(words: tuple[str, ...]) -> Iterator[str]:
    for size in (1, 2, 3):
        yield from ("".join(words[at : at + size]) for at in range(len(words) - size + 1))
    yield "".join(words)
    for word in words:
        yield from (word.removeprefix(affix) for affix in _AFFIXES if word.startswith(affix))
        yield from (word.removesuffix(affix) for affix in _AFFIXES if word.endswith(affix))


def _visible(name: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", name) if unicodedata.category(char) != "Cf")


def _plain(word: str) -> str:
    apart = unicodedata.normalize("NFD", word.casefold())
    return unicodedata.normalize("NFC", "".join(char for char in apart if unicodedata.category(char) != "Mn"))
