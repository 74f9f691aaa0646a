"""Mount of the admin in the browser (/manage/): loaded by its name where someone asks for it first.

Its screens ask the API as any client does, so they stand before it, and are no addresses of it.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse

from app.web.forms import MANAGE_PREFIX, is_managing, prefers_html

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.server.state import ServerState

OLD_PATHS = ("/admin", "/admin/")
_ADMIN = "app.web.admin.application:Admin"


class AdminMount:
    """ASGI application: answers /manage/, and leaves all else to ``others``, which it asks in turn."""

    def __init__(self, others: ASGIApp, server: ServerState) -> None:
        self._others = others
        self._server = server
        self._loading: asyncio.Task[Any] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and is_managing(scope["path"]):
            await self._answer(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in OLD_PATHS and _is_browser(scope):
            there = "../" * (scope["path"].count("/") - 1) + MANAGE_PREFIX[1:]
            await RedirectResponse(there, 303, {"Cache-Control": "no-store"})(scope, receive, send)
        else:
            await self._others(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._loading is None or (self._loading.done() and self._loading.exception()):
            self._loading = asyncio.create_task(self._load())
        admin = await asyncio.shield(self._loading)
        await admin(scope, receive, send)

    async def _load(self) -> Any:
        module, _, name = _ADMIN.partition(":")
        made = getattr(await asyncio.to_thread(import_module, module), name)
        return made(self._others, self._server)


def _is_browser(scope: Scope) -> bool:
    accept = b", ".join(value for name, value in scope["headers"] if name == b"accept")
    return scope["method"] == "GET" and prefers_html(accept[:1_000].decode("latin-1"))
