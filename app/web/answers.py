"""How is a value answered, and which answer to a stranger can be sent again as it is?"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response

from app.entries.entry import json_bytes
from app.errors import DaemonError
from app.web.bodies import Encoded, etag_of, is_unchanged
from app.web.conditions import check_match, header_of

MOST_BYTES = 16_000_000
LARGEST_KEPT_BYTES = 2_000_000
PUBLIC_CACHE = "public, max-age=15"
PRIVATE_CACHE = "private, no-store"
VARY = "Accept, Authorization, X-API-Key, Origin"

Headers = tuple[tuple[bytes, bytes], ...]

SECURITY_HEADERS: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
HSTS = (b"strict-transport-security", b"max-age=31536000")
OPEN_TO_ALL_PAGES = (b"access-control-allow-origin", b"*")
EXPOSED_NAMES = "ETag, Link, Location, Retry-After, X-Request-ID"
EXPOSED = (b"access-control-expose-headers", EXPOSED_NAMES.encode())


class NotAcceptable(DaemonError):
    """The client takes no form that this address has."""

    code = "not_acceptable"
    status = 406


@dataclass(frozen=True, slots=True)
class ReadyAnswer:
    """An answer of status 200 whose every byte is known; ``unchanged_headers`` go with 304."""

    body: bytes
    etag: str
    headers: Headers
    unchanged_headers: Headers


def accepts_json(accept: str) -> bool:
    """Return whether a client that sent ``accept`` takes JSON."""
    return not accept or any(form in accept for form in ("*/*", "application/json", "application/*"))


def reply(
    request: Request,
    value: object,
    *,
    is_public: bool,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return ``value`` as JSON with its validator, or 304 where the client has it already.

    Only what is ``is_public``, alike for every stranger, may be kept by others. Raises NotAcceptable.
    """
    # what was written stays written: a refusal afterwards would be a lie
    if request.method == "GET" and not accepts_json(request.headers.get("accept", "")):
        raise NotAcceptable("This address answers application/json only.", hint="Accept: application/json")
    body = value.body if isinstance(value, Encoded) else json_bytes(value)
    found = {"ETag": etag_of(body), "Vary": VARY, **(headers or {})}
    found["Cache-Control"] = PUBLIC_CACHE if is_public else PRIVATE_CACHE
    if is_public:
        found.update({"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": EXPOSED_NAMES})
    if request.method == "GET":
        check_match(request, found["ETag"])
        if is_unchanged(header_of(request, "if-none-match") or "", found["ETag"]):
            return Response(None, 304, found)
    return Response(body, status, found, "application/json")


def ready_answer(response: Response) -> ReadyAnswer:
    """Return a public answer in the form in which it can be sent again."""
    about_body = (b"content-type", b"content-length")
    own = tuple(response.raw_headers)
    shared = (*(each for each in own if each[0] not in about_body), *SECURITY_HEADERS)
    whole = (*(each for each in own if each[0] in about_body), *shared)
    return ReadyAnswer(bytes(response.body), response.headers["etag"], whole, shared)


class ReadyAnswers:
    """A bounded memory by address; what was kept at another generation of the database is not found."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[bytes, bytes], tuple[int, ReadyAnswer]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        """How many answers are kept."""
        return len(self._kept)

    def find(self, address: tuple[bytes, bytes], generation: int) -> ReadyAnswer | None:
        """Return the answer for path and query, if nothing was committed since it was made."""
        kept = self._kept.get(address)
        return kept[1] if kept is not None and kept[0] == generation else None

    def keep(self, address: tuple[bytes, bytes], generation: int, answer: ReadyAnswer) -> None:
        """Keep ``answer``, made from what was there at ``generation``; the oldest make room."""
        size = _size(address, answer)
        if size > LARGEST_KEPT_BYTES:
            return
        with self._lock:
            self._drop(address)
            self._kept[address] = (generation, answer)
            self._bytes += size
            while self._bytes > MOST_BYTES:
                self._drop(next(iter(self._kept)))

    def forget(self) -> None:
        """Forget everything: it is another database now, or the same one after somebody worked on it."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _drop(self, address: tuple[bytes, bytes]) -> None:
        kept = self._kept.pop(address, None)
        if kept is not None:
            self._bytes -= _size(address, kept[1])


def _size(address: tuple[bytes, bytes], answer: ReadyAnswer) -> int:
    return len(answer.body) + len(address[0]) + len(address[1]) + 1_000
