"""Where is it written what happened? As JSON in `server.log`, for people on the console; no secret in either.

No control character gets into either, a line is bounded, and what a server says too often is counted instead
(app/folding.py): nobody can steer a terminal by it, or wash away what was written before.

Several processes write one log (the server, and a command run beside it), so a file that another one rotated
is opened anew, and rotation is done by one at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from app import clock, files
from app.control_characters import one_line
from app.folding import Folding
from app.settings import Settings

FILE_NAME = "server.log"
LARGEST_FILE_BYTES = 5_000_000
ROTATED_FILES_COUNT = 5
LONGEST_TEXT_CHARACTERS = 2_000
LONGEST_TRACE_CHARACTERS = 20_000
HIDDEN = "[hidden]"

_SECRET_NAMES = (
    "password|passwd|secret|secret_key|token|access_token|api_key|apikey|x-api-key|authorization|cookie|claim"
)
_SECRET_TEXT = (
    # a token as login makes it, an API key, and whatever stands behind a name that means a secret
    (re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*"), HIDDEN),
    (re.compile(r"\b(?:daemon|dmn)_[\w-]{20,}"), HIDDEN),
    (re.compile(r"\$(2[abxy]|argon2\w*)\$[^\s\"']+"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+(?=\S*[\d=._-])[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (
        re.compile(rf"(?i)(\b\w*(?:{_SECRET_NAMES})[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&\"'}}]+)"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?<=://)[^/\s@]+@"), f"{HIDDEN}@"),
)
_SECRET_KEY = re.compile(rf"(?i)(?:^|_|-)(?:{_SECRET_NAMES})$")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}

_kept_secret: set[str] = set()
_installed: list[logging.Handler] = []


def get_logger(name: str) -> logging.Logger:
    """Return the logger of that name; what is passed as ``extra`` becomes members of the line."""
    return logging.getLogger(name)


def keep_secret(value: str) -> None:
    """See to it that ``value`` never appears in a log of this process, wherever it turns up."""
    if len(value) >= 6:
        _kept_secret.add(value)


def configure(settings: Settings, *, console: bool) -> None:
    """Send log messages to ``settings.log_dir/server.log`` and, with ``console``, to stderr.

    Makes the folder and the file (readable by their owner only). Where that is not possible, says so on
    stderr and goes on without the file. With ``console``, which is a server's, lines of one kind are folded.
    May be called again; the last call counts.
    """
    release()
    if settings.secret_key:
        keep_secret(settings.secret_key)
    handlers: list[logging.Handler] = []
    if console:
        handlers.append(_set_up(logging.StreamHandler(sys.stderr), _ReadableFormatter(), settings))
    try:
        files.private_folder(settings.log_dir)
        shared = _SharedFileHandler(settings.log_dir / FILE_NAME, settings)
        handlers.append(_set_up(shared, _JsonFormatter(), settings))
    except OSError as error:
        _complain(settings.log_dir / FILE_NAME, error)
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


def keep_unsaid(words: str) -> None:
    """Write down what could not be told to anybody; nothing where no log is open: whoever looks has none."""
    if _installed:
        get_logger("app.unsaid").warning("%s", words)


def tell_what_was_folded() -> None:
    """Write the counts that are due, also where nothing more is said."""
    for handler in _installed:
        if isinstance(handler, _FoldingHandler):
            handler.tell()


def hide_secrets(text: str) -> str:
    """Return ``text`` with everything that is, or looks like, a secret replaced."""
    for value in _kept_secret:
        text = text.replace(value, HIDDEN)
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return text


def _set_up(handler: logging.Handler, formatter: logging.Formatter, settings: Settings) -> logging.Handler:
    handler.setFormatter(formatter)
    handler.setLevel(settings.log_level)
    return handler


def _complain(path: Path, error: OSError) -> None:
    reason = error.strerror or type(error).__name__
    said = f"warning: the log {path} cannot be written: {reason}; going on without it"
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):  # nobody to tell: it stops nothing all the same
            sys.stderr.write(f"{one_line(said)}\n")


def _message(record: logging.LogRecord) -> str:
    """Return the message; one whose arguments do not fit it is a fault that must not stop what is logged."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args}"


