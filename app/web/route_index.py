"""Route index (trie). Which of the routes can an address mean, without asking each of them?

The framework asks every route in turn: with two hundred of them that took more time than most answers do.
Here the segments of an address lead to the few that it can mean, in their order, and the framework looks
through those alone, as it would through all. A segment with a parameter in it leads on whatever is asked; one
with a path in it, whatever follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fastapi.routing import APIRoute, APIRouter
from starlette.types import Receive, Scope, Send


@dataclass
class _Place:
    """What is known of the addresses that begin with some segments: routes by their number in the list."""

    named: dict[str, _Place] = field(default_factory=dict)
    other: _Place | None = None
    end_here: list[int] = field(default_factory=list)
    go_on: list[int] = field(default_factory=list)

    def next(self, segment: str) -> _Place:
        """Return the place behind the segment of a route, made where there is none."""
        if "{" not in segment:
            return self.named.setdefault(segment, _Place())
        self.other = self.other or _Place()
        return self.other


class RouteIndex:
    """ASGI application in the place of a router: has it look through those routes only that may be meant."""

    def __init__(self, router: APIRouter) -> None:
        self._router = router
        self._count = -1  # of the routes that the index is made of: more may be added
        self._root = _Place()
        self._routers: dict[tuple[int, ...], APIRouter] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; start and end of the server are the router's."""
        if scope["type"] != "http":
            await self._router.app(scope, receive, send)
            return
        scope["router"] = self._router
        await self._router_of(self.find(scope["path"])).app(scope, receive, send)

    def routes_at(self, path: str) -> Sequence[APIRoute]:
        """Return the routes that take an address, whatever the method, in their order."""
        routes = (self._router.routes[number] for number in self.find(path))
        return [each for each in routes if isinstance(each, APIRoute) and each.path_regex.match(path)]

    def find(self, path: str) -> tuple[int, ...]:
        """Return the numbers of the routes that an address can mean: of those that it means, at least."""
        if len(self._router.routes) != self._count:
            self._read()
        found: list[int] = []
        places = [self._root]
        for segment in path.removesuffix("\n").split("/"):  # before a line's end a pattern ends, too
            behind: list[_Place] = []
            for place in places:
                found += place.go_on
                if (named := place.named.get(segment)) is not None:
                    behind.append(named)
                if place.other is not None:
                    behind.append(place.other)
            places = behind
        for place in places:
            found += place.end_here
        return tuple(sorted(found))

    def _read(self) -> None:
        self._count, self._root = len(self._router.routes), _Place()
        self._routers.clear()
        for number, route in enumerate(self._router.routes):
            assert isinstance(route, APIRoute)
            place = self._root
            for segment in route.path.split("/"):
                if ":path}" in segment:
                    place.go_on.append(number)
                    break
                place = place.next(segment)
            else:
                place.end_here.append(number)

    def _router_of(self, numbers: tuple[int, ...]) -> APIRouter:
        """The router of some routes; there are as many as there are sets of routes that meet somewhere."""
        router = self._routers.get(numbers)
        if router is None:
            routes = [self._router.routes[number] for number in numbers]
            router = self._routers[numbers] = APIRouter(routes=routes, redirect_slashes=False)
        return router
