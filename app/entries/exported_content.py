"""Content in an export. How does what an entry holds stand in a file that is read without Daemon?"""

from __future__ import annotations

import base64
import json
import math
from typing import Any

DEPTH_MOST = 200


def as_exported(stored: bytes) -> dict[str, Any]:
    """Return what an entry holds as ``content``, where a JSON value says all that its text says.

    Else its text, as ``stored``; where that is no UTF-8, its bytes, as ``stored_base64``.
    """
    try:
        text = stored.decode("utf-8")
    except UnicodeDecodeError:
        return {"stored_base64": base64.b64encode(stored).decode()}
    if _depth(text) > DEPTH_MOST:
        return {"stored": text}
    try:
        return {"content": _DECODER.decode(text)}
    except ValueError:
        return {"stored": text}


def _depth(text: str) -> int:
    """How deep brackets may be nested in a text; more than they are where some stand in strings."""
    deepest = depth = 0
    if min(text.count("["), len(text)) + text.count("{") <= DEPTH_MOST:
        return 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("too large a number")
    return value


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once_each, parse_float=_finite, parse_constant=_no_constant)
