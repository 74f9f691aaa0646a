"""Rate limit of the log. Which lines are said once for many? Those of one kind, when they are too many.

A caller who can make a server log a line can make it log a million; every line pushes an older one
out of the files that are kept. So of each kind only so many are written at first; the others are counted, and
the count is written when its time is over. As long as a kind goes on, its time grows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

SAID_AT_FIRST_COUNT = 10
FIRST_SECONDS = 60.0
LONGEST_SECONDS = 3600.0
MOST_KINDS = 500  # of which something is remembered; what comes beyond counts as one kind of each logger
_LONGEST_WORDS_CHARACTERS = 200

Kind = tuple[str, int, str, str]


@dataclass
class _Told:
    """What was said of one kind since ``began``, and what was kept back."""

    began: float
    seconds: float
    said: int = 0
    kept_back: int = 0
    last: logging.LogRecord | None = None


class Folding:
    """Remembers what was said. Not for several threads at once: a handler's lock is around it."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._told: dict[Kind, _Told] = {}
        self._next_look = 0.0

    def take(self, record: logging.LogRecord) -> list[logging.LogRecord]:
        """Return what is to be written now that ``record`` came: counts that are due, and itself, or not."""
        written = self.due()
        told = self._told_of(record)
        if told.said < SAID_AT_FIRST_COUNT:
            told.said += 1
            return [*written, record]
        told.kept_back += 1
        told.last = record
        return written

    def due(self) -> list[logging.LogRecord]:
        """Return a line for each kind whose time is over and of which something was kept back."""
        now = self._now()
        if now < self._next_look:
            return []
        found = []
        for kind, told in list(self._told.items()):
            if now - told.began < told.seconds:
                continue
            if told.last is None:
                del self._told[kind]  # it was quiet
                continue
            found.append(_counted(told, now))
            longer = min(2 * told.seconds, LONGEST_SECONDS)
            self._told[kind] = _Told(now, longer, SAID_AT_FIRST_COUNT)  # one count, and no new lines
        ends = (told.began + told.seconds for told in self._told.values())
        self._next_look = min(ends, default=now)
        return found

    def rest(self) -> list[logging.LogRecord]:
        """Return a line for each kind of which something was kept back, whenever it is due; forget all."""
        told, self._told = self._told, {}
        return [_counted(each, self._now()) for each in told.values() if each.last is not None]

    def _told_of(self, record: logging.LogRecord) -> _Told:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        words = str(record.msg)[:_LONGEST_WORDS_CHARACTERS]
        kind = record.name, record.levelno, words, error
        if kind not in self._told and len(self._told) >= MOST_KINDS:
            kind = record.name, record.levelno, "", ""
        if kind not in self._told:
            self._told[kind] = _Told(self._now(), FIRST_SECONDS)
            self._next_look = min(self._next_look, self._now() + FIRST_SECONDS)
        return self._told[kind]


def _counted(told: _Told, now: float) -> logging.LogRecord:
    """Return the last line that was kept back, with how many there were."""
    assert told.last is not None
    try:
        message = told.last.getMessage()
    except (TypeError, ValueError, KeyError):
        message = str(told.last.msg)
    count = f"said {told.kept_back:,} times more in {max(now - told.began, 1):.0f} s"
    counted = logging.makeLogRecord(vars(told.last))
    counted.msg, counted.args, counted.exc_info = f"{message} ({count})", None, None
    return counted
