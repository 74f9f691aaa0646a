"""Middleware around every request: its request id, limits, CORS, maintenance, headers, the kept answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import DaemonError
from app.log import get_logger
from app.server import public_errors
from app.server.body_budget import Intake, too_large
from app.server.client_address import address_of, is_loopback, peer_of
from app.server.rate_limits import Counted, credential_in, too_many_requests
from app.web import answers, assistants, limits
from app.web.assets import is_asset
from app.web.errors import MEDIA_TYPE, problem_body, problem_page
from app.web.forms import HTML, SHARED_PREFIX, form_of, is_for_browser, is_of_operators
from app.web.loaded_later import LoadedLater
from app.web.plain_lists import PlainLists
from app.web.ready_answers import ReadyAnswers
from app.web.references import without_root_path
from app.web.request_head import Head

if TYPE_CHECKING:
    from app.server.state import ServerState

OPEN_PATHS = ("/health", "/health/live", "/health/ready", "/api/v1/system/upgrade")  # while it is closed
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PREFLIGHT_SECONDS = 600
AT_ONCE = ("/health/live", "/health/ready")
STARTING_LOOK_SECONDS = 0.02
ALLOWED_NAMES = (
    b"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-API-Key, X-Request-ID"
)

_log = get_logger(__name__)


class OuterMiddleware:
    """The outermost layer, plain ASGI: what is known without the framework is answered without it."""

    def __init__(self, app: ASGIApp, server: ServerState, lists: PlainLists | None = None) -> None:
        self._app = app
        self._server = server
        self._waiting = LoadedLater("app.web.admin.waiting:WaitingPages", server)
        self.ready = ReadyAnswers(server, lists)

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
        counted = await self._count(head, scope)
        found = None if counted.wait_seconds else self.ready.find(head, scope)
        if found is None:
            await self._answer_slowly(head, scope, receive, send, counted)
        else:
            await send({"type": "http.response.start", "status": found.status, "headers": found.headers()})
            await send({"type": "http.response.body", "body": found.body})

    async def _count(self, head: Head, scope: Scope) -> Counted:
        """Count the request; who watches whether the server lives, or is on its machine, is never refused."""
        address = address_of(scope, self._server.settings.trusted_proxies)
        if scope["path"] in OPEN_PATHS or (is_loopback(address) and not head.is_forwarded):
            return Counted()
        credential = credential_in(scope["headers"]) if head.has_credential else None
        is_write = head.method not in SAFE_METHODS and scope["path"] not in assistants.PATHS
        return await self._server.rate_limits.count(address, credential, is_write=is_write)

    async def _answer_slowly(
        self, head: Head, scope: Scope, receive: Receive, send: Send, counted: Counted
    ) -> None:
        respond = ResponseSend(send, head, self._server.settings.cors_origins, counted)
        most_bytes = limits.most_bytes_at(scope["path"], self._server.settings.max_body_bytes)
        intake = Intake(self._server.bodies, most_bytes)
        intake.is_entry_form = limits.is_entry_form(scope["path"])
        state = {**scope.get("state", {}), "request_id": head.request_id.decode(), "intake": intake}
        scope = {**scope, "state": state}
        if head.method == "HEAD":
            scope["method"] = "GET"
        try:
            if counted.wait_seconds:
                await _send_error(respond, scope, too_many_requests(counted.wait_seconds))
            elif not await self._refuse(head, scope, respond, most_bytes):
                app = self._waiting if self._is_told_by_a_page(scope) else self._app
                await app(scope, limits.counted(receive, intake), respond)
                self._learn(head, scope)
        except ClientDisconnect:
            _log.info("%s %s: the client hung up", head.method, _path_to_log(scope), extra=_named(head))
            return
        except Exception as error:  # noqa: BLE001 - the last door before the wire
            _log.error(
                "A request failed without a name for why.",
                exc_info=error,
                extra={"request_id": head.request_id.decode(), "path": _path_to_log(scope)},
            )
            if not respond.has_started:
                await _send_problem(respond, scope, 500, "internal", "The server failed.")
        finally:
            intake.let_go()
        _log_request(head, scope, respond.status)

    def _learn(self, head: Head, scope: Scope) -> None:
        """Know from now on whose the credential of a request is, if someone has looked at it."""
        client = scope["state"].get("client")
        if client is not None and head.has_credential:
            credential = credential_in(scope["headers"])
            if credential is not None:
                self._server.rate_limits.learn(credential, client.person_id)

    async def _refuse(self, head: Head, scope: Scope, respond: ResponseSend, most_bytes: int) -> bool:
        """Answer what needs no route; returns whether it did."""
        fault = limits.fault_of_headers(scope)
        if fault is not None:
            await _send_problem(respond, scope, *fault)
            return True
        if head.is_preflight:
            await self._send_preflight(head, respond)
            return True
        if not self._server.supervisor.is_open:
            await self._wait_for_the_start(scope)
        is_closed = not self._server.supervisor.is_open and not _is_open_path(scope["path"])
        if is_closed and not self._is_told_by_a_page(scope):
            closed = self._server.supervisor.closed_error()
            await _send_error(respond, scope, closed)
            return True
        if limits.body_is_announced_too_large(scope, most_bytes):
            is_form = limits.is_entry_form(scope["path"])
            await _send_error(respond, scope, too_large(most_bytes, is_entry_form=is_form))
            return True
        return False

    def _is_told_by_a_page(self, scope: Scope) -> bool:
        """Whether pages that need no database answer: the operator's always, others while it is closed.

        They are for browsers; `/health` and the like are the same for all.
        """
        if is_of_operators(scope["path"]):
            return True
        is_closed = not self._server.supervisor.is_open and not _is_open_path(scope["path"])
        return is_closed and is_for_browser(scope["headers"])

    async def _wait_for_the_start(self, scope: Scope) -> None:
        """Let who came before the database was looked at wait a moment, except for what says so itself."""
        if scope["path"] in AT_ONCE or self._is_told_by_a_page(scope):
            return
        while self._server.supervisor.is_undecided:
            await asyncio.sleep(STARTING_LOOK_SECONDS)

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


class ResponseSend:
    """Sends on, with the headers that every answer has; an answer to HEAD loses its body."""

    def __init__(self, send: Send, head: Head, cors_origins: tuple[str, ...], counted: Counted) -> None:
        self._send = send
        self._head = head
        self._cors_origins = cors_origins
        self._counted = counted
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
        extra += self._counted.fields()
        if self._head.scheme == "https":
            extra.append(answers.HSTS)
        if b"access-control-allow-origin" not in there:
            extra += cors_headers(self._head, self.status, self._cors_origins)
        return extra


def _is_open_path(path: str) -> bool:
    """Whether an address is answered while the database is closed, too."""
    return path in OPEN_PATHS or is_asset(path)


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
    media_type, more = MEDIA_TYPE, []
    if form_of(scope["path"], scope["headers"]) == HTML:
        page = problem_page(scope, status, detail, hint, scope["state"]["request_id"])
        body, media_type = page.body, page.media_type
        more.append((b"content-security-policy", page.policy.encode()))
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *more,
    ]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    await respond({"type": "http.response.start", "status": status, "headers": headers})
    await respond({"type": "http.response.body", "body": body})


def _log_request(head: Head, scope: Scope, status: int) -> None:
    """Write down what changes something or fails; reading is a detail. Never the query."""
    level = 10 if head.method in SAFE_METHODS and status < 500 else 20
    # The status is in the words themselves: what is refused a thousand times is folded apart from the rest.
    _log.log(level, f"%s %s {status}", head.method, _path_to_log(scope), extra=_named(head))


def _path_to_log(scope: Scope) -> str:
    """The path that was asked for, without the secret of a share link."""
    path = str(scope["path"])
    return path if not path.startswith(SHARED_PREFIX) else f"{SHARED_PREFIX}..."


def _named(head: Head) -> dict[str, object]:
    return {"request_id": head.request_id.decode()}
