"""Killing at a call. How do tests end a process with SIGKILL just before or just after one of its calls?"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any


def killed_at(place: Any, name: str, when: str, run: Callable[[], object]) -> None:
    """Run in a process of its own that is killed at its first call of ``name``, before or after it."""
    child = os.fork()
    if child == 0:
        try:
            called = getattr(place, name)

            def dying(*arguments: Any, **more: Any) -> None:
                if when == "after":
                    called(*arguments, **more)
                os.kill(os.getpid(), signal.SIGKILL)

            setattr(place, name, dying)
            run()
        finally:
            os._exit(9)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "it was not killed: that point was never reached"
    assert os.WTERMSIG(status) == signal.SIGKILL
