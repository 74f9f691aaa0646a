"""Direct route (entries and lists). How are the commonest requests answered without the framework?

Finding the route among a hundred, solving its dependencies and two turns of a thread take more processor time
than an entry takes to be searched and written, or a list to be joined. The same functions answer; whatever is
out of the ordinary (an odd name or parameter, another method) goes the usual way, and answers and errors are
the same bytes (tested).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.entries import write
from app.reserved_names import RESERVED
from app.web import errors
from app.web.deps import body_of_writer
from app.web.entry_lists import list_of, one_of
from app.web.entry_writes import change, create, remove, say_what_is_done
from app.web.parameters import address_kept
from app.web.plain_lists import PlainLists

if TYPE_CHECKING:
    from app.server.state import ServerState

_PREFIX = "/api/v1/"
_ADDRESS = re.compile(rf"{_PREFIX}(?P<kind>[a-z][a-z0-9_-]{{0,63}})")
_ONE = re.compile(rf"{_PREFIX}(?P<kind>[a-z][a-z0-9_-]{{0,63}})/(?P<entry_id>[1-9][0-9]{{0,17}})")
_CHANGES = {"PUT": write.replace, "PATCH": write.merge}


class DirectRoute:
    """The application below the middleware: answers what is asked most, leaves the rest to the framework."""

    def __init__(self, framework: ASGIApp, server: ServerState) -> None:
        self._framework = framework
        self._server = server
        self.lists = PlainLists(lambda: server.cursor_key)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answered = self._answered(scope, receive)
        if answered is None:
            await self._framework(scope, receive, send)
            return
        request, answering = answered
        try:
            response = await answering
        except ClientDisconnect:
            raise
        except Exception as error:
            response = errors.answer_to(request, error)
            if not errors.is_expected(error):
                await response(scope, receive, send)
                raise
        await response(scope, receive, send)

    def _answered(self, scope: Scope, receive: Receive) -> tuple[Request, Awaitable[Response]] | None:
        """Return a request of which is known what answers it, and that; None where the framework is asked."""
        if scope["type"] != "http":
            return None
        if scope["method"] in ("GET", *_CHANGES, "DELETE") and _is_of_entry(scope):
            request = Request(scope, receive)
            return request, self._answer_one(request, **scope["path_params"])
        if scope["method"] == "GET":
            asked = self.lists.find(address_kept(scope))
            if asked is None:
                return None
            request = Request(scope, receive)
            answer = partial(list_of, request, self._server, asked.kind, None, asked.level, asked.part)
            return request, run_in_threadpool(answer)
        kind = self._kind_in(scope)
        if kind is None:
            return None
        request = Request(scope, receive)
        return request, self._create(request, kind)

    async def _create(self, request: Request, kind: str) -> Response:
        say_what_is_done(request, self._server, kind)
        body = await body_of_writer(request, self._server)
        return await create(request, self._server, kind, body)

    async def _answer_one(self, request: Request, kind: str, entry_id: str) -> Response:
        if request.method == "GET":
            return await run_in_threadpool(one_of, request, self._server, kind, entry_id, None)
        say_what_is_done(request, self._server, kind)
        if request.method == "DELETE":
            return await remove(request, self._server, kind, entry_id)
        body = await body_of_writer(request, self._server)
        return await change(_CHANGES[request.method], request, self._server, kind, entry_id, body, slug=None)

    def _kind_in(self, scope: Scope) -> str | None:
        """Return the kind of which a request brings a new entry; None where it is any other request."""
        if scope["method"] != "POST" or scope["query_string"]:
            return None
        found = _ADDRESS.fullmatch(scope["path"])
        return None if found is None or found["kind"] in RESERVED else found["kind"]


def _is_of_entry(scope: Scope) -> bool:
    """Whether an address is that of an entry by its id, and of no other route; note what it names."""
    found = None if scope["query_string"] else _ONE.fullmatch(scope["path"])
    if found is None or found["kind"] in RESERVED:
        return False
    scope["path_params"] = found.groupdict()
    return True
