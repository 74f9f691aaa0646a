"""Tokens of providers (prefixes). Which long words begin as a provider begins its tokens?

The beginnings of all of them are one pattern, a tree by their letters, and it is asked only of words that are
long enough; only where a beginning stands is the rest of its shape looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from app.privacy.detectors.catalogue import data

_SHORTEST = 16  # no token is shorter, and few words are as long and have digits or capitals
_MARK = re.compile(r"[0-9A-Z]")


@dataclass(frozen=True)
class Shape:
    """How a token goes on after its beginning, and what must stand before where that is part of it."""

    rest: re.Pattern[str]
    before: re.Pattern[str] | None


@cache
def shapes() -> dict[str, tuple[Shape, ...]]:
    """Return the shapes of tokens that providers give out, by their beginnings."""
    found: dict[str, tuple[Shape, ...]] = {}
    for row in data("secret")["shape"]:
        before = re.compile(row["before"] + r"\Z") if "before" in row else None
        shape = Shape(re.compile(row["rest"]), before)
        for begin in row["begins"]:
            found[begin] = (*found.get(begin, ()), shape)
    return found


@cache
def _begins() -> re.Pattern[str]:
    """Every beginning, the longest first; those of letters and digits only where a word begins."""
    inner = [begin for begin, ways in shapes().items() if ways[0].before or not begin[0].isalnum()]
    outer = [begin for begin in shapes() if begin not in inner]
    return re.compile(rf"(?:(?<![A-Za-z0-9]){_tree(sorted(outer))}|{_tree(sorted(inner))})")


def _tree(begins: list[str]) -> str:
    """A pattern of these beginnings that looks at each letter once."""
    parts = []
    for letter, group in groupby([begin for begin in begins if begin], key=lambda begin: begin[0]):
        parts.append(re.escape(letter) + _tree([begin[1:] for begin in group]))
    if not parts:
        return ""
    return f"(?:{'|'.join(parts)})" + ("?" if "" in begins else "")


def long_words(text: str) -> list[tuple[int, int]]:
    """Return where the words begin and end that a token could be part of."""
    found = []
    end = 0
    for word in text.split():
        if len(word) >= _SHORTEST:
            start = text.index(word, end)
            end = start + len(word)
            if _MARK.search(word):
                found.append((start, end))
    return found


def tokens_in(text: str, words: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the tokens in the long words of a folded text, in order."""
    find = _begins().search
    done = 0
    for start, end in words:
        at = max(start, done)
        while begin := find(text, at, end):
            found = _token(text, begin)
            at = found[1] if found else begin.start() + 1
            if found:
                done = at
                yield found


def _token(text: str, begin: re.Match[str]) -> tuple[int, int] | None:
    for size in range(len(begin[0]), 0, -1):
        for shape in shapes().get(begin[0][:size], ()):
            start = _start(text, begin.start(), shape)
            rest = None if start is None else shape.rest.match(text, begin.start() + size)
            if rest and start is not None and (has_mark(begin[0][:size]) or _is_random(rest[0])):
                return start, rest.end()
    return None


def _start(text: str, at: int, shape: Shape) -> int | None:
    if shape.before is None:
        return at
    before = shape.before.search(text[max(0, at - 80) : at])
    return at - len(before[0]) if before else None


def has_mark(begin: str) -> bool:
    """Whether a beginning has a digit: no word of a language begins so."""
    return any(char.isdigit() for char in begin)


def _is_random(value: str) -> bool:
    return any(char.isdigit() for char in value) or not (value.islower() or value.isupper())
