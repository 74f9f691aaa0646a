"""Request cycle: does an answer leave in one piece, and is its head what uvicorn would have sent?"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.web.request_cycle import JOINED_BYTES, Cycle, Outlet

Messages = list[dict[str, Any]]
BODY = {"type": "http.response.body", "body": b"{}"}


class Wire:
    """A connection that keeps each piece that is written; it is its own transport."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.has_left = False
        self.transport: Any = self

    def write(self, data: bytes) -> None:
        self.pieces.append(data)

    def leave(self) -> None:
        self.has_left = True

    close = leave

    def is_closing(self) -> bool:
        return self.has_left

    def resume_reading(self) -> None:
        pass


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def with_length(count: int) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % count


def settings_of(wire: Wire, method: str, keep_alive: bool) -> dict[str, Any]:
    log = logging.getLogger("app.unsaid")
    return {
        "scope": {"type": "http", "method": method},
        "flow": FlowControl(wire.transport),
        "logger": log,
        "access_logger": log,
        "access_log": False,
        "default_headers": [(b"Date", b"now")],
        "message_event": asyncio.Event(),
        "expect_100_continue": False,
        "keep_alive": keep_alive,
        "on_response": lambda: None,
    }


def sent(messages: Messages, *, method: str = "GET", keep_alive: bool = True) -> Wire:
    wire = Wire()

    async def send() -> None:
        cycle = Cycle(outlet=Outlet(wire), **settings_of(wire, method, keep_alive))
        cycle.more_body = False
        for message in messages:
            await cycle.send(message)  # type: ignore[arg-type]

    asyncio.run(send())
    return wire


def sent_by_uvicorn(messages: Messages, *, method: str = "GET", keep_alive: bool = True) -> bytes:
    wire = Wire()

    async def send() -> None:
        cycle = RequestResponseCycle(transport=wire.transport, **settings_of(wire, method, keep_alive))
        for message in messages:
            await cycle.send(message)  # type: ignore[arg-type]

    asyncio.run(send())
    return b"".join(wire.pieces)


ANSWERS: dict[str, tuple[str, bool, Messages]] = {
    "a body": ("GET", True, [start(200, with_length(2)), BODY]),
    "names in any case": ("GET", True, [start(201, (b"Content-Length", b"2"), (b"ETag", b'"a"')), BODY]),
    "the last one": ("GET", False, [start(200, with_length(2)), BODY]),
    "that ends the connection": ("GET", True, [start(200, with_length(2), (b"connection", b"close")), BODY]),
    "HEAD": ("HEAD", True, [start(200, with_length(2)), {**BODY, "body": b""}]),
    "no length": ("GET", True, [start(), {**BODY, "more_body": True}, BODY]),
    "no body": ("GET", True, [start(204), {**BODY, "body": b""}]),
    "in parts": ("GET", True, [start(200, with_length(4)), {**BODY, "more_body": True}, BODY]),
    "large": ("GET", True, [start(200, with_length(100_000)), {**BODY, "body": b"a" * 100_000}]),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_it_is_what_uvicorn_would_have_sent(case: str) -> None:
    method, keep_alive, messages = ANSWERS[case]
    expected = sent_by_uvicorn(messages, method=method, keep_alive=keep_alive)
    assert b"".join(sent(messages, method=method, keep_alive=keep_alive).pieces) == expected


def test_a_body_leaves_with_its_head_unless_it_is_large() -> None:
    assert len(sent([start(200, with_length(2)), BODY]).pieces) == 1
    assert len(sent([start(200, with_length(2)), {**BODY, "body": b""}], method="HEAD").pieces) == 1
    large = {**BODY, "body": b"a" * (JOINED_BYTES + 1)}
    assert [len(each) for each in sent([start(200, with_length(JOINED_BYTES + 1)), large]).pieces][1:] == [
        JOINED_BYTES + 1
    ]


def test_a_head_leaves_where_the_body_never_comes() -> None:
    wire = Wire()
    outlet = Outlet(wire)
    outlet.hold(b"head")
    assert wire.pieces == []
    outlet.close()
    assert (wire.pieces, wire.has_left) == ([b"head"], True)


@pytest.mark.parametrize("header", [(b"a b", b"c"), (b"a", b"b\r\nc: d")])
def test_a_header_is_one_line(header: tuple[bytes, bytes]) -> None:
    with pytest.raises(RuntimeError):
        sent([start(200, with_length(2), header), BODY])
