"""Is what a client sends read as RFC 9112 says, and nothing taken that two readers would read in two ways?"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from app.server.rate_limits import Bucket
from app.server.response_cache import Address, CachedResponse
from app.web.connection_limits import Bounds, Room
from app.web.protocol import MOST_PIPELINED, GuardedProtocol
from app.web.ready_answers import Ready
from app.web.request_head import Head
from tests.web.conftest import wait_until

GET = b"GET /a HTTP/1.1\r\nHost: a.example\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a.example\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"

REFUSED = {
    "both lengths": CHUNKED + b"Content-Length: 3\r\n\r\n0\r\n\r\n",
    "both lengths, the other way round": POST
    + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "length and identity": POST + b"Content-Length: 3\r\nTransfer-Encoding: identity\r\n\r\nabc",
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a length twice": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "a length with a sign": POST + b"Content-Length: +3\r\n\r\nabc",
    "a negative length": POST + b"Content-Length: -3\r\n\r\nabc",
    "a hexadecimal length": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "a length in words": POST + b"Content-Length: three\r\n\r\nabc",
    "a length with a space in it": POST + b"Content-Length: 1 2\r\n\r\nabc",
    "a length with an underscore": POST + b"Content-Length: 1_0\r\n\r\n0123456789",
    "no length in the header": POST + b"Content-Length:\r\n\r\n",
    "a length beyond 64 bits": POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding before chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a coding after chunked": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked in quotes": POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "a vertical tab before chunked": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "no coding in the header": POST + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk that is longer than it says": CHUNKED + b"\r\n2\r\nabc\r\n0\r\n\r\n",
    "a chunk size with 0x": CHUNKED + b"\r\n0x3\r\nabc\r\n0\r\n\r\n",
    "a chunk size with a sign": CHUNKED + b"\r\n+3\r\nabc\r\n0\r\n\r\n",
    "a negative chunk size": CHUNKED + b"\r\n-1\r\nabc\r\n0\r\n\r\n",
    "no chunk size": CHUNKED + b"\r\n;a\r\nabc\r\n0\r\n\r\n",
    "a chunk size beyond 64 bits": CHUNKED + b"\r\nfffffffffffffffff\r\nabc",
    "a chunk size that ends with LF": CHUNKED + b"\r\n3\nabc\r\n0\r\n\r\n",
    "a chunk that ends with LF": CHUNKED + b"\r\n3\r\nabc\n0\r\n\r\n",
    "a chunk extension that ends with LF": CHUNKED + b"\r\n3;a\nabc\r\n0\r\n\r\n",
    "a CR in a chunk extension": CHUNKED + b"\r\n3;a\rb\r\nabc\r\n0\r\n\r\n",
    "a zero byte in a chunk extension": CHUNKED + b"\r\n3;a\x00b\r\nabc\r\n0\r\n\r\n",
    "a space after a chunk size": CHUNKED + b"\r\n3 \r\nabc\r\n0\r\n\r\n",
    "a space before a chunk size": CHUNKED + b"\r\n 3\r\nabc\r\n0\r\n\r\n",
    "a chunk size with a space in it": CHUNKED + b"\r\n1 1\r\na\r\n0\r\n\r\n",
    "a last chunk that ends with LF": CHUNKED + b"\r\n1\r\na\r\n0\n\r\n",
    "a body that ends with LF": CHUNKED + b"\r\n1\r\na\r\n0\r\n\n",
    "a trailer over two lines": CHUNKED + b"\r\n1\r\na\r\n0\r\nX-A: b\r\n c\r\n\r\n",
    "a trailer that ends with LF": CHUNKED + b"\r\n1\r\na\r\n0\r\nX-A: b\n\r\n",
    "a space before the colon of a trailer": CHUNKED + b"\r\n1\r\na\r\n0\r\nX-A : b\r\n\r\n",
    "a parameter of chunked": POST + b"Transfer-Encoding: chunked;a=b\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "a comma before chunked": POST + b"Transfer-Encoding: ,chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "an empty length and one": POST + b"Content-Length: \r\nContent-Length: 3\r\n\r\nabc",
    "a length that is not ASCII": POST + b"Content-Length: \xb3\r\n\r\nabc",
    "a space before the colon": GET + b"X-A : b\r\n\r\n",
    "a space before the colon of a length": POST + b"Content-Length : 3\r\n\r\nabc",
    "a space before a name": GET + b" X-A: b\r\n\r\n",
    "a value over two lines": GET + b"X-A: b\r\n c\r\n\r\n",
    "a length over two lines": POST + b"Content-Length: 3\r\n 4\r\n\r\nabc",
    "a line that ends with LF": GET + b"X-A: b\nContent-Length: 3\r\n\r\nabc",
    "a line that ends with CR": GET + b"X-A: b\rContent-Length: 3\r\n\r\nabc",
    "a head that ends with LF LF": b"GET /a HTTP/1.1\nHost: a.example\n\n",
    "no name": GET + b": b\r\n\r\n",
    "no colon": GET + b"X-A\r\n\r\n",
    "a zero byte in a value": GET + b"X-A: b\x00c\r\n\r\n",
    "a control character in a value": GET + b"X-A: b\x01c\r\n\r\n",
    "a zero byte in a name": GET + b"X\x00A: b\r\n\r\n",
    "a name that is not ASCII": GET + b"X\xff: b\r\n\r\n",
    "a name in parentheses": GET + b"(X): b\r\n\r\n",
    "a name with a slash": GET + b"X/A: b\r\n\r\n",
    "no Host": b"GET /a HTTP/1.1\r\n\r\n",
    "two Hosts": GET + b"Host: b.example\r\n\r\n",
    "one Host twice": GET + b"Host: a.example\r\n\r\n",
    "two Hosts in HTTP/1.0": b"GET /a HTTP/1.0\r\nHost: a.example\r\nHost: b.example\r\n\r\n",
    "a Host with a path": b"GET /a HTTP/1.1\r\nHost: a.example/b\r\n\r\n",
    "a Host with a user": b"GET /a HTTP/1.1\r\nHost: u@a.example\r\n\r\n",
    "a Host with a space": b"GET /a HTTP/1.1\r\nHost: a.example b.example\r\n\r\n",
    "a Host with two ports": b"GET /a HTTP/1.1\r\nHost: a.example:80:90\r\n\r\n",
    "a Host list": b"GET /a HTTP/1.1\r\nHost: a.example,/b.example\r\n\r\n",
    "a Host that is not ASCII": b"GET /a HTTP/1.1\r\nHost: \xe4.example\r\n\r\n",
    "an absolute form without Host": b"GET http://a.example/a HTTP/1.1\r\n\r\n",
    "an absolute form with a user": b"GET http://u@a.example/a HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "an absolute form without authority": b"GET http:///a HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "an absolute form of another scheme": b"GET ftp://a.example/a HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "an authority": b"GET a.example HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "a tunnel": b"CONNECT a.example:80 HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "a star with GET": b"GET * HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "a path without a slash": b"GET a/b HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "a path that is not ASCII": b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "a control character in a path": b"GET /\x01 HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "a zero byte in a path": b"GET /\x00 HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "a space in a path": b"GET /a b HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "a tab after a method": b"GET\t/a HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "a method in small letters": b"get /a HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "a method with a control character": b"G\x00T /a HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "a version to come": b"GET /a HTTP/1.2\r\nHost: a.example\r\n\r\n",
    "a version with another line form": b"GET /a HTTP/2.0\r\nHost: a.example\r\n\r\n",
    "a version with two digits": b"GET /a HTTP/1.10\r\nHost: a.example\r\n\r\n",
    "a version with a zero": b"GET /a HTTP/01.1\r\nHost: a.example\r\n\r\n",
    "a version in small letters": b"GET /a http/1.1\r\nHost: a.example\r\n\r\n",
    "a version of 1996": b"GET /a HTTP/0.9\r\nHost: a.example\r\n\r\n",
    "no version": b"GET /a\r\nHost: a.example\r\n\r\n",
    "a space after the version": b"GET /a HTTP/1.1 \r\nHost: a.example\r\n\r\n",
    "no request at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}

TAKEN: dict[str, tuple[bytes, dict[str, str]]] = {
    "space around a value, which is none of it": (GET + b"X-Key: \t a b \t\r\n\r\n", {"key": "a b"}),
    "a path": (GET + b"\r\n", {"path": "/a", "host": "a.example", "body": ""}),
    "a query": (b"GET /a?b=c?d HTTP/1.1\r\nHost: a.example\r\n\r\n", {"path": "/a", "query": "b=c?d"}),
    "two slashes": (b"GET //b/c HTTP/1.1\r\nHost: a.example\r\n\r\n", {"path": "//b/c", "host": "a.example"}),
    "percent signs": (b"GET /%C3%A4%2F HTTP/1.1\r\nHost: a.example\r\n\r\n", {"path": "/ä/"}),
    "a body": (POST + b"Content-Length: 3\r\n\r\nabc", {"body": "abc"}),
    "a length with spaces around": (POST + b"Content-Length:  3 \r\n\r\nabc", {"body": "abc"}),
    "chunks": (CHUNKED + b"\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", {"body": "abc"}),
    "chunked in capitals": (POST + b"Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", {"body": "a"}),
    "a trailer, which is no header": (
        CHUNKED + b"\r\n1\r\na\r\n0\r\nHost: b.example\r\nX-Key: k\r\n\r\n",
        {"body": "a", "host": "a.example", "key": ""},
    ),
    "an absolute form": (
        b"GET http://b.example/a?c HTTP/1.1\r\nHost: a.example\r\n\r\n",
        {"path": "/a", "query": "c", "host": "b.example", "hosts": "1"},
    ),
    "an absolute form with nothing behind": (
        b"GET HTTPS://b.example:80 HTTP/1.1\r\nHost: a.example\r\n\r\n",
        {"path": "/", "query": "", "host": "b.example:80"},
    ),
    "an absolute form with a query alone": (
        b"GET http://b.example?c HTTP/1.1\r\nHost: a.example\r\n\r\n",
        {"path": "/", "query": "c", "host": "b.example"},
    ),
    "an absolute form of HTTP/1.0": (b"GET http://b.example/a HTTP/1.0\r\n\r\n", {"host": "b.example"}),
    "HTTP/1.0 without Host": (b"GET /a HTTP/1.0\r\n\r\n", {"host": "", "hosts": "0"}),
    "an IPv6 Host": (b"GET /a HTTP/1.1\r\nHost: [::1]:8004\r\n\r\n", {"host": "[::1]:8004"}),
    "an empty Host": (b"GET /a HTTP/1.1\r\nHost:\r\n\r\n", {"host": "", "hosts": "1"}),
    "a star": (b"OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n", {"path": "*"}),
    "Latin-1 in a value": (GET + b"X-A: \xe4\r\n\r\n", {"path": "/a"}),
    "an upgrade that no one does": (
        GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        {"path": "/a"},
    ),
}

BOUNDS = Bounds(head_seconds=0.5, linger_seconds=0.3, stall_seconds=0.5, most_connections=50)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with what was understood; `/large` with 32 MiB, `/unread` without reading the body."""
    body = b""
    if scope["type"] != "http":
        return
    while scope["path"] != "/unread":
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        if not message["more_body"]:
            break
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    keys = [value for name, value in scope["headers"] if name == b"x-key"]
    found = {
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "host": b"".join(hosts).decode(),
        "hosts": str(len(hosts)),
        "key": b"".join(keys).decode(),
        "body": body.decode(),
    }
    answer = b"x" * 2**25 if scope["path"] == "/large" else json.dumps(found).encode()
    headers = [(b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


class Running:
    """A server in a thread of this process, with nothing behind it."""

    def __init__(self, http: Any, keep_alive_seconds: Any = 1) -> None:
        config = uvicorn.Config(
            echo,
            port=0,
            http=http,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=keep_alive_seconds,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve()), daemon=True)
        self.thread.start()
        wait_until(lambda: self.server.started, "the server did not start")
        self.port = int(self.server.servers[0].sockets[0].getsockname()[1])

    def connect(self) -> socket.socket:
        """Return a connection whose reads end after ten seconds."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def ask(self, raw: bytes) -> tuple[int, bytes]:
        """Return status and body of the first answer; status 0 where there is none."""
        with self.connect() as connection:
            with contextlib.suppress(ConnectionError):  # it has heard enough, and said why
                connection.sendall(raw)
            return read_answer(connection)

    def stop(self) -> None:
        """End the server."""
        self.server.should_exit = True
        self.thread.join(20)


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    """Return status and body of the next answer."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(1)
        if not piece:
            return 0, head
        head += piece
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    body = b""
    while len(body) < length:
        piece = connection.recv(length - len(body))
        if not piece:
            break
        body += piece
    return int(head.split()[1]), body


def is_closed(connection: socket.socket) -> bool:
    """Read to the end; whether it came."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.fixture(scope="module")
def ours() -> Iterator[Running]:
    """A server that speaks our protocol."""
    running = Running(functools.partial(GuardedProtocol, room=Room(BOUNDS, BOUNDS.most_connections)))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def plain() -> Iterator[Running]:
    """A server that speaks uvicorn's own, with the parser that is written in Python."""
    running = Running("h11")
    yield running
    running.stop()


class Eager:
    """Has an answer to whatever may be asked for without the application, and knows heads again."""

    def __init__(self) -> None:
        self.known: dict[bytes, Ready] = {}
        kept = CachedResponse(b"kept", "", ((b"content-length", b"4"),), ())
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "headers": [],
            "client": None,
        }
        self.ready = Ready(kept, Head(scope, ()), Address(b"/a", b"", b""), b"r-1")

    def bucket_at(self, address: str) -> None:
        return None

    def find_at_the_wire(self, scope: Any, bucket: Bucket | None) -> Ready | None:
        return self.ready if scope["method"] in ("GET", "HEAD") else None

    def find_again(self, data: bytes, bucket: Bucket | None) -> Ready | None:
        return self.known.get(data)

    def remember(self, data: bytes, ready: Ready) -> None:
        self.known[data] = ready


