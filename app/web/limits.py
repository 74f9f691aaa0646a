"""How much may one request take? Headers, body bytes, and passwords hashed at the same time."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.types import Message, Receive, Scope

from app.errors import Busy, TooLarge

LONGEST_TARGET_BYTES = 8_192
MOST_HEADERS_COUNT = 100
LONGEST_CREDENTIAL_BYTES = 8_192
HASHES_AT_ONCE = 2
HASHES_WAITING = 16
ONLY_ONCE = frozenset(
    {b"host", b"authorization", b"x-api-key", b"content-length", b"content-type", b"x-claim-token"}
)

Value = TypeVar("Value")


def fault_of_headers(scope: Scope) -> tuple[int, str, str] | None:
    """Return status, code and sentence for a request head that is refused, or None."""
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_TARGET_BYTES:
        return 414, "too_long", f"The address is longer than {LONGEST_TARGET_BYTES} bytes."
    headers = scope["headers"]
    if len(headers) > MOST_HEADERS_COUNT:
        return 431, "headers_refused", f"There are more than {MOST_HEADERS_COUNT} headers."
    seen: set[bytes] = set()
    for name, value in headers:
        if name not in ONLY_ONCE:
            continue
        if name in seen:
            return 400, "headers_refused", f"The header {name.decode()} occurs twice."
        if len(value) > LONGEST_CREDENTIAL_BYTES:
            return 431, "headers_refused", f"The header {name.decode()} is too long."
        seen.add(name)
    return None


def body_is_announced_too_large(scope: Scope, most_bytes: int) -> bool:
    """Return whether Content-Length itself says that the body is larger than ``most_bytes``."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return not value.isdigit() or len(value) > 15 or int(value) > most_bytes
    return False


def too_large(most_bytes: int) -> TooLarge:
    """Return the error that says how large a body may be."""
    return TooLarge(
        f"The body is larger than {most_bytes} bytes.", hint="MAX_BODY_BYTES is the setting for this."
    )


def counted(receive: Receive, most_bytes: int) -> Receive:
    """Return a ``receive`` that raises TooLarge as soon as more than ``most_bytes`` of body came in."""
    left = most_bytes

    async def receive_counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise too_large(most_bytes)
        return message

    return receive_counted


class HashingQueue:
    """Runs password hashing off the event loop: a few at once, some waiting, the rest sent away (503)."""

    def __init__(self) -> None:
        self._workers = ThreadPoolExecutor(HASHES_AT_ONCE, thread_name_prefix="hashing")
        self._taken = 0

    async def run(self, work: Callable[..., Value], *arguments: object) -> Value:
        """Return what ``work`` returns; raises Busy where too many are waiting already."""
        if self._taken >= HASHES_AT_ONCE + HASHES_WAITING:
            raise Busy(
                "Too many logins at the same time.", hint="Try again in a moment.", retry_after_seconds=2
            )
        self._taken += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._workers, functools.partial(work, *arguments))
        finally:
            self._taken -= 1

    def close(self) -> None:
        """Let what runs end, and take nothing more."""
        self._workers.shutdown(wait=False, cancel_futures=True)
