"""Progress events. How far is it? What long work says on the way: a backup, an upgrade, a restore."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from app import interrupt


@dataclass(frozen=True)
class Event:
    """Something to show while it runs; ``percent`` and ``eta_seconds`` where they are known."""

    type: Literal["phase", "progress", "warning", "result"]
    phase: str
    message: str
    percent: float | None = None
    eta_seconds: float | None = None
    details: dict[str, object] = field(default_factory=dict)


OnEvent = Callable[[Event], None]
OnPages = Callable[[int, int], None]
"""Called with the pages that are still to be copied, and the pages in all."""


def say_nothing(*_told: object) -> None:
    """Take what is told, an event or numbers, and show it nowhere."""


def pages_reporter(on_event: OnEvent, phase: str, message: str) -> OnPages:
    """Return a function that passes whole per cents of a copy on.

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