@pytest.fixture(scope="module")
def eager() -> Iterator[Running]:
    """A server that answers what it can before the framework is entered."""
    room = Room(BOUNDS, BOUNDS.most_connections, Eager())
    running = Running(functools.partial(GuardedProtocol, room=room))
    yield running
    running.stop()


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("before", ["alone", "kept alive", "in one go"])
def test_nor_is_it_answered_by_what_is_ready_before_the_framework_is_entered(
    eager: Running, case: str, before: str
) -> None:
    good = GET + b"\r\n"
    with eager.connect() as connection:
        if before == "alone":
            connection.sendall(REFUSED[case])
        elif before == "kept alive":
            for _ in range(2):  # parsed, then known by its bytes
                connection.sendall(good)
                assert read_answer(connection) == (200, b"kept")
            connection.sendall(REFUSED[case])
        else:
            connection.sendall(good + REFUSED[case])
            assert read_answer(connection) == (200, b"kept")
        assert read_answer(connection)[0] == 400
        connection.settimeout(5)
        assert is_closed(connection)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_request_is_refused_and_the_connection_closed(ours: Running, case: str) -> None:
    with ours.connect() as connection:
        connection.sendall(REFUSED[case])
        status, body = read_answer(connection)
        assert status == 400
        assert json.loads(body)["code"] == "bad_request"
        connection.settimeout(5)
        assert is_closed(connection)


