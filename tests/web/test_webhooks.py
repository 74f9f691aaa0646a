"""Webhooks: what is sent to whom, signed how, again when, and never where it must not be sent."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook

from app import clock, tables
from app.accounts import users
from app.entries import webhook_deliveries, webhook_events
from app.server.webhook_targets import send
from tests.web.conftest import DEADLINE_SECONDS, Site

PLACE = "/api/v1/webhooks"


class Receiver(ThreadingHTTPServer):
    """Keeps what it is sent, and answers with the statuses that it is told, the last of them for ever."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.statuses = [204]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/in?a=b"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        said = {name.lower(): value for name, value in self.headers.items()}
        self.server.got.append((said | {"path": self.path}, body))
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.send_header("Location", self.server.url)
        self.end_headers()

    def log_message(self, *_said: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    serving = threading.Thread(target=made.serve_forever, args=(0.02,))
    serving.start()
    yield made
    made.shutdown()
    serving.join()
    made.server_close()


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    site.app.server.jobs.stop()  # each look is the test's
    server = site.app.server
    server.webhooks._settings = replace(server.settings, webhooks_to_loopback=True)
    server.settings = server.webhooks._settings
    return site.log_in("ann")


def hook(site: Site, who: dict[str, str], url: str, **more: Any) -> dict[str, Any]:
    answer = site.client.post(PLACE, json={"url": url, **more}, headers=who)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def write(site: Site, who: dict[str, str], visibility: str = "public", **meta: Any) -> int:
    content = {"content": "secret words", "meta": {"visibility": visibility, **meta}}
    answer = site.client.post("/api/v1/ideas", json=content, headers=who)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def look(site: Site) -> None:
    """Let the job look, and wait until all that is due was tried."""
    hooks, until = site.app.server.webhooks, time.monotonic() + DEADLINE_SECONDS
    hooks._stopping.clear()
    hooks.look()
    while hooks.is_sending():
        assert time.monotonic() < until
        time.sleep(0.005)


def sent(receiver: Receiver) -> list[tuple[str, int]]:
    found = [json.loads(body) for _headers, body in receiver.got]
    assert all(set(each) == {"type", "timestamp", "data"} for each in found)
    assert all(set(each["data"]) == {"kind", "id"} for each in found), "ids and kinds only"
    return [(each["type"], each["data"]["id"]) for each in found]


def deliveries(site: Site, who: dict[str, str], made: dict[str, Any]) -> list[dict[str, Any]]:
    answer = site.client.get(f"{PLACE}/{made['id']}/deliveries", headers=who)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_each_change_of_ones_own_entries_is_told_once_and_signed(
    site: Site, ann: dict[str, str], receiver: Receiver
) -> None:
    site.add_user("ben")
    ben = site.log_in("ben")
    write(site, ann)  # before there is a webhook
    made = hook(site, ann, receiver.url)
    one, hidden = write(site, ann), write(site, ann, "private")
    write(site, ben)
    site.client.patch(f"/api/v1/ideas/{hidden}", json={"meta": {"visibility": "public"}}, headers=ann)
    site.client.patch(f"/api/v1/ideas/{hidden}", json={"content": "other"}, headers=ann)
    site.client.delete(f"/api/v1/ideas/{one}", headers=ann)
    site.client.post(f"/api/v1/ideas/{one}/undelete", headers=ann)
    site.client.post(f"/api/v1/ideas/{one}/erase", headers=ann)
    look(site)
    assert sorted(sent(receiver)) == sorted(
        [
            *(("entry.created", one), ("entry.published", one), ("entry.created", hidden)),
            *(("entry.changed", hidden), ("entry.published", hidden), ("entry.changed", hidden)),
            *(
                ("entry.deleted", one),
                ("entry.changed", one),
                ("entry.published", one),
                ("entry.deleted", one),
            ),
        ]
    )
    look(site)
    assert len(receiver.got) == 10, "once each"
    ids = {headers["webhook-id"] for headers, _body in receiver.got}
    assert len(ids) == 10
    for headers, body in receiver.got:
        Webhook(made["secret"]).verify(body, headers)
        assert headers["path"] == "/in?a=b"
        assert b"words" not in body
    log = deliveries(site, ann, made)
    assert {(each["state"], each["attempts"], each["last_status"]) for each in log} == {("delivered", 1, 204)}
    assert {each["id"] for each in log} == ids


def test_what_becomes_public_by_the_time_is_told_then_and_once(
    site: Site, ann: dict[str, str], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(site, ann, receiver.url, events=["entry.published"], kinds=["ideas"])
    begin = clock.now()
    soon = (begin + timedelta(hours=1)).isoformat()
    one = write(site, ann, publish_at=soon)
    write(site, ann, "private", publish_at=soon)
    look(site)
    assert receiver.got == []
    monkeypatch.setattr(clock, "now", lambda: begin + timedelta(hours=1, seconds=2))
    look(site)
    look(site)
    site.app.server.webhooks.begin_again()  # as after a restart
    look(site)
    assert sent(receiver) == [("entry.published", one)]


def test_a_try_that_fails_comes_again_later_under_the_same_id_and_the_last_turns_it_off(
    site: Site, ann: dict[str, str], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.statuses = [500, 302, 204]
    made = hook(site, ann, receiver.url, events=["entry.created"])
    begin, passed = clock.now(), 0
    monkeypatch.setattr(clock, "now", lambda: begin + timedelta(seconds=passed))
    write(site, ann)
    look(site)
    look(site)
    assert len(receiver.got) == 1
    (one,) = deliveries(site, ann, made)
    assert (one["state"], one["attempts"], one["last_status"]) == ("waiting", 1, 500)
    passed += 5
    look(site)
    (one,) = deliveries(site, ann, made)
    assert (one["attempts"], one["last_status"], one["last_fault"]) == (2, 302, "redirect")
    passed += 30
    look(site)
    assert deliveries(site, ann, made)[0]["state"] == "delivered"
    assert len({headers["webhook-id"] for headers, _body in receiver.got}) == 1
    assert site.client.get(f"{PLACE}/{made['id']}", headers=ann).json()["failed_count"] == 0

    receiver.statuses, receiver.got = [503], []
    write(site, ann)
    waits = (0, *webhook_deliveries.WAITS)
    for wait in waits:
        passed += wait
        look(site)
    assert len(receiver.got) == len(waits) == 8
    ann = site.log_in("ann")  # hours later
    found = site.client.get(f"{PLACE}/{made['id']}", headers=ann).json()
    assert (found["is_active"], found["off_why"], found["failed_count"]) == (False, "not_reached", 8)
    passed += 1_000
    write(site, ann)
    look(site)
    assert len(receiver.got) == 8, "it is off"
    receiver.statuses = [410]
    site.client.patch(f"{PLACE}/{made['id']}", json={"is_active": True}, headers=ann)
    write(site, ann)
    look(site)
    found = site.client.get(f"{PLACE}/{made['id']}", headers=ann).json()
    assert (found["is_active"], found["off_why"]) == (False, "gone")


def test_what_was_sent_and_not_noted_is_sent_again(
    site: Site, ann: dict[str, str], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(site, ann, receiver.url, events=["entry.created"])
    one = write(site, ann)
    with monkeypatch.context() as patched:
        patched.setattr(webhook_deliveries, "settle", lambda *_given: True)  # the process is killed here
        look(site)
    look(site)
    look(site)
    assert sent(receiver) == [("entry.created", one)] * 2
    assert len({headers["webhook-id"] for headers, _body in receiver.got}) == 1


def test_without_a_webhook_nothing_is_written_for_one(
    site: Site, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    added: list[object] = []
    monkeypatch.setattr(webhook_events, "_add", lambda *given, **_more: added.append(given))
    write(site, ann)
    site.add_user("ben")
    hook(site, site.log_in("ben"), "https://hooks.example/")
    write(site, ann)
    assert added == []


def test_who_was_kept_out_is_told_nothing_until_they_are_let_in_again(
    site: Site, ann: dict[str, str], receiver: Receiver
) -> None:
    site.add_user("ben")
    hook(site, site.log_in("ben"), receiver.url, events=["entry.created"])
    one = write(site, site.log_in("ben"))
    with site.writing() as connection:
        users.set_active(connection, "ben", False, clock.now())
    look(site)
    assert receiver.got == []
    with site.writing() as connection:
        users.set_active(connection, "ben", True, clock.now())
    look(site)
    assert sent(receiver) == [("entry.created", one)]


def test_who_may_have_which_webhook(site: Site, ann: dict[str, str]) -> None:
    made = hook(site, ann, "https://hooks.example/in")
    assert made["secret"].startswith("whsec_")
    assert "secret" not in site.client.get(PLACE, headers=ann).json()["items"][0]
    with site.app.server.supervisor.reading() as connection:
        stored = connection.execute(select(tables.webhooks.c.secret)).scalar_one()
    assert made["secret"][6:20] not in stored
    renewed = site.client.post(f"{PLACE}/{made['id']}/secret", headers=ann).json()["secret"]
    assert renewed != made["secret"]
    for url in (
        *("http://hooks.example/", "ftp://hooks.example/", "https://", "https://a:b@hooks.example/", "in"),
        *("https://hooks.example/#a", "https://hooks.example/\u00e9", "https://h/ x", "https://h:99999/"),
        "https://h/" + "x" * 2_000,
    ):
        answer = site.client.post(PLACE, json={"url": url}, headers=ann)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/url"), url
    for more, pointer in (({"events": ["entry.read"]}, "/events/0"), ({"label": "x" * 101}, "/label")):
        answer = site.client.post(PLACE, json={"url": "https://hooks.example/", **more}, headers=ann)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    site.app.server.settings = replace(site.app.server.settings, webhooks_to_loopback=False)
    assert site.client.post(PLACE, json={"url": "http://127.0.0.1/"}, headers=ann).status_code == 422
    refused = send("http://127.0.0.1:1/", {}, b"", allows_loopback=False)
    assert refused.fault == "not_https"
