"""Entry values and JSON parsing. What is an entry as the doors see it, and how is it read from a body?"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from app.entries.listing import Listing
from app.entries.validity import ALWAYS, Validity
from app.errors import InvalidContent, UsageError

View = dict[str, Any]
"""One entry as a door may show it: id, content, meta, data, created_at, updated_at; for its owner and
for admins also visibility, owner, slug if it has one and, where what is stored is not JSON, stored_text.
JSON values only: no NaN, no lone surrogates."""

LIMIT_DEFAULT = 50
LIMIT_MOST = 200
DEPTH_MOST = 32
DIGITS_MOST = 4_000
BYTE_ORDER_MARK = "\ufeff"
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Item:
    """One entry as JSON, and when that is what it would be if it were made then."""

    body: bytes
    validity: Validity = ALWAYS
    next: None = None  # as a page has it

    @property
    def tag_source(self) -> bytes:
        """What is another text where the body is."""
        return self.body

    @property
    def view(self) -> View:
        """The entry as a value."""
        found: View = json.loads(self.body)
        return found


@dataclass(frozen=True)
class Page:
    """One page of a list: its items as JSON, oldest first, the token of the next page (None: this is the
    last), and when that is what it would be if it were made then.

    ``digests`` are the hashes of the items, where they are known; ``listed`` says which entries they are of.
    """

    bodies: tuple[bytes, ...]
    next: str | None = None
    validity: Validity = ALWAYS
    digests: tuple[bytes, ...] = ()
    listed: Listing | None = field(default=None, compare=False, repr=False)

    @cached_property
    def tag_source(self) -> bytes:
        """What is another text where the body is: shorter than that, if possible."""
        if len(self.digests) < len(self.bodies) or not self.bodies:
            return self.body
        return b"%s%s" % (b"".join(self.digests), json_bytes(self.next))

    @cached_property
    def body(self) -> bytes:
        """The list as every door answers it: ``{"items": [...], "next": ...}``."""
        return b'{"items":[%s],"next":%s}' % (b",".join(self.bodies), json_bytes(self.next))

    @property
    def items(self) -> tuple[View, ...]:
        """The items as values."""
        return tuple(map(json.loads, self.bodies))

    def as_json(self) -> dict[str, Any]:
        """Return the list as a value."""
        return {"items": list(self.items), "next": self.next}


@dataclass(frozen=True)
class Origin:
    """Where a change came from, for the audit row, and with which key; all None for the command line."""

    ip_address: str | None = None
    user_agent: str | None = None
    api_key_id: int | None = None


@dataclass(frozen=True)
class Written:
    """What a write left behind: the id, and the entry as its owner sees it.

    That is worked out when it is asked for, and not while others wait for their turn to write. ``size`` says
    how much work it is: the characters of the stored text, and 100 for each finding.
    """

    id: int
    size: int
    make_item: Callable[[], View]

    @cached_property
    def item(self) -> View:
        """The entry as its owner sees it."""
        return self.make_item()

    @property
    def visibility(self) -> str:
        """The visibility that was kept for it."""
        return str(self.item["visibility"])


def json_bytes(value: object) -> bytes:
    """Return ``value`` as UTF-8 JSON. Raises ValueError for what has no form there: NaN, lone surrogates."""
    return "".join(_written(value, 0)).encode()


def _writer() -> Callable[[object, int], Iterable[str]]:
    """Return what writes JSON in parts; made once: a JSONEncoder makes one each time."""
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # a Python without it
        return lambda value, _depth: encoder.iterencode(value)
    quoted = json.encoder.encode_basestring
    # as `JSONEncoder.iterencode` does, but for the look for circles: no value here holds itself
    write: Callable[[object, int], Iterable[str]] = make(
        None, encoder.default, quoted, None, ":", ",", False, False, False
    )
    return write


_written = _writer()


def parse_body(body: bytes) -> object:
    """Return the JSON value of a request's body.

    A byte order mark is skipped. Raises InvalidContent (with JSON Pointers) for what is not JSON: NaN,
    Infinity, a number that is too large, a doubled key, nesting over 32 levels, invalid UTF-8, half a
    surrogate pair. Writes nothing.
    """
    try:
        value: object = _decoded(body.decode("utf-8").lstrip(BYTE_ORDER_MARK))
    except UnicodeDecodeError as error:
        raise _not_json(_not_utf8(body, error.start)) from None
    except json.JSONDecodeError as error:
        raise _not_json(f"{error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise _not_json(f"it is nested more than {DEPTH_MOST} levels deep") from None
    except ValueError as error:
        raise _not_json(str(error)) from None
    check_json(value)
    return value


def check_json(value: object) -> None:
    """Raise InvalidContent, with the JSON Pointer, where a value cannot be kept as JSON; returns nothing.

    Looks for NaN and Infinity, nesting over 32 levels, keys that are not text, halves of surrogate pairs, and
    whatever JSON has no word for.
    """
    pending: list[tuple[object, str, int]] = [(value, "", 1)]
    while pending:
        here, pointer, depth = pending.pop()
        if isinstance(here, dict | list):
            if depth > DEPTH_MOST:
                raise invalid(pointer[:200], f"nested more than {DEPTH_MOST} levels deep")
            pending.extend(
                (child, f"{pointer}/{name}", depth + 1) for name, child in _children(here, pointer)
            )
        elif isinstance(here, str):
            _refuse_half_characters(here, pointer, "the text")
        elif isinstance(here, float) and not math.isfinite(here):
            raise invalid(pointer, "NaN and Infinity are not JSON")
        elif not isinstance(here, str | int | float | bool | None):
            raise invalid(pointer, f"a {type(here).__name__} is not JSON")


def invalid(pointer: str, detail: str, *, hint: str = "") -> InvalidContent:
    """Return the error for one place of a body: its JSON Pointer and what is wrong there."""
    return InvalidContent(
        f"The content does not fit: {pointer or 'the whole'}: {detail}.",
        hint=hint,
        errors=[{"pointer": pointer, "detail": detail}],
    )


def pointer_of(path: Iterable[str | int]) -> str:
    """Return the JSON Pointer (RFC 6901) of a path of keys and indexes."""
    return "".join(f"/{_escaped(str(part))}" for part in path)


def check_limit(limit: int) -> int:
    """Return the limit; raises UsageError outside 1 to 200."""
    if not 1 <= limit <= LIMIT_MOST:
        raise UsageError(f"limit is {limit}; it goes from 1 to {LIMIT_MOST}.", hint="Follow `next` for more.")
    return limit


def _children(value: dict[Any, Any] | list[Any], pointer: str) -> list[tuple[str, object]]:
    if isinstance(value, list):
        return [(str(index), child) for index, child in enumerate(value)]
    for key in value:
        if not isinstance(key, str):
            raise invalid(pointer, "an object's keys are text")
        _refuse_half_characters(key, pointer, "a name in it")
    return [(_escaped(key), child) for key, child in value.items()]


def _refuse_half_characters(text: str, pointer: str, what: str) -> None:
    """Raise for half a surrogate pair: UTF-8 has no form for it, so that no answer could give it back."""
    found = None if text.isascii() else _HALF_CHARACTER.search(text)
    if found:
        raise invalid(
            pointer,
            f"{what} holds half a character (U+{ord(found[0]):04X}, character {found.start() + 1})",
            hint="It was cut in the middle of a character, of an emoji perhaps: send the whole one, or none.",
        )


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _not_json(why: str) -> InvalidContent:
    return InvalidContent(
        f"The body is not JSON: {why}.", hint="Send one JSON object.", errors=[{"pointer": "", "detail": why}]
    )


def _not_utf8(body: bytes, at: int) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it is UTF-16; save it as UTF-8"
    return f"it is not UTF-8 (byte {at})"


def _no_doubled_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key[:60]!r} is there twice in one object")
            seen.add(key)
    return result


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not JSON")


def _whole(digits: str) -> int:
    if len(digits) > DIGITS_MOST:
        raise ValueError(f"a whole number has {len(digits)} digits; at most {DIGITS_MOST} are kept")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:20]} is too large")
    return number


_decoded = json.JSONDecoder(  # made once
    object_pairs_hook=_no_doubled_keys,
    parse_constant=_no_constant,
    parse_float=_finite,
    parse_int=_whole,
).decode
