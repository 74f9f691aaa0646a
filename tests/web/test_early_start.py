"""Who asks a server that has just been started, and does not know its database yet: what are they told?"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from app.server import database_supervisor, lifetime
from app.server.database_supervisor import DatabaseSupervisor
from app.settings import Settings
from app.upgrade.readiness import Readiness
from app.web.app import create_app
from tests.web.conftest import DEADLINE_SECONDS, wait_until

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Until this is set, every server is still looking at its database."""
    found = threading.Event()
    ask = DatabaseSupervisor._ask

    def ask_later(self: DatabaseSupervisor) -> Readiness:
        found.wait(DEADLINE_SECONDS)
        return ask(self)

    monkeypatch.setattr(DatabaseSupervisor, "_ask", ask_later)
    yield found
    found.set()


@pytest.fixture
def started(settings: Settings, looking: threading.Event) -> Iterator[TestClient]:
    """A server that was started, and still looks at its database."""
    with TestClient(create_app(settings), client=("192.0.2.1", 50000)) as client:
        yield client
        looking.set()


def test_it_answers_at_once_and_says_that_it_is_starting(started: TestClient) -> None:
    assert started.get("/health/live").status_code == 200
    ready = started.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (503, "starting")
    assert ready.headers["retry-after"]
    page = started.get("/", headers=BROWSER)
    assert (page.status_code, page.headers["retry-after"]) == (503, "1")
    assert "Daemon is starting" in page.text


def test_a_program_that_came_early_is_answered_as_soon_as_the_database_is_known(
    started: TestClient, looking: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = _seen_waiting(monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(started.get, path) for path in ("/api/v1/ideas", "/health")]
        wait_until(lambda: waits() >= len(asked), "no one waited")
        looking.set()
        assert [each.result(DEADLINE_SECONDS).status_code for each in asked] == [200, 200]


def test_no_one_waits_for_ever(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, looking: threading.Event
) -> None:
    monkeypatch.setattr(database_supervisor, "DECIDING_SECONDS", 0.1)
    with TestClient(create_app(settings)) as client:
        began = time.monotonic()
        refused = client.get("/api/v1/ideas")
        assert time.monotonic() - began < DEADLINE_SECONDS / 2
        looking.set()
    assert (refused.status_code, refused.json()["code"]) == (503, "maintenance")
    assert refused.headers["retry-after"] == "1"


def _seen_waiting(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return how often someone has looked whether it is known yet."""
    seen: list[None] = []
    look: Callable[[DatabaseSupervisor], bool] = vars(DatabaseSupervisor)["is_undecided"].fget

    def looked(self: DatabaseSupervisor) -> bool:
        seen.append(None)
        return look(self)

    monkeypatch.setattr(DatabaseSupervisor, "is_undecided", property(looked))
    return lambda: len(seen)


@pytest.mark.only_on("sqlite")  # before any database
def test_a_start_that_fails_is_a_sentence_and_its_trace_is_in_the_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The framework gives the server that runs it the trace, to be printed."""

    def fail(_server: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(lifetime, "jobs_of", fail)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(create_app(settings)({"type": "lifespan", "asgi": {}, "state": {}}, receive, send))
    (told,) = sent
    assert told["type"] == "lifespan.startup.failed"
    assert told["message"].startswith(
        "This is a fault of Daemon's own: ZeroDivisionError: planted; details are"
    )
    assert "Traceback" not in told["message"]
    assert "Traceback" in (settings.log_dir / "server.log").read_text()
