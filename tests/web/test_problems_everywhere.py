"""Is whatever goes wrong at any address a problem document (RFC 9457)? Each way to be refused, everywhere."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.client import HTTPResponse
from typing import Any

import pytest

from app.formats.pictures import MOST_BYTES as MOST_PICTURE_BYTES
from app.server.database_status import DatabaseStatus
from app.settings import Settings
from app.web.json_bodies import body_of_route
from app.web.middleware import OPEN_PATHS
from tests.web.conftest import PASSWORD, Server, Site
from tests.web.described import routes
from tests.web.test_problems import check_problem

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "SEARCH")
EXAMPLES = {"{kind}": "ideas", "{entry_id}": "1", "{name}": "ideas", "{code}": "not_found"}


def addresses() -> Iterator[tuple[str, str]]:
    """Each method with each path, with something in the place of its parameters."""
    for route in routes():
        path = route.path
        for part in path.split("/"):
            if part.startswith("{"):
                path = path.replace(part, EXAMPLES.get(part, "1"))
        yield from ((method, path) for method in sorted(route.methods or ()))


def test_a_method_that_an_address_does_not_take(site: Site) -> None:
    ann, taken = site.log_in("ann"), set(addresses())
    for path in sorted({path for _, path in taken}):
        for method in METHODS:
            if (method, path) in taken:
                continue
            answer = site.client.request(method, path, headers=ann)
            if answer.status_code != 405:  # another route has the path, too: below each kind, for one
                assert answer.headers["content-type"] == "application/problem+json", (method, path)
                continue
            check_problem(answer, 405, "method_not_allowed")
            assert answer.headers["allow"], (method, path)


def test_what_is_below_no_address(site: Site) -> None:
    for _, path in sorted(set(addresses())):
        for below in (f"{path.rstrip('/')}/~/no/such/address/at/all", f"{path}%7f", f"/no{path}"):
            answer = site.client.get(below)
            if answer.status_code != 200:  # a name may be anything
                assert answer.status_code in (400, 401, 404, 405, 422), below
                check_problem(answer, answer.status_code, answer.json()["code"])


def test_a_body_that_is_too_large_or_of_another_form(site: Site) -> None:
    ann = site.log_in("ann")
    assert site.client.post("/auth/confirm", json={"password": PASSWORD}, headers=ann).status_code == 204
    large = max(site.settings.max_body_bytes, MOST_PICTURE_BYTES) + 1
    for method, path in sorted(set(addresses())):
        head = {**ann, "Content-Length": str(large)}
        check_problem(site.client.request(method, path, headers=head), 413, "too_large")
    wrong = {**ann, "Content-Type": "text/plain"}
    for route in routes():
        if body_of_route(route) is None:
            continue
        for method, path in addresses():
            if route.path_regex.match(path) and method in (route.methods or ()):
                answer = site.client.request(method, path, content=b"{}", headers=wrong)
                check_problem(answer, answer.status_code, answer.json()["code"])
                assert answer.status_code in (404, 405, 415, 422), (method, path, answer.status_code)


def test_too_many_requests(serve: Callable[..., Site], settings: Settings) -> None:
    site = serve(replace(settings, rate_limit_network=1))
    site.client.get("/")
    for method, path in sorted(set(addresses())):
        if path not in OPEN_PATHS:
            answer = site.client.request(method, path)
            assert int(answer.headers["retry-after"]) >= 1, (method, path)
            check_problem(answer, 429, "too_much")


def test_a_server_that_waits(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    status = DatabaseStatus("maintenance", "BEHIND", "/secret/place", "daemon x")
    monkeypatch.setattr(site.app.server.supervisor, "_status", status)
    for method, path in sorted(set(addresses())):
        if path not in OPEN_PATHS:
            answer = site.client.request(method, path)
            assert int(answer.headers["retry-after"]) >= 1, (method, path)
            check_problem(answer, 503, "maintenance")


@pytest.mark.only_on("sqlite")
def test_what_is_no_request(start_server: Callable[..., Server], settings: Settings) -> None:
    server = start_server(settings)
    for raw in (b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n"):
        status, content_type, body = _raw(server.port, raw)
        assert (status, content_type) == (400, "application/problem+json"), raw
        assert b'"code"' in body
    endless = b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"x" * 70_000
    assert _raw(server.port, endless)[:2] == (431, "application/problem+json")


def _raw(port: int, sent: bytes) -> tuple[int, str | None, bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(sent)
        answer: Any = HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.getheader("content-type"), answer.read()
