"""Ready answers: what the framework would have said, to strangers alone, and never stale?"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import uvicorn

from app import clock
from app.accounts import claim
from app.accounts.users import NewUser
from app.settings import Settings
from app.web.app import WebApp, create_app
from tests.web.conftest import HASH, wait_until
from tests.web.test_protocol import is_closed

LIST = b"GET /api/v1/ideas HTTP/1.1\r\nHost: daemon.example\r\n"
ANSWER_SECONDS = 20


class Counted:
    """An application that counts what reaches it."""

    def __init__(self, app: WebApp) -> None:
        self.app = app
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.asked.append(scope["path"])
        await self.app(scope, receive, send)


class Served:
    """An installation that is served by our protocol, in a thread of this process."""

    def __init__(self, settings: Settings) -> None:
        self.web = create_app(settings)
        self.counted = Counted(self.web)
        config = uvicorn.Config(self.counted, port=0, log_config=None, access_log=False, server_header=False)
        config.timeout_keep_alive = 2
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve()), daemon=True)
        self.thread.start()
        wait_until(lambda: self.server.started, "the server did not start")
        wait_until(lambda: self.web.server.supervisor.is_open, "the database was not opened")
        self.port = int(self.server.servers[0].sockets[0].getsockname()[1])
        with self.web.server.supervisor.writing() as connection:
            new = NewUser("ann", "ann@example.org", HASH, is_admin=True)
            self.ann = claim.create_account(connection, new, clock.now())

    def connect(self) -> socket.socket:
        """Return a connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_SECONDS)

    def write(self, title: str) -> None:
        """Let ann write an idea."""
        from app.entries import write
        from app.privacy.viewer import Viewer

        content = {"content": title, "meta": {"title": title, "visibility": "public"}}
        with self.web.server.supervisor.writing() as connection:
            write.create(connection, Viewer("person", self.ann.id, "ann"), "ideas", content)

    def asked_count(self) -> int:
        """How many requests reached the application."""
        return len(self.counted.asked)


