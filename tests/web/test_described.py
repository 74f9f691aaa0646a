"""Is an answer found out that its address does not describe? Else the check of all the others is empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from app.server.health import state_of
from app.settings import Settings
from app.web.models.system import Health, Live
from app.web.routes import auth
from tests.web.conftest import Server, Site
from tests.web.described import check_answer, framework, route_of, routes

JSON = "application/json"


def me(site: Site) -> Any:
    return site.client.get("/auth/me", headers=site.log_in("ann"))


@pytest.mark.parametrize(
    "change",
    [{"hashed_password": "x"}, {"id": "1"}, {"is_admin": 1}, {"email": None}, {"created_at": 7}],
)
def test_a_member_too_many_or_of_another_form_is(
    site: Site, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    whole = auth.public_account
    assert me(site).status_code == 200
    monkeypatch.setattr(auth, "public_account", lambda user: {**whole(user), **change})
    with pytest.raises(ValidationError):
        me(site)


@pytest.mark.parametrize("name", ["id", "full_name", "last_login"])
def test_a_member_that_is_missing_is(site: Site, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    whole = auth.public_account
    monkeypatch.setattr(
        auth, "public_account", lambda user: {key: each for key, each in whole(user).items() if key != name}
    )
    with pytest.raises(ValidationError):
        me(site)


def test_a_null_where_a_member_may_be_missing_is(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.routes.health.state_of", lambda server: {**state_of(server), "hint": None})
    with pytest.raises(ValidationError):
        site.client.get("/health")


@pytest.mark.parametrize(
    ("method", "path", "status", "content_type"),
    [
        ("GET", "/auth/me", 201, JSON),
        ("GET", "/auth/me", 409, "application/problem+json"),
        ("GET", "/auth/me", 404, JSON),
        ("POST", "/auth/keys", 200, JSON),
        ("GET", "/nothing", 200, JSON),
        ("GET", "/openapi.json", 200, "text/html"),
    ],
)
def test_a_status_or_a_media_type_that_is_not_described_is(
    method: str, path: str, status: int, content_type: str
) -> None:
    with pytest.raises(AssertionError):
        check_answer(method, path, status, content_type, b"{}")


def test_what_a_server_process_answers_is_checked_too(
    start_server: Callable[..., Server], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_server(settings)
    monkeypatch.setattr(Live, "model_validate", Health.model_validate)
    with pytest.raises(ValidationError):
        server.ask("/health/live")


def test_every_address_describes_what_it_answers() -> None:
    described = framework().openapi()["paths"]
    for route in routes():
        is_empty = route.status_code in (204, 302)
        forms = [
            described[route.path_format][method.lower()]["responses"].get(str(route.status_code or 200), {})
            for method in sorted(route.methods or ())
        ]
        is_file = all(set(each.get("content", {})) - {"application/json"} for each in forms)
        assert is_empty or is_file or route.response_model is not None, route.path
        assert route.openapi_extra is not None, f"{route.path} does not say who may ask: operation(...)"
    assert route_of("GET", "/api/v1/ideas/users/ann") is not route_of("GET", "/api/v1/ideas/7")
