"""Text match (words, prefixes, phrases). Does a text hold what is searched for, and where in it?

Case and accents do not count. A phrase in quotes is found as words that follow each other, and what has a
`-` in front must not be there. Every part is needed. In a list a word is found at the beginning of words
(`bee` in "beekeeper"), in a search as it is, and with `*` behind it (`bee*`) as a beginning.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from app.errors import UsageError

LONGEST_QUERY = 200
TERMS_MOST = 12
BEGINNING_CHARACTERS = 3
_ALONE = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # written without blanks: each character is a word
_IS_ALONE = re.compile(rf"[{_ALONE}]")  # a word that nothing else begins with
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_TERM = re.compile(r'(-?)"([^"]*)"?|(\S+)')


@cache
def _word() -> re.Pattern[str]:
    """A word of any script; made by the first text that is not ASCII: 7 ms."""
    other = rf"(?![{_ALONE}])[^\W_]"
    return re.compile(rf"[{_ALONE}]|(?:{other})(?:{other}|[\u0300-\u036f])*")


class Word(NamedTuple):
    """A word of a text, folded, and where it stands there."""

    folded: str
    begin: int
    end: int


@dataclass(frozen=True)
class Term:
    """Words that follow each other; the last is the beginning of one where ``is_prefix``."""

    words: tuple[str, ...]
    is_prefix: bool = False


@dataclass(frozen=True)
class TextQuery:
    """What is searched for: each of ``wanted`` is in the text, and none of ``unwanted``."""

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...] = ()

    def matches(self, texts: list[list[Word]]) -> bool:
        """Whether an entry of these texts is found; each term in any one of them."""
        return all(any(_is_in(term, text) for text in texts) for term in self.wanted) and not any(
            _is_in(term, text) for term in self.unwanted for text in texts
        )

    def places(self, text: list[Word]) -> list[tuple[int, int]]:
        """Return where wanted terms stand in one text: begin and end, in order, none within another."""
        found = sorted(
            (text[at].begin, text[at + len(term.words) - 1].end)
            for term in self.wanted
            for at in _places(term, text)
        )
        apart: list[tuple[int, int]] = []
        for begin, end in found:
            if not apart or begin >= apart[-1][1]:
                apart.append((begin, end))
        return apart


@lru_cache(maxsize=256)
def read_query(text: str, *, by_beginnings: bool = True) -> TextQuery:
    """Return what a text searches for; raises UsageError where that is nothing, or too much.

    ``by_beginnings``: plain words are beginnings, with or without a `*`.
    """
    if len(text) > LONGEST_QUERY:
        raise UsageError(
            f"What is searched for has {len(text)} characters; at most {LONGEST_QUERY} are taken."
        )
    wanted: list[Term] = []
    unwanted: list[Term] = []
    for minus, phrase, plain in _TERM.findall(text):
        is_unwanted = bool(minus) or (len(plain) > 1 and plain.startswith("-"))
        words = tuple(word.folded for word in words_of(phrase or plain))
        if words:
            term = Term(words, is_prefix=bool(plain) and (by_beginnings or _is_beginning(plain, words[-1])))
            (unwanted if is_unwanted else wanted).append(term)
    if not wanted:
        raise UsageError("There is no word to look for.", hint="Send one, as ?q=bees.")
    if len(wanted) + len(unwanted) > TERMS_MOST:
        raise UsageError(f"At most {TERMS_MOST} words and phrases are searched for.")
    return TextQuery(tuple(wanted), tuple(unwanted))


def _is_beginning(plain: str, last: str) -> bool:
    """Whether a word with a `*` behind it is a beginning; raises UsageError where it is too short."""
    if not plain.endswith("*") or _IS_ALONE.fullmatch(last):
        return False
    if len(last) < BEGINNING_CHARACTERS:
        raise UsageError(f"A beginning (`*`) has {BEGINNING_CHARACTERS} letters or more.")
    return True


def words_of(text: str) -> list[Word]:
    """Return the words of a text, folded, each with its place in the text as it is."""
    return [Word(folded, begin, end) for folded, begin, end in _words(text) if folded]


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    if text.isascii():
        for found in _ASCII_WORD.finditer(text.lower()):
            yield found[0], found.start(), found.end()
        return
    for found in _word().finditer(text):
        yield fold(found[0]), found.start(), found.end()


def fold(word: str) -> str:
    """Return a word without case and accents: letters and digits only."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word).casefold())
    return "".join(filter(str.isalnum, decomposed))


def _is_in(term: Term, text: list[Word]) -> bool:
    return next(_places(term, text), None) is not None


def _places(term: Term, text: list[Word]) -> Iterator[int]:
    first, count = term.words[0], len(term.words)
    for at in range(len(text) - count + 1):
        if count == 1:
            found = text[at].folded
            if found == first or (term.is_prefix and found.startswith(first)):
                yield at
        elif text[at].folded == first and _follows(term, text, at):
            yield at


def _follows(term: Term, text: list[Word], at: int) -> bool:
    *others, last = (text[at + step].folded for step in range(1, len(term.words)))
    if others != list(term.words[1:-1]):
        return False
    return last.startswith(term.words[-1]) if term.is_prefix else last == term.words[-1]
