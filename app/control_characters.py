"""Control characters: what of a text may a terminal be shown? Nothing that steers it."""

from __future__ import annotations

import re

# C0 and C1 but for tab and line feed, the marks that turn the direction of writing, the other line ends
_STEERING = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
CONTROL_CHARACTERS = re.compile(f"[{_STEERING}]")
_ALSO_IN_A_LINE = re.compile(f"[\\t\\n{_STEERING}]")


def printable(text: str) -> str:
    """Return ``text`` with control characters spelt out; lines and tabs stay."""
    return CONTROL_CHARACTERS.sub(_spelt_out, text)


def one_line(text: str) -> str:
    """As `printable`, and line ends and tabs are spelt out too: one line stays one."""
    return _ALSO_IN_A_LINE.sub(_spelt_out, text)


def _spelt_out(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode()
