"""Signals. When may Ctrl-C, `kill` or a lost terminal stop what is being done?

While it looks, at once; while it does something, only where it is safe; from the moment that something is
done, not any more.

Python would raise in the middle of whatever it is doing, in a callback of SQLite or while it takes something
back. So work that changes something runs inside `interruptible`: there a signal is only remembered, and the
work asks, between its parts, whether one came (`stop_if_asked`), a last time just before what cannot be taken
back (`last_moment`). From then on a signal changes nothing, neither the work nor what is said about it.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Literal

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

When = Literal["at once", "when it is safe", "never"]


class Interrupted(KeyboardInterrupt):
    """Someone asked to stop, and what was begun is being taken back. No Exception: nothing swallows it."""


class _Signals:
    """What a stopping signal does at this moment, and whether one came."""

    def __init__(self, when: When) -> None:
        self.when: When = when
        self.came: signal.Signals | None = None
        self.has_stopped = False

    def received(self, number: int, frame: FrameType | None) -> None:
        self.came = signal.Signals(number)
        if self.when == "at once":
            self.has_stopped = True
            self.stop()

    def stop(self) -> None:
        self.when = "never"  # a second Ctrl-C must not break the taking back that the first began
        raise Interrupted(self.came.name if self.came else "")


_present: _Signals | None = None
_unraisable_otherwise = sys.unraisablehook  # what was there before `listen`


def listen() -> None:
    """Answer the stopping signals as this file says, for the rest of the process: at once, to begin with.

    A signal that is ignored stays so: `nohup` keeps its word. Call it in the main thread.
    """
    global _present, _unraisable_otherwise
    _present = _Signals("at once")
    for number in _not_ignored():
        signal.signal(number, _present.received)
    if sys.unraisablehook is not _once_more_where_it_was_swallowed:
        _unraisable_otherwise, sys.unraisablehook = sys.unraisablehook, _once_more_where_it_was_swallowed


def turn_deaf() -> None:
    """Ignore the stopping signals for good: the process ends, and its exit status is settled."""
    for number in _not_ignored():
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def interruptible() -> Iterator[None]:
    """Within, a signal only stops at `stop_if_asked`, which raises Interrupted; afterwards nothing does.

    Inside another one, it is that one which counts. Where no one listens for the whole process, the signals
    do at the end again what they did before. Python delivers them to its main thread only: in any other
    thread nothing is changed, and anyone who works there must be waited for.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
    elif _present is not None:
        with _safely(_present):
            yield
    else:
        with _listening_meanwhile() as signals, _safely(signals):
            yield


def stop_if_asked() -> None:
    """Raise Interrupted where a signal came and stopping here is safe. Cheap."""
    if is_asked():
        assert _present is not None
        _present.stop()


def last_moment() -> None:
    """Stop if that was asked for; from here on nothing can be taken back, and signals change nothing."""
    stop_if_asked()
    if _present is not None and _is_here():
        _present.when = "never"


def is_asked() -> bool:
    """Whether the work is to stop where it is safe: for long calls that can be broken off."""
    return is_asked_of_main() and _is_here()


def is_asked_of_main() -> bool:
    """Whether the main thread's work is to stop where it is safe: for a thread that breaks off its call."""
    signals = _present
    return signals is not None and signals.came is not None and signals.when == "when it is safe"


def has_stopped() -> bool:
    """Whether a signal stopped a look at once, also where another error has come of it by now.

    Python 3.11 makes a RuntimeError of an Interrupted that meets it in a `__set_name__`, while it imports;
    a callback of SQLite makes an error of SQLite's of it.
    """
    return _present is not None and _present.has_stopped


def _once_more_where_it_was_swallowed(unraisable: sys.UnraisableHookArgs) -> None:
    # Python was in a callback that cannot raise (tidying up, importing): the work goes on to a safer place.
    if unraisable.exc_type is Interrupted and _present is not None:
        _present.when = "at once"
        _present.has_stopped = False
    else:
        _unraisable_otherwise(unraisable)


def _is_here() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def _safely(signals: _Signals) -> Iterator[None]:
    if signals.when != "at once":
        yield  # a part of larger work, which says itself when it can be stopped
        return
    signals.when = "when it is safe"
    try:
        yield
    except Exception as error:
        if is_asked():  # whatever it broke off with, that is why
            raise Interrupted(str(error)) from error
        raise
    finally:
        signals.when = "never"


@contextmanager
def _listening_meanwhile() -> Iterator[_Signals]:
    global _present
    before = {number: signal.getsignal(number) for number in _not_ignored()}
    _present = signals = _Signals("at once")
    for number in before:
        signal.signal(number, signals.received)
    try:
        yield signals
    finally:
        _present = None
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _not_ignored() -> list[signal.Signals]:
    return [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
