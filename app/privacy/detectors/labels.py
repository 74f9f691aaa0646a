"""Label words (bit masks). What do the words beside a number say that it is?

Every list of words in the data files has a bit of its own, and every word the bits of its lists: what a row
of words says is one number, and each later question about it one operation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from app.privacy.detectors.catalogue import data, names

# Small letters and digits; of scripts beyond Latin whole blocks, for that is the faster pattern.
_WORD = re.compile("[0-9a-z\u00aa\u00b5\u00ba\u00df-\u00f6\u00f8-\u1fff\u2c00-\u2fff\u3040-\ud7ff]+")
_ROWS = 1  # the bit of words that end a label of several words
_KEYS = ("labels", "cues", "against")

words_of = _WORD.findall


class _Index:
    """Which bit a list of words has, which bits a word has, and which rows of words end with it."""

    def __init__(self) -> None:
        self.bits: dict[tuple[str, ...], int] = {}
        self.words: dict[str, int] = {}
        self.rows: dict[str, dict[tuple[str, ...], int]] = {}

    def add(self, listed: Iterable[str]) -> None:
        """Give a list of words a bit, unless it has one."""
        key = tuple(listed)
        if key not in self.bits:
            self.bits[key] = 2 << len(self.bits)
            for label in key:
                self._add(words_of(label.lower()), self.bits[key])

    def _add(self, row: list[str], bit: int) -> None:
        if len(row) == 1:
            self.words[row[0]] = self.words.get(row[0], 0) | bit
        else:
            self.words[row[-1]] = self.words.get(row[-1], 0) | _ROWS
            rows = self.rows.setdefault(row[-1], {})
            rows[tuple(row)] = rows.get(tuple(row), 0) | bit


@cache
def _index() -> _Index:
    index = _Index()
    index.add(data("words")["against"])
    for name in names():
        for row in (data(name), *data(name).get("number", ())):
            for key in _KEYS:
                if key in row:
                    index.add(row[key])
    return index


@cache
def bit(name: str, key: str) -> int:
    """Return the bit of a list of words in a data file."""
    return bit_of(data(name)[key])


def bit_of(listed: Iterable[str]) -> int:
    """Return the bit of a list of words that is in a data file."""
    return _index().bits[tuple(listed)]


def said_by(words: list[str]) -> int:
    """Return the bits of all labels among words in small letters."""
    get = _index().words.get
    found = 0
    for word in words:
        found |= get(word, 0)
    return found | _rows_in(words) if found & _ROWS else found


def _rows_in(words: list[str]) -> int:
    found = 0
    every = _index().rows
    for at, word in enumerate(words):
        if at and word in every:
            before = words[at - 1]
            for row, bits in every[word].items():
                if row[-2] == before and tuple(words[max(0, at + 1 - len(row)) : at + 1]) == row:
                    found |= bits
    return found


def last_of(words: list[str], wanted: int) -> int:
    """Return the place of the last word with one of these bits; -1 where there is none."""
    return max((at for at, word in enumerate(words) if _index().words.get(word, 0) & wanted), default=-1)


def places_of(text: str, wanted: int) -> list[tuple[int, int, int]]:
    """Return where labels with any of these bits begin and end in a text in small letters, and their bits."""
    index = _index()
    get = index.words.get
    found: list[tuple[int, int, int]] = []
    for match in _WORD.finditer(text):
        bits = get(match[0], 0)
        if bits & _ROWS:
            bits |= _row_before(text, match)
        if bits & wanted:
            found.append((match.start(), match.end(), bits))
    return found


def _row_before(text: str, last: re.Match[str]) -> int:
    """The bits of the labels of several words that end with this word."""
    words = words_of(text[max(0, last.start() - 40) : last.end()])
    return _rows_in(words[-4:])
