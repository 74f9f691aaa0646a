"""Common routes. Which addresses does a server have from its start, and how do the others come?

Health, lists of a kind and single entries are there at once. All others, with what only they need, would take
a quarter of the time that a server needs to start and an eighth of its memory: they are loaded where
someone asks for any of them first (or by `load`).
"""

from __future__ import annotations

import asyncio
import re
from importlib import import_module
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from app.reserved_names import RESERVED
from app.web.routes import entries, health

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

COMMON: tuple[BaseRoute, ...] = (*health.router.routes, *entries.router.routes)
_ALL = "app.web.all_routes"
_HEALTH = frozenset({"/health", "/health/ready", "/health/live"})
_ENTRIES = re.compile(r"/api/v1/(?P<kind>[a-z][a-z0-9_-]{0,63})(?:/[0-9]{1,20})?")


class CommonRoutes:
    """ASGI application: the framework with the common routes, and with all once one of them is needed."""

    def __init__(self, framework: FastAPI) -> None:
        self._framework = framework
        self._is_whole = False
        framework.router.routes[:] = COMMON

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if not self._is_whole and scope["type"] == "http" and not is_common(scope["path"]):
            await asyncio.to_thread(import_module, _ALL)  # requests for what is common go on meanwhile
            self.load()
        await self._framework(scope, receive, send)

    def load(self) -> list[BaseRoute]:
        """Have every route, and return them; the list is that of the framework."""
        if not self._is_whole:
            self._framework.router.routes[:] = import_module(_ALL).all_routes()
            self._is_whole = True
        return self._framework.router.routes


def is_common(path: str) -> bool:
    """Whether a path is answered by a common route, and by no other one whatever its method is."""
    found = _ENTRIES.fullmatch(path)
    return path in _HEALTH or (found is not None and found["kind"] not in RESERVED)
