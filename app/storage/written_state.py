"""Written state. What does a transaction that writes see: the same as the one before it, or something else?

What was read in a transaction that writes may be believed for as long as `now` is the same: by the next
transactions of the same connection, too, where no one else has committed in between. An engine says how many
rows its connection has changed, and whether anyone else has committed.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

NOTED_MOST = 200  # changes of rows in one transaction
_numbers = itertools.count()


class CountedState(ABC):
    """What a connection that writes sees: the commits of others, its own changes, and what was taken back.

    A change that is taken back stays counted, and what was read after it must not be believed afterwards.
    """

    noted_most = NOTED_MOST

    def __init__(self) -> None:
        self.others = -1  # another number after a commit by others, seen by this connection
        self._left_out = 0
        self._taken_back = next(_numbers)
        self._noted: list[Any] = []
        self._at_begin: tuple[int, int, int] | None = None

    @abstractmethod
    def count(self) -> int:
        """How many rows were changed up to here, by triggers and foreign keys too."""

    def now(self) -> tuple[int, int, int]:
        """Which state it is."""
        return self.others, self._taken_back, self.count() - self._left_out

    def leave_out(self, counted_before: int, rows: int, noted: Sequence[object] = ()) -> None:
        """Do not take the change since that count for one, but note it; if it was of so many rows exactly."""
        if self.count() - counted_before == rows:
            self._left_out += rows
            if len(self._noted) <= NOTED_MOST:
                self._noted += noted[: NOTED_MOST + 1]

    def leave_out_all(self, counted_before: int) -> None:
        """Do not take what was changed since that count for a change."""
        self._left_out += self.count() - counted_before

    def find_changes(self) -> tuple[Any, ...] | None:
        """Return what was noted of this transaction; None where it has changed anything else, or much."""
        is_all = self.now() == self._at_begin and len(self._noted) <= NOTED_MOST
        return tuple(self._noted) if is_all else None

    def forget(self) -> None:
        """See a state that was never seen."""
        self._taken_back = next(_numbers)

    def _begin_with(self, others: int) -> None:
        """Begin a transaction; ``others`` is another number where anyone else has committed."""
        self.others = others
        self._noted, self._at_begin = [], self.now()
