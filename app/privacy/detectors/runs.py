"""Number runs (groups of digits). Where are the numbers of a text, and what is said around them?"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from itertools import accumulate
from typing import Any, Generic, TypeVar

from app.privacy.detectors.catalogue import data
from app.privacy.detectors.labels import bit, said_by, words_of
from app.privacy.detectors.number_shapes import as_text

_GROUP = re.compile(r"[0-9]+")
_FAR = 56
_GLUED_BEFORE = re.compile(r"[\w@&%~\\]|(?<=[\w.])[-/:+]|(?<=[0-9]),|(?<=[A-Za-z])\.", re.ASCII)
_EXTENSION = re.compile(
    r"[ ]?(?:x|ext\.?|extension|durchwahl|poste|int\.?|toestel|ramal|wew\.?)[ :]{0,2}[0-9]{1,6}(?!\w)",
    re.IGNORECASE,
)
_GLUED_AFTER = re.compile(r"[\w@%]|[-/+]\w|,[0-9]|:[0-9]{2}", re.ASCII)
_PARTS = ("", " ", "\n", ".", ";", ")", "(", '"')
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


class Run:
    """Digits with at most three separating characters between any two, and the text around them."""

    def __init__(self, text: str, start: int, end: int, *, has_mail: bool) -> None:
        self.text = text
        self.has_mail = has_mail
        self.start = start
        self.end = end
        self.groups = [match.span() for match in _GROUP.finditer(text, start, end)]
        self.sizes = [end - start for start, end in self.groups]

    @_Once
    def _all_digits(self) -> tuple[str, list[int]]:
        """The digits of all groups, and where in them each group begins, and the end."""
        text = self.text
        return "".join([text[start:end] for start, end in self.groups]), [0, *accumulate(self.sizes)]

    @property
    def digit_count(self) -> int:
        return len(self._all_digits[0])

    def separator(self, at: int) -> str:
        """What stands between the groups ``at - 1`` and ``at``."""
        return self.text[self.groups[at - 1][1] : self.groups[at][0]]

    @_Once
    def sizes_text(self) -> str:
        """The sizes of the groups, a character each."""
        return as_text(self.sizes)

    @_Once
    def kinds(self) -> str:
        """A character for each separator; a line end with its indentation is a line end."""
        return "".join(
            [
                _kind(self.text[self.groups[at - 1][1] : self.groups[at][0]])
                for at in range(1, len(self.groups))
            ]
        )

    def digits(self, first: int, last: int) -> str:
        """The digits of the groups from ``first`` up to ``last``, without it."""
        digits, begins = self._all_digits
        return digits[begins[first] : begins[last]]

    @_Once
    def is_glued_before(self) -> bool:
        """Whether the run only continues a word, a number or an address."""
        if self.start == 0 or self.text[self.start - 1] in " \n(":
            return False
        return bool(_GLUED_BEFORE.match(self.text, self.start - 1))

    @_Once
    def is_glued_after(self) -> bool:
        """Whether a word, a number or a time only begins with the run."""
        if self.text[self.end : self.end + 1] in _PARTS:
            return False
        return bool(_GLUED_AFTER.match(self.text, self.end)) and self.extension == self.end

    @_Once
    def extension(self) -> int:
        """Where the extension of a telephone number ends that follows the run; the run's end without one."""
        if self.text[self.end : self.end + 2].lstrip()[:1] not in "xXeEdDpPiItTrRwW":
            return self.end
        match = _EXTENSION.match(self.text, self.end)
        return match.end() if match else self.end

    @_Once
    def before(self) -> list[str]:
        """The words before the run, nearest last, of the same paragraph."""
        text = self.text[max(0, self.start - _FAR) : self.start].lower()
        return words_of(text.rpartition("\n\n")[2] if "\n\n" in text else text)

    @_Once
    def said(self) -> int:
        """The bits of the labels before the run, and in brackets right after it."""
        text = self.text[self.end : self.end + 24]
        return said_by(self.before) | (said_by(words_of(text.lower())) if text.lstrip()[:1] == "(" else 0)

    @_Once
    def is_in_link(self) -> bool:
        """Whether the run is part of a web address."""
        if not self.start or self.text[self.start - 1].isspace():
            return False
        before = self.text[: self.start].rsplit(None, 1)
        return _is_link(before[-1])

    @_Once
    def is_public(self) -> bool:
        """Whether the words right before say that the number names or counts something public."""
        against = bit("words", "against")
        return bool(self.said & against) and bool(said_by(self.before[-3:]) & against)

    @_Once
    def is_amount(self) -> bool:
        """Whether the number costs or counts something."""
        before = self.text[max(0, self.start - 2) : self.start].rstrip()
        if before[-1:] in _CURRENCIES:
            return True
        after = self.text[self.end : self.end + 2].lstrip()[:1]
        return after not in _PARTS and bool(_units().match(self.text, self.end))


def _kind(separator: str) -> str:
    if len(separator) == 1:
        return separator
    return "\n" if "\n" in separator else " " if separator.isspace() else "?"


@cache
def _units() -> re.Pattern[str]:
    return re.compile(data("words")["units"], re.IGNORECASE)


def _is_link(token: str) -> bool:
    return "://" in token or "www." in token or "urn:" in token or ("10." in token and "/" in token)
