"""Direct route: is a POST of an entry answered, and refused, as the framework would, byte by byte?"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.privacy.detectors.search import find
from app.reserved_names import RESERVED
from app.web import direct_route
from app.web.bodies import etag_of
from app.web.middleware import OuterMiddleware
from tests.web.conftest import Site


def direct_route_of(site: Site) -> direct_route.DirectRoute:
    """What is below the middleware, the mount of the assistants' door and that of the admin."""
    found = site.app.framework.state.assistants._others._others
    assert isinstance(found, direct_route.DirectRoute)
    return found


JSON = {"Content-Type": "application/json"}
IDEA = {"content": "call 030 1234567, or write to ann@example.org", "meta": {"visibility": "public"}}
BODIES: dict[str, bytes] = {
    "an entry": json.dumps(IDEA).encode(),
    "an entry with what older versions hide": b'{"content": "card 4111 1111 1111 1111", "salary": 5}',
    "a private entry": b'{"content": "caf\\u00e9", "meta": {"visibility": "private"}}',
    "a large entry": json.dumps({"content": "long words " * 500}).encode(),
    "a byte order mark": b'\xef\xbb\xbf{"content": "x"}',
    "no JSON": b'{"content": ',
    "nothing": b"",
    "no object": b"[1, 2]",
    "a number": b"7",
    "a doubled key": b'{"content": "x", "content": "y"}',
    "NaN": b'{"content": NaN}',
    "half a character": b'{"content": "\\ud83d"}',
    "too deep": b'{"content": ' + b"[" * 40 + b"]" * 40 + b"}",
    "not UTF-8": b'{"content": "\xff"}',
    "UTF-16": '{"content": "x"}'.encode("utf-16"),
    "what does not fit": b'{"content": 7, "meta": "no"}',
    "a large one that does not fit": json.dumps({"content": 7, "more": "words " * 900}).encode(),
    "an unknown visibility": b'{"content": "x", "meta": {"visibility": "friends"}}',
    "another word": b'{"content": "x", "draft": true}',
}
KINDS = (
    "ideas",
    "no_such_kind",
    "endpoints",
    "privacy",
    "Ideas",
    "id%65as",
    "closed",
    "system",
    "-",
    "x" * 80,
)
HEADERS: dict[str, Mapping[str, str]] = {
    "JSON": JSON,
    "no type": {},
    "another type": {"Content-Type": "text/plain"},
    "If-Match": {**JSON, "If-Match": '"abc"'},
    "If-Match of anything": {**JSON, "If-Match": "*"},
    "Accept": {**JSON, "Accept": "text/html"},
    "a page": {**JSON, "Origin": "https://elsewhere.example"},
    "a name for it": {**JSON, "X-Request-ID": "a-name-of-mine"},
}
QUERIES = ("", "?", "?level=public_full", "?utm_source=x", "?nonsense=1")


@pytest.fixture
def doors(site: Site) -> tuple[TestClient, TestClient]:
    """The application, and the same without the direct route."""
    with site.writing() as connection:
        connection.exec_driver_sql("UPDATE endpoints SET is_active = 0 WHERE name = 'problems'")
    site.app.addresses  # noqa: B018 - loads them
    around = OuterMiddleware(site.app.framework, site.app.server)
    usual = TestClient(around, base_url="http://daemon.example", client=("192.0.2.1", 50000))
    return site.client, usual


def plain(answer: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    """What was answered, without what is another thing each time: ids, times, and what hangs on them."""
    body = answer.content
    of_this_one = (
        "x-request-id",
        "ratelimit",
        "ratelimit-policy",
    )  # by what it is counted is found out outside
    headers = {name: value for name, value in answer.headers.items() if name not in of_this_one}
    if "etag" in headers:
        assert headers.pop("etag") == etag_of(body)
    body = re.sub(rb'"request_id": "[^"]*"', b"", body)
    body = re.sub(rb'"((?:entry_)?id)":[0-9]+', rb'"\1":ID', body)
    body = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"TIME", body)
    length = int(headers.pop("content-length", "0"))
    assert length == len(answer.content)
    if answer.status_code == 201:
        assert (
            headers.pop("location") == f"{answer.request.url.path.rpartition('/')[2]}/{answer.json()['id']}"
        )
    return answer.status_code, list(headers.items()), body


