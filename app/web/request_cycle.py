"""Request and response (ASGI cycle). How does one answer leave? Its head with its body, in one write."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent, ASGISendEvent, HTTPResponseStartEvent

JOINED_BYTES = 65_536  # a body up to there leaves with its head
_OF_THE_CONNECTION = frozenset({b"connection", b"transfer-encoding"})


class Connection(Protocol):
    """What a connection does for its answers."""

    transport: asyncio.Transport

    def leave(self) -> None:
        """End, once the client has its answer."""


class Outlet:
    """What an answer sees of the transport: its end is the protocol's."""

    def __init__(self, protocol: Connection) -> None:
        self._protocol = protocol
        self._held = b""

    def hold(self, head: bytes) -> None:
        """Send this with what comes next: each piece is a packet of its own, and wakes the client."""
        self._held = head

    def write(self, data: bytes) -> None:
        """Send it, with the head that is held."""
        if self._held:
            head, self._held = self._held, b""
            if len(data) > JOINED_BYTES:
                self._protocol.transport.write(head)
            else:
                data = head + data
        self._protocol.transport.write(data)

    def close(self) -> None:
        """Send the head that is held, and nothing more."""
        if self._held:
            self.write(b"")
        self._protocol.leave()

    def is_closing(self) -> bool:
        """Whether no one gets anything more."""
        return self._protocol.transport.is_closing()


class Cycle(RequestResponseCycle):
    """One request and its answer."""

    is_asking = False

    def __init__(self, outlet: Outlet, **more: Any) -> None:
        super().__init__(transport=cast("asyncio.Transport", outlet), **more)
        self._outlet = outlet

    @property
    def has_enough(self) -> bool:
        """Whether there is no one who waits for more of the body."""
        return bool(self.body) or not self.is_asking

    async def receive(self) -> ASGIReceiveEvent:
        """Return the next part of the body."""
        self.is_asking = True
        try:
            return await super().receive()
        finally:
            self.is_asking = False

    async def send(self, message: ASGISendEvent) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            if self.more_body:
                self.keep_alive = False  # what is left of the body is not worth reading
            if self._hold_head(message):
                return
        await super().send(message)

    def _hold_head(self, message: HTTPResponseStartEvent) -> bool:
        """Make the head as uvicorn does, where its body has a length; False for every other one."""
        if self.response_started or self.disconnected or self.flow.write_paused or self.access_log:
            return False
        if self.scope["method"] == "HEAD":  # nothing comes after it
            return False
        length = -1
        lines = [STATUS_LINE[message["status"]]]
        for given, value in (*self.default_headers, *message.get("headers", ())):
            name = given.lower()
            if name == b"content-length":
                length = int(value)
            elif name in _OF_THE_CONNECTION:
                return False
            lines.append(line_of(name, value))
        if length < 0:
            return False
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        self.response_started = True
        self.waiting_for_100_continue = False
        self.expected_content_length, self.chunked_encoding = length, False
        self._outlet.hold(b"".join(lines))
        return True


@lru_cache(1_024)  # most lines are the same in every answer
def line_of(name: bytes, value: bytes) -> bytes:
    """Return one line of a head; raises RuntimeError for what would be more than that."""
    if HEADER_RE.search(name):
        raise RuntimeError("Invalid HTTP header name.")
    if HEADER_VALUE_RE.search(value):
        raise RuntimeError("Invalid HTTP header value.")
    return b"%s: %s\r\n" % (name, value)
