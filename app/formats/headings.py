"""Headings (Markdown). Which title does a text begin with, and what follows it?"""

from __future__ import annotations

import re

LONGEST = 300  # characters of a line that can be one
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(?P<words>.*?)(?:[ \t]+#+)?[ \t]*")


def leading_heading(text: object) -> tuple[str, str]:
    """Return the words of the heading that a text begins with, and the rest; ("", "") for none."""
    if not isinstance(text, str):
        return "", ""
    line, _, rest = text.lstrip("\ufeff\r\n").partition("\n")
    found = _HEADING.fullmatch(line.rstrip("\r")) if len(line) <= LONGEST else None
    words = "" if found is None else " ".join(found["words"].split())
    return (words, rest.lstrip("\r\n")) if words else ("", "")
