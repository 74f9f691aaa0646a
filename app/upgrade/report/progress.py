"""How far is the upgrade, and how long will the rest take? Turns steps of work into events to show."""

from __future__ import annotations

import time
from dataclasses import dataclass

from app import interrupt
from app.progress import Event, OnEvent

# The phases of an upgrade in their order, with their usual share of the time in percent (measured on 200,000
# entries). The shares only shape the bar; the time left is reckoned from the time gone.
SHARES = {
    "look": 2.0,
    "lock": 0.0,
    "backup": 33.0,
    "measure": 15.0,
    "steps": 22.0,
    "verify": 26.0,
    "commit": 2.0,
}
BACKUP_PARTS = {"copy": (0.0, 0.5), "check": (0.5, 0.5)}
SECONDS_BETWEEN_EVENTS = 0.25
SECONDS_BEFORE_GUESSING = 1.0


@dataclass
class Progress:
    """Tells ``on_event`` about phases and, within them, about parts; never more than a few times a second.

    Between two parts is where it is safe to stop: each method raises Interrupted where that was asked for.
    """

    on_event: OnEvent
    shares: dict[str, float]

    def __post_init__(self) -> None:
        self._started = time.monotonic()
        self._last = 0.0
        self._phase = ""

    def phase(self, name: str, message: str, **details: object) -> None:
        """Begin a phase."""
        self._phase = name
        self._tell(Event("phase", name, message, self._percent(0.0), self._eta(0.0), details))

    def part(self, done: float, message: str) -> None:
        """Say that the fraction ``done`` (0 to 1) of the present phase is done."""
        interrupt.stop_if_asked()
        now = time.monotonic()
        if now - self._last >= SECONDS_BETWEEN_EVENTS:
            self._tell(Event("progress", self._phase, message, self._percent(done), self._eta(done)))

    def table_part(self, table: str, number: int, count: int) -> None:
        """Say that ``number`` of ``count`` tables are dealt with and ``table`` is next."""
        self.part(number / max(1, count), f"table {table}")

    def pages(self, left: int, total: int) -> None:
        """Say how many pages of a copy are left."""
        self.part(1 - left / max(1, total), f"{total - left} of {total} pages")

    def step(self, event: Event) -> None:
        """Show that a step begins, with its number, as a part of the present phase."""
        number, count = event.details.get("step"), event.details.get("of")
        done = (number - 1) / count if isinstance(number, int) and isinstance(count, int) and count else 0.0
        self._tell(
            Event("progress", self._phase, event.message, self._percent(done), self._eta(done), event.details)
        )

    def pass_on(self, event: Event) -> None:
        """Show what the backup room says, as a part of the present phase."""
        first, share = BACKUP_PARTS.get(event.phase, (0.0, 1.0))
        self.part(first + share * (event.percent or 0.0) / 100, event.message)

    def warning(self, message: str) -> None:
        """Say something that the owner should know, and that stops nothing."""
        self._tell(Event("warning", self._phase, message))

    def _tell(self, event: Event) -> None:
        self._last = time.monotonic()
        self.on_event(event)
        interrupt.stop_if_asked()

    def _percent(self, done: float) -> float:
        before = 0.0
        for name, share in self.shares.items():
            if name == self._phase:
                return round(min(100.0, before + share * min(1.0, max(0.0, done))), 1)
            before += share
        return 0.0

    def _eta(self, done: float) -> float | None:
        percent = self._percent(done)
        gone = time.monotonic() - self._started
        if gone < SECONDS_BEFORE_GUESSING or percent < 1.0:
            return None
        return round(gone * (100.0 - percent) / percent, 1)
