"""Plain lists: is one without the framework, or joined of ready views, what the framework would answer?"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.server import entry_lookup
from app.web import ready_answers
from app.web.direct_route import DirectRoute
from app.web.middleware import OuterMiddleware
from tests.web.conftest import Site
from tests.web.test_entries import post

KINDS = ("ideas", "goals", "nothing", "endpoints", "system", "privacy", "Ideas", "id%65as", "ideas/", "auth")
QUERIES = (
    *("", "limit=2", "limit=2&utm_source=x", "level=professional", "level=professional&limit=1", "limit=200"),
    *("limit=0", "limit=201", "limit=-1", "limit=02", "limit=2&limit=3", "limit=", "limit=2&", "limit=x"),
    *(
        "cursor=abc",
        "cursor=",
        "level=nothing",
        "level=",
        "level=ai_safe&privacy_level=ai_safe",
        "nonsense=1",
    ),
    *(
        "level=ai_safe&privacy_level=ai_safe",
        "page=1&size=2",
        "page=2&size=1",
        "limit=1&page=1",
        "active_only=true",
        "lim%69t=2",
        "&&",
    ),
)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"User-Agent": "GPTBot/1.2"},
    {"Accept": "text/html"},
    {"If-None-Match": "*"},
    {"If-Match": '"x"'},
    {"Origin": "https://elsewhere.example"},
    {"Authorization": "Bearer nonsense"},
    {"X-API-Key": "nonsense"},
)


def told(answer: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    """What was answered, without the name of the request."""
    headers = sorted((name, value) for name, value in answer.headers.items() if name != "x-request-id")
    body = answer.content.replace(answer.headers["x-request-id"].encode(), b"")
    if answer.status_code >= 400:  # the name of the request has another length each time
        headers = [each for each in headers if each[0] != "content-length"]
    return answer.status_code, headers, body


@pytest.fixture
def filled(site: Site) -> Site:
    for number in range(4):
        post(site, content=f"number {number}, call 030 123456{number}")
    post(site, content="mine alone", meta={"visibility": "private"})
    site.app.server.jobs.stop()  # no one else commits; and lists are made of what they find
    return site


@pytest.fixture
def usual(filled: Site) -> TestClient:
    """The same application with the framework alone."""
    around = OuterMiddleware(filled.app.framework, filled.app.server)
    return TestClient(around, base_url="http://daemon.example", client=("192.0.2.1", 50000))


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How lists were made."""
    seen: list[str] = []
    glance, find = entry_lookup.glance, DirectRoute._answered

    def glanced(*args: Any) -> Any:
        found = glance(*args)
        seen.append("not ready" if found is None else "joined")
        return found

    def answered(self: DirectRoute, *args: Any) -> Any:
        found = find(self, *args)
        seen.append("framework" if found is None else "directly")
        return found

    monkeypatch.setattr(ready_answers, "glance", glanced)
    monkeypatch.setattr(DirectRoute, "_answered", answered)
    return seen


@pytest.mark.parametrize("query", QUERIES)
def test_every_list_is_answered_as_the_framework_would(filled: Site, usual: TestClient, query: str) -> None:
    server = filled.app.server
    for kind, headers in itertools.product(KINDS, HEADERS):
        address = f"/api/v1/{kind}" + (f"?{query}" if query else "")
        server.response_cache.forget()
        wanted = told(usual.get(address, headers=headers))
        for _ in range(2):
            server.response_cache.forget()
            assert told(filled.client.get(address, headers=headers)) == wanted, (address, headers)
        assert told(filled.client.get(address, headers=headers)) == wanted, (address, headers)


@pytest.mark.only_on("sqlite")  # text that is no text is there alone
def test_text_that_is_not_utf_8_is_left_to_who_has_the_time(filled: Site, looked: list[str]) -> None:
    assert b"number 3" in filled.client.get("/api/v1/ideas?limit=20").content
    odd = b'{"content": "odd \xff", "meta": {"title": "t", "visibility": "public"}}'
    with filled.writing() as connection:
        change = "UPDATE data_entries SET data = CAST(x'%s' AS TEXT) WHERE data LIKE '%%number 3%%'"
        connection.exec_driver_sql(change % odd.hex())
    looked.clear()
    for _ in range(2):
        assert "odd \ufffd" in filled.client.get("/api/v1/ideas?limit=20").text
    assert looked == ["not ready", "directly"]
    looked.clear()
    assert "number 1" in filled.client.get("/api/v1/ideas?limit=2").text
    assert looked == ["joined"]


@pytest.mark.only_on("sqlite")  # a server of databases is not asked in passing
def test_a_list_is_made_directly_then_joined_then_kept(filled: Site, looked: list[str]) -> None:
    def ask(address: str) -> list[str]:
        looked.clear()
        assert filled.client.get(address).status_code == 200
        return looked.copy()

    assert ask("/api/v1/goals")[-1] == "directly"  # it is known now that the installation is claimed
    assert ask("/api/v1/ideas") == ["not ready", "directly"]
    assert ask("/api/v1/ideas") == []
    assert ask("/api/v1/ideas?limit=4") == ["joined"]
    assert ask("/api/v1/ideas?limit=4&utm_source=x") == []
    assert ask("/api/v1/ideas?level=ai_safe") == ["not ready", "directly"]
    assert ask("/api/v1/ideas?limit=3&level=ai_safe") == ["joined"]
    assert ask("/api/v1/ideas?page=1&size=3") == ["framework"]
    post(filled, content="one more")
    assert ask("/api/v1/ideas?limit=4") == ["joined"]  # what is new is little
    assert ask("/api/v1/ideas") == ["joined"]
    post(filled, content="large " * 5_000)
    assert ask("/api/v1/ideas") == ["not ready", "directly"]
    assert ask("/api/v1/ideas?limit=5") == ["joined"]


def test_the_way_along_next_is_the_same(filled: Site, usual: TestClient) -> None:
    for level in ("", "&level=ai_safe"):
        address: str | None = f"/api/v1/ideas?limit=1{level}"
        count = 0
        while address is not None:
            filled.app.server.response_cache.forget()
            wanted, answer = usual.get(address), filled.client.get(address)
            filled.app.server.response_cache.forget()
            again = filled.client.get(address)
            assert told(answer) == told(again) == told(wanted)
            found = answer.json()["next"]
            address = None if found is None else f"/api/v1/ideas?limit=1{level}&cursor={found}"
            count += 1
        assert count == 4


def test_whoever_has_a_credential_is_asked_who_it_is(filled: Site, looked: list[str]) -> None:
    mine = filled.client.get("/api/v1/ideas", headers=filled.log_in("ann"))
    assert b"mine alone" in mine.content
    assert filled.client.get("/api/v1/ideas").status_code == 200
    looked.clear()
    again = filled.client.get("/api/v1/ideas?limit=100", headers=filled.log_in("ann"))
    assert b"mine alone" in again.content
    assert "joined" not in looked


@pytest.mark.only_on("sqlite")
def test_while_someone_holds_the_database_a_glance_does_not_wait(filled: Site, looked: list[str]) -> None:
    assert filled.client.get("/api/v1/ideas").status_code == 200
    with filled.app.server.supervisor.glancing():  # the one connection is in use
        assert filled.client.get("/api/v1/ideas?limit=3").status_code == 200
    assert looked[-2:] == ["not ready", "directly"]
