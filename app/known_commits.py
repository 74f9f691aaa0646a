"""Known commits (incremental invalidation). What was changed between two numbers of the database?

Whoever writes for this process tells which rows each of its commits wrote, where it is sure that these were
all, and that no one else committed meanwhile. Of all other commits nothing is known, and what was kept from
before them is compared or made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

KNOWN_MOST = 64

Changes = tuple[Any, ...]


class KnownCommits:
    """The last commits of which all is known, as steps from one number to the next; for any thread."""

    def __init__(self, number: Callable[[], int | None]) -> None:
        """``number`` gives that of the present state, None where that is not to be had."""
        self.number = number
        self._lock = Lock()
        self._steps: dict[int, tuple[int, Changes]] = {}

    def note(self, before: int, after: int, changes: Changes) -> None:
        """Between the states of these numbers nothing was changed but this."""
        if before == after:
            return
        with self._lock:
            self._steps[before] = after, changes
            while len(self._steps) > KNOWN_MOST:
                self._steps.pop(next(iter(self._steps)))

    def find_between(self, before: int, after: int) -> list[Any] | None:
        """Return all that was changed from one number to the other; None where that is not known."""
        found: list[Any] = []
        for _ in range(KNOWN_MOST + 1):
            if before == after:
                return found
            step = self._steps.get(before)
            if step is None:
                return None
            before, changes = step
            found += changes
        return None