Ask = Callable[..., None]


@pytest.fixture
def same(doors: tuple[TestClient, TestClient]) -> Ask:
    """Ask both, and hold their answers beside each other."""

    def ask(path: str, body: bytes, headers: Mapping[str, str], status: int | None = None) -> None:
        direct, usual = (door.post(path, content=body, headers=dict(headers)) for door in doors)
        assert plain(direct) == plain(usual)
        assert status in (None, direct.status_code)

    return ask


def test_the_direct_route_is_taken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_framework(*_: object) -> None:
        raise AssertionError("the framework was asked")

    ann = site.log_in("ann")
    monkeypatch.setattr(direct_route_of(site), "_framework", no_framework)
    assert site.client.post("/api/v1/ideas", json=IDEA, headers=ann).status_code == 201
    assert site.client.post("/api/v1/ideas", json=IDEA).status_code == 401
    assert site.client.post("/api/v1/ideas", json=[], headers=ann).status_code == 422


def test_bodies_are_answered_alike(site: Site, same: Ask) -> None:
    ann = site.log_in("ann")
    for body in BODIES.values():
        same("/api/v1/ideas", body, {**JSON, **ann})
        same("/api/v1/problems", body, {**JSON, **ann})
    same("/api/v1/ideas", BODIES["an entry"], {**JSON, **ann}, 201)


def test_addresses_and_headers_are_answered_alike(site: Site, same: Ask) -> None:
    ann = site.log_in("ann")
    for kind in KINDS:
        for body in (BODIES["an entry"], BODIES["no JSON"]):
            same(f"/api/v1/{kind}", body, {**JSON, **ann})
    for query in QUERIES:
        same(f"/api/v1/ideas{query}", BODIES["an entry"], {**JSON, **ann})
    for headers in HEADERS.values():
        same("/api/v1/ideas", BODIES["an entry"], {**headers, **ann})


def test_credentials_are_answered_alike(site: Site, same: Ask) -> None:
    site.add_user("ben")
    ann, ben = site.log_in("ann"), site.log_in("ben")
    with site.writing() as connection:
        connection.exec_driver_sql("UPDATE users SET is_active = 0 WHERE username = 'ben'")
    credentials: list[Mapping[str, str]] = [
        {},
        ben,
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Basic YTpi"},
        {"X-API-Key": "dmn_nobodys"},
        {**ann, "X-API-Key": "dmn_nobodys"},
        {"Authorization": ann["Authorization"] + "x"},
    ]
    for credential in credentials:
        for body in (BODIES["an entry"], BODIES["no JSON"]):
            same("/api/v1/ideas", body, {**JSON, **credential})


def test_the_open_local_door_is_answered_alike(serve: Callable[..., Site], settings: Any) -> None:
    site = serve(settings, peer="127.0.0.1", base_url="http://localhost")
    site.app.addresses  # noqa: B018 - loads them
    around = OuterMiddleware(site.app.framework, site.app.server)
    usual = TestClient(around, base_url="http://localhost", client=("127.0.0.1", 50000))
    for name in ("an entry", "no JSON", "what does not fit"):
        asked = partial(TestClient.post, url="/api/v1/ideas", content=BODIES[name], headers=JSON)
        assert plain(asked(site.client)) == plain(asked(usual))