@pytest.mark.parametrize("case", TAKEN)
def test_what_is_a_request_is_understood(ours: Running, case: str) -> None:
    raw, expected = TAKEN[case]
    status, body = ours.ask(raw)
    assert status == 200
    found = json.loads(body)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("case", ["chunks", "a body", "a trailer, which is no header", "an absolute form"])
def test_it_is_understood_a_byte_at_a_time_as_well(ours: Running, case: str) -> None:
    raw, expected = TAKEN[case]
    with ours.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for begin in range(len(raw)):
            connection.sendall(raw[begin : begin + 1])
            threading.Event().wait(0.001)
        status, body = read_answer(connection)
    assert status == 200
    assert {name: json.loads(body)[name] for name in expected} == expected


LENIENT = {  # RFC 9112 lets a server read the first two so (2.2, 3); what follows is read as ever
    "two spaces after a method": b"GET  /a HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "an empty line before": b"\r\n" + GET + b"\r\n",
    "a CR before": b"\r\r" + GET + b"\r\n",
}


def test_nothing_is_taken_that_the_parser_in_python_refuses(ours: Running, plain: Running) -> None:
    cases = {**REFUSED, **LENIENT, **{name: raw for name, (raw, _expected) in TAKEN.items()}}
    assert len(cases) >= 100
    weaker = {name for name, raw in cases.items() if is_refused(plain, raw) and not is_refused(ours, raw)}
    assert weaker == set(LENIENT)
    assert all(ours.ask(raw)[0] == 200 for raw in LENIENT.values())


