"""Unicode folding (digits, spaces, hyphens). What does a text say in plain characters?

Full-width and other digits become 0 to 9, spaces and hyphens of any kind the plain ones, one for one, so
that a place in the folded text is the same place in the text. Characters that nobody sees (zero width, soft
hyphen, direction marks) are left out, and then a list says where each of those that stay was.
"""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]"
)


_LAST = 0x1FBF9  # the last decimal digit of Unicode; no space and no dash comes after it


def _table() -> dict[int, str]:
    table = {0xFF01 + at: chr(0x21 + at) for at in range(94)}
    for code in range(128, _LAST + 1):
        category = unicodedata.category(chr(code))
        if category == "Nd":
            table[code] = str(unicodedata.decimal(chr(code)))
        elif category == "Zs":
            table[code] = " "
        elif category == "Pd":
            table[code] = "-"
    return table | {0x2212: "-", 0x2024: ".", 0x2028: "\n", 0x2029: "\n", 0x85: "\n"}


def _is_plain_latin(text: str) -> bool:
    """Whether all characters are of Latin-1, and none of the few of them that are folded."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return "\u00a0" not in text and "\u00ad" not in text and "\u0085" not in text


_TABLE: dict[int, str] = {}
_FOLDED: re.Pattern[str] | None = None


def folded(text: str) -> tuple[str, list[int] | None]:
    """Return the folded text, and where each of its characters is in the text; None where it is the same."""
    if text.isascii() or _is_plain_latin(text):
        return text, None
    global _FOLDED
    if _FOLDED is None:
        _TABLE.update(_table())
        _FOLDED = re.compile("[" + "".join(map(chr, _TABLE)) + "]")
    places = None
    if _INVISIBLE.search(text):
        places = [at for at, char in enumerate(text) if not _INVISIBLE.match(char)]
        text = "".join([text[at] for at in places])
    return (text.translate(_TABLE) if _FOLDED.search(text) else text), places
