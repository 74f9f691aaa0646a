"""Lazy loading of an application (ASGI). How is a part that few ask for loaded where someone asks first?"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class LoadedLater:
    """The application that a class makes, named as "module:class", of ``arguments``."""

    def __init__(self, place: str, *arguments: object) -> None:
        self._place = place
        self._arguments = arguments
        self._loading: asyncio.Task[Any] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what failed to load is loaded again."""
        if self._loading is None or (self._loading.done() and self._loading.exception()):
            self._loading = asyncio.create_task(self._load())
        application = await asyncio.shield(self._loading)
        await application(scope, receive, send)

    async def _load(self) -> Any:
        module, _, name = self._place.partition(":")
        return getattr(await asyncio.to_thread(import_module, module), name)(*self._arguments)
