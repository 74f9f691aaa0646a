"""Entry search (detectors). What is found in an entry: in its texts, its numbers, the names of its members?

Pure, as the detectors are. Besides them the masks of masks.py are searched, so that nothing is hidden less
than before there were detectors; the patterns of the rules that Daemon ships, which most installations have;
and the words of the person's never-list. Where what any of these finds changes, DETECTORS_VERSION rises.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any, Protocol

from app.privacy import patterns
from app.privacy.declared import form_of
from app.privacy.detected import OLD, RULE, mask_of
from app.privacy.detectors.finding import Finding
from app.privacy.found import Found, below
from app.privacy.identifiers import Identifiers
from app.privacy.masks import mask_parts
from app.privacy.rules import Rule, parts_hidden_by
from app.privacy.shipped import SHIPPED

_SHORTEST_NUMBER = 5  # digits and signs of a number in which anything is found but words
_SHORT = 24  # characters of texts that are remembered: names of members, and words
_SHORT_KEPT = 2_048
_SHIPPED = tuple((row, Rule(pattern=row.stored)) for row in SHIPPED.values())
_NEEDS = {row.needs: re.compile(row.needs) for row in SHIPPED.values()}


class Words(Protocol):
    """The words of a person's never-list; see `detected` for the names of what they find."""

    def find(self, text: str) -> list[Finding]:
        """Return where they stand in a text."""


def load() -> None:
    """Load what searches texts, detectors and RE2: 3 MB, 0.03 s, which a server without a text does without.

    It is loaded by the first search, too. Who is about to lock a database for texts calls before.
    """
    patterns.library()
    _detectors()


def find(text: str) -> list[Finding]:
    """Return what the detectors find in a text."""
    return _detectors()(text)


@cache
def _detectors() -> Callable[[str], list[Finding]]:
    from app.privacy.detectors.search import find

    return find


def search(content: Any, words: Words | None = None) -> Iterator[tuple[Found, str]]:
    """Yield each finding in a JSON value (with no value hash), and the part of the text that was found."""
    yield from _searched(content, "", "", words)


def _searched(value: Any, pointer: str, name: str, words: Words | None) -> Iterator[tuple[Found, str]]:
    if isinstance(value, str):
        found = _in_text(value, pointer, words)
        yield from _but_for_mail(found) if form_of(name).holds_one_mail(value) else found
    elif isinstance(value, dict):
        for key, child in value.items():
            here = below(pointer, key)
            yield from _in_text(key, here, words, in_key=True)
            yield from _searched(child, here, key, words)
    elif isinstance(value, list):
        for at, child in enumerate(value):
            yield from _searched(child, below(pointer, at), name, words)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        text = repr(value)
        if len(text) >= _SHORTEST_NUMBER or words is not None:
            yield from _in_text(text, pointer, words)


def _but_for_mail(found: Iterator[tuple[Found, str]]) -> Iterator[tuple[Found, str]]:
    """Leave out the one mail address that a field is for: `mail` hides it at no level (`filter`)."""
    return (each for each in found if each[0].detector not in ("mail", OLD + "mail"))


def _in_text(
    text: str, pointer: str, words: Words | None, *, in_key: bool = False
) -> Iterator[tuple[Found, str]]:
    for one in found_in(text, words):
        yield Found(pointer, in_key, one.detector, one.start, one.end), text[one.start : one.end]


def found_in(text: str, words: Words | None = None) -> list[Finding]:
    """Return what is found in one text; what a mask finds within a finding that it hides is left out."""
    if len(text) <= _SHORT:
        found = [*_found_in_short(text, patterns.missing() is not None)]
    else:
        found = _found_in(text)
    return found if words is None else found + words.find(text)


@lru_cache(maxsize=_SHORT_KEPT)
def _found_in_short(text: str, _is_without_patterns: bool) -> tuple[Finding, ...]:
    """The same names stand in all entries."""
    return tuple(_found_in(text))


def _found_in(text: str) -> list[Finding]:
    found = find(text)
    sure: dict[str, list[tuple[int, int]]] = {}
    for one in found:
        sure.setdefault(mask_of(one.detector), []).append((one.start, one.end))
    known = Identifiers(text)
    for mask, start, end in mask_parts(text, known):
        if not _lies_within(start, end, sure.get(mask, [])):
            found.append(Finding(OLD + mask, start, end))
    is_blind = patterns.missing() is not None
    there = {needs for needs, needed in _NEEDS.items() if is_blind or needed.search(text)}
    for row, rule in _SHIPPED if there else ():
        if row.needs in there and row.can_be_in(text):
            name = RULE + row.field_name
            found += [Finding(name, span.start, span.end) for span in parts_hidden_by(rule, text, known)]
    return found


def _lies_within(start: int, end: int, spans: list[tuple[int, int]]) -> bool:
    """Whether a part lies within one of the spans, which are in order and begin at different places."""
    at = bisect_right(spans, start, key=lambda span: span[0]) - 1
    return at >= 0 and end <= spans[at][1]