def _extras(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _without_secrets(value: object) -> object:
    """Return a JSON value like ``value`` without secrets, by the names of members and in every text."""
    if isinstance(value, dict):
        return {
            str(name): HIDDEN if _SECRET_KEY.search(str(name)) else _without_secrets(member)
            for name, member in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_without_secrets(member) for member in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _bounded(hide_secrets(str(value)))


def _bounded(text: str, most: int = LONGEST_TEXT_CHARACTERS) -> str:
    return text if len(text) <= most else f"{text[:most]} (and {len(text) - most:,} characters more)"


class _JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, then what came as ``extra``, then the error."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": clock.rfc3339(clock.now()),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": _message(record),
            **_extras(record),
        }
        shown = _without_secrets(line)
        if record.exc_info and isinstance(shown, dict):
            trace = hide_secrets(self.formatException(record.exc_info))
            shown["error"] = _bounded(trace, LONGEST_TRACE_CHARACTERS)
        # Everything that steers is escaped by it, but for DEL.
        return json.dumps(shown, ensure_ascii=True).replace("\x7f", "\\u007f")


class _ReadableFormatter(logging.Formatter):
    """For people: time, level, message and its extras; a stack trace stays in the file."""

    def format(self, record: logging.LogRecord) -> str:
        text = f"{clock.now():%H:%M:%S} {record.levelname.lower():<8} {_message(record)}"
        extras = _without_secrets(_extras(record))
        if isinstance(extras, dict) and extras:
            text += "  " + " ".join(f"{name}={value}" for name, value in extras.items() if value != "")
        if record.exc_info and record.exc_info[1] is not None:
            text += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
        return one_line(_bounded(hide_secrets(text)).replace("\n", " | "))


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


class _SharedFileHandler(logging.Handler):
    """Appends to a file that several processes append to, and rotates it when it has grown large.

    No handler of the standard library does both: the rotating one goes on writing into the file that another
    process has renamed. A line is one write, so that lines of several processes do not mix.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        super().__init__()
        self._path = path
        self._database = settings.database_path
        self._has_complained = False
        self._opened: int | None = self._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line. A disk that is full is said once on stderr, and stops nothing."""
        try:
            line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
            os.write(self._ready_to_append(), line)
        except OSError as error:
            if not self._has_complained:
                self._has_complained = True
                _complain(self._path, error)

    def close(self) -> None:
        """Close the file."""
        with self.lock or contextlib.nullcontext():
            opened, self._opened = self._opened, None
            if opened is not None:
                os.close(opened)
        super().close()

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(self._path, flags)
        except FileNotFoundError:
            opened = os.open(self._path, flags | os.O_CREAT, files.PRIVATE_FILE)
        try:
            files.private_file(self._path, self._database)
        except BaseException:
            os.close(opened)
            raise
        return opened

    def _ready_to_append(self) -> int:
        opened = self._current()
        if os.fstat(opened).st_size >= LARGEST_FILE_BYTES:
            with _only_one(self._path.parent):
                if _is_at(opened, self._path):
                    _rotate(self._path)
            opened = self._current()
        return opened

    def _current(self) -> int:
        """Return the open file of this name, opened anew where another process has renamed it."""
        if self._opened is None or not _is_at(self._opened, self._path):
            newer = self._open()
            if self._opened is not None:
                os.close(self._opened)
            self._opened = newer
        return self._opened


def _is_at(opened: int, path: Path) -> bool:
    ours = os.fstat(opened)
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _rotate(path: Path) -> None:
    for number in range(ROTATED_FILES_COUNT - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    path.replace(path.with_name(f"{path.name}.1"))
