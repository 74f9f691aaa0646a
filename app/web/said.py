"""Sentences of the API (gettext). How is an English sentence of it said on a screen in another language?

Rooms know no language. Their sentences are messages of the catalogue, whose values are numbered holes: `There
is no kind {0} here.` (`make catalogue` gathers them). Here the message of a sentence is found again, and its
values are put into the translation. What is not found stays English. Values are copied and never interpreted;
only what is a message itself (`3 entries`, `it is not UTF-8`) is translated, too.

A message is looked for like a name with asterisks: its beginning, its end, and what is between from left to
right, each once. So the time is that of the length of the text, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from app.typed_commands import as_written, in_answer
from app.web.words import spoken, translations

LONGEST_CHARACTERS = 4_000
SENTENCES_MOST = 8
VALUES_MOST = 24  # in a row
DEPTH_MOST = 3
_KEY_CHARACTERS = 4
_HOLE = re.compile(r"\{([0-9]{1,2})\}")
_WORD = re.compile(r"[^\W\d_]{2,}")
_NUMBER = re.compile(r"[0-9][0-9,.]*")
_TABLE = re.compile(r"[a-z_]+")
_ENDS = re.compile(r"(?<=[.!?]) (?=\S)")
_LISTS = ("; ", ", ")


def said(text: object) -> str:
    """Return sentences of the API in the language of this request: plain text, to be escaped."""
    english = str(text)
    messages = messages_of(spoken())
    bare = english.strip()
    if messages is None or not bare or len(english) > LONGEST_CHARACTERS:
        return in_answer(english)
    before, _bare, after = english.partition(bare)
    return in_answer(f"{before}{messages.said(as_written(bare))}{after}")


class Message(NamedTuple):
    """A message with holes: the texts between them, which value is in which hole, and the translation."""

    pieces: tuple[str, ...]
    holes: tuple[str, ...]
    translation: str
    only_numbers: bool

    def values_in(self, text: str) -> dict[str, str] | None:
        """Return the values of a text that this is the message of, None where it is not."""
        first, *between, last = self.pieces
        end = len(text) - len(last)
        at = len(first)
        if end < at or not text.startswith(first) or not text.endswith(last):
            return None
        values = []
        for piece in between:
            found = text.find(piece, at, end) if piece else at
            if found < 0:
                return None
            values.append(text[at:found])
            at = found + len(piece)
        values.append(text[at:end])
        if self.only_numbers and not all(map(self._may_be, self.pieces, values)):
            return None
        return dict(zip(self.holes, values, strict=True))

    @staticmethod
    def _may_be(before: str, value: str) -> bool:
        """Whether a value may be one of a message of few words: a number, or what is in brackets."""
        if before == " of " and _TABLE.fullmatch(value):
            return True  # how many rows of a table
        return before.endswith("(") or _NUMBER.fullmatch(value) is not None


class Messages:
    """The messages of a language, by how they begin or end; those with the most text of their own first."""

    def __init__(self, translated: dict[str, str]) -> None:
        self._exact = {english: text for english, text in translated.items() if not _HOLE.search(english)}
        with_holes = (_message(*each) for each in translated.items() if each[0] not in self._exact)
        in_order = sorted(with_holes, key=lambda each: -sum(map(len, each.pieces)))
        self._by_key: dict[str, list[tuple[int, Message]]] = {}
        for rank, each in enumerate(in_order):
            self._by_key.setdefault(_key_of(each), []).append((rank, each))

    def said(self, english: str) -> str:
        """Return what it says, whole or sentence by sentence."""
        whole = self._translated(english, 0)
        if whole is not None:
            return whole
        sentences = _ENDS.split(english, SENTENCES_MOST)
        if len(sentences) == 1:
            return english
        return " ".join(was if told is None else told for was, told in self._in_turn(sentences, 0))

    def _in_turn(self, sentences: list[str], depth: int) -> Iterator[tuple[str, str | None]]:
        """Say as many sentences at once as one message has, then what follows; None for no message."""
        at = 0
        while at < len(sentences):
            for end in range(len(sentences), at, -1):
                found = self._translated(" ".join(sentences[at:end]), depth)
                if found is not None:
                    break
            else:
                end = at + 1
            yield " ".join(sentences[at:end]), found
            at = end

    def _all_of(self, text: str, depth: int) -> str | None:
        """Say a value of several sentences; None where one of them is no message: it is somebody's text."""
        told = [found for _was, found in self._in_turn(_ENDS.split(text, SENTENCES_MOST), depth)]
        return None if None in told else " ".join(map(str, told))

    def _translated(self, english: str, depth: int) -> str | None:
        exact = self._exact.get(english)
        if exact is not None:
            return exact
        for message in self.candidates(english):
            values = message.values_in(english)
            if values is not None:
                told = {hole: self._value(text, depth + 1) for hole, text in values.items()}
                return _filled(message.translation, told)
        return None

    def _value(self, text: str, depth: int) -> str:
        """Return a value as it is, or said in the language where it is a message itself, or some in a row."""
        bare = text.strip()
        if depth > DEPTH_MOST or " " not in bare:
            return text
        whole = self._translated(bare, depth)
        if whole is not None:
            before, _bare, after = text.partition(bare)
            return f"{before}{whole}{after}"
        if _ENDS.search(bare):
            told = self._all_of(bare, depth)
            return text if told is None else text.replace(bare, told)
        between = next((each for each in _LISTS if each in text), "")
        parts = text.split(between) if between else []
        found = [self._translated(part, DEPTH_MOST) for part in parts[:VALUES_MOST]]
        return between.join(map(str, found)) if parts and len(found) == len(parts) and all(found) else text

    def candidates(self, english: str) -> list[Message]:
        """Return the messages that a text may be of, that with the most text of its own first."""
        keys = (f"^{english[:_KEY_CHARACTERS]}", f"{english[-_KEY_CHARACTERS:]}$", "")
        found = [each for key in keys for each in self._by_key.get(key, ())]
        return [message for _rank, message in sorted(found)]


def _message(english: str, translation: str) -> Message:
    pieces = _HOLE.split(english)
    texts = tuple(pieces[::2])
    return Message(texts, tuple(pieces[1::2]), translation, len(_WORD.findall(" ".join(texts))) < 2)


def _filled(translation: str, values: dict[str, str]) -> str:
    return _HOLE.sub(lambda hole: values.get(hole[1], hole[0]), translation)


def _key_of(message: Message) -> str:
    first, last = message.pieces[0], message.pieces[-1]
    if len(first) >= _KEY_CHARACTERS:
        return f"^{first[:_KEY_CHARACTERS]}"
    return f"{last[-_KEY_CHARACTERS:]}$" if len(last) >= _KEY_CHARACTERS else ""


@cache
def messages_of(language: str) -> Messages | None:
    """Return the messages of a language, made once; None for English."""
    catalogue = getattr(translations(language), "_catalog", None)
    if not catalogue:
        return None
    return Messages({one: text for one, text in catalogue.items() if isinstance(one, str) and one and text})
