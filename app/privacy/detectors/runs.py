"""Number runs (groups of digits). Where are the numbers of a text, and what is said around them?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Generic, TypeVar

from app.privacy.detectors.catalogue import Labels, data, labels, words_of

_RUN = re.compile(r"[0-9](?:[ .\-/()\n\r\t]{0,3}+[0-9]){3,}+")
_GROUP = re.compile(r"[0-9]+")
_FAR = 56
_LINK_MOST = 400
_GLUED_BEFORE = re.compile(r"[\w@&%~\\]|(?<=[\w.])[-/:+]|(?<=[0-9]),|(?<=[A-Za-z])\.", re.ASCII)
_EXTENSION = re.compile(
    r"[ ]?(?:x|ext\.?|extension|durchwahl|poste|int\.?|toestel|ramal|wew\.?)[ :]{0,2}[0-9]{1,6}(?!\w)",
    re.IGNORECASE,
)
_GLUED_AFTER = re.compile(r"[\w@%]|[-/+]\w|,[0-9]|:[0-9]{2}", re.ASCII)
_CURRENCIES = tuple("$€£¥#§")


_T = TypeVar("_T")


class _Once(Generic[_T]):
    """A property that is worked out when first asked for; that of functools takes a lock, and its time."""

    def __init__(self, make: Callable[[Any], _T]) -> None:
        self._make = make
        self._name = make.__name__

    def __get__(self, instance: Any, owner: type) -> _T:
        value = self._make(instance)
        instance.__dict__[self._name] = value
        return value


class Said:
    """The words of a whole text: what it never says need not be looked for beside each number."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._known: dict[int, bool] = {}

    @_Once
    def words(self) -> frozenset[str]:
        return frozenset(words_of(self.text))

    def has(self, some: Labels) -> bool:
        """Whether one of these words is anywhere in the text."""
        known = self._known.get(id(some))
        if known is None:
            known = self._known[id(some)] = not some.every.isdisjoint(self.words)
        return known


class Run:
    """Digits with at most three separating characters between any two, and the text around them."""

    def __init__(self, said: Said, start: int, end: int) -> None:
        self.said = said
        self.text = said.text
        self.start = start
        self.end = end
        self.groups = [match.span() for match in _GROUP.finditer(said.text, start, end)]
        self.sizes = [end - start for start, end in self.groups]

    @_Once
    def _all_digits(self) -> tuple[str, list[int]]:
        """The digits of all groups, and where in them each group begins, and the end."""
        begins = [0]
        for size in self.sizes:
            begins.append(begins[-1] + size)
        text = self.text
        return "".join([text[start:end] for start, end in self.groups]), begins

    @property
    def digit_count(self) -> int:
        return len(self._all_digits[0])

    def separator(self, at: int) -> str:
        """What stands between the groups ``at - 1`` and ``at``."""
        return self.text[self.groups[at - 1][1] : self.groups[at][0]]

    @_Once
    def kinds(self) -> list[str]:
        """The character that each separator comes to; a line end with its indentation is a line end."""
        return [_kind(self.separator(at)) for at in range(1, len(self.groups))]

    def digits(self, first: int, last: int) -> str:
        """The digits of the groups from ``first`` up to ``last``, without it."""
        digits, begins = self._all_digits
        return digits[begins[first] : begins[last]]

    @_Once
    def is_glued_before(self) -> bool:
        """Whether the run only continues a word, a number or an address."""
        return self.start > 0 and bool(_GLUED_BEFORE.match(self.text, self.start - 1))

    @_Once
    def is_glued_after(self) -> bool:
        """Whether a word, a number or a time only begins with the run."""
        return bool(_GLUED_AFTER.match(self.text, self.end)) and self.extension == self.end

    @_Once
    def extension(self) -> int:
        """Where the extension of a telephone number ends that follows the run; the run's end without one."""
        match = _EXTENSION.match(self.text, self.end)
        return match.end() if match else self.end

    @_Once
    def before(self) -> list[str]:
        """The words before the run, nearest last, of the same paragraph."""
        text = self.text[max(0, self.start - _FAR) : self.start]
        return words_of(text.rpartition("\n\n")[2])

    @_Once
    def after(self) -> list[str]:
        """The words right after the run where they are in brackets; otherwise none."""
        text = self.text[self.end : self.end + 24]
        return words_of(text) if text.lstrip().startswith("(") else []

    @_Once
    def is_in_link(self) -> bool:
        """Whether the run is part of a web address."""
        if not self.start or self.text[self.start - 1].isspace():
            return False
        before = self.text[max(0, self.start - _LINK_MOST) : self.start].rsplit(None, 1)
        return _is_link(before[-1])

    @_Once
    def is_public(self) -> bool:
        """Whether the words right before say that the number names or counts something public."""
        against = labels("words", "against")
        return self.said.has(against) and not against.single.isdisjoint(self.before[-3:])

    @_Once
    def is_amount(self) -> bool:
        """Whether the number costs or counts something."""
        before = self.text[max(0, self.start - 2) : self.start].rstrip()
        return before[-1:] in _CURRENCIES or bool(_units().match(self.text, self.end))

    def is_labelled(self, some: Labels) -> bool:
        """Whether one of these words stands before the run, or in brackets after it."""
        return self.said.has(some) and (some.are_in(self.before) or some.are_in(self.after))


def _kind(separator: str) -> str:
    if "\n" in separator:
        return "\n"
    return separator if len(separator) == 1 else " " if separator.isspace() else "?"


@cache
def _units() -> re.Pattern[str]:
    return re.compile(data("words")["units"], re.IGNORECASE)


def _is_link(token: str) -> bool:
    return "://" in token or "www." in token or "urn:" in token or ("10." in token and "/" in token)


def runs(said: Said) -> Iterator[Run]:
    """Yield the runs of four or more digits of a folded text."""
    for match in _RUN.finditer(said.text):
        yield Run(said, *match.span())
