"""Is a body read only for anyone who may send it, and is what the server holds of all bodies bounded?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from app.server import body_budget
from app.server.body_budget import Intake
from app.settings import Settings
from app.web import bodies, deps, limits
from app.web.limits import fault_of_headers
from tests.web.conftest import Site

JSON = {"Content-Type": "application/json"}
OPEN_TO_ALL = {  # whose credential is in the body, or who need none
    ("POST", "/auth/login"),
    ("POST", "/auth/stay"),
    ("POST", "/auth/oidc/join"),
    ("POST", "/auth/oidc/second-factor"),
    ("POST", "/auth/register"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/link"),
    ("POST", "/auth/password/reset"),
    ("POST", "/api/v1/users/{username}/messages"),
    ("POST", "/@{username}/messages"),
}
JUNK = [{}, {"Authorization": "Bearer junk"}, {"X-API-Key": "junk"}, {"Authorization": "Bearer a.b.c"}]


def writing_addresses(site: Site) -> list[tuple[str, str]]:
    return [
        (method, route.path)
        for route in site.app.addresses
        for method in sorted(route.methods)
        if method not in ("GET", "HEAD", "OPTIONS") and (method, route.path) not in OPEN_TO_ALL
    ]


@pytest.fixture
def bodies_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths whose bodies were asked for."""
    found: list[str] = []
    whole = limits.counted

    def watched(receive: Any, intake: Intake) -> Any:
        inner = whole(receive, intake)

        async def ask() -> Any:
            found.append("asked")
            return await inner()

        return ask

    monkeypatch.setattr(limits, "counted", watched)
    return found


@pytest.mark.parametrize("credential", JUNK, ids=["none", "token", "key", "signed"])
def test_no_address_reads_a_body_before_the_credential_is_known(
    site: Site, bodies_read: list[str], credential: dict[str, str]
) -> None:
    found = writing_addresses(site)
    assert len(found) >= 4
    for method, path in found:
        where = path.replace("{kind}", "ideas").replace("{entry_id}", "1")
        answer = site.client.request(
            method, where, content=b'{"content": "x"}', headers={**credential, **JSON}
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated"), (method, path)
        assert bodies_read == [], (method, path)


def test_the_local_door_needs_no_credential_before_the_claim(
    serve: Callable[..., Site], settings: Settings
) -> None:
    local = serve(settings, peer="127.0.0.1", base_url="http://localhost:8004")
    assert local.client.post("/api/v1/ideas", json={"content": "x"}).status_code == 201


def test_a_method_that_an_address_does_not_take_is_told_without_a_credential(site: Site) -> None:
    assert site.client.post("/api/v1/endpoints/ideas", content=b"x").status_code == 405


def test_the_credential_is_looked_at_again_when_the_body_is_there(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account that is deactivated while its body comes in writes nothing any more."""
    site.add_user("bob")
    headers = site.log_in("bob")
    whole = bodies.body_of

    async def slowly(request: Any) -> bytes:
        found = await whole(request)
        with site.writing() as connection:
            connection.execute(text("UPDATE users SET is_active = 0 WHERE username = 'bob'"))
        return found

    monkeypatch.setattr(deps, "body_of", slowly)
    answer = site.client.post("/api/v1/ideas", json={"content": "x"}, headers=headers)
    assert answer.status_code == 401
    assert site.client.get("/api/v1/ideas").json()["items"] == []


@pytest.mark.parametrize("path", ["/auth/login", "/auth/register"])
def test_what_anybody_may_send_is_small(site: Site, path: str) -> None:
    announced = site.client.post(path, content=b"x" * (body_budget.MOST_AUTH_BYTES + 1), headers=JSON)
    in_pieces = site.client.post(path, content=iter([b"x" * 40_000] * 2), headers=JSON)
    for answer in (announced, in_pieces):
        assert answer.status_code == 413
        assert "65536" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        *("/manage/sign-in", "/manage/claim", "/manage/join", "/manage/language", "/manage/waiting/token"),
        *("/@ann/messages", "/api/v1/users/ann/messages"),
    ],
)
def test_what_anybody_may_send_in_a_browser_or_leave_is_small(site: Site, path: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    form = b"text=" + b"%41" * (body_budget.MOST_AUTH_BYTES // 3)
    assert site.client.post(path, content=form, headers=headers).status_code == 413
    longest = urlencode({"text": "\U0001f41d" * 5_000, "name": "é" * 100, "contact": "é" * 200})
    assert len(longest) <= body_budget.MOST_AUTH_BYTES, "what a form may hold is taken"


def test_a_larger_setting_does_not_make_anonymous_bodies_larger() -> None:
    assert limits.most_bytes_at("/auth/login", 2**30) == 65_536
    assert limits.most_bytes_at("/auth/login", 2_000) == 2_000
    assert limits.most_bytes_at("/api/v1/ideas", 2**30) == 2**30


def test_a_full_share_is_told_with_when_to_try_again(site: Site) -> None:
    site.app.server.bodies.known.held_bytes = site.app.server.bodies.known.most_bytes
    headers = site.log_in("ann")
    answer = site.client.post("/api/v1/ideas", json={"content": "x" * 1000}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert int(answer.headers["retry-after"]) > 0
    site.app.server.bodies.known.held_bytes = 0
    assert site.client.post("/api/v1/ideas", json={"content": "x"}, headers=headers).status_code == 201
    assert site.app.server.bodies.known.held_bytes == 0
    assert site.app.server.bodies.anonymous.held_bytes == 0


# -- how a body is sent


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip", "aws-chunked"])
def test_a_body_that_is_encoded_is_refused(site: Site, coding: str) -> None:
    headers = {**site.log_in("ann"), **JSON, "Content-Encoding": coding}
    answer = site.client.post("/api/v1/ideas", content=b'{"content": "x"}', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_identity_says_nothing(site: Site) -> None:
    headers = {**site.log_in("ann"), **JSON, "Content-Encoding": "Identity"}
    assert site.client.post("/api/v1/ideas", content=b'{"content": "x"}', headers=headers).status_code == 201


@pytest.mark.parametrize("name", ["Origin", "Sec-Fetch-Site"])
def test_a_header_that_the_local_door_looks_at_occurs_once(
    serve: Callable[..., Site], settings: Settings, name: str
) -> None:
    local = serve(settings, peer="127.0.0.1", base_url="http://localhost:8004")
    values = [(name, "https://evil.example"), (name, "http://localhost:8004")]
    answer = local.client.post("/api/v1/ideas", json={"content": "x"}, headers=values)
    assert (answer.status_code, answer.json()["code"]) == (400, "headers_refused")
    assert fault_of_headers({"query_string": b"", "headers": [(name.lower().encode(), b"none")]}) is None


def test_a_body_of_a_known_sender_has_a_deadline_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = site.log_in("ann")
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)

    async def never(_request: Any) -> bytes:
        await asyncio.sleep(60)
        return b""

    monkeypatch.setattr("starlette.requests.Request.body", never)
    assert site.client.post("/api/v1/ideas", json={"content": "x"}, headers=headers).status_code == 408
