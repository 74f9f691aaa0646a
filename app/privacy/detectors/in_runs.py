"""Findings in number runs (memo). What are the digits of a text, each run beside what stands around it?

What a run is depends on a window of the text alone: on little before it and less after it. The answer for a
window is remembered, so that a number that stands in many texts, or in one that was changed elsewhere, is
looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from app.privacy.detectors.finding import Finding
from app.privacy.detectors.numbers import numbers_in
from app.privacy.detectors.phones import phones_in, says_phone
from app.privacy.detectors.runs import Run

_RUN = re.compile(r"[0-9](?:[ .\-/()\n\r\t]{0,3}+[0-9]){3,}+")
_BEFORE = 56
_AFTER = 32
_LINK_MOST = 400
_WINDOWS = 2048
_WINDOW_MOST = 1200
_PLAIN = frozenset(" \n(")

_Spans = tuple[tuple[str, int, int], ...]


def in_runs(text: str) -> Iterator[Finding]:
    """Yield what the runs of four or more digits of a folded text are, in order."""
    has_mail = "@" in text
    for match in _RUN.finditer(text):
        start, end = match.span()
        if end - start < 6 and text[start - 1 : start] in _PLAIN:
            continue
        begin = _window_begin(text, start)
        window = text[begin : end + _AFTER]
        look = remembered if len(window) <= _WINDOW_MOST else _spans
        for detector, first, last in look(window, start - begin, end - begin, has_mail):
            yield Finding(detector, begin + first, begin + last)


def _window_begin(text: str, start: int) -> int:
    """Where the text begins that can say what a run is: further back where the run is part of a long word."""
    near = max(0, start - _BEFORE)
    if start == 0 or text[start - 1] in " \n":
        return near
    word = text[max(0, start - _LINK_MOST) : start].rsplit(None, 1)[-1:]
    return min(near, start - len(word[0])) if word else near


def _spans(window: str, start: int, end: int, has_mail: bool) -> _Spans:
    """What the digits of a run are: telephone numbers first where a + or a link says so."""
    run = Run(window, start, end, has_mail=has_mail)
    first, second = (phones_in, numbers_in) if says_phone(run) else (numbers_in, phones_in)
    found = list(first(run))
    if not (len(found) == 1 and found[0].start <= start and end <= found[0].end):
        found += second(run, _groups_of(run, found))
    return tuple((one.detector, one.start, one.end) for one in found)


def _groups_of(run: Run, found: list[Finding]) -> frozenset[int]:
    """Which groups of a run are in what was found; both are in order."""
    taken: list[int] = []
    at = 0
    for one in found:
        while at < len(run.groups) and run.groups[at][0] < one.end:
            if run.groups[at][0] >= one.start:
                taken.append(at)
            at += 1
    return frozenset(taken)


remembered = lru_cache(_WINDOWS)(_spans)
