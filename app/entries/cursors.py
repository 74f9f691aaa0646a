"""Pagination cursors (AES-SIV). How does a client name where a list goes on, and learn nothing by it?

A place tells how much was written before it, hidden entries too. So a cursor is the place encrypted, bound to
the list of its kind: it is always of one length, the same for the same place, and what was not made with the
installation's key is refused. It needs nothing to be kept, and does not depend on an entry being there still.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import struct
from functools import lru_cache
from typing import TYPE_CHECKING

from app.entries.order import Place
from app.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

CURSOR_FORM = "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"
PROCESS_KEY = secrets.token_bytes(32)
"""For lists of one process, where no key of an installation is at hand."""

CURSORS_KEPT = 1_024
_FORM = re.compile(CURSOR_FORM.replace("$", r"\Z"))
_PLACE = struct.Struct(">QQ")


def cursor_key(secret: str) -> bytes:
    """Return the key for cursors that belongs to an installation's secret; another secret ends cursors."""
    return hmac.digest(secret.encode(), b"cursors of lists", "sha256")


def check_form(token: str | None) -> None:
    """Raise UsageError for what cannot be a cursor."""
    if token is not None and not _FORM.match(token):
        raise _not_ours()


@lru_cache(maxsize=CURSORS_KEPT)  # the same for the same place
def make_cursor(key: bytes, endpoint_id: int, place: Place, order: str = "") -> str:
    """Return the token of the page of a kind that begins after ``place``, in the list of that order."""
    made = _cipher(key).encrypt(_PLACE.pack(*place), [_bound_to(endpoint_id, order)])
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


@lru_cache(maxsize=CURSORS_KEPT)  # what raises is not kept
def read_cursor(key: bytes, endpoint_id: int, token: str, order: str = "") -> Place:
    """Return the place after which a page begins; raises UsageError for a token not of ours, or of another
    list.
    """
    from cryptography.exceptions import InvalidTag

    check_form(token)
    try:
        found = _cipher(key).decrypt(base64.urlsafe_b64decode(f"{token}="), [_bound_to(endpoint_id, order)])
    except InvalidTag:
        raise _not_ours() from None
    return Place(*_PLACE.unpack(found))


def make_own_cursor(key: bytes, name: str, user_id: int, number: int) -> str:
    """Return the token of the page of a person's own list that goes on at a number."""
    made = _cipher(key).encrypt(_PLACE.pack(number, 0), [_bound_to_own(name, user_id)])
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def read_own_cursor(key: bytes, name: str, user_id: int, token: str) -> int:
    """Return that number; raises UsageError for a token not of ours, or of another list or person."""
    from cryptography.exceptions import InvalidTag

    check_form(token)
    try:
        found = _cipher(key).decrypt(base64.urlsafe_b64decode(f"{token}="), [_bound_to_own(name, user_id)])
    except InvalidTag:
        raise _not_ours() from None
    return int(_PLACE.unpack(found)[0])


def _bound_to_own(name: str, user_id: int) -> bytes:
    return b"%s of the person %d" % (name.encode(), user_id)


@lru_cache(maxsize=4)
def _cipher(key: bytes) -> AESSIV:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # 9 MB: when the first list is long

    return AESSIV(key)


def _bound_to(endpoint_id: int, order: str) -> bytes:
    of_kind = b"list of the kind %d" % endpoint_id
    return of_kind if not order else b"%s by %s" % (of_kind, order.encode())


def _not_ours() -> UsageError:
    return UsageError(
        "The cursor is not one that this server gave for this list.",
        hint="Begin again without it, then follow `next`.",
    )
