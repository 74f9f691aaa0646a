"""Deferred routes. Which addresses does a server have from its start, and when are the others loaded?

Health, lists of a kind and single entries are there at once. All others, with what only they need, would take
a quarter of the time that a server needs to start and an eighth of its memory: they are loaded where
someone asks for any of them first (or by `load`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from app.accounts import tokens
from app.privacy import entry_search
from app.reserved_names import RESERVED
from app.web.routes import entries, health

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

AT_START: tuple[BaseRoute, ...] = (*health.router.routes, *entries.router.routes)
_HEALTH = frozenset({"/health", "/health/ready", "/health/live"})
_ENTRIES = re.compile(r"/api/v1/(?P<kind>[a-z][a-z0-9_-]{0,63})(?:/[0-9]{1,20})?")


class DeferredRoutes:
    """ASGI application: the framework with the routes of the start, and all once another one is asked."""

    def __init__(self, framework: FastAPI) -> None:
        self._framework = framework
        self._is_whole = False
        framework.router.routes[:] = AT_START

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if not self._is_whole and scope["type"] == "http" and not is_at_start(scope["path"]):
            await asyncio.to_thread(_import_all)  # other requests go on meanwhile
            self.load()
        await self._framework(scope, receive, send)

    def load(self) -> list[BaseRoute]:
        """Have every route, and return them; the list is that of the framework."""
        if not self._is_whole:
            self._framework.router.routes[:] = _import_all()()
            self._is_whole = True
        return self._framework.router.routes


def _import_all() -> Callable[[], list[BaseRoute]]:
    from app.web.all_routes import all_routes

    entry_search.load()
    tokens.library()
    return all_routes


def is_at_start(path: str) -> bool:
    """Whether a path is answered by a route of the start, and by no other one whatever its method is."""
    found = _ENTRIES.fullmatch(path)
    return path in _HEALTH or (found is not None and found["kind"] not in RESERVED)
