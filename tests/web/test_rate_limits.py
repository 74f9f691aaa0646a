"""Is who asks too much told to wait, by whichever way in, and no one else with them?"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from httpx2 import Response

from app.settings import Settings
from tests.databases import Databases
from tests.web.conftest import Server, Site

LIST = re.compile(r'"[a-z]+";r=[0-9]+;t=[0-9]+(, "[a-z]+";r=[0-9]+;t=[0-9]+)*')
ServeLimited = Callable[..., Site]


@pytest.fixture
def limited(serve: Callable[..., Site], settings: Settings) -> ServeLimited:
    """`limited(rate_limit_network=3)`: a site whose admin is ann and whose member is ben."""

    def make(peer: str = "192.0.2.1", **quotas: Any) -> Site:
        made = serve(replace(settings, **quotas), peer=peer)
        for name in ("ann", "ben"):
            made.add_user(name, is_admin=name == "ann")
        return made

    return make


def check_refused(answer: Response) -> None:
    assert answer.status_code == 429
    problem, wait = answer.json(), answer.headers["retry-after"]
    assert problem["code"] == "too_much"
    assert problem["hint"] == f"Try again in {wait} seconds."
    assert 1 <= int(wait) <= 60
    assert LIST.fullmatch(answer.headers["ratelimit"])


def test_strangers_are_refused_by_kept_answers_and_by_made_ones(limited: ServeLimited) -> None:
    site = limited(rate_limit_network=3)
    first = site.client.get("/api/v1/ideas")
    assert first.headers["ratelimit-policy"] == '"network";q=3;w=60'
    assert first.headers["ratelimit"] == '"network";r=2;t=20'
    assert [site.client.get("/api/v1/ideas").status_code for _ in range(2)] == [200, 200]
    check_refused(site.client.get("/api/v1/ideas"))
    check_refused(site.client.get("/api/v1/skills"))
    refused = site.client.get("/no such place")
    check_refused(refused)
    assert refused.headers["access-control-allow-origin"] == "*"
    assert "RateLimit" in refused.headers["access-control-expose-headers"]


def test_who_watches_whether_the_server_lives_is_never_refused(limited: ServeLimited) -> None:
    site = limited(rate_limit_network=1)
    for _ in range(2):
        for path in ("/health", "/health/live", "/health/ready"):
            answer = site.client.get(path)
            assert answer.status_code == 200
            assert "ratelimit" not in answer.headers
    assert site.client.get("/").status_code == 200


def test_a_person_is_not_held_up_by_strangers_beside_them_nor_by_others(limited: ServeLimited) -> None:
    site = limited(rate_limit_network=6, rate_limit_person=4)
    ann, ben = site.log_in("ann"), site.log_in("ben")
    for who in (ann, ben):  # whose it is is not known before it was looked at
        assert site.client.get("/auth/me", headers=who).headers["ratelimit"].startswith('"network";')
    while site.client.get("/").status_code == 200:
        pass
    answers = [site.client.get("/auth/me", headers=ann) for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    check_refused(answers[-1])
    assert site.client.get("/auth/me", headers=ben).headers["ratelimit"].startswith('"person";r=2;')


def test_a_login_that_has_ended_costs_its_person_nothing(limited: ServeLimited) -> None:
    site = limited(rate_limit_network=50, rate_limit_person=5)
    old = site.log_in("ben")
    site.client.get("/auth/me", headers=old)
    assert site.client.post("/auth/logout-everywhere", headers=old).status_code == 204
    for _ in range(9):
        assert site.client.get("/auth/me", headers=old).status_code == 401
    new = site.log_in("ben")
    assert [site.client.get("/auth/me", headers=new).status_code for _ in range(2)] == [200, 200]


def test_writes_are_counted_beside_reads(limited: ServeLimited) -> None:
    site = limited(rate_limit_network=20, rate_limit_person=20, rate_limit_writes=3)
    ben = site.log_in("ben")  # a login is one that changes something, of a stranger
    site.client.get("/auth/me", headers=ben)
    sent = [site.client.post("/api/v1/ideas", json={"content": "x"}, headers=ben) for _ in range(4)]
    assert [each.status_code for each in sent] == [201, 201, 201, 429]
    check_refused(sent[-1])
    assert sent[0].headers["ratelimit-policy"] == '"person";q=20;w=60, "writes";q=3;w=60'
    assert len(site.client.get("/api/v1/ideas", headers=ben).json()["items"]) == 3


def test_the_address_is_the_one_that_a_trusted_proxy_names(
    serve: Callable[..., Site], settings: Settings
) -> None:
    for trusted, last in (("192.0.2.1/32",), 200), ((), 429):
        site = serve(replace(settings, rate_limit_network=2, trusted_proxies=trusted))
        asked = [site.client.get("/", headers={"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(3)]
        assert asked[-1].status_code == last
        site.client.__exit__(None, None, None)


@pytest.mark.only_on("postgresql")
def test_two_server_processes_count_writes_together(
    serve: Callable[..., Site], settings: Settings, databases: Databases
) -> None:
    sites = [serve(replace(settings, rate_limit_writes=6)) for _ in range(2)]
    sites[0].add_user("ann", is_admin=True)
    ann = sites[0].log_in("ann")
    for site in sites:
        site.client.get("/auth/me", headers=ann)
    begun, passed = time.monotonic(), 0
    for turn in range(16):
        passed += sites[turn % 2].client.patch("/auth/me", json={}, headers=ann).status_code == 200
    came_back = 1 + (time.monotonic() - begun) / 10
    assert 6 <= passed <= 6 + came_back


@pytest.mark.only_on("sqlite")
def test_answers_that_the_protocol_sends_by_itself_are_counted_too_but_for_this_machine(
    start_server: Callable[..., Server], unclaimed: Site
) -> None:
    unclaimed.add_user("ann", is_admin=True)
    unclaimed.client.__exit__(None, None, None)
    server = start_server(unclaimed.settings, RATE_LIMIT_NETWORK="8", TRUSTED_PROXIES="127.0.0.1")
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        found = [ask_again(connection, "X-Forwarded-For: 198.51.100.1\r\n") for _ in range(9)]
        direct = [ask_again(connection) for _ in range(12)]
    assert [b"\r\nratelimit:" in head for head in found] == [False] * 8 + [True], (
        "kept, and sent by the protocol"
    )
    assert [head.split()[1] for head in found] == [b"200"] * 8 + [b"429"]
    assert b"\r\nretry-after: " in found[-1]
    assert [head.split()[1] for head in direct] == [b"200"] * 12


def test_who_asks_on_the_servers_own_machine_is_not_limited_but_behind_a_proxy_is(
    limited: ServeLimited,
) -> None:
    site = limited(peer="127.0.0.1", rate_limit_network=2)
    assert {site.client.get("/").status_code for _ in range(5)} == {200}
    forwarded = {"X-Forwarded-For": "198.51.100.1"}
    answers = [site.client.get("/", headers=forwarded).status_code for _ in range(4)]
    assert answers == [200, 200, 429, 429]


def ask_again(connection: socket.socket, header: str = "") -> bytes:
    """The head of the answer to one request, with the body read."""
    connection.sendall(f"GET /api/v1/ideas HTTP/1.1\r\nHost: a.example\r\n{header}\r\n".encode())
    read = b""
    while b"\r\n\r\n" not in read:
        read += connection.recv(65_536)
    head, _, body = read.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    while len(body) < length:
        body += connection.recv(65_536)
    return head