@pytest.mark.usefixtures("random_ids")
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "POST", "OPTIONS"])
def test_one_entry_is_answered_alike(site: Site, doors: tuple[TestClient, TestClient], method: str) -> None:
    """Each door has an entry of its own, written alike."""
    site.add_user("ben")
    ann, ben = site.log_in("ann"), site.log_in("ben")
    change = json.dumps({"content": "another 030 1234567", "draft": None}).encode()
    ids = [[door.post("/api/v1/ideas", json=IDEA, headers=ann).json()["id"] for door in doors] for _ in "abc"]
    ids += [[7, 7], [10**17, 10**17], [2**53 + 1, 2**53 + 1], [10**18, 10**18]]

    def ask(pair: list[int], path: str, body: bytes, headers: Mapping[str, str]) -> int:
        both = [
            door.request(method, path.replace("ID", str(number)), content=body, headers=dict(headers))
            for door, number in zip(doors, pair, strict=True)
        ]
        (*direct, said), (*usual, told) = map(plain, both)
        assert direct == usual
        assert said.replace(b"%d" % pair[0], b"ID") == told.replace(b"%d" % pair[1], b"ID")
        return int(both[0].status_code)

    for pair in ids:
        for credential in ({}, {"X-API-Key": "dmn_nobodys"}, ben):
            ask(pair, "/api/v1/ideas/ID", change, {**JSON, **credential})
        for kind in ("problems", "no_such_kind", "endpoints", "Ideas", "privacy", "books", "me"):
            ask(pair, f"/api/v1/{kind}/ID", change, {**JSON, **ann})
        for ending in ("/", ".md", "x", "?level=public_full", "?slug=", "%20"):
            ask(pair, "/api/v1/ideas/ID" + ending, change, {**JSON, **ann})
        for name in ("no object", "nothing", "no JSON", "NaN", "what does not fit", "a large entry"):
            if method in ("PUT", "PATCH"):
                ask(pair, "/api/v1/ideas/ID", BODIES[name], {**JSON, **ann})
        for more in ({"If-Match": '"abc"'}, {"Content-Type": "text/plain"}, {"Accept": "text/markdown"}):
            ask(pair, "/api/v1/ideas/ID", change, {**JSON, **ann, **more})
    answered = {"GET": 200, "PUT": 200, "PATCH": 200, "DELETE": 204, "POST": 405, "OPTIONS": 405}
    assert ask(ids[0], "/api/v1/ideas/ID", b'{"content": "x"}', {**JSON, **ann}) in (answered[method], 404)


def test_one_entry_is_answered_without_the_framework(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_framework(*_: object) -> None:
        raise AssertionError("the framework was asked")

    ann = site.log_in("ann")
    monkeypatch.setattr(direct_route_of(site), "_framework", no_framework)
    number = site.client.post("/api/v1/ideas", json=IDEA, headers=ann).json()["id"]
    one = f"/api/v1/ideas/{number}"
    assert site.client.get(one).json()["id"] == number
    assert "call" in site.client.get(one, headers=ann).json()["content"]
    assert site.client.put(one, json={"content": "b"}, headers=ann).json()["content"] == "b"
    assert site.client.patch(one, json={"content": "c"}, headers=ann).json()["content"] == "c"
    assert site.client.delete(one, headers=ann).status_code == 204
    assert site.client.get(one, headers=ann).status_code == 404


def test_an_error_that_no_one_expects_is_answered_alike(
    site: Site, same: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    ann = site.log_in("ann")
    monkeypatch.setattr("app.entries.write.store_writing.add_entry", fail)
    same("/api/v1/ideas", BODIES["an entry"], {**JSON, **ann}, 500)


def test_every_other_address_below_the_same_path_is_the_frameworks(site: Site) -> None:
    route = direct_route_of(site)
    for path in (f"/api/v1/{name}" for name in RESERVED):
        scope = {"type": "http", "method": "POST", "path": path, "query_string": b""}
        assert route._kind_in(scope) is None


# -- long texts, which are searched before their turn


def test_a_long_text_is_searched_outside_of_the_turn_to_write(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = site.log_in("ann")
    site.client.post("/api/v1/privacy/never-list", json={"word": "Zebulon"}, headers=ann)
    turns = Turns(site, monkeypatch)
    long = "a garden, and nobody there but Zebulon. " * 1_000
    made = site.client.post("/api/v1/ideas", json={"content": long}, headers=ann)
    address = f"/api/v1/ideas/{made.json()['id']}"
    replaced = site.client.put(address, json={"content": long + "!"}, headers=ann)
    merged = site.client.patch(address, json={"meta": {"title": "merged"}}, headers=ann)
    for answer in (made, replaced, merged):
        assert answer.status_code in (200, 201)
        assert len([one for one in answer.json()["findings"] if one["kind"] == "never_list"]) == 1_000
    assert turns.searched_within == []
    shown = site.client.get(address).json()
    assert "Zebulon" not in shown["content"]


class Turns:
    """Notes which long texts are searched by the thread that writes."""

    def __init__(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        self.searched_within: list[int] = []

        def noting(text: str) -> Any:
            if len(text) > 1_000 and threading.current_thread().name.startswith("writer"):
                self.searched_within.append(len(text))
            return find(text)

        monkeypatch.setattr("app.privacy.entry_search.find", noting)
