"""Log. Where is it written what happened? As JSON in `server.log`, for people on the console.

What a line holds is in log_lines.py, how it gets into the file in log_file.py. What a server says too often
is counted instead (folding.py), so that a flood pushes no older line out.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import sys

from app import files
from app.folding import Folding
from app.log_file import SharedFileHandler, complain
from app.log_lines import JsonFormatter, ReadableFormatter, keep_secret
from app.settings import Settings

FILE_NAME = "server.log"

_installed: list[logging.Handler] = []
# Where no log is open, a library's words go to stderr all the same, and none of its traces.
if logging.lastResort is not None:
    logging.lastResort.setFormatter(ReadableFormatter())


def get_logger(name: str) -> logging.Logger:
    """Return the logger of that name; what is passed as ``extra`` becomes members of the line."""
    return logging.getLogger(name)


def configure(settings: Settings, *, console: bool) -> None:
    """Send log messages to ``settings.log_dir/server.log`` and, with ``console``, to stderr.

    Makes the folder and the file (readable by their owner only). Where that is not possible, says so on
    stderr and goes on without the file. With ``console``, which is a server's, lines of one kind are folded.
    May be called again; the last call counts.
    """
    release()
    # No line says in which thread or at which line of code it was made, and finding out takes half its time.
    logging.logThreads = logging.logMultiprocessing = False
    logging.raiseExceptions = False  # a line that cannot be written is not said with a trace either
    logging._srcfile = None
    if settings.secret_key:
        keep_secret(settings.secret_key)
    handlers: list[logging.Handler] = []
    if console:
        handlers.append(_set_up(logging.StreamHandler(sys.stderr), ReadableFormatter(), settings))
    try:
        files.private_folder(settings.log_dir)
        shared = SharedFileHandler(settings.log_dir / FILE_NAME, settings)
        handlers.append(_set_up(shared, JsonFormatter(), settings))
    except OSError as error:
        complain(settings.log_dir / FILE_NAME, error)
    for handler in [_FoldingHandler(handlers)] if console else handlers:
        logging.getLogger().addHandler(handler)
        _installed.append(handler)
    logging.getLogger().setLevel(settings.log_level)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # what its steps do, the upgrade itself tells


def release() -> None:
    """Close what `configure` opened and send messages nowhere."""
    root = logging.getLogger()
    while _installed:
        handler = _installed.pop()
        root.removeHandler(handler)
        handler.close()


def is_open() -> bool:
    """Whether `configure` has somewhere to write to."""
    return bool(_installed)


def take_traces_of(*loggers: logging.Logger) -> None:
    """Have the handlers that a library's loggers have leave out traces: those are written into the log."""
    for handler in (handler for logger in loggers for handler in logger.handlers):
        handler.addFilter(_take_trace)  # once only, however often it is said


def _take_trace(record: logging.LogRecord) -> bool:
    if record.exc_info:
        for handler in _installed:
            handler.handle(copy.copy(record))
        record.exc_info = record.exc_text = None
    return True


def keep_unsaid(words: str) -> None:
    """Write down what could be said nowhere else; nothing where no log is open."""
    if _installed:
        get_logger("app.unsaid").warning("%s", words)


def tell_what_was_folded() -> None:
    """Write the counts that are due, also where nothing more is said."""
    for handler in _installed:
        if isinstance(handler, _FoldingHandler):
            handler.tell()


def _set_up(handler: logging.Handler, formatter: logging.Formatter, settings: Settings) -> logging.Handler:
    handler.setFormatter(formatter)
    handler.setLevel(settings.log_level)
    return handler


class _FoldingHandler(logging.Handler):
    """Hands on to the other handlers, and counts what comes too often."""

    def __init__(self, handlers: list[logging.Handler]) -> None:
        super().__init__()
        self._handlers = handlers
        self._folding = Folding()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand on what is to be written now."""
        self._hand_on(self._folding.take(record))

    def tell(self) -> None:
        """Hand on the counts that are due."""
        with self.lock or contextlib.nullcontext():
            self._hand_on(self._folding.due())

    def close(self) -> None:
        """Hand on every count, and close the others."""
        with self.lock or contextlib.nullcontext():
            self._hand_on(self._folding.rest())
        for handler in self._handlers:
            handler.close()
        super().close()

    def _hand_on(self, records: list[logging.LogRecord]) -> None:
        for record in records:
            for handler in self._handlers:
                if record.levelno >= handler.level:
                    handler.handle(record)
