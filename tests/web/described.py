"""Has an answer the form that its address describes? All that the tests of the web door get are held to it.

While someone waits for an answer nothing is validated, so here everything is: its status must be described,
a problem must be one, and whatever else must fit the model of its route with no member besides.
"""

from __future__ import annotations

import json
from functools import cache, lru_cache
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, RootModel

from app.settings import Settings
from app.web.app import create_app
from app.web.errors import MEDIA_TYPE
from app.web.forms import API_PREFIX, has_page, is_managing
from app.web.models.problems import Problem
from app.web.operation import EVERYWHERE

# No address has these: what was asked is none, or is none of its methods.
OF_NO_ADDRESS = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NO_CONTENT)
KEPT = 4096  # addresses; tests ask for the same ones many times


@cache
def framework() -> FastAPI:
    return create_app(Settings()).framework


def routes() -> list[APIRoute]:
    found: list[APIRoute] = framework().state.routes.load()
    return found


def statuses(route: APIRoute, method: str) -> set[int]:
    """The statuses that the description has for a method of a route."""
    described = framework().openapi()["paths"][route.path_format][method.lower()]["responses"]
    return {int(each) for each in described if each != "default"}


def other_types(route: APIRoute | None, method: str, status: int) -> set[str]:
    """What a route may answer that is no JSON."""
    if route is None:
        return set()
    described = framework().openapi()["paths"][route.path_format][method.lower()]["responses"]
    found = described.get(str(status), {}).get("content", {})
    return {each for each in found if each not in ("application/json", MEDIA_TYPE)}


@lru_cache(maxsize=KEPT)
def route_of(method: str, path: str) -> APIRoute | None:
    fitting = (each for each in routes() if each.path_regex.match(path))
    return next((each for each in fitting if method in (each.methods or ())), None)


def check_answer(method: str, path: str, status: int, content_type: str, body: bytes) -> None:
    """Raise AssertionError or ValidationError for an answer that is not described."""
    asked = "GET" if method == "HEAD" else method
    if is_managing(path) or (
        path == "/admin" and status == HTTPStatus.SEE_OTHER
    ):  # screens are no addresses of the API
        is_file = path.startswith("/manage/export/") and content_type == "application/zip"
        is_file = is_file or (path.startswith("/manage/media/") and content_type == "image/webp")
        is_page = content_type.startswith("text/html") or is_file
        assert is_page or status == HTTPStatus.SEE_OTHER, (path, status)
        return
    route = route_of(asked, path)
    if route is None:
        assert status in (*OF_NO_ADDRESS, *EVERYWHERE), f"{method} {path} is no address: {status}"
    else:
        known = {*statuses(route, asked), HTTPStatus.METHOD_NOT_ALLOWED}
        assert status in known, f"{method} {path}: {status} is not described"
    if method == "HEAD" or status in (HTTPStatus.NO_CONTENT, HTTPStatus.FOUND, HTTPStatus.NOT_MODIFIED):
        assert body == b""
        return
    if content_type.partition(";")[0] in other_types(route, asked, status):
        return  # a page, or a file
    if status == HTTPStatus.SERVICE_UNAVAILABLE and content_type.startswith("text/html"):
        return  # the waiting page, which a browser gets at every address
    has_one = has_page(path) or (route is None and not path.startswith(API_PREFIX))
    if has_one and is_problem(route, status) and content_type.startswith("text/html"):
        return
    assert content_type == (MEDIA_TYPE if is_problem(route, status) else "application/json")
    fits(Problem if is_problem(route, status) else model_of(route), json.loads(body))


def is_problem(route: APIRoute | None, status: int) -> bool:
    return status >= 400 and "model" not in (route.responses.get(status, {}) if route else {})


def model_of(route: APIRoute | None) -> type[BaseModel]:
    assert route is not None
    model: type[BaseModel] = route.response_model
    return model


def fits(model: type[BaseModel], value: Any) -> None:
    extra = None if issubclass(model, RootModel) else "forbid"
    model.model_validate(value, strict=True, extra=extra)  # type: ignore[arg-type]
