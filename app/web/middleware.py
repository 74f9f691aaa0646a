"""Middleware around every request: its request id, limits, CORS, maintenance, headers, the kept answers."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import DaemonError
from app.log import get_logger
from app.server import public_errors
from app.server.body_budget import Intake, too_large
from app.server.client_address import FORWARDED_BY, peer_of, scheme_of
from app.server.response_cache import CachedResponse
from app.web import answers, limits
from app.web.bodies import is_unchanged
from app.web.errors import MEDIA_TYPE, problem_body
from app.web.parameters import address_kept
from app.web.references import without_root_path

if TYPE_CHECKING:
    from app.server.state import ServerState

OPEN_PATHS = ("/health", "/health/live", "/health/ready", "/api/v1/system/upgrade")  # while it is closed
CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"x-claim-token", b"cookie"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PREFLIGHT_SECONDS = 600
ALLOWED_NAMES = b"Authorization, Content-Type, If-Match, If-None-Match, X-API-Key, X-Request-ID"
_PROCESS = secrets.token_hex(4).encode()  # with the count below: a name that no other request has
_COUNT = itertools.count(1)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")

_log = get_logger(__name__)


class OuterMiddleware:
    """The outermost layer, plain ASGI: what is known without the framework is answered without it."""

    def __init__(self, app: ASGIApp, server: ServerState) -> None:
        self._app = app
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; start and end of the server pass through."""
        if scope["type"] == "http":
            await self._answer(without_root_path(scope), receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head(scope, self._server.settings.trusted_proxies)
        if head.is_forwarded:
            await self._server.untrusted_proxies.notice(peer_of(scope))
        if head.is_repeatable and self._server.may_use_response_cache:
            found = self._server.find_cached_response(address_kept(scope))
            if found is not None:
                await _send_ready(found, head, send)
                return
        await self._answer_slowly(head, scope, receive, send)

    async def _answer_slowly(self, head: Head, scope: Scope, receive: Receive, send: Send) -> None:
        respond = ResponseSend(send, head, self._server.settings.cors_origins)
        most_bytes = limits.most_bytes_at(scope["path"], self._server.settings.max_body_bytes)
        intake = Intake(self._server.bodies, most_bytes)
        state = {**scope.get("state", {}), "request_id": head.request_id.decode(), "intake": intake}
        scope = {**scope, "state": state}
        if head.method == "HEAD":
            scope["method"] = "GET"
        try:
            if not await self._refuse(head, scope, respond, most_bytes):
                await self._app(scope, limits.counted(receive, intake), respond)
        except ClientDisconnect:
            _log.info("%s %s: the client hung up", head.method, scope["path"], extra=_named(head))
            return
        except Exception as error:  # noqa: BLE001 - the last door before the wire
            _log.error(
                "A request failed without a name for why.",
                exc_info=error,
                extra={"request_id": head.request_id.decode(), "path": scope["path"]},
            )
            if not respond.has_started:
                await _send_problem(respond, scope, 500, "internal", "The server failed.")
        finally:
            intake.let_go()
        _log_request(head, scope, respond.status)

    async def _refuse(self, head: Head, scope: Scope, respond: ResponseSend, most_bytes: int) -> bool:
        """Answer what needs no route; returns whether it did."""
        fault = limits.fault_of_headers(scope)
        if fault is not None:
            await _send_problem(respond, scope, *fault)
            return True
        if head.is_preflight:
            await self._send_preflight(head, respond)
            return True
        if not self._server.supervisor.is_open and scope["path"] not in OPEN_PATHS:
            closed = self._server.supervisor.closed_error()
            await _send_error(respond, scope, closed)
            return True
        if limits.body_is_announced_too_large(scope, most_bytes):
            await _send_error(respond, scope, too_large(most_bytes))
            return True
        return False

    async def _send_preflight(self, head: Head, respond: ResponseSend) -> None:
        allowed = origin_is_listed(head.origin, self._server.settings.cors_origins)
        headers: list[tuple[bytes, bytes]] = [(b"vary", b"Origin"), (b"cache-control", b"no-store")]
        if allowed:
            headers += [
                (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
                (b"access-control-allow-headers", ALLOWED_NAMES),
                (b"access-control-max-age", str(PREFLIGHT_SECONDS).encode()),
            ]
        await respond({"type": "http.response.start", "status": 204, "headers": headers})
        await respond({"type": "http.response.body", "body": b""})


class Head:
    """What the frame needs to know of a request's head, read in one pass."""

    __slots__ = (
        "accepts_json",
        "has_credential",
        "has_if_match",
        "if_none_match",
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
        self.accepts_json = True
        self.has_credential = False
        self.has_if_match = False
        self.if_none_match = ""
        self.is_forwarded = False
        self.origin = ""
        self.request_id = b""
        asks_method = False
        for name, value in scope["headers"]:
            if name in CREDENTIALS:
                self.has_credential = True
            elif name == b"accept":
                self.accepts_json = b"*/*" in value or b"application/json" in value
            elif name == b"if-none-match":
                self.if_none_match = ", ".join(filter(None, (self.if_none_match, value.decode("latin-1"))))
            elif name == b"if-match":
                self.has_if_match = True
            elif name == b"origin":
                self.origin = value.decode("latin-1")
            elif name == b"access-control-request-method":
                asks_method = True
            elif name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                self.request_id = value
            elif name in FORWARDED_BY:
                self.is_forwarded = True
        self.request_id = self.request_id or b"%s-%x" % (_PROCESS, next(_COUNT))
        self.is_preflight = asks_method and self.method == "OPTIONS" and bool(self.origin)

    @property
    def is_repeatable(self) -> bool:
        """Whether a stranger's kept answer would do."""
        is_plain = self.accepts_json and not self.has_credential and not self.has_if_match
        return is_plain and self.method in ("GET", "HEAD")


class ResponseSend:
    """Sends on, with the headers that every answer has; an answer to HEAD loses its body."""

    def __init__(self, send: Send, head: Head, cors_origins: tuple[str, ...]) -> None:
        self._send = send
        self._head = head
        self._cors_origins = cors_origins
        self.has_started = False
        self.status = 0

    async def __call__(self, message: Message) -> None:
        """Send one message of the answer."""
        if message["type"] == "http.response.start":
            self.has_started = True
            self.status = message["status"]
            message = {**message, "headers": [*message["headers"], *self._extra(message["headers"])]}
        elif self._head.method == "HEAD":
            message = {**message, "body": b""}
        await self._send(message)

    def _extra(self, present: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        there = {name for name, _value in present}
        extra = [each for each in answers.SECURITY_HEADERS if each[0] not in there]
        extra.append((b"x-request-id", self._head.request_id))
        if self._head.scheme == "https":
            extra.append(answers.HSTS)
        if b"access-control-allow-origin" not in there:
            extra += cors_headers(self._head, self.status, self._cors_origins)
        return extra


def cors_headers(head: Head, status: int, listed: tuple[str, ...]) -> list[tuple[bytes, bytes]]:
    """Return what lets a page of another origin read an answer that is not everyone's.

    Listed origins only; that a stranger's reading failed is everyone's to know.
    """
    if status >= 400 and head.method in ("GET", "HEAD") and not head.has_credential:
        return [answers.OPEN_TO_ALL_PAGES, answers.EXPOSED]
    if origin_is_listed(head.origin, listed):
        allowed = (b"access-control-allow-origin", head.origin.encode("latin-1"))
        return [allowed, answers.EXPOSED, (b"vary", b"Origin")]
    return []


def origin_is_listed(origin: str, listed: tuple[str, ...]) -> bool:
    """Return whether the operator lets pages of ``origin`` work with this server."""
    return bool(origin) and ("*" in listed or origin in listed)


async def _send_ready(found: CachedResponse, head: Head, send: Send) -> None:
    is_known = bool(head.if_none_match) and is_unchanged(head.if_none_match, found.etag)
    headers = [*(found.unchanged_headers if is_known else found.headers), (b"x-request-id", head.request_id)]
    if head.scheme == "https":
        headers.append(answers.HSTS)
    await send({"type": "http.response.start", "status": 304 if is_known else 200, "headers": headers})
    body = b"" if is_known or head.method == "HEAD" else found.body
    await send({"type": "http.response.body", "body": body})


async def _send_error(respond: ResponseSend, scope: Scope, error: DaemonError) -> None:
    wait = error.details.get("retry_after_seconds", 1 if error.status == 503 else None)
    said = public_errors.of_error(error)
    await _send_problem(
        respond, scope, error.status, error.code, said.sentence, hint=said.command, retry_after=wait
    )


async def _send_problem(
    respond: ResponseSend,
    scope: Scope,
    status: int,
    code: str,
    detail: str,
    *,
    hint: str = "",
    retry_after: object = None,
) -> None:
    body = problem_body(
        status=status,
        code=code,
        detail=detail,
        scope=scope,
        hint=hint,
        request_id=scope["state"]["request_id"],
    )
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    await respond({"type": "http.response.start", "status": status, "headers": headers})
    await respond({"type": "http.response.body", "body": body})


def _log_request(head: Head, scope: Scope, status: int) -> None:
    """Write down what changes something or fails; reading is a detail. Never the query."""
    level = 10 if head.method in SAFE_METHODS and status < 500 else 20
    # The status is in the words themselves: what is refused a thousand times is folded apart from the rest.
    _log.log(level, f"%s %s {status}", head.method, scope["path"], extra=_named(head))


def _named(head: Head) -> dict[str, object]:
    return {"request_id": head.request_id.decode()}
