"""Detection (PII, secrets). What in this text identifies its person, or opens a door?

Pure: no clock, no network, no state but the data files. Each step looks at each character a bounded number of
times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.privacy.detectors.bank import ibans_in
from app.privacy.detectors.finding import Finding
from app.privacy.detectors.folding import folded
from app.privacy.detectors.in_runs import in_runs
from app.privacy.detectors.internet import ips_in, macs_in, mails_in
from app.privacy.detectors.numbers import codes_in
from app.privacy.detectors.private_facts import private_facts_in
from app.privacy.detectors.secrets import secrets_in
from app.privacy.detectors.tokens import long_words

_DIGIT = re.compile(r"[0-9]")
_WORD_OF_16 = re.compile(r"[A-Za-z0-9]{16,}+")


def find(text: str) -> list[Finding]:
    """Return what the detectors find in a text, in order; of two that begin or end within another the wider.

    Places are code points of the text as it was given.
    """
    plain, places = folded(text)
    found = _without_inner(_all(plain))
    if places is not None:
        found = [Finding(one.detector, places[one.start], places[one.end - 1] + 1) for one in found]
    return found


def _all(text: str) -> Iterator[Finding]:
    """Yield every finding, what is surer first."""
    words = long_words(text)
    yield from secrets_in(text, words)
    yield from mails_in(text)
    has_digits = _DIGIT.search(text) is not None
    if has_digits:
        yield from ibans_in(text)
    yield from macs_in(text)
    if not has_digits:
        return
    if words:
        for match in _WORD_OF_16.finditer(text):
            if match.end() - match.start() == 16:
                yield from codes_in(text, *match.span())
    yield from ips_in(text)
    yield from in_runs(text)
    yield from private_facts_in(text)


def _without_inner(found: Iterator[Finding]) -> list[Finding]:
    """Leave out what lies within another; of two at the same place the surer one, which came first, stays."""
    kept: list[Finding] = []
    furthest = 0
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if one.end > furthest:
            kept.append(one)
            furthest = one.end
    return kept
