"""Log lines, as JSON and for people. What stands in a line of the log, and which secrets never do?

No control character gets into either, and a line is bounded: no request can steer a terminal.
"""

from __future__ import annotations

import json
import logging
import re

from app import clock
from app.control_characters import one_line
from app.typed_commands import in_log

LONGEST_TEXT_CHARACTERS = 2_000
LONGEST_TRACE_CHARACTERS = 20_000
HIDDEN = "[hidden]"

_SECRET_NAMES = (
    "password|passwd|secret|secret_key|token|access_token|api_key|apikey|x-api-key|authorization|cookie|claim"
)
# What a secret looks like, and in small letters what is in each such text of ASCII: most lines have none.
_SECRET_TEXT: tuple[tuple[re.Pattern[str], str, tuple[str, ...]], ...] = (
    # a token as login makes it, an API key, and whatever stands behind a name that means a secret
    (re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*"), HIDDEN, ("eyj",)),
    (re.compile(r"\b(?:daemon|dmn)_[\w-]{20,}"), HIDDEN, ("daemon_", "dmn_")),
    (re.compile(r"\$(2[abxy]|argon2\w*)\$[^\s\"']+"), HIDDEN, ("$",)),
    (
        re.compile(r"(?i)\b(bearer|basic)\s+(?=\S*[\d=._-])[\w.~+/=-]{8,}"),
        rf"\1 {HIDDEN}",
        ("bearer", "basic"),
    ),
    (
        re.compile(rf"(?i)(\b\w*(?:{_SECRET_NAMES})[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&\"'}}]+)"),
        rf"\1{HIDDEN}",
        tuple(_SECRET_NAMES.split("|")),
    ),
    (re.compile(r"(?<=://)[^/\s@]+@"), f"{HIDDEN}@", ("@",)),
)
_SECRET_KEY = re.compile(rf"(?i)(?:^|_|-)(?:{_SECRET_NAMES})$")
_HINTS = frozenset({"hint", "next"})  # extras that say what to type
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}

_kept_secret: set[str] = set()


def keep_secret(value: str) -> None:
    """See to it that ``value`` never appears in a log of this process, wherever it turns up."""
    if len(value) >= 6:
        _kept_secret.add(value)


def hide_secrets(text: str) -> str:
    """Return ``text`` with everything that is, or looks like, a secret replaced."""
    for value in _kept_secret:
        text = text.replace(value, HIDDEN)
    small = text.lower() if text.isascii() else None  # beyond ASCII a letter may be another one made small
    for pattern, replacement, needs in _SECRET_TEXT:
        if small is None or any(need in small for need in needs):
            text = pattern.sub(replacement, text)
    return text


def _message(record: logging.LogRecord) -> str:
    """Return the message; one whose arguments do not fit it is a fault that must not stop what is logged."""
    try:
        return in_log(record.getMessage())
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args}"


def _extras(record: logging.LogRecord) -> dict[str, object]:
    found = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    return found | {name: in_log(str(found[name])) for name in _HINTS & found.keys()}


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


class JsonFormatter(logging.Formatter):
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


class ReadableFormatter(logging.Formatter):
    """For people: time, level, message and its extras; a stack trace stays in the file."""

    def format(self, record: logging.LogRecord) -> str:
        text = f"{clock.now():%H:%M:%S} {record.levelname.lower():<8} {_message(record)}"
        extras = _without_secrets(_extras(record))
        if isinstance(extras, dict) and extras:
            text += "  " + " ".join(f"{name}={value}" for name, value in extras.items() if value != "")
        if record.exc_info and record.exc_info[1] is not None:
            text += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
        return one_line(_bounded(hide_secrets(text)).replace("\n", " | "))
