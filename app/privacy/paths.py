"""Paths and allow-lists. Which places of an entry does a path mean?

Allow-lists and rules name places by paths: ``contact.email``. Lists are passed through:
``experience.company`` is the company of every job. Rules may name one element (``experience.0.company``,
``experience[0].company``) or any key (``*``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

_INDEX = re.compile(r"\[\s*([^\[\]]*?)\s*\]")
_NOTHING: Mapping[str, Node] = MappingProxyType({})


@dataclass(frozen=True)
class Node:
    """One place of an allow-list: is it shown, what is below it, how many elements of its list at most.

    ``is_employer``: it tells the employer of the job in which it is, whatever its name says.
    """

    shown: bool = False
    below: Mapping[str, Node] = field(default_factory=lambda: _NOTHING)
    most: int | None = None
    is_employer: bool = False

    def child(self, key: str) -> Node | None:
        """Return the place of a key of an object, None where the list has none."""
        return self.below.get(key)

    def as_json(self) -> list[Any]:
        """Return the place and all below it as a JSON value, the same for equal ones."""
        below = {key: child.as_json() for key, child in sorted(self.below.items())}
        return [self.shown, self.most, self.is_employer, below]

    def showing(self, keys: tuple[str, ...]) -> Node:
        """Return the list with one more path."""
        if not keys:
            return replace(self, shown=True)
        below = {**self.below, keys[0]: self.below.get(keys[0], Node()).showing(keys[1:])}
        return replace(self, below=MappingProxyType(below))

    def shows(self, keys: tuple[str, ...]) -> bool:
        """Whether a path is on the list."""
        if not keys:
            return self.shown
        child = self.below.get(keys[0])
        return child is not None and child.shows(keys[1:])


AllowLists = Mapping[str, Node]
"""The allow-list of a kind at each level, by the level's name."""


def allow_list(
    paths: Iterable[str | tuple[str, ...]],
    most: Mapping[str, int] | None = None,
    employers: Iterable[str] = (),
) -> Node:
    """Return the allow-list of these paths: written with dots, or as tuples of keys (which may hold dots).

    ``most`` says of how many elements of a path's list are shown at most; ``employers`` are the paths that
    tell the employer of a job.
    """
    root = _Growing()
    for path in paths:
        root.at(path.split(".") if isinstance(path, str) else path).shown = True
    for path, count in (most or {}).items():
        root.at(path.split(".")).most = count
    for path in employers:
        root.at(path.split(".")).is_employer = True
    return root.frozen()


@dataclass
class _Growing:
    """A node while its list is being read."""

    shown: bool = False
    below: dict[str, _Growing] = field(default_factory=dict)
    most: int | None = None
    is_employer: bool = False

    def at(self, keys: Iterable[str]) -> _Growing:
        node = self
        for key in keys:
            node = node.below.setdefault(key, _Growing())
        return node

    def frozen(self) -> Node:
        below = {key: child.frozen() for key, child in self.below.items()}
        return Node(self.shown, MappingProxyType(below) if below else _NOTHING, self.most, self.is_employer)


@dataclass(frozen=True)
class Place:
    """Where a walk through an entry stands with respect to one rule's path: the tokens that are used up.

    Several at once: a list's index may be named or passed over, and a key with dots spans several tokens.
    """

    tokens: tuple[str, ...]
    used: frozenset[int]

    @property
    def is_hit(self) -> bool:
        """Whether the path names exactly this place."""
        return len(self.tokens) in self.used

    def at_key(self, key: str) -> Place | None:
        """Return the place below an object's key, None where the path cannot lead there."""
        name = same(key)
        used = {at + 1 for at in self.used if self.tokens[at : at + 1] == ("*",)}
        for at in self.used:
            ends = range(at + 1, len(self.tokens) + 1)
            used.update(end for end in ends if ".".join(self.tokens[at:end]) == name)
        return Place(self.tokens, frozenset(used)) if used else None

    def at_index(self, index: int) -> Place:
        """Return the place at an element of a list: named by its number, or passed over."""
        named = {at + 1 for at in self.used if self.tokens[at : at + 1] in ((str(index),), ("*",))}
        return Place(self.tokens, self.used | named)


def start(path: str, kind: str) -> Place | None:
    """Return where a rule's path stands at the root of an entry of this kind; None: it names nothing.

    The path may begin with ``$`` or with the kind's own name.
    """
    tokens = tuple(same(token) for token in _INDEX.sub(r".\1", path).split(".") if token.strip())
    tokens = tokens[1:] if tokens[:1] == ("$",) else tokens
    if not tokens:
        return None
    begins_with_kind = len(tokens) > 1 and tokens[0] == same(kind)
    return Place(tokens, frozenset({0, 1}) if begins_with_kind else frozenset({0}))


def same(key: str) -> str:
    """Return a key as keys are compared: whatever its case, spaces around it, and the form of its accents."""
    return unicodedata.normalize("NFC", key.strip()).casefold()
