"""When may Ctrl-C and `kill` stop an upgrade? At any moment before the commit, at none after it began.

Before the commit a signal ends the work as an exception, and the transaction is rolled back. From the commit
on it is only remembered: the work that follows is short, and an answer that is not "done" would be a lie.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody asked the upgrade to stop, and it could. No Exception: nothing on the way may swallow it."""


class Interrupts:
    """Whether a signal stops the work, or is only remembered (``deferred``); ``asked`` says if one came."""

    def __init__(self) -> None:
        self.deferred = False
        self.asked = False

    def defer(self) -> None:
        """From here on a signal stops nothing any more."""
        self.deferred = True

    def received(self, number: int, frame: FrameType | None) -> None:
        """Take one signal: raises Interrupted once, or only remembers it."""
        self.asked = True
        if not self.deferred:
            self.deferred = True  # a second Ctrl-C must not break the rolling back that the first began
            raise Interrupted(signal.Signals(number).name)


@contextmanager
def interruptible() -> Iterator[Interrupts]:
    """Answer the stopping signals as this file says, until the end of the block.

    Python delivers signals to its main thread only: in any other thread nothing is changed, and whoever runs
    the upgrade there must wait for it.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = {number: signal.getsignal(number) for number in STOPPING}
    ignored = {number for number, handler in before.items() if handler is signal.SIG_IGN}
    for number in set(STOPPING) - ignored:
        signal.signal(number, interrupts.received)
    try:
        yield interrupts
    finally:
        for number in set(STOPPING) - ignored:
            signal.signal(number, before[number] or signal.SIG_DFL)
