"""Can a server be held up by connections that ask nothing, or by bodies that do not end? Real processes."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import re
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.database import open_database
from app.settings import Settings
from tests.web.conftest import HASH, PASSWORD, Server, environment, free_port
from tests.web.test_protocol import is_closed, read_answer

PENDING = 100
MOST_GROWTH_BYTES = 64 * 2**20
BODY_BYTES = 5 * 2**20

WAYS = {
    "daemon serve": ["-m", "app.cli", "serve", "--port", "{port}"],
    "uvicorn": ["-m", "uvicorn", "app.main:app", "--port", "{port}"],
    "uvicorn with the parser in Python": [
        "-m",
        "uvicorn",
        "app.main:app",
        "--port",
        "{port}",
        "--http",
        "h11",
    ],
}


@pytest.fixture
def claimed(settings: Settings) -> Settings:
    """An installation whose admin is ann."""
    from app import clock
    from app.accounts import claim
    from app.accounts.users import NewUser

    database = open_database(settings)
    with database.writing() as connection:
        claim.create_account(connection, NewUser("ann", "ann@example.org", HASH, is_admin=True), clock.now())
    database.close()
    return settings


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """`start(settings, way)`: a real server, started in one of the ways that there are."""
    started: list[Server] = []

    def run(settings: Settings, way: str = "daemon serve", files: tuple[int, int] | None = None) -> Server:
        port = free_port()
        with (tmp_path / "printed").open("w") as printed:
            process = subprocess.Popen(
                [sys.executable, *(each.format(port=port) for each in WAYS[way])],
                cwd=tmp_path,
                env=environment(settings, PORT=str(port)),
                stdout=printed,
                stderr=subprocess.STDOUT,
                text=True,
                preexec_fn=files and functools.partial(resource.setrlimit, resource.RLIMIT_NOFILE, files),
            )
        server = Server(tmp_path, port, process)
        started.append(server)
        server.wait_for("/health", 200)
        return server

    yield run
    for server in started:
        server.process.terminate()
        server.process.wait(30)


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def ask_raw(server: Server, raw: bytes) -> tuple[int, Any]:
    with connect(server) as connection:
        connection.sendall(raw)
        status, body = read_answer(connection)
        return status, json.loads(body) if body else None


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_start_it_has_the_limits(
    start: Callable[..., Server], settings: Settings, tmp_path: Path, way: str
) -> None:
    server = start(settings, way)
    both = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"
    assert ask_raw(server, both)[0] == 400
    assert ask_raw(server, b"GET http://localhost/health HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 200
    with connect(server) as silent:  # the one deadline that is waited for at its real length
        assert read_answer(silent)[0] == 408
    assert "The server keeps up to " in (tmp_path / "printed").read_text(encoding="utf-8")


def test_the_limit_of_open_files_is_raised_and_told(
    start: Callable[..., Server], settings: Settings, tmp_path: Path
) -> None:
    server = start(settings, files=(256, 900))
    limits = Path(f"/proc/{server.process.pid}/limits")
    if limits.exists():
        found = re.search(r"^Max open files +(\d+)", limits.read_text(encoding="utf-8"), re.MULTILINE)
        assert found is not None
        assert found[1] == "900"
    printed = (tmp_path / "printed").read_text(encoding="utf-8")
    assert "up to 450 connections" in printed
    assert "open_files=900 open_files_before=256" in printed


def test_more_silent_connections_than_files_keep_nobody_out(
    start: Callable[..., Server], settings: Settings, tmp_path: Path
) -> None:
    server = start(settings, files=(256, 256))
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connect(server)) for _ in range(600)]
        for _ in range(5):
            assert server.ask("/health")[0] == 200
        assert read_answer(silent[0])[0] == 408
        silent[-1].sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_answer(silent[-1])[0] == 200
    assert "out of system resource" not in (tmp_path / "printed").read_text(encoding="utf-8")


# -- the local door


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("/api/v1/ideas", "localhost", 201),
        ("http://localhost/api/v1/ideas", "evil.example", 201),
        ("http://evil.example/api/v1/ideas", "localhost", 401),
        ("/api/v1/ideas", "evil.example", 401),
    ],
)
def test_the_authority_of_an_absolute_form_is_the_host_at_the_local_door(
    start: Callable[..., Server], settings: Settings, target: str, host: str, status: int
) -> None:
    server = start(settings)
    head = (
        f"POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 16\r\n"
    )
    assert ask_raw(server, head.encode() + b'\r\n{"content": "x"}')[0] == status


# -- bodies


def log_in(server: Server) -> str:
    form = f"username=ann&password={PASSWORD.replace(' ', '+')}".encode()
    head = (
        "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(form)}\r\n\r\n"
    )
    status, body = ask_raw(server, head.encode() + form)
    assert status == 200
    return str(body["access_token"])


def head_of_write(size: int, *more: str) -> bytes:
    lines = ["POST /api/v1/ideas HTTP/1.1", "Host: daemon.example", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {size}", *more, "", ""]).encode()


def test_a_stranger_who_sends_everything_reads_the_answer(
    start: Callable[..., Server], claimed: Settings
) -> None:
    server = start(claimed)
    for size in (10, 60_000, BODY_BYTES):
        with connect(server) as connection:
            connection.sendall(head_of_write(size))
            with contextlib.suppress(ConnectionError):
                connection.sendall(b"x" * size)
            assert read_answer(connection)[0] == 401
            assert is_closed(connection)


def test_only_who_may_write_is_told_to_go_on(start: Callable[..., Server], claimed: Settings) -> None:
    server = start(claimed)
    token = log_in(server)
    body = b'{"content": "x"}'
    expecting = "Expect: 100-continue"
    for credential, answers in (("X-Nothing: x", [401]), (f"Authorization: Bearer {token}", [100, 201])):
        with connect(server) as connection:
            connection.sendall(head_of_write(len(body), expecting, credential))
            found = [read_answer(connection)[0]]
            if found == [100]:
                connection.sendall(body)
                found.append(read_answer(connection)[0])
            assert found == answers


async def hold(server: Server, head: bytes, body: bytes) -> tuple[list[int], list[asyncio.StreamWriter]]:
    """Send head and body PENDING times at once; return what was answered early, and what is still open."""
    early: list[int] = []
    writers: list[asyncio.StreamWriter] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writers.append(writer)
        answer = asyncio.create_task(reader.read(12))
        writer.write(head)
        for begin in range(0, len(body), 65_536):
            writer.write(body[begin : begin + 65_536])
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            if answer.done():
                break
        # Everything is sent, or it was refused: one of both is certain, whatever the order.
        with contextlib.suppress(TimeoutError, ConnectionError):
            early.append(int((await asyncio.wait_for(answer, 3))[9:12]))

    await asyncio.gather(*(one() for _ in range(PENDING)))
    return early, writers


def peak_bytes(server: Server) -> int:
    text = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    found = re.search(r"^VmHWM:\s+(\d+) kB", text, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="not run here: needs /proc, where the peak is read"
)


@needs_proc
def test_a_hundred_pending_bodies_take_little_memory_and_keep_nobody_out(
    start: Callable[..., Server], claimed: Settings
) -> None:
    server = start(claimed)
    token = log_in(server)
    head = head_of_write(BODY_BYTES, f"Authorization: Bearer {token}")
    small = head_of_write(16, f"Authorization: Bearer {token}") + b'{"content": "x"}'
    before = peak_bytes(server)

    async def attack() -> tuple[list[int], int, int]:
        early, writers = await hold(server, head, b'{"content": "' + b"x" * (BODY_BYTES - 14))
        status, _body = await asyncio.to_thread(ask_raw, server, small)
        grown = peak_bytes(server) - before
        for writer in writers:
            writer.close()
        return early, status, grown

    early, status, grown = asyncio.run(attack())
    assert set(early) == {503}
    assert PENDING - len(early) >= 2  # some are being taken
    assert status == 201
    assert grown <= MOST_GROWTH_BYTES, f"{grown / 2**20:.0f} MB"
    print(f"{len(early)} of {PENDING} were sent away, the peak grew by {grown / 2**20:.1f} MB")


@needs_proc
def test_bodies_of_strangers_take_less_and_let_the_owner_in(
    start: Callable[..., Server], claimed: Settings
) -> None:
    server = start(claimed)
    log_in(server)
    head = (
        b"POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 65536\r\n\r\n"
    )
    before = peak_bytes(server)

    async def attack() -> tuple[list[int], int]:
        early, writers = await hold(server, head, b"x" * 65_535)
        token = await asyncio.to_thread(log_in, server)
        assert token
        grown = peak_bytes(server) - before
        for writer in writers:
            writer.close()
        return early, grown

    early, grown = asyncio.run(attack())
    assert set(early) == {503}
    assert grown <= MOST_GROWTH_BYTES


def test_the_whole_of_it_is_found_again(start: Callable[..., Server], claimed: Settings) -> None:
    """What comes in many pieces is written as it was sent."""
    server = start(claimed)
    token = log_in(server)
    content = "x" * 100_000
    body = json.dumps({"content": content}).encode()
    with connect(server) as connection:
        connection.sendall(head_of_write(len(body), f"Authorization: Bearer {token}"))
        for begin in range(0, len(body), 1_000):
            connection.sendall(body[begin : begin + 1_000])
        status, written = read_answer(connection)
    assert status == 201
    assert json.loads(written)["data"]["content"] == content
