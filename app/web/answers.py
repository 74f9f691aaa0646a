"""Responses. How is a value answered as JSON, with its validator and its cache headers?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response

from app.entries.entry import json_bytes
from app.errors import DaemonError
from app.server.entry_lookup import Encoded
from app.server.response_cache import CachedResponse, Headers
from app.web.bodies import etag_of, is_unchanged
from app.web.conditions import check_match, header_of
from app.web.content_security import NOTHING

PUBLIC_CACHE = "public, no-cache"  # kept by anyone, and asked for again by its ETag each time
PRIVATE_CACHE = "private, no-store"
VARY = "Accept, Authorization, X-API-Key, Origin"

SECURITY_HEADERS: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", NOTHING.encode()),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
HSTS = (b"strict-transport-security", b"max-age=31536000")
OPEN_TO_ALL_PAGES = (b"access-control-allow-origin", b"*")
EXPOSED_NAMES = (
    "ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID"
)
EXPOSED = (b"access-control-expose-headers", EXPOSED_NAMES.encode())


@dataclass(frozen=True, slots=True)
class Document:
    """An answer that is no JSON: its bytes, its type, and what it may load (`content_security`)."""

    body: bytes
    media_type: str
    policy: str


class NotAcceptable(DaemonError):
    """The client takes no form that this address has."""

    code = "not_acceptable"
    status = 406


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
    content_type: str | None = None,
) -> Response:
    """Return ``value`` as JSON, or a `Document` as it is, with its validator; 304 where the client has it.

    Only what is ``is_public``, alike for every stranger, may be kept by others. ``content_type`` where it was
    asked already what the client takes. Raises NotAcceptable.
    """
    is_document = isinstance(value, Document)
    # what was written stays written: a refusal afterwards would be a lie
    is_asked_here = content_type is None and request.method == "GET" and not is_document
    if is_asked_here and not accepts_json(request.headers.get("accept", "")):
        raise NotAcceptable("This address answers application/json only.", hint="Accept: application/json")
    body = value.body if isinstance(value, Encoded | Document) else json_bytes(value)
    tag_source = value.tag_source if isinstance(value, Encoded) else body
    found = _headers_of(tag_source, headers or {}, is_public=is_public)
    if isinstance(value, Document):
        found["Content-Security-Policy"] = value.policy
    if request.method == "GET":
        check_match(request, found["ETag"])
        if is_unchanged(header_of(request, "if-none-match") or "", found["ETag"]):
            return Response(None, 304, found)
    said_type = value.media_type if isinstance(value, Document) else content_type or "application/json"
    return Response(body, status, {**found, "Content-Type": said_type})


def _headers_of(tag_source: bytes, headers: Mapping[str, str], *, is_public: bool) -> dict[str, str]:
    found = {"ETag": etag_of(tag_source), "Vary": VARY, **headers}
    found["Cache-Control"] = PUBLIC_CACHE if is_public else PRIVATE_CACHE
    if is_public:
        found.update({"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": EXPOSED_NAMES})
    return found


def public_answer(value: Encoded, headers: Mapping[str, str]) -> CachedResponse:
    """Return what `reply` and `as_cached` make of JSON that is alike for every stranger."""
    found, body = _headers_of(value.tag_source, headers, is_public=True), value.body
    own = ((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in found.items())
    shared = (*own, *SECURITY_HEADERS)
    about_body = ((b"content-length", b"%d" % len(body)), (b"content-type", b"application/json"))
    return CachedResponse(body, found["ETag"], (*about_body, *shared), shared)


def as_cached(response: Response) -> CachedResponse:
    """Return a public answer in the form in which it can be sent again."""
    about_body = (b"content-type", b"content-length")
    own = tuple(response.raw_headers)
    said = {name for name, _value in own}
    security = (each for each in SECURITY_HEADERS if each[0] not in said)
    shared = (*(each for each in own if each[0] not in about_body), *security)
    whole = (*(each for each in own if each[0] in about_body), *shared)
    return CachedResponse(bytes(response.body), response.headers["etag"], whole, shared)
