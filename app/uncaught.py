"""Uncaught errors. Where does an error go that no code catches? Its trace into the log, to people a sentence.

Python itself would print a trace of it: in the main thread, in any other one, and where nothing can be
raised (in `__del__`, in a generator that no one goes on with, at the end of the process).
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any

NAME = "app.uncaught"


def keep_traces_from_people() -> None:
    """Have this whole process write down what it does not catch, for the rest of its life."""
    sys.excepthook = _in_the_main_thread
    threading.excepthook = _in_a_thread
    sys.unraisablehook = _where_nothing_can_be_raised


def fault_in_words(error: BaseException) -> str:
    """Write the trace of an error that has no name into the log, which is opened for it; return what to say.

    Never raises.
    """
    written = _written_down(error)
    where = f"details are in {written}" if written else "the log could not be written"
    return f"This is a fault of Daemon's own: {type(error).__name__}: {error}; {where}."


def _written_down(error: BaseException) -> str:
    """Write it down; return the name of the file, "" where that was not possible."""
    with suppress(Exception):  # telling of the first fault must not fail on a second one
        from app import log  # not above: where nothing goes wrong, `daemon --help` needs none of it
        from app.settings import load_settings

        settings = load_settings()
        if not log.is_open():
            log.configure(settings, console=False)
        if log.is_open():
            log.get_logger(NAME).error("a fault that has no name", exc_info=error)
            return str(settings.log_dir / log.FILE_NAME)
    return ""


def _in_the_main_thread(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        return  # whoever typed Ctrl-C knows
    said = fault_in_words(error)
    with suppress(Exception):  # who closed standard error is told nothing, and the log has it
        sys.stderr.write(f"Error: {said}\n")


def _in_a_thread(seen: threading.ExceptHookArgs) -> None:
    if seen.exc_type is not SystemExit:
        name = seen.thread.name if seen.thread is not None else ""
        _note("a thread ended with an error", seen.exc_value, name)


def _where_nothing_can_be_raised(seen: sys.UnraisableHookArgs) -> None:
    what = getattr(seen.object, "__qualname__", type(seen.object).__name__)
    _note("an error came where it could stop nothing", seen.exc_value, str(what))


def _note(message: str, error: BaseException | None, where: str) -> None:
    """Write it down where a log is open: who only looks opens none, and what was asked for is answered."""
    log: Any = sys.modules.get("app.log")  # never imported here: Python may be importing, or at its end
    with suppress(Exception):  # what is raised here would be printed with its trace, at the end of Python too
        if log is not None and error is not None and log.is_open():
            log.get_logger(NAME).error(message, exc_info=error, extra={"where": where})
