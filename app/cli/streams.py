"""What if no one can be told? A full disk, a reader who went away, a stream that was closed stop no work.

What is written to a `Stream` never raises. What a full disk did not take stays in Python's buffer and is
tried again with the next words; what is left at the end is dropped, so that the interpreter does not fail
over it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO


class Stream:
    """A text stream, or one that was closed before the process began (None), which takes all and fails."""

    def __init__(self, real: TextIO | None) -> None:
        self.real = real
        self.failure = ""
        if real is not None and hasattr(real, "reconfigure"):
            real.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Write; `failure` says from then on why it was not possible, "" where it was."""
        self.failure = "it is closed" if self.real is None else _reason(self.real.write, text)
        return len(text)

    def flush(self) -> None:
        """Let go of what was written; `failure` says why that was not possible."""
        if self.real is not None:
            self.failure = _reason(self.real.flush) or self.failure

    def isatty(self) -> bool:
        """Whether a person sees it."""
        with contextlib.suppress(OSError, ValueError):
            return self.real is not None and self.real.isatty()
        return False

    def end(self) -> None:
        """Drop what could not be written: the interpreter would try it again, and end with its own status."""
        self.flush()
        if self.failure and self.real is not None:
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self.real.fileno())
                os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def _reason(act: Callable[..., object], *words: str) -> str:
    """Why it could not be done, "" where it could."""
    try:
        act(*words)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__
    return ""


def hold_their_places() -> None:
    """Open the null device where stdin, stdout or stderr is closed.

    The next file that is opened would get that number otherwise, a database for example, and whatever writes
    to "stderr" would write into it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 for as long as the process lasts
