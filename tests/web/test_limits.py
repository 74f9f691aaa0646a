"""Is a request that takes too much sent away, early, and does the rest go on meanwhile?"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import Request

from app.accounts.passwords import WRONG
from app.settings import Settings
from app.web import bodies
from app.web.limits import fault_of_headers
from tests.web.conftest import Site


@pytest.fixture
def small(serve: Callable[..., Site], settings: Settings) -> Site:
    """A site that takes bodies of at most 2,000 bytes."""
    made = serve(replace(settings, max_body_bytes=2000))
    made.add_user("ann", is_admin=True)
    return made


def test_a_body_that_is_announced_too_large_is_not_read(small: Site) -> None:
    answer = small.client.post("/auth/login", content=b"x" * 2001)
    assert answer.status_code == 413
    assert "2000" in answer.json()["detail"]


@pytest.mark.parametrize("announced", ["abc", "-1", "9" * 40])
def test_an_odd_length_is_refused(small: Site, announced: str) -> None:
    answer = small.client.post("/auth/login", content=b"x", headers={"Content-Length": announced})
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/auth/login", "/auth/register", "/api/v1/ideas"])
def test_a_body_in_pieces_is_counted_as_it_comes(small: Site, path: str) -> None:
    sent: list[int] = []

    def pieces() -> Iterator[bytes]:
        for number in range(100):
            sent.append(number)
            yield b"x" * 100

    headers = {**small.log_in("ann"), "Content-Type": "application/json"}
    answer = small.client.post(path, content=pieces(), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


def test_what_just_fits_is_taken(small: Site) -> None:
    body = b'{"content": "' + b"x" * (2000 - 15) + b'"}'
    assert len(body) == 2000
    headers = {**small.log_in("ann"), "Content-Type": "application/json"}
    assert small.client.post("/api/v1/ideas", content=body, headers=headers).status_code == 201


@pytest.mark.parametrize("name", ["host", "authorization", "x-api-key", "content-type", "x-claim-token"])
def test_a_header_that_decides_occurs_once(name: str) -> None:
    scope: dict[str, Any] = {"raw_path": b"/", "query_string": b"", "headers": [(name.encode(), b"a")] * 2}
    fault = fault_of_headers(scope)
    assert fault is not None
    assert fault[0] == 400


# -- passwords


def test_the_loop_goes_on_while_a_password_is_hashed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.accounts import login

    began, go = threading.Event(), threading.Event()

    def slow(*_: object) -> object:
        began.set()
        go.wait(20)
        return WRONG

    monkeypatch.setattr(login, "verify", slow)
    trying = threading.Thread(
        target=lambda: site.client.post("/auth/login", data={"username": "ann", "password": "x"})
    )
    trying.start()
    assert began.wait(10)
    asked = time.monotonic()
    assert site.client.get("/health/live").status_code == 200
    assert time.monotonic() - asked < 5
    go.set()
    trying.join()


# -- pages of other origins


@pytest.fixture
def with_page(serve: Callable[..., Site], settings: Settings) -> Site:
    """A site that lets pages of one origin work with it."""
    origins = ("https://page.example",)
    made = serve(replace(settings, cors_origins=origins))
    made.add_user("ann", is_admin=True)
    return made


PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


def test_a_listed_origin_may_write(with_page: Site) -> None:
    page = {"Origin": "https://page.example"}
    before = with_page.client.options("/api/v1/ideas", headers={**page, **PREFLIGHT})
    assert before.status_code == 204
    assert before.headers["access-control-allow-origin"] == "https://page.example"
    allowed = set(before.headers["access-control-allow-headers"].split(", "))
    assert {"Authorization", "If-Match", "If-None-Match", "X-Request-ID"} <= allowed
    assert "access-control-allow-credentials" not in before.headers
    made = with_page.client.post(
        "/api/v1/ideas", json={"content": "x"}, headers={**page, **with_page.log_in("ann")}
    )
    assert made.headers["access-control-allow-origin"] == "https://page.example"
    assert "Origin" in made.headers["vary"]


def test_another_origin_may_read_what_is_public_and_nothing_else(with_page: Site) -> None:
    page = {"Origin": "https://other.example"}
    before = with_page.client.options("/api/v1/ideas", headers={**page, **PREFLIGHT})
    assert "access-control-allow-origin" not in before.headers
    assert "access-control-allow-headers" not in before.headers
    mine = with_page.client.get("/api/v1/ideas", headers={**page, **with_page.log_in("ann")})
    assert "access-control-allow-origin" not in mine.headers
    assert with_page.client.get("/api/v1/ideas", headers=page).headers["access-control-allow-origin"] == "*"
    assert with_page.client.get("/nothing", headers=page).headers["access-control-allow-origin"] == "*"


def test_a_body_that_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)

    async def never() -> dict[str, object]:
        await asyncio.sleep(60)
        return {}

    async def read() -> None:
        await bodies.body_of(Request({"type": "http", "headers": [], "method": "POST"}, never))

    with pytest.raises(bodies.TooSlow):
        asyncio.run(read())
