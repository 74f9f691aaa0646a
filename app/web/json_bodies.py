"""Request bodies. How does a route get one that fits its model, once it is known who sends it?

As a dependency of the route: it reads the body itself, after the sender is known (the framework would read it
before), with the parser that refuses what cannot be kept, and OpenAPI is told of its model.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.server.state import ServerState
from app.web.bodies import body_of, check_is_json, parse_object
from app.web.deps import ServerOf
from app.web.models.base import Body, checked

B = TypeVar("B", bound=Body)
Reader = Callable[[Request, ServerState], Awaitable[bytes]]
PARSED_HERE_BYTES = 65_536  # a larger one is parsed where it holds no one up


@dataclass(frozen=True)
class RawBody:
    """Gives the route the bytes: it has something to settle before it says what is wrong with them."""

    model: type[BaseModel]
    read: Reader
    media_type: str = "application/json"

    async def __call__(self, request: Request, server: ServerOf) -> bytes:
        """Return the whole body; raises what the reader raises."""
        return await self.read(request, server)


@dataclass(frozen=True)
class ModelBody(Generic[B]):
    """Gives the route the body as its model."""

    model: type[B]
    read: Reader
    media_type: str = "application/json"

    async def __call__(self, request: Request, server: ServerOf) -> B:
        """Return the body; raises what the reader raises, WrongMediaType and InvalidContent."""
        body = await self.read(request, server)
        check_is_json(request)
        if len(body) > PARSED_HERE_BYTES:
            return await run_in_threadpool(_parse, self.model, body)
        return _parse(self.model, body)


async def body_of_anybody(request: Request, server: ServerState) -> bytes:
    """Return the whole body of anyone who sends it; raises what ``body_of`` raises."""
    return await body_of(request)


def body_of_route(route: APIRoute) -> RawBody | ModelBody[Body] | None:
    """Return what a route says of the body that it takes; None: it takes none."""
    found = [dependency.call for dependency in route.dependant.dependencies]
    return next((each for each in found if isinstance(each, RawBody | ModelBody)), None)


def _parse(model: type[B], body: bytes) -> B:
    return checked(model, parse_object(body))
