"""Route index: are the routes found that the framework would find, asking each of them? And few besides?"""

from __future__ import annotations

import random
from typing import Any

import pytest
from fastapi import APIRouter
from starlette.routing import Match

from app.settings import Settings
from app.web.app import create_app
from app.web.route_index import RouteIndex

SEGMENTS = (
    "",
    "7",
    "ideas",
    "@ann",
    "@ann.md",
    "7.md",
    "users",
    "rules",
    "a\n",
    "a b",
    "%2f",
    "{kind}",
    "é",
    "*",
)
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "BREW")


@pytest.fixture(scope="module")
def router() -> APIRouter:
    application = create_app(Settings())
    assert application.addresses
    return application.framework.router


def addresses(router: APIRouter) -> list[str]:
    """Those of all routes, filled in and bent in some way, and some of no route."""
    choose = random.Random(7)
    found = ["", "*", "/", "//", "\n", "/\n", "/health\n", "/health\n\n", "health", "/health/"]
    for route in router.routes:
        said = [
            choose.choice(SEGMENTS) if "{" in each else each for each in getattr(route, "path", "").split("/")
        ]
        plain = "/".join(said)
        found += [
            plain,
            plain + "/",
            plain + "\n",
            plain + "/more/and/more",
            plain.rpartition("/")[0],
            plain.upper(),
        ]
        said[choose.randrange(len(said))] = choose.choice(SEGMENTS)
        found.append("/".join(said))
    return found


def matching(routes: Any, scope: dict[str, Any]) -> list[tuple[Any, Match]]:
    met = [(route, route.matches(scope)[0]) for route in routes]
    return [each for each in met if each[1] != Match.NONE]


def test_whatever_an_address_means_is_found_in_the_same_order(router: APIRouter) -> None:
    index = RouteIndex(router)
    means_something = 0
    for path in addresses(router):
        found = [router.routes[number] for number in index.find(path)]
        for method in METHODS:
            scope = {"type": "http", "method": method, "path": path, "root_path": ""}
            expected = matching(router.routes, scope)
            assert matching(found, scope) == expected, path
            means_something += bool(expected)
        assert index.routes_at(path) == [each for each, _ in matching(router.routes, scope)]
    assert means_something > 1_000


def test_few_routes_are_asked(router: APIRouter) -> None:
    index = RouteIndex(router)
    assert len(router.routes) > 200
    assert max(len(index.find(path)) for path in addresses(router)) <= 20
    assert len(index.find("/api/v1/ideas/7")) <= 4


def test_a_route_that_is_added_later_is_found() -> None:
    router = create_app(Settings()).framework.router
    index, more = RouteIndex(router), APIRouter()
    assert not index.routes_at("/later/7")
    more.add_api_route("/later/{number}", lambda number: number)
    router.routes += more.routes
    assert index.routes_at("/later/7") == more.routes
