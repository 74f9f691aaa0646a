"""Webhooks and a server that is killed: does all that waited arrive afterwards, and under the same id?"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.settings import Settings
from tests.web.conftest import PASSWORD, Server, wait_until
from tests.web.test_nginx import log_in
from tests.web.test_webhooks import Handler, Receiver

pytestmark = pytest.mark.only_on("sqlite")  # what is committed and what is not, storage tests on both


class Holding(Receiver):
    """Holds the first that it is sent until the test lets go; what the others get is all it ever answers."""

    def __init__(self) -> None:
        super().__init__()
        self.RequestHandlerClass = HoldingHandler
        self.has_first, self.may_answer = threading.Event(), threading.Event()


class HoldingHandler(Handler):
    server: Holding

    def do_POST(self) -> None:
        if not self.server.has_first.is_set():
            body = self.rfile.read(int(self.headers["content-length"]))
            self.server.got.append(({"webhook-id": self.headers["webhook-id"]}, body))
            self.server.has_first.set()
            self.server.may_answer.wait(30)
            self.close_connection = True
            return
        super().do_POST()


@pytest.fixture
def holding() -> Iterator[Holding]:
    made = Holding()
    serving = threading.Thread(target=made.serve_forever, args=(0.02,))
    serving.start()
    yield made
    made.may_answer.set()
    made.shutdown()
    serving.join()
    made.server_close()


def asked(server: Server, method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
    status, answer, _headers = server.ask(f"/api/v1/{path}", method=method, body=body, headers=headers)
    assert 200 <= status < 300, answer
    return answer


def test_what_waits_and_what_is_in_flight_arrives_after_the_server_was_killed(
    settings: Settings, start_server: Callable[..., Server], holding: Holding
) -> None:
    server = start_server(settings, WEBHOOKS_TO_LOOPBACK="true")
    server.wait_for("/health", 200)
    token = settings.claim_path.read_text().strip()
    body = {"username": "ann", "email": "a@example.org", "password": PASSWORD, "claim_token": token}
    assert server.ask("/auth/register", method="POST", body=body)[0] == 201
    ann = log_in(server)
    hook = asked(server, "POST", "webhooks", ann, {"url": holding.url, "events": ["entry.created"]})
    gone_hook = asked(server, "POST", "webhooks", ann, {"url": holding.url, "events": ["entry.deleted"]})
    ids = [asked(server, "POST", "ideas", ann, {"content": f"idea {number}"})["id"] for number in range(5)]
    assert holding.has_first.wait(30), "nothing was sent"
    in_flight = holding.got[0][0]["webhook-id"]
    listed = asked(server, "GET", f"webhooks/{hook['id']}/deliveries", ann)["items"]
    first = next(each["entry_id"] for each in listed if each["id"] == in_flight)
    erased = next(each for each in ids if each != first)
    asked(server, "POST", f"ideas/{erased}/erase", ann)
    server.process.kill()
    server.process.wait(30)
    holding.may_answer.set()

    again = start_server(settings, WEBHOOKS_TO_LOOPBACK="true")
    again.wait_for("/health", 200)
    ann = log_in(again)

    def all_arrived() -> bool:
        found = asked(again, "GET", f"webhooks/{hook['id']}/deliveries", ann)["items"]
        told = asked(again, "GET", f"webhooks/{gone_hook['id']}/deliveries", ann)["items"]
        return bool(told) and {each["state"] for each in (*found, *told)} == {"delivered"}

    wait_until(all_arrived, "not all of it arrived")
    said = [(headers["webhook-id"], json.loads(body)) for headers, body in holding.got]
    created = [(name, each["data"]["id"]) for name, each in said if each["type"] == "entry.created"]
    assert {entry_id for _name, entry_id in created} == {*ids} - {erased}
    assert [name for name, _entry in created].count(in_flight) == 2, "it was not known that it had arrived"
    assert len(created) == len(ids), "each of the others once, and that one twice"
    assert [each["data"]["id"] for _name, each in said if each["type"] == "entry.deleted"] == [erased]
