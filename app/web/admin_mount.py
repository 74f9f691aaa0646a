"""Mount of the admin in the browser (/manage/): loaded by its name where someone asks for it first.

Its screens ask the API as any client does, so they stand before it, and are no addresses of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from app.web.forms import MANAGE_PREFIX, is_for_browser, is_managing
from app.web.loaded_later import LoadedLater

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.server.state import ServerState

OLD_PATHS = ("/admin", "/admin/")
_ADMIN = "app.web.admin.application:Admin"


class AdminMount:
    """ASGI application: answers /manage/, and leaves all else to ``others``, which it asks in turn."""

    def __init__(self, others: ASGIApp, server: ServerState) -> None:
        self._others = others
        self._admin = LoadedLater(_ADMIN, others, server)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and is_managing(scope["path"]):
            await self._admin(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in OLD_PATHS and _is_browser(scope):
            there = "../" * (scope["path"].count("/") - 1) + MANAGE_PREFIX[1:]
            await RedirectResponse(there, 303, {"Cache-Control": "no-store"})(scope, receive, send)
        else:
            await self._others(scope, receive, send)


def _is_browser(scope: Scope) -> bool:
    return scope["method"] == "GET" and is_for_browser(scope["headers"])