@pytest.fixture
def served(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The installation of ann, with one idea."""
    monkeypatch.setattr(
        "logging.Logger.hasHandlers", lambda self: False
    )  # those of pytest are not the server's
    running = Served(settings)
    running.write("first")
    yield running
    running.server.should_exit = True
    running.thread.join(30)


Answer = tuple[int, dict[str, str], bytes]


def read(connection: socket.socket, *, has_body: bool = True) -> Answer:
    """Return status, headers and body of the next answer."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        assert piece, head
        head += piece
    first, *lines = head.decode().strip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    body = b""
    while has_body and len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(int(headers["content-length"]) - len(body))
    return int(first.split()[1]), headers, body


def ask(connection: socket.socket, raw: bytes) -> Answer:
    connection.sendall(raw)
    return read(connection, has_body=not raw.startswith(b"HEAD"))


def told(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """Return what of an answer is the same each time."""
    status, headers, body = answer
    return (
        status,
        {name: value for name, value in headers.items() if name not in ("date", "x-request-id")},
        body,
    )


def undisturbed(served: Served, work: Callable[[], None]) -> None:
    """Do it again where someone committed meanwhile: a kept answer counts for one state of the database.

    The server's own jobs do when it begins; and on PostgreSQL whoever works on another of its databases.
    """
    ends = time.monotonic() + ANSWER_SECONDS
    while True:
        before = served.web.server.supervisor.generation()
        try:
            return work()
        except AssertionError:
            if before == served.web.server.supervisor.generation() or time.monotonic() > ends:
                raise


def test_the_second_answer_is_the_first_one_and_reaches_no_application(served: Served) -> None:
    undisturbed(served, partial(_check_second_answers, served))


def _check_second_answers(served: Served) -> None:
    with served.connect() as connection:
        made = ask(connection, LIST + b"\r\n")
        assert b"first" in made[2]
        count = served.asked_count()
        again = [ask(connection, LIST + b"\r\n") for _ in range(3)]  # parsed; then known by its bytes
        other = ask(connection, LIST + b"User-Agent: another\r\n\r\n")
        assert [told(each) for each in (*again, other)] == [told(made)] * 4
        names = {each[1]["x-request-id"] for each in (made, *again, other)}
        assert len(names) == 5
        assert (
            ask(connection, LIST + b"X-Request-ID: mine-is-this\r\n\r\n")[1]["x-request-id"] == "mine-is-this"
        )
        assert served.asked_count() == count


def test_a_commit_is_seen_by_the_next_request_of_the_same_bytes(served: Served) -> None:
    with served.connect() as connection:
        for number in range(3):
            title = f"number {number}"
            for _ in range(3):
                assert title.encode() not in ask(connection, LIST + b"\r\n")[2]
            served.write(title)
            assert title.encode() in ask(connection, LIST + b"\r\n")[2]


def test_an_answer_ends_with_the_day_of_which_it_speaks(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The employer of a current job is not named; that of one which is over is."""
    from app.entries import write
    from app.privacy.viewer import Viewer

    job = {"company": "Copperline", "position": "Baker", "end_date": "2030-05-06"}
    moment = datetime(2030, 5, 6, 23, 59, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: moment)
    with served.web.server.supervisor.writing() as connection:
        connection.exec_driver_sql("UPDATE user_privacy_settings SET show_current_company = 0")
        content = {"name": "Ann", "title": "t", "experience": [job]}
        write.create(connection, Viewer("person", served.ann.id, "ann"), "resume", content)
    raw = LIST.replace(b"ideas", b"resume") + b"\r\n"
    with served.connect() as connection:
        answers = [ask(connection, raw) for _ in range(3)]
        assert [b"Copperline" in answer[2] for answer in answers] == [False] * 3
        assert b"Baker" in answers[0][2]
        moment = datetime(2030, 5, 7, tzinfo=UTC)
        assert [b"Copperline" in ask(connection, raw)[2] for _ in range(3)] == [True] * 3
        moment = datetime(2030, 5, 6, tzinfo=UTC)
        assert [b"Copperline" in ask(connection, raw)[2] for _ in range(3)] == [False] * 3


def test_who_the_client_knows_already_gets_no_body(served: Served) -> None:
    undisturbed(served, partial(_check_known_answers, served))


def _check_known_answers(served: Served) -> None:
    with served.connect() as connection:
        etag = ask(connection, LIST + b"\r\n")[1]["etag"]
        count = served.asked_count()
        known = LIST + b"If-None-Match: " + etag.encode() + b"\r\n\r\n"
        for _ in range(2):
            status, headers, body = ask(connection, known)
            assert (status, headers["etag"], body) == (304, etag, b"")
            status, headers, body = ask(connection, b"HEAD" + LIST[3:] + b"\r\n")
            assert (status, headers["etag"], body) == (200, etag, b"")
            assert int(headers["content-length"]) > 0
        assert served.asked_count() == count


@pytest.mark.parametrize(
    "more",
    [
        *(b"Authorization: Bearer x\r\n\r\n", b"X-API-Key: x\r\n\r\n", b"Cookie: a=b\r\n\r\n"),
        *(b'If-Match: "x"\r\n\r\n', b"Accept: text/html\r\n\r\n", b"Content-Length: 1\r\n\r\nx"),
        *(b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"X-Forwarded-For: 192.0.2.7\r\n\r\n"),
        *(b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n", b"Expect: 100-continue\r\n\r\n"),
    ],
)
def test_a_request_that_says_more_is_answered_by_the_application(served: Served, more: bytes) -> None:
    for _ in range(2):
        with served.connect() as connection:
            ask(connection, LIST + b"\r\n")
            count = served.asked_count()
            ask(connection, LIST + more)
            assert served.asked_count() == count + 1
        served.web.server.untrusted_proxies._noticed.clear()


def test_a_body_of_the_bytes_of_a_known_request_is_a_body(served: Served) -> None:
    known = LIST + b"\r\n"
    post = b"POST /auth/login HTTP/1.1\r\nHost: daemon.example\r\nContent-Type: text/plain\r\n"
    with served.connect() as connection:
        for _ in range(3):
            ask(connection, known)
        count = served.asked_count()
        connection.sendall(post + b"Content-Length: %d\r\n\r\n" % (2 * len(known)))
        wait_until(lambda: served.asked_count() == count + 1, "the head did not arrive")
        connection.sendall(known)
        connection.sendall(known)
        assert read(connection)[0] in (400, 415, 422)
        with contextlib.suppress(OSError):
            connection.settimeout(0.2)
            assert connection.recv(65_536) == b""


def test_requests_in_one_go_are_answered_each_in_its_turn(served: Served) -> None:
    known, other = LIST + b"\r\n", LIST.replace(b"ideas", b"goals") + b"\r\n"
    with served.connect() as connection:
        made = [told(ask(connection, raw)) for raw in (known, other)]
        for _ in range(3):
            connection.sendall(known + other + known)
            assert [told(read(connection)) for _ in range(3)] == [made[0], made[1], made[0]]
        connection.sendall(known[:20])
        connection.sendall(known[20:] + other)
        assert [told(read(connection)) for _ in range(2)] == made


def test_the_end_of_a_connection_is_what_it_was(served: Served) -> None:
    with served.connect() as connection:
        ask(connection, LIST + b"\r\n")
        for _ in range(2):
            ask(connection, LIST + b"\r\n")
        assert is_closed(connection)  # the time for which it is kept is over
    with served.connect() as connection:
        assert ask(connection, LIST + b"Connection: close\r\n\r\n")[1]["connection"] == "close"
        assert is_closed(connection)
    with served.connect() as connection:
        assert ask(connection, b"GET /api/v1/ideas HTTP/1.0\r\n\r\n")[1]["connection"] == "close"
        assert is_closed(connection)


def test_a_client_that_reads_nothing_is_sent_one_answer_and_no_more(served: Served) -> None:
    served.write("word " * 80_000)
    large = LIST.replace(b"ideas", b"ideas/2") + b"\r\n"
    with served.connect() as connection:
        made = ask(connection, large)
        assert len(made[2]) > 800_000
        count = served.asked_count()
        connection.sendall(large * 40)
        wait_until(lambda: served.asked_count() > count, "it was sent everything at once")
