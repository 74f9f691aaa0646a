"""Text encodings (BOM, UTF-8, UTF-16). Which text do bytes from elsewhere hold, and where are they none?

What is no character of a text (U+0000, a lone surrogate) is refused with its place: no database holds it as
text, and what was left out of it silently would be lost.
"""

from __future__ import annotations

import codecs
import re

from app.errors import InvalidContent

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NO_CHARACTER = re.compile("[\x00\ud800-\udfff]")


def text_of(content: bytes, place: str, encoding: str | None = None) -> str:
    """Return the text of a file without its byte order mark; line ends stay as they are.

    ``encoding`` counts only where the bytes are not UTF-8 and have no mark. Raises InvalidContent.
    """
    mark, marked = next(((mark, name) for mark, name in _MARKS if content.startswith(mark)), (b"", "utf-8"))
    body = content[len(mark) :]
    try:
        text = body.decode(marked)
    except UnicodeDecodeError as error:
        if mark or encoding is None:
            raise InvalidContent(_not_text(body, error, place, marked), hint=_HINT) from None
        text = _decoded(body, encoding, place)
    bad = _NO_CHARACTER.search(text)
    if bad is not None:
        line, column = place_in(text, bad.start())
        raise InvalidContent(
            f"{place}, line {line}, column {column}: U+{ord(bad[0]):04X} is no character of a text;"
            " nothing was imported.",
            hint="Take it out of the file, and import it again.",
        )
    return text


_HINT = "If it is an older file: daemon import PATH --encoding windows-1252"


def _not_text(body: bytes, error: UnicodeDecodeError, place: str, encoding: str) -> str:
    line = body.count(b"\n", 0, error.start) + 1
    return (
        f"{place} is not {encoding.upper()}: byte {error.start} (line {line}) is 0x{body[error.start]:02X};"
        " nothing was imported."
    )


def _decoded(body: bytes, encoding: str, place: str) -> str:
    try:
        return body.decode(encoding)
    except LookupError:
        raise InvalidContent(
            f"There is no encoding called {encoding!r}; nothing was imported.",
            hint="windows-1252, iso-8859-1, utf-16-le ...",
        ) from None
    except UnicodeDecodeError as error:
        raise InvalidContent(_not_text(body, error, place, encoding)) from None


def place_in(text: str, at: int) -> tuple[int, int]:
    """Return line and column, from 1 on, of a character."""
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
