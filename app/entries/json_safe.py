"""How is stored content read, whatever it is, and made fit to be sent as JSON? Nothing stored is changed.

NaN and Infinity become null, lone surrogates U+FFFD, whatever is deeper than 64 levels null, and
whole numbers of more than 4,000 digits text. Content that cannot be read at all is reported as such and
breaks nothing.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Final

DEPTH_SHOWN = 64
_DIGITS_OF_A_NUMBER = 4_000
_NOT_PLAIN: Final = object()
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Content:
    """What a stored value says: its text, the JSON value of it, and whether it could be read.

    Unreadable content has the value None.
    """

    text: str
    value: Any
    is_readable: bool


def read_content(stored: object) -> Content:
    """Return what a stored value says; raises nothing, whatever it is.

    SQLite gives numbers back as numbers where JSON text was one; they are what they say.
    """
    text = stored_text(stored)
    try:
        return Content(text, _decoded(text), True)
    except (ValueError, RecursionError):
        return Content(text, None, False)


def read_presentable(stored: object) -> tuple[Content, Any]:
    """Return what a stored value says, and the same as `presentable` has it: the very value, mostly."""
    text = stored_text(stored)
    value = _plain(text)
    if value is not _NOT_PLAIN:
        return Content(text, value, True), value
    content = read_content(stored)
    return content, presentable(content.value)


def said_and_presentable(stored: object) -> tuple[Any, Any]:
    """Return the JSON value of what is stored (None: it is none), and the same as `presentable` has it."""
    value = _plain(stored_text(stored))
    if value is not _NOT_PLAIN:
        return value, value
    said = read_content(stored).value
    return said, presentable(said)


def _plain(text: str) -> Any:
    """Return what a text says that can be shown as it is; _NOT_PLAIN for all others, and some of these."""
    # Without an escape no half of a surrogate pair is in ASCII, and with so few brackets nothing is deep.
    if text.isascii() and "\\u" not in text and text.count("{") + text.count("[") <= DEPTH_SHOWN:
        try:
            value, end = _read_finite(text, 0)
        except (StopIteration, ValueError, RecursionError):  # no JSON, or a number that is none there
            return _NOT_PLAIN
        if end == len(text):  # without a blank before or after it, as we write it
            return value
    return _NOT_PLAIN


def stored_text(stored: object) -> str:
    """Return the text of a stored value."""
    if type(stored) is str:  # nearly all
        return stored
    if isinstance(stored, bytes):
        return stored.decode("utf-8", "replace")
    return stored if isinstance(stored, str) else json.dumps(stored)


def presentable(value: object, depth: int = 0) -> Any:
    """Return a JSON value without anything that JSON has no word for; see the head of the file."""
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, dict | list):
        return value
    if depth >= DEPTH_SHOWN:
        return None
    if isinstance(value, list):
        return [presentable(child, depth + 1) for child in value]
    return {whole_text(key): presentable(child, depth + 1) for key, child in value.items()}


def whole_text(text: str) -> str:
    """Return a text in which every lone surrogate is U+FFFD, so that it can be sent as UTF-8."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _DIGITS_OF_A_NUMBER else digits


_decoded = json.JSONDecoder(parse_int=_whole_number).decode  # made once: `json.loads` makes one each time


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _no_number(word: str) -> float:
    raise ValueError(word)


_read_finite = json.JSONDecoder(
    parse_int=_whole_number, parse_float=_finite, parse_constant=_no_number
).scan_once  # type: ignore[attr-defined]
