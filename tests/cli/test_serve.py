"""Does ``daemon serve`` start, say where, end in good order, and name what is in its way?"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import uvicorn

from app.cli.serve import Server, address_of, bound
from app.cli.start import PYTHONS_OWN
from app.errors import Refused, UsageError

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 60


class ListenerOfSix:
    """What an IPv6 socket says of itself; not every machine has one."""

    def getsockname(self) -> tuple[str, int, int, int]:
        return ("::1", 8004, 0, 0)


@pytest.fixture
def taken() -> Iterator[int]:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


def test_a_port_that_is_taken_is_named(taken: int) -> None:
    with pytest.raises(Refused, match=str(taken)):
        bound("127.0.0.1", taken)


@pytest.mark.parametrize("host", ["192.0.2.7", "no such host", "x" * 300])
def test_an_address_that_is_not_ours(host: str) -> None:
    with pytest.raises(UsageError):
        bound(host, 0)


def test_the_address_is_written_as_a_browser_takes_it() -> None:
    with contextlib.closing(bound("127.0.0.1", 0)) as listener:
        assert address_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert address_of(cast(socket.socket, ListenerOfSix())) == "http://[::1]:8004"


def test_what_was_imported_is_looked_through_for_garbage_by_no_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def begun(*_: object) -> None:
        assert gc.isenabled()
        assert gc.get_threshold() == PYTHONS_OWN
        assert gc.get_freeze_count() > 0

    before = gc.get_threshold()
    monkeypatch.setattr(uvicorn.Server, "startup", begun)
    gc.disable()
    try:
        asyncio.run(Server(uvicorn.Config("app.main:app")).startup())
    finally:
        gc.enable()
        gc.set_threshold(*before)


def test_who_connects_before_the_server_is_up_waits_and_is_not_refused() -> None:
    with contextlib.closing(bound("127.0.0.1", 0)) as listener:
        socket.create_connection(listener.getsockname(), timeout=5).close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_serves_and_ends_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    said = tmp_path / "said.txt"
    with said.open("wb") as console:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--port", "0"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            stdout=console,
            stderr=console,
        )
    try:
        address = waited_for(said, process)
        with urllib.request.urlopen(f"{address}/health/live", timeout=20) as answer:
            assert answer.status == 200
        process.send_signal(number)
        assert process.wait(DEADLINE_SECONDS) == 0, said.read_text()
        assert "Traceback" not in said.read_text()
    finally:
        process.kill()
        process.wait()


def waited_for(said: Path, process: subprocess.Popen[bytes]) -> str:
    """The address that it printed, once it answers there."""
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        found = re.search(r"http://127\.0\.0\.1:\d+", said.read_text())
        with contextlib.suppress(OSError):
            if found:
                urllib.request.urlopen(f"{found[0]}/health/live", timeout=20).close()
                return found[0]
        time.sleep(0.05)
    raise AssertionError(said.read_text())
