"""Findings of an entry (JSON Pointer, spans). Where in it was something found, and is it released?

Findings are stored as rows of a list; the filter walks an entry, and takes them as a tree of its form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from app.privacy.masks import Span


class Found(NamedTuple):
    """One finding in an entry.

    ``pointer`` is the JSON Pointer of the string or number that it is in, or of the member whose name it is
    in (``in_key``); ``start`` and ``end`` are code points. ``value_hash`` is the keyed hash of what was
    found, empty where there was no key yet.
    """

    pointer: str
    in_key: bool
    detector: str
    start: int
    end: int
    value_hash: str = ""


class Part(NamedTuple):
    """A part of one string: what was found there, and whether its owner has released it."""

    found: Found
    is_released: bool


@dataclass(slots=True)
class FoundAt:
    """What was found at one place of an entry, in the name of its member, and below it.

    A filter notes in ``shown`` and ``masked`` what it does with the parts that it comes by, where there are
    such lists: for the owner's own answer.
    """

    parts: list[Part] = field(default_factory=list)
    in_key: list[Part] = field(default_factory=list)
    below: dict[str, FoundAt] = field(default_factory=dict)
    shown: list[Found] | None = None
    masked: list[Found] | None = None

    def at(self, token: str | int) -> FoundAt | None:
        """Return the place of a member or an element, None where nothing was found there or below."""
        return self.below.get(str(token))

    def note(self, parts: Iterable[Part], hidden: Iterable[Span]) -> None:
        """Note what of the parts is shown beside the hidden ones, where that is asked for."""
        if self.shown is not None and self.masked is not None:
            for part in parts:
                one = part.found
                is_hidden = any(span.start < one.end and one.start < span.end for span in hidden)
                (self.masked if is_hidden else self.shown).append(one)

    def leave_out(self) -> None:
        """Take back what was noted of this place and all below: it is not shown after all."""
        for one in (*self.parts, *self.in_key):
            for notes in (self.shown, self.masked):
                if notes is not None and one.found in notes:
                    notes.remove(one.found)
        for child in self.below.values():
            child.leave_out()


def tree_of(
    found: Iterable[Found],
    is_released: Callable[[Found], bool],
    *,
    shown: list[Found] | None = None,
    masked: list[Found] | None = None,
) -> FoundAt | None:
    """Return the findings of an entry as a tree; None where there are none."""
    root: FoundAt | None = None
    for one in found:
        root = at = root or FoundAt(shown=shown, masked=masked)
        for token in tokens_of(one.pointer):
            at = at.below.setdefault(token, FoundAt(shown=shown, masked=masked))
        (at.in_key if one.in_key else at.parts).append(Part(one, is_released(one)))
    return root


def tokens_of(pointer: str) -> list[str]:
    """Return the keys and indexes of a JSON Pointer (RFC 6901)."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def below(pointer: str, token: str | int) -> str:
    """Return the JSON Pointer of a member or an element of the place of another."""
    return f"{pointer}/{str(token).replace('~', '~0').replace('/', '~1')}"
