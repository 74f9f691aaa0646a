"""Webhooks: what is sent to whom, signed how, again when, and never where it must not be sent."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from standardwebhooks import Webhook

from app import clock, tables
from app.accounts import operations, users
from app.entries import webhook_deliveries, webhook_events
from app.server.webhook_sender import WebhookSender
from app.server.webhook_targets import send
from app.settings import Settings
from app.upgrade.operations.back_up import back_up
from app.upgrade.operations.restore import restore_and_hold
from tests.web.conftest import DEADLINE_SECONDS, Site, served_here

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
    look_when_told(site)
    return site.log_in("ann")


def look_when_told(site: Site) -> None:
    """Let each look be the test's, and webhooks lead to this machine."""
    site.app.server.jobs.stop()
    server = site.app.server
    server.webhooks._settings = replace(server.settings, webhooks_to_loopback=True)
    server.settings = server.webhooks._settings


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
    look(site)
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


HIDE, SHOW = {"meta": {"visibility": "private"}}, {"meta": {"visibility": "public"}}


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Passing:
    return Passing(monkeypatch)


class Passing:
    """Time, which passes when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begin, self.seconds = clock.now(), 0.0
        monkeypatch.setattr(clock, "now", lambda: self.begin + timedelta(seconds=self.seconds))

    def soon(self, seconds: float = 60) -> str:
        return (self.begin + timedelta(seconds=seconds)).isoformat()


def patch(site: Site, who: dict[str, str], entry_id: int, body: dict[str, Any]) -> None:
    answer = site.client.patch(f"/api/v1/ideas/{entry_id}", json=body, headers=who)
    assert answer.status_code == 200, answer.text


def open_kind(site: Site, *, is_open: bool) -> None:
    with site.writing() as connection:
        of_it = update(tables.endpoints).where(tables.endpoints.c.name == "ideas")
        connection.execute(of_it.values(is_public=int(is_open)))


EDIT, LATER, OVER = (
    {"content": "edited"},
    {"meta": {"publish_at": "later"}},
    {"meta": {"expires_at": "before"}},
)
AFTER_ITS_TIME: tuple[tuple[tuple[Any, ...], int], ...] = (
    ((), 1),
    ((EDIT,), 1),
    ((EDIT, EDIT), 1),
    ((HIDE,), 1),  # it was seen for a moment
    ((HIDE, SHOW), 2),  # each time that it becomes public
    ((HIDE, EDIT), 1),
    (({"meta": {"publish_at": None}},), 1),
    ((LATER,), 1),
    ((OVER,), 1),
    (("delete",), 1),
    (("delete", "undelete"), 2),
    (("erase",), 0),
)
"""What is done to an entry after its `publish_at`, and how often it is told that it was published."""

WITH_ITS_KIND: tuple[tuple[tuple[Any, ...], int], ...] = (
    ((), 1),
    ((EDIT,), 1),
    ((None, EDIT), 1),
    ((EDIT, EDIT), 1),
    ((HIDE,), 0),
    ((HIDE, SHOW), 1),
    (("delete",), 0),
)
"""The same while its kind is closed, from before that time on, and after it was opened again."""

LOOKS = ("at the end", "after each", "as after a restart")


def act(site: Site, who: dict[str, str], entry_id: int, change: Any, passing: Passing) -> None:
    place, words = f"/api/v1/ideas/{entry_id}", {"later": passing.soon(3_600), "before": passing.soon(61)}
    if change == "delete":
        assert site.client.delete(place, headers=who).status_code == 204
    elif isinstance(change, str):
        assert site.client.post(f"{place}/{change}", headers=who).status_code < 300
    elif change is not None:
        meta = {name: words.get(value, value) for name, value in change.get("meta", {}).items()}
        patch(site, who, entry_id, {**change, **({"meta": meta} if meta else {})})


def act_on_all(
    site: Site, who: dict[str, str], passing: Passing, table: Any, ids: list[int], step: int, looks: str
) -> None:
    """Do what comes now with each entry, and then look, if it is said so."""
    for entry_id, (changes, _told) in zip(ids, table, strict=True):
        act(site, who, entry_id, changes[step] if step < len(changes) else None, passing)
    passing.seconds += 1
    if looks == "as after a restart":
        site.app.server.webhooks.begin_again()
    if looks != "at the end":
        look(site)


def check_told(site: Site, receiver: Receiver, table: Any, ids: list[int]) -> None:
    for _ in range(2):
        look(site)
        site.app.server.webhooks.begin_again()
    told = Counter(entry_id for _event, entry_id in sent(receiver))
    assert [told[each] for each in ids] == [often for _changes, often in table]


@pytest.mark.parametrize("looks", LOOKS)
def test_whatever_is_changed_after_its_time_it_is_told_once_that_it_is_public(
    site: Site, ann: dict[str, str], receiver: Receiver, passing: Passing, looks: str
) -> None:
    hook(site, ann, receiver.url, events=["entry.published"])
    ids = [write(site, ann, publish_at=passing.soon()) for _ in AFTER_ITS_TIME]
    look(site)
    assert receiver.got == []
    passing.seconds = 61
    for step in range(2):
        act_on_all(site, ann, passing, AFTER_ITS_TIME, ids, step, looks)
    check_told(site, receiver, AFTER_ITS_TIME, ids)


@pytest.mark.parametrize("looks", LOOKS)
def test_what_waits_for_its_kind_is_told_once_that_is_opened(
    site: Site, ann: dict[str, str], receiver: Receiver, passing: Passing, looks: str
) -> None:
    hook(site, ann, receiver.url, events=["entry.published"])
    shown = write(site, ann)
    ids = [write(site, ann, publish_at=passing.soon()) for _ in WITH_ITS_KIND]
    open_kind(site, is_open=False)
    passing.seconds = 61
    act_on_all(site, ann, passing, WITH_ITS_KIND, ids, 0, looks)
    assert [each for _event, each in sent(receiver) if each in ids] == []
    open_kind(site, is_open=True)
    act_on_all(site, ann, passing, WITH_ITS_KIND, ids, 1, looks)
    check_told(site, receiver, WITH_ITS_KIND, ids)
    assert [each for _event, each in sent(receiver)].count(shown) == 1, (
        "not again: that it was shown is known"
    )


def test_what_comes_public_later_is_told_whenever_its_webhook_was_made_or_turned_on(
    site: Site, ann: dict[str, str], receiver: Receiver, passing: Passing
) -> None:
    before, off = write(site, ann, publish_at=passing.soon(60)), write(site, ann, publish_at=passing.soon(30))
    hidden = write(site, ann, publish_at=passing.soon(60))
    made = hook(site, ann, receiver.url, events=["entry.published"])
    other = hook(site, ann, receiver.url, events=["entry.created"])
    site.client.patch(f"{PLACE}/{made['id']}", json={"is_active": False}, headers=ann)
    site.client.delete(f"{PLACE}/{other['id']}", headers=ann)
    patch(site, ann, hidden, HIDE)  # while no one listens
    passing.seconds = 31
    look(site)
    site.client.patch(f"{PLACE}/{made['id']}", json={"is_active": True}, headers=ann)
    passing.seconds = 61
    look(site)
    assert sent(receiver) == [("entry.published", before)]
    assert off


def test_of_two_processes_and_a_writer_at_once_exactly_one_tells_it(
    site: Site, ann: dict[str, str], receiver: Receiver, passing: Passing
) -> None:
    made = hook(site, ann, receiver.url, events=["entry.published"])
    ids = [write(site, ann, publish_at=passing.soon()) for _ in range(6)]
    server = site.app.server
    looking = [WebhookSender(server.settings, server.supervisor, lambda: server.secret) for _ in range(2)]
    for each in looking:
        each._begin = lambda due: None  # type: ignore[method-assign]
    passing.seconds = 61
    start = threading.Barrier(3)

    def looks(sender: WebhookSender) -> None:
        start.wait()
        for _ in range(4):
            sender.look()

    threads = [threading.Thread(target=looks, args=(each,)) for each in looking]
    for thread in threads:
        thread.start()
    start.wait()
    for entry_id in ids:
        patch(site, ann, entry_id, {"content": "edited"})
    for thread in threads:
        thread.join()
    look(site)
    assert sorted(each["entry_id"] for each in deliveries(site, ann, made)) == sorted(ids)
    assert sorted(sent(receiver)) == sorted(("entry.published", each) for each in ids)


def test_nothing_but_that_it_is_gone_is_sent_of_what_was_erased(
    site: Site, ann: dict[str, str], receiver: Receiver, passing: Passing
) -> None:
    receiver.statuses = [500, 204]
    made = hook(site, ann, receiver.url)
    one, other = write(site, ann), write(site, ann)
    coming = write(site, ann, publish_at=passing.soon())
    look(site)
    assert len(receiver.got) == 1
    for each in (one, coming):
        assert site.client.post(f"/api/v1/ideas/{each}/erase", headers=ann).status_code == 200
    passing.seconds = 61
    look(site)
    tried, *_ = sent(receiver)
    gone = [("entry.deleted", one), ("entry.deleted", coming)]
    assert sorted(sent(receiver)[1:]) == sorted([*gone, ("entry.created", other), ("entry.published", other)])
    assert tried[1] in (one, other)
    states = {(each["entry_id"], each["event"]) for each in deliveries(site, ann, made)}
    assert {event for entry_id, event in states if entry_id in (one, coming)} == {"entry.deleted"}


def test_what_happens_within_a_second_is_told_in_its_order(
    site: Site, ann: dict[str, str], receiver: Receiver, passing: Passing
) -> None:
    hook(site, ann, receiver.url, events=["entry.created", "entry.changed"])
    ids = [write(site, ann) for _ in range(8)]
    for each in reversed(ids):
        patch(site, ann, each, {"content": "edited"})
    look(site)
    assert [each for _event, each in sent(receiver)] == [*ids, *reversed(ids)]


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
        *("https://192.168.1.1/x", "https://127.0.0.1/", "https://[::1]/", "https://[fe80::1%25eth0]/"),
        *("https://127.1/", "https://0x7f000001/", "https://2130706433/", "https://[::ffff:10.0.0.1]:8443/"),
        "https://h/" + "x" * 2_000,
    ):
        answer = site.client.post(PLACE, json={"url": url}, headers=ann)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/url"), url
    assert (
        "its address is not a public one"
        in site.client.post(PLACE, json={"url": "https://10.0.0.1/"}, headers=ann).text
    )
    assert hook(site, ann, "https://93.184.216.34/in")["url"] == "https://93.184.216.34/in"
    for more, pointer in (({"events": ["entry.read"]}, "/events/0"), ({"label": "x" * 101}, "/label")):
        answer = site.client.post(PLACE, json={"url": "https://hooks.example/", **more}, headers=ann)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    site.app.server.settings = replace(site.app.server.settings, webhooks_to_loopback=False)
    assert site.client.post(PLACE, json={"url": "http://127.0.0.1/"}, headers=ann).status_code == 422
    refused = send("http://127.0.0.1:1/", {}, b"", allows_loopback=False)
    assert refused.fault == "not_https"


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("is_elsewhere", [True, False])
def test_what_waited_in_a_backup_is_sent_by_no_one_until_its_owner_says_so(
    serve: Callable[..., Site],
    settings: Settings,
    tmp_path: Path,
    receiver: Receiver,
    passing: Passing,
    is_elsewhere: bool,
) -> None:
    """Under the same SECRET_KEY: at another place, or over the newer state that has sent it since."""
    settings = replace(settings, secret_key=secrets.token_hex(32), backup_dir=tmp_path / "backups")
    with ExitStack() as serving:
        site = serving.enter_context(served_here(settings))
        site.add_user("ann", is_admin=True)
        look_when_told(site)
        ann = site.log_in("ann")
        receiver.statuses = [500]
        made = hook(site, ann, receiver.url, events=["entry.created", "entry.published"])
        tried = write(site, ann, "private")
        look(site)
        noted = write(site, ann, "private")  # in the outbox
        soon, later = (write(site, ann, publish_at=passing.soon(seconds)) for seconds in (60, 600))
        with site.writing() as connection:
            begun = operations.begin(connection, 1, "backup", clock.now())
        backup = back_up(settings, "manual", serving=True).path
        receiver.statuses, receiver.got = [204], []
        passing.seconds = 61
        look(site)
        assert len(receiver.got) == 5, "the one that goes on sends it all"
        before = {headers["webhook-id"] for headers, _body in receiver.got}
    other = settings
    if is_elsewhere:
        folder = tmp_path / "elsewhere"
        other = replace(settings, database_url=f"sqlite:///{folder}/data/daemon.db", data_dir=folder / "data")
    restore_and_hold(other, backup.name)
    receiver.got = []
    restored = serve(other)
    look_when_told(restored)
    ann = restored.log_in("ann")
    for _ in range(3):
        look(restored)
        passing.seconds += 3
    assert receiver.got == []
    log = {(each["event"], each["entry_id"]): each for each in deliveries(restored, ann, made)}
    assert {name for _event, name in log} == {tried, noted, soon, later}
    assert ("entry.published", soon) in log
    assert {(each["state"], each["last_fault"], each["next_attempt_at"]) for each in log.values()} == {
        ("not_sent", "restored", None)
    }
    found = restored.client.get(f"/api/v1/operations/{begun.id}", headers=ann).json()
    assert (found["state"], "put back" in found["fault"]) == ("failed", True), "at once"

    again = log["entry.created", tried]
    place = f"{PLACE}/{made['id']}/deliveries/{again['id']}/resend"
    answer = restored.client.post(place, headers=ann)
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting"), answer.text
    look(restored)
    assert sent(receiver) == [("entry.created", tried)]
    assert receiver.got[0][0]["webhook-id"] == again["id"]
    assert again["id"] in before, "known again by who has it"
    assert restored.client.post(place.replace(again["id"], f"msg_{10**15}"), headers=ann).status_code == 404
    passing.seconds = 601
    look(restored)
    assert sent(receiver)[1:] == [("entry.published", later)], "what comes is told"


@pytest.mark.only_on("sqlite")
def test_what_waited_for_its_kind_in_a_backup_is_told_once_that_is_opened(
    serve: Callable[..., Site], settings: Settings, tmp_path: Path, receiver: Receiver, passing: Passing
) -> None:
    settings = replace(settings, secret_key=secrets.token_hex(32), backup_dir=tmp_path / "backups")
    with ExitStack() as serving:
        site = serving.enter_context(served_here(settings))
        site.add_user("ann", is_admin=True)
        look_when_told(site)
        ann = site.log_in("ann")
        hook(site, ann, receiver.url, events=["entry.published"])
        entry_id = write(site, ann, publish_at=passing.soon(60))
        open_kind(site, is_open=False)
        passing.seconds = 61
        look(site)
        backup = back_up(settings, "manual", serving=True).path
    restore_and_hold(settings, backup.name)
    restored = serve(settings)
    look_when_told(restored)
    look(restored)
    assert receiver.got == []
    open_kind(restored, is_open=True)
    for _ in range(2):
        look(restored)
    assert sent(receiver) == [("entry.published", entry_id)]