def is_refused(running: Running, raw: bytes) -> bool:
    with running.connect() as connection:
        connection.settimeout(1)
        connection.sendall(raw)
        try:
            return read_answer(connection)[0] >= 400
        except TimeoutError:  # it waits for more
            return False


def test_a_fault_after_a_whole_request_does_not_take_its_answer(ours: Running) -> None:
    with ours.connect() as connection:
        connection.sendall(GET + b"\r\n" + b"junk\r\n\r\n")
        assert read_answer(connection)[0] == 200
        assert is_closed(connection)


def test_requests_in_one_go_are_answered_in_their_order_and_not_without_end(ours: Running) -> None:
    with ours.connect() as connection:
        connection.sendall(
            b"".join(b"GET /%d HTTP/1.1\r\nHost: a.example\r\n\r\n" % number for number in range(200))
        )
        paths = []
        while (answer := read_answer(connection))[0] == 200:
            paths.append(json.loads(answer[1])["path"])
        assert paths == [f"/{number}" for number in range(MOST_PIPELINED + 1)]


def test_a_head_without_end_is_refused(ours: Running) -> None:
    for endless in (b"X-A: " + b"x" * 70_000, b"X-A: b\r\n" * 9_000):
        status, body = ours.ask(GET + endless)
        assert (status, json.loads(body)["code"]) == (431, "headers_refused")


