"""MCP over HTTP (streamable HTTP, without sessions). POST /mcp, as an ASGI application.

Every request is answered by itself, as JSON: no session, no stream. Pages of other origins than PUBLIC_URL's
are refused unless the operator lists them (a MUST of the specification, against DNS rebinding); credentials
come in headers only.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.entries.entry import Origin
from app.mcp.protocol import server_for
from app.server.authenticate import Client
from app.server.client_address import address_of

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from app.server.state import ServerState

THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")
_PORT = re.compile(r":[0-9]+\Z")
_NO_STORE = (b"cache-control", b"no-store")


class Door:
    """Answers what is sent to /mcp; its task begins with the first request, and ends with `close`."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._manager = StreamableHTTPSessionManager(
            server_for(state, self._client_of), json_response=True, stateless=True, session_idle_timeout=None
        )
        self._running: asyncio.Task[None] | None = None
        self._is_ready = asyncio.Event()
        self._is_over = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        await self._is_ready.wait()
        await self._manager.handle_request(scope, receive, _never_stored(send))

    async def close(self) -> None:
        """End the task that requests are answered in."""
        self._is_over.set()
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        async with self._manager.run():
            self._is_ready.set()
            await self._is_over.wait()

    def _refusal(self, scope: Scope) -> Response | None:
        if scope["method"] != "POST":  # there is no stream to open, and no session to end
            return PlainTextResponse(
                "An MCP client sends POST here.\n", 405, {"Allow": "POST", "Cache-Control": "no-store"}
            )
        request = Request(scope)
        origin, settings = request.headers.get("origin"), self._state.settings
        if origin is None or "*" in settings.cors_origins or origin in settings.cors_origins:
            return None
        if settings.public_url and origin == origin_of(settings.public_url):
            return None  # the operator says that this name is ours; a proxy may pass on another Host
        # The same name is no proof: of a name that now leads here (DNS rebinding) page and host are the same.
        place = origin.partition("://")[2]
        if place == request.headers.get("host") and _PORT.sub("", place) in THIS_MACHINE:
            return None
        return PlainTextResponse(
            "Pages of this origin are not let in; CORS_ORIGINS lists those that are.\n",
            403,
            {"Cache-Control": "no-store"},
        )

    def _client_of(self, context: Any) -> Client:
        request: Request = context.request
        known = getattr(request.state, "client", None)
        if isinstance(known, Client):
            return known
        headers = request.headers
        client = Client(
            Origin(
                address_of(request.scope, self._state.settings.trusted_proxies), headers.get("user-agent")
            ),
            headers.get("authorization"),
            headers.get("x-api-key"),
            is_assistants_door=True,
        )
        request.state.client = client
        return client


def origin_of(address: str) -> str:
    """Return the origin of an address, as browsers say it: small, without the port of its scheme."""
    parts = urlsplit(address.lower())
    port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.removesuffix(port)}"


def _never_stored(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [each for each in message["headers"] if each[0] != b"cache-control"]
            message = {**message, "headers": [*kept, _NO_STORE]}
        await send(message)

    return sending
