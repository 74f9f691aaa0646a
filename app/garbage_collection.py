"""Garbage collection. How does no one wait for a lock while Python looks for objects that nothing uses?

Python looks for circles among all objects every now and then, whatever is being done: in a server that takes
tens of milliseconds, and longer than many writes. What is put off here is done right afterwards.
"""

from __future__ import annotations

import gc
from threading import Lock

_lock = Lock()
_holders = 0
_was_on = False


def put_off() -> None:
    """Collect nothing from now on, in any thread, until each who asked for that has said `go_on`."""
    global _holders, _was_on
    with _lock:
        if _holders == 0:
            _was_on = gc.isenabled()
            gc.disable()
        _holders += 1


def go_on() -> None:
    """Take one `put_off` back."""
    global _holders
    with _lock:
        _holders -= 1
        if _holders == 0 and _was_on:
            gc.enable()
