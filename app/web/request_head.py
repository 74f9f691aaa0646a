"""Request head. What of a request's headers do middleware and kept answers need? Read in one pass."""

from __future__ import annotations

import itertools
import re
import secrets

from starlette.types import Scope

from app.formats.entry_forms import is_json_wanted
from app.server.client_address import FORWARDED_BY, scheme_of

CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"x-claim-token", b"cookie"})
BODY_OR_MORE = frozenset({b"content-length", b"transfer-encoding", b"expect", b"upgrade"})
"""Headers after which a client may send more than a head, or expects something else than an answer."""

_PROCESS = secrets.token_hex(4).encode()  # with the count below: a name that no other request has
_COUNT = itertools.count(1)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")


def request_id_of(given: bytes) -> bytes:
    """Return the name of a request: what its client has called it, or else one that no other has."""
    return given or b"%s-%x" % (_PROCESS, next(_COUNT))


class Head:
    """What the middleware needs to know of a request's head, read in one pass."""

    __slots__ = (
        "accepts_json",
        "given_id",
        "has_credential",
        "has_if_match",
        "if_none_match",
        "is_alone",
        "is_forwarded",
        "is_preflight",
        "method",
        "origin",
        "request_id",
        "scheme",
    )

    def __init__(self, scope: Scope, trusted_proxies: tuple[str, ...]) -> None:
        self.method: str = scope["method"]
        self.scheme = scheme_of(scope, trusted_proxies)
        self.given_id = b""
        self.has_credential = False
        self.has_if_match = False
        self.if_none_match = ""
        self.is_alone = True  # nothing but a head
        self.is_forwarded = False
        self.origin = ""
        asks_method, accept = False, ""
        for name, value in scope["headers"]:
            if name in CREDENTIALS:
                self.has_credential = True
            elif name == b"accept":
                accept = ", ".join(filter(None, (accept, value.decode("latin-1"))))
            elif name == b"if-none-match":
                self.if_none_match = ", ".join(filter(None, (self.if_none_match, value.decode("latin-1"))))
            elif name == b"if-match":
                self.has_if_match = True
            elif name == b"origin":
                self.origin = value.decode("latin-1")
            elif name == b"access-control-request-method":
                asks_method = True
            elif name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                self.given_id = value
            elif name in FORWARDED_BY:
                self.is_forwarded = True
            elif name in BODY_OR_MORE:
                self.is_alone = False
        self.accepts_json = not accept or is_json_wanted(accept)
        self.request_id = request_id_of(self.given_id)
        self.is_preflight = asks_method and self.method == "OPTIONS" and bool(self.origin)

    @property
    def is_plain(self) -> bool:
        """Whether a stranger's kept answer would do, in a form that the client takes."""
        is_strangers = not self.has_credential and not self.has_if_match
        return is_strangers and self.method in ("GET", "HEAD")
