"""Direct route (POST of an entry). How does the address that writes most answer without the framework?

Finding the route among a hundred, solving its dependencies and two turns of a thread take more processor time
than an entry takes to be searched and written. The same functions answer; whatever is out of the ordinary (a
query, an odd name, another method) goes the usual way, and answers and errors are the same bytes (tested).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from app.web import errors
from app.web.deps import body_of_writer
from app.web.routes.entries import create

if TYPE_CHECKING:
    from app.server.state import ServerState

_PREFIX = "/api/v1/"
_ADDRESS = re.compile(rf"{_PREFIX}(?P<kind>[a-z][a-z0-9_-]{{0,63}})")


class DirectRoute:
    """The application below the middleware: answers POSTs of entries, leaves the rest to the framework."""

    def __init__(self, framework: FastAPI, server: ServerState) -> None:
        self._framework = framework
        self._server = server
        paths = (getattr(route, "path", "") for route in framework.routes)
        self._taken = {path.removeprefix(_PREFIX) for path in paths if path.startswith(_PREFIX)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        kind = self._kind_in(scope)
        if kind is None:
            await self._framework(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            body = await body_of_writer(request, self._server)
            response = await create(request, self._server, kind, body)
        except ClientDisconnect:
            raise
        except Exception as error:
            response = errors.answer_to(request, error)
            if not errors.is_expected(error):
                await response(scope, receive, send)
                raise
        await response(scope, receive, send)

    def _kind_in(self, scope: Scope) -> str | None:
        """Return the kind of which a request brings a new entry; None where it is any other request."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
            return None
        found = _ADDRESS.fullmatch(scope["path"])
        return None if found is None or found["kind"] in self._taken else found["kind"]
