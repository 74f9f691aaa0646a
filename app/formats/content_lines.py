"""Content lines (RFC 6350, RFC 5545). How does a value become a line of a vCard or calendar, and only one?

Whatever any reader might take for the end of a line is an escaped line break inside the value; other control
characters are dropped. A line is folded at 75 octets, never within a character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

OCTETS_MOST = 75
_LINE_ENDS = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")
_PARAMETER = re.compile(r"[A-Za-z0-9-]{1,40}")
_OF_URIS = ":/?#[]@!$&'()*+,;=%-._~"
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_TIME = re.compile(r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?Z")


def escaped(text: str) -> str:
    """Return a text value: escaped, and without anything that ends a line."""
    plain = _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))
    for mark in ("\\", ",", ";"):
        plain = plain.replace(mark, f"\\{mark}")
    return plain.replace("\n", "\\n")


def uri_of(text: str) -> str | None:
    """Return a URI as such a value, None for what is none; `example.org/me` is meant as https."""
    plain = _CONTROLS.sub("", _LINE_ENDS.sub("", text)).strip()
    if not plain or " " in plain or "." not in plain:
        return None
    found = plain if _URI.fullmatch(plain) else f"https://{plain}"
    return quote(found, safe=_OF_URIS)


def line(name: str, value: str, parameters: Mapping[str, Iterable[str]] | None = None) -> str:
    """Return a line of a value that is escaped already; parameters that are no plain words are left out."""
    said = ""
    for key, words in (parameters or {}).items():
        if plain := [word for word in words if _PARAMETER.fullmatch(word)]:
            said += f";{key}={','.join(plain)}"
    return f"{name}{said}:{value}"


def written(lines: Iterable[str]) -> bytes:
    """Return lines as they stand in a file: folded, each ended by CRLF."""
    return b"".join(_folded(each) + b"\r\n" for each in lines)


def moment_of(text: object) -> str | None:
    """Return a time of RFC 3339 in UTC as both formats write it; None for anything else."""
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    return None if found is None else "{}{}{}T{}{}{}Z".format(*found.groups())


def texts_of(value: object) -> list[str]:
    """Return the texts of a field that holds one or a list of them, without those that say nothing."""
    values = value if isinstance(value, list) else [value]
    return [each.strip() for each in values if isinstance(each, str) and each.strip()]


def _folded(text: str) -> bytes:
    parts, room, part = [], OCTETS_MOST, b""
    for character in text:
        octets = character.encode()
        if len(part) + len(octets) > room:
            parts.append(part)
            part, room = b"", OCTETS_MOST - 1  # the blank before it counts
        part += octets
    return b"\r\n ".join([*parts, part])
