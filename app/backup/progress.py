"""How far is it? What long work in this room says on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from app import interrupt


@dataclass(frozen=True)
class Event:
    """Something to show while a backup is made, proved or put back; ``percent`` where it is known."""

    type: Literal["phase", "progress", "warning", "result"]
    phase: str
    message: str
    percent: float | None = None
    eta_seconds: float | None = None
    details: dict[str, object] = field(default_factory=dict)


OnEvent = Callable[[Event], None]


def say_nothing(event: Event) -> None:
    """Take an event and show it to nobody."""


def pages_reporter(on_event: OnEvent, phase: str, message: str) -> Callable[[int, int], None]:
    """Return a function of (pages left, pages in all) that passes whole per cents on.

    Between two pages a copy can be stopped: it raises Interrupted where that was asked for.
    """
    last = -1

    def report(left: int, total: int) -> None:
        nonlocal last
        interrupt.stop_if_asked()
        percent = 100 if total == 0 else (total - left) * 100 // total
        if percent != last:
            last = percent
            on_event(Event("progress", phase, message, float(percent)))

    return report
