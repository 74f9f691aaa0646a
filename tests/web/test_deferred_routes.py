"""Are routes that are loaded later answered as if they had been there, and is the start without them?"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from starlette.routing import Match

from app.settings import Settings
from app.web.app import create_app
from app.web.deferred_routes import AT_START, is_at_start
from tests.conftest import ROOT
from tests.web.conftest import Site

START = """
import sys
import app.main
print(*sorted(name for name in sys.modules if name.startswith(("app.", "pydantic.v1"))))
print(*({"re2", "jwt", "urllib.request", "cryptography"} & {*sys.modules}))
"""
LATER = {
    "re2",
    "jwt",
    "urllib.request",
    "cryptography",
    "app.formats.form_writers",
    "app.privacy.detectors.search",
}
PATHS_AT_START = (
    "/health",
    "/health/ready",
    "/health/live",
    "/api/v1/ideas",
    "/api/v1/ideas/12",
    "/api/v1/nokind",
)
OTHERS = (
    *("/", "/docs", "/openapi.json", "/auth/login", "/api/v1/me", "/api/v1/search", "/api/v1/ideas/bulk"),
    *("/api/v1/ideas/12/revisions", "/api/v1/ideas/users/ann", "/api/v1/ideas/a-slug", "/@ann", "/nothing"),
    *(
        "/api/v1/~search",
        "/api/v1/ideas/",
        "/api/v1//12",
        "/api/v1/ideas.md",
        "/health/",
        "/api/v1/endpoints/ideas",
    ),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def test_a_start_loads_few_routes() -> None:
    started = subprocess.run(
        [sys.executable, "-c", START], cwd=ROOT, check=True, capture_output=True, text=True
    )
    loaded = started.stdout.split()
    assert not LATER & {*loaded}
    routes = [name for name in loaded if name.startswith("app.web.routes.")]
    assert routes == ["app.web.routes.entries", "app.web.routes.health"]
    assert not [
        name
        for name in loaded
        if name.startswith(("app.web.pages.composing", "app.web.feeds", "pydantic.v1."))
    ]


def test_the_server_describes_itself_as_an_application_does_whose_models_were_built_at_once() -> None:
    script = (
        "import json, app.main; from fastapi.openapi.models import OpenAPI;"
        " assert not OpenAPI.__pydantic_complete__; print(json.dumps(app.main.app.framework.openapi()))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert json.loads(told.stdout) == json.loads(json.dumps(create_app(Settings()).framework.openapi()))


@pytest.mark.parametrize("path", OTHERS)
def test_any_other_path_has_them_loaded(path: str, serve: Callable[..., Site], settings: Settings) -> None:
    site = serve(settings)
    assert not is_at_start(path)
    first = site.client.get(path, follow_redirects=False)
    again = site.client.get(path, follow_redirects=False)
    assert (first.status_code, first.content.replace(_id(first), b"")) == (
        again.status_code,
        again.content.replace(_id(again), b""),
    )


@pytest.mark.parametrize("path", PATHS_AT_START)
def test_a_path_of_the_start_is_answered_by_the_same_route_before_and_after(path: str) -> None:
    web = create_app(Settings())
    assert is_at_start(path)
    for method in METHODS:
        scope = {"type": "http", "method": method, "path": path, "headers": [], "app": web.framework}
        assert _fitting(AT_START, scope) == _fitting(web.addresses, scope), method


def test_what_a_path_of_the_start_takes_is_said_alike_before_and_after(
    serve: Callable[..., Site], settings: Settings
) -> None:
    site = serve(settings)
    before = [_refused(site, method, path) for method in METHODS for path in PATHS_AT_START]
    assert len(site.app.addresses) > len(AT_START)
    assert [_refused(site, method, path) for method in METHODS for path in PATHS_AT_START] == before


def test_the_environment_cannot_have_requests_told_to_anyone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    framework = create_app(Settings()).framework
    assert not framework._native_telemetry.enabled()
    assert not framework._telemetry["auto_configure"]


def _refused(site: Site, method: str, path: str) -> tuple[int, str | None]:
    answer = site.client.request(method, path)
    return answer.status_code, answer.headers.get("allow")


def _fitting(routes: Any, scope: dict[str, Any]) -> list[tuple[Any, Match]]:
    found = [(route, route.matches(dict(scope))[0]) for route in routes]
    return [(route, fit) for route, fit in found if fit is not Match.NONE]


def _id(answer: Any) -> bytes:
    found: bytes = answer.headers.get("x-request-id", "-").encode()
    return found
