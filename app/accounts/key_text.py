"""Text of an API key (check digits). How is one drawn, and which text cannot be one that was drawn here?

    dmn_ + 43 characters (256 random bits) + 6 characters (CRC-32 of all before them), each of 0-9 A-Z a-z

So a scanner of repositories finds them by ``\\bdmn_[0-9A-Za-z]{49}\\b``, and tells by the check digits
whether it is one (docs/api.md). Keys of before 0.7.0 have other forms, and are known by their hash like all
others.
"""

from __future__ import annotations

import re
import secrets
import string
import zlib

PREFIX = "dmn_"
KEY_BYTES = 32
SHOWN_CHARACTERS = 8
"""So much of the beginning of a key is kept, to know it again: 24 of its 256 bits."""

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
PATTERN = re.compile(r"dmn_[0-9A-Za-z]{49}", re.ASCII)
_BODY_CHARACTERS = 43
_CHECK_CHARACTERS = 6


def draw_key() -> str:
    """Return a new key."""
    begin = PREFIX + _in_base_62(int.from_bytes(secrets.token_bytes(KEY_BYTES)), _BODY_CHARACTERS)
    return begin + check_digits(begin)


def check_digits(begin: str) -> str:
    """Return the characters with which a key of that beginning ends."""
    return _in_base_62(zlib.crc32(begin.encode()), _CHECK_CHARACTERS)


def is_mistyped(text: str) -> bool:
    """Whether a text has the form of a key, and a character of it is wrong: no key like it was ever drawn."""
    return (
        bool(PATTERN.fullmatch(text)) and check_digits(text[:-_CHECK_CHARACTERS]) != text[-_CHECK_CHARACTERS:]
    )


def _in_base_62(number: int, characters: int) -> str:
    found = []
    for _ in range(characters):
        number, digit = divmod(number, len(ALPHABET))
        found.append(ALPHABET[digit])
    return "".join(reversed(found))
