"""Mount of the assistants' door (/mcp): another door, started by its name where someone asks for it first.

Its libraries are as large as the rest of the server: a server that no assistant asks does without them.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.server.state import ServerState

PATHS = ("/mcp", "/mcp/")  # both answer: a redirect would lose a POST
_DOOR = "app.mcp.http:Door"


class Assistants:
    """ASGI application: answers /mcp, and leaves all else to ``others``."""

    def __init__(self, others: ASGIApp, server: ServerState) -> None:
        self._others = others
        self._server = server
        self._loading: asyncio.Task[Any] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] not in PATHS:
            await self._others(scope, receive, send)
            return
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())
        door = await asyncio.shield(self._loading)
        await door(scope, receive, send)

    async def close(self) -> None:
        """End the door, if it was opened."""
        if self._loading is not None:
            await (await self._loading).close()

    async def _load(self) -> Any:
        module, _, name = _DOOR.partition(":")
        made = getattr(await asyncio.to_thread(import_module, module), name)
        return made(self._server)
