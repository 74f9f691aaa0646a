"""vCard lines (RFC 2425, 6350; vCard 2.1). Which properties does each card have, unfolded and decoded?

Real files mix the versions: bare types (TEL;CELL;PREF), QUOTED-PRINTABLE whose soft line break splits a
character, BASE64 that ends with an empty line, groups (item1.TEL with item1.X-ABLabel), a card without END.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.errors import InvalidContent
from app.formats.texts import text_of

CARDS_MOST = 5_000
LINES_MOST = 200_000
VALUE_CHARACTERS_MOST = 20_000  # longer ones are pictures, keys and sounds
_HEAD = re.compile(
    r"(?:(?P<group>[\w-]+)\.)?(?P<name>[\w-]+)(?P<parameters>(?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):", re.ASCII
)
_PARAMETER = re.compile(r';([^=;:"]+)(?:=((?:"[^"]*"|[^";])*))?')
_PARTS = re.compile(r"(?<!\\);")


@dataclass(frozen=True)
class Property:
    """One line of a card: its name in capitals, the types in small letters, and the value, still escaped."""

    name: str
    value: str
    types: frozenset[str] = frozenset()
    group: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Return the value as a text."""
        return unescaped(self.value).strip()

    def parts(self) -> list[str]:
        """Return the parts of a value that has several, as N and ADR do."""
        return [unescaped(part).strip() for part in _PARTS.split(self.value)]


@dataclass(frozen=True)
class Card:
    """The properties of a card, its place among the others of the file, and its lines as they were."""

    number: int
    properties: tuple[Property, ...]

    def of(self, *names: str) -> list[Property]:
        """Return the properties of these names."""
        return [each for each in self.properties if each.name in names]

    def first(self, *names: str) -> str:
        """Return the text of the first that has any, in the order of ``names``; "" where none has."""
        return next((text for name in names for each in self.of(name) if (text := each.text())), "")


def read_cards(content: bytes, path: str, encoding: str | None = None) -> list[Card]:
    """Return the cards of a file. Raises InvalidContent for what is none."""
    cards: list[Card] = []
    lines: list[Property] | None = None
    for raw in _unfolded(text_of(_kept_together(content), path, encoding), path):
        found = _HEAD.match(raw)
        if found is None:
            continue  # the rest of a value that someone's program did not fold
        one = _property(found, raw[found.end() :], path)
        if one.name == "BEGIN" and one.value.strip().upper() == "VCARD":
            if lines:
                cards.append(Card(len(cards) + 1, tuple(lines)))  # it had no END
            lines = []
        elif one.name == "END" and lines is not None:
            cards.append(Card(len(cards) + 1, tuple(lines)))
            lines = None
        elif lines is not None:
            lines.append(one)
        if len(cards) > CARDS_MOST:
            raise InvalidContent(f"{path} holds more than {CARDS_MOST} cards; nothing was imported.")
    if lines:
        cards.append(Card(len(cards) + 1, tuple(lines)))
    if not cards:
        raise InvalidContent(f"{path} holds no card (BEGIN:VCARD); nothing was imported.")
    return cards


def _kept_together(content: bytes) -> bytes:
    """Join the soft line breaks of QUOTED-PRINTABLE: one may stand within a character of UTF-8."""
    if b"QUOTED-PRINTABLE" not in content.upper():
        return content
    joined, waiting = [], b""
    for line in content.replace(b"\r\n", b"\n").split(b"\n"):
        whole = waiting + (line.lstrip(b" \t") if waiting else line)
        is_quoted = b"QUOTED-PRINTABLE" in whole.partition(b":")[0].upper()
        if is_quoted and whole.endswith(b"="):
            waiting = whole[:-1]
            continue
        waiting = b""
        joined.append(whole)
    return b"\n".join([*joined, waiting] if waiting else joined)


def _unfolded(text: str, path: str) -> Iterator[str]:
    """Yield the lines, those put together that begin with a blank, and BASE64 up to an empty line."""
    waiting: list[str] = []
    for count, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
        if count > LINES_MOST:
            raise InvalidContent(f"{path} has more than {LINES_MOST} lines; nothing was imported.")
        if line[:1] in (" ", "\t") and waiting:
            waiting.append(line[1:])
        else:
            if waiting:
                yield "".join(waiting)
            waiting = [line] if line else []
    if waiting:
        yield "".join(waiting)


def _property(found: re.Match[str], value: str, path: str) -> Property:
    types: set[str] = set()
    parameters: dict[str, str] = {}
    for name, given in _PARAMETER.findall(found["parameters"] or ""):
        key, given = name.strip().upper(), given.strip('"')
        if key == "TYPE":
            types.update(each.strip().lower() for each in given.split(",") if each.strip())
        elif given:
            parameters[key] = given
        elif key in ("QUOTED-PRINTABLE", "BASE64", "8BIT", "7BIT"):
            parameters["ENCODING"] = key
        else:
            types.add(key.lower())
    return Property(
        found["name"].upper(),
        _decoded(value, parameters, path),
        frozenset(types),
        found["group"],
        parameters,
    )


def _decoded(value: str, parameters: dict[str, str], path: str) -> str:
    if parameters.get("ENCODING", "").upper() != "QUOTED-PRINTABLE":
        return value
    charset = parameters.get("CHARSET", "utf-8")
    try:
        quoted = quopri.decodestring(value.encode("utf-8"))
        return quoted.decode(charset)
    except (LookupError, UnicodeDecodeError, binascii.Error):
        raise InvalidContent(
            f"{path}: a value in QUOTED-PRINTABLE is not {charset.upper()}; nothing was imported."
        ) from None


def unescaped(value: str) -> str:
    """Return a text without the escapes of a vCard: \\n, \\, and \\;."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)