@pytest.mark.parametrize("endless", [b"1;", b"0\r\nX-A: "])
def test_neither_a_chunk_head_nor_a_trailer_goes_on_without_end(ours: Running, endless: bytes) -> None:
    with ours.connect() as connection:
        connection.sendall(CHUNKED + b"\r\n" + endless)
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                connection.sendall(b"x" * 10_000)
        assert read_answer(connection)[0] == 431


# -- bodies that no one reads


@pytest.mark.parametrize("sent_bytes", [0, 1_000, 60_000, 2_000_000])
def test_an_answer_arrives_whatever_of_the_body_was_sent(ours: Running, sent_bytes: int) -> None:
    with ours.connect() as connection:
        connection.sendall(b"POST /unread HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5000000\r\n\r\n")
        try:
            connection.sendall(b"x" * sent_bytes)
        except ConnectionError:
            assert sent_bytes > 65_536
        assert read_answer(connection)[0] == 200
        assert is_closed(connection)


def test_a_body_that_nobody_reads_does_not_end_in_another_request(ours: Running) -> None:
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n"
    with ours.connect() as connection:
        connection.sendall(b"POST /unread HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100\r\n\r\n")
        connection.sendall(smuggled)
        assert read_answer(connection)[0] == 200
        assert read_answer(connection) == (0, b"")


