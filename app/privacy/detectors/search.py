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
from app.privacy.detectors.internet import ips_in, macs_in, mails_in
from app.privacy.detectors.numbers import codes_in, numbers_in
from app.privacy.detectors.phones import phones_in, says_phone
from app.privacy.detectors.private_facts import private_facts_in
from app.privacy.detectors.runs import Run, Said, runs
from app.privacy.detectors.secrets import secrets_in

_DIGIT = re.compile(r"[0-9]")
# No token is shorter, and few words are as long and have digits or capitals: most texts need not be searched
# for tokens at all.
_LONG = re.compile(r"[^\s]{16,}+")
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
    is_long = any(not word.islower() or _DIGIT.search(word) for word in _LONG.findall(text))
    yield from secrets_in(text, is_long=is_long)
    if "@" in text or "at" in text:
        yield from mails_in(text)
    has_digits = _DIGIT.search(text) is not None
    if has_digits:
        yield from ibans_in(text)
    yield from macs_in(text)
    if not has_digits:
        return
    if is_long:
        for match in _WORD_OF_16.finditer(text):
            if match.end() - match.start() == 16:
                yield from codes_in(text, *match.span())
    yield from ips_in(text)
    said = Said(text)
    for run in runs(said):
        yield from _in_run(run)
    yield from private_facts_in(said)


def _in_run(run: Run) -> Iterator[Finding]:
    """Yield what the digits of a run are: telephone numbers first where a + or a link says so."""
    first, second = (phones_in, numbers_in) if says_phone(run) else (numbers_in, phones_in)
    found = list(first(run))
    yield from found
    if not (len(found) == 1 and found[0].start <= run.start and run.end <= found[0].end):
        yield from second(run)


def _without_inner(found: Iterator[Finding]) -> list[Finding]:
    """Leave out what lies within another; of two at the same place the surer one, which came first, stays."""
    kept: list[Finding] = []
    furthest = 0
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if one.end > furthest:
            kept.append(one)
            furthest = one.end
    return kept
