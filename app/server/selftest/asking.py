"""Requests in process (ASGI). What does an application answer, byte for byte, without a socket?"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
"""An ASGI application, as a value: who has a door hands it in."""

CLIENT = ("192.0.2.1", 50000)
HOST = b"daemon.example"


@dataclass(frozen=True)
class Answer:
    """What was answered; header names in lower case, in their order."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def whole(self) -> bytes:
        """Everything that whoever asks can see: headers and body."""
        return b"\n".join([*(b"%s: %s" % each for each in self.headers), b"", self.body])

    def header(self, name: str) -> str:
        """Return a header, the empty text where it is not there."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name.encode()), "")


async def ask(
    application: Application,
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: object = None,
) -> Answer:
    """Return the answer to one request from elsewhere; ``body`` is sent as JSON."""
    path, _, query = target.partition("?")
    sent = b"" if body is None else json.dumps(body).encode()
    given = {"host": HOST.decode(), **(headers or {})}
    if body is not None:
        given |= {"content-type": "application/json", "content-length": str(len(sent))}
    scope: Message = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": CLIENT,
        "server": (HOST.decode(), 80),
        "state": {},
    }
    pending: list[Message] = [{"type": "http.request", "body": sent, "more_body": False}]
    said: list[Message] = []

    async def receive() -> Message:
        return pending.pop() if pending else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        said.append(message)

    await application(scope, receive, send)
    start = said[0]
    parts = b"".join(each.get("body", b"") for each in said[1:])
    return Answer(start["status"], tuple((bytes(n).lower(), bytes(v)) for n, v in start["headers"]), parts)