def test_nothing_is_continued_before_the_application_asks_for_the_body(ours: Running) -> None:
    expecting = b" HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    assert ours.ask(b"POST /unread" + expecting)[0] == 200
    assert ours.ask(b"POST /a" + expecting)[0] == 100
    assert ours.ask(b"POST /unread" + expecting.replace(b"1.1", b"1.0"))[0] == 200


# -- deadlines


@pytest.mark.parametrize("begun", [b"", b"G", GET, GET + b"X-A: b"])
def test_a_head_has_a_deadline(ours: Running, begun: bytes) -> None:
    with ours.connect() as connection:
        connection.sendall(begun)
        status, body = read_answer(connection)
        assert (status, json.loads(body)["code"]) == (408, "too_slow")
        assert is_closed(connection)


def test_a_byte_now_and_then_does_not_move_the_deadline(ours: Running) -> None:
    with ours.connect() as connection:
        connection.sendall(GET + b"X-A: ")
        connection.settimeout(0.02)
        for _ in range(500):
            try:
                assert connection.recv(12) == b"HTTP/1.1 408"
                return
            except TimeoutError:
                connection.sendall(b"x")
    pytest.fail("a head that never ended was waited for")


def test_a_connection_that_is_kept_has_a_deadline_and_is_closed_without_a_word(ours: Running) -> None:
    with ours.connect() as connection:
        connection.sendall(GET + b"\r\n")
        assert read_answer(connection)[0] == 200
        assert read_answer(connection) == (0, b"")
    with ours.connect() as connection:
        connection.sendall(GET + b"\r\n")
        assert read_answer(connection)[0] == 200
        connection.sendall(b"\r\n")  # begins a head that never ends
        assert read_answer(connection)[0] == 408


def test_a_client_that_does_not_read_is_not_waited_for(ours: Running) -> None:
    with ours.connect() as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: a.example\r\n\r\n")
        state = ours.server.server_state
        wait_until(lambda: state.connections, "no one came")
        wait_until(lambda: not state.connections, "a client that reads nothing holds its connection")


def test_a_slow_reader_gets_everything(ours: Running) -> None:
    """A deadline is for what does not move."""
    with ours.connect() as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
        received, pause = 0, threading.Event()
        while piece := connection.recv(2**20):
            received += len(piece)
            pause.wait(0.05)  # longer, all together, than a client may read nothing
        assert received > 2**25


# -- when there are too many


def test_the_oldest_without_a_head_makes_room_and_a_new_one_is_never_refused(ours: Running) -> None:
    silent = [ours.connect() for _ in range(BOUNDS.most_connections)]
    try:
        for _ in range(10):
            assert ours.ask(GET + b"\r\n")[0] == 200
        assert read_answer(silent[0])[0] == 408
    finally:
        for each in silent:
            each.close()


def test_a_request_that_is_being_answered_makes_no_room(ours: Running) -> None:
    with ours.connect() as busy:
        busy.sendall(POST + b"Content-Length: 3\r\n\r\nab")
        silent = [ours.connect() for _ in range(2 * BOUNDS.most_connections)]
        try:
            assert ours.ask(GET + b"\r\n")[0] == 200
            busy.sendall(b"c")
            assert read_answer(busy)[0] == 200
        finally:
            for each in silent:
                each.close()
