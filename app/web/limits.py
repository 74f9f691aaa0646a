"""How much may one request take? Headers, body bytes, and passwords hashed at the same time."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from starlette.types import Message, Receive, Scope

from app.errors import Busy, SaidToAnybody, TooLarge

LONGEST_TARGET_BYTES = 8_192
MOST_HEADERS_COUNT = 100
LONGEST_CREDENTIAL_BYTES = 8_192
HASHES_AT_ONCE = 2
HASHES_WAITING = 16
ONLY_ONCE = frozenset(
    {
        b"host",
        b"authorization",
        b"x-api-key",
        b"content-length",
        b"content-type",
        b"x-claim-token",
        b"origin",
        b"sec-fetch-site",
    }
)
MOST_AUTH_BYTES = 65_536  # of a body under /auth/: a name and a password
KNOWN_BYTES = 32 * 2**20  # of all bodies in flight whose senders have a valid credential
ANONYMOUS_BYTES = 4 * 2**20  # of all the others
PIECE_BYTES = 64  # what holding a piece of a body costs beside its bytes: one byte a piece is not free
RETRY_SECONDS = 2

Value = TypeVar("Value")


class TooManyAtOnce(Busy, SaidToAnybody):
    """The server does as much at a time as it can; nothing was changed."""


def fault_of_headers(scope: Scope) -> tuple[int, str, str] | None:
    """Return status, code and sentence for a request head that is refused, or None."""
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_TARGET_BYTES:
        return 414, "too_long", f"The address is longer than {LONGEST_TARGET_BYTES} bytes."
    headers = scope["headers"]
    if len(headers) > MOST_HEADERS_COUNT:
        return 431, "headers_refused", f"There are more than {MOST_HEADERS_COUNT} headers."
    seen: set[bytes] = set()
    for name, value in headers:
        if name == b"content-encoding" and value.strip().lower() not in (b"identity", b""):
            return 415, "unsupported_media_type", "A body is taken as it is: send no Content-Encoding."
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
    hint = "" if most_bytes == MOST_AUTH_BYTES else "MAX_BODY_BYTES is the setting for this."
    return TooLarge(f"The body is larger than {most_bytes} bytes.", hint=hint)


def most_bytes_at(path: str, most_bytes: int) -> int:
    """Return how large a body may be at ``path`` where the setting says ``most_bytes``."""
    return min(most_bytes, MOST_AUTH_BYTES) if path.startswith("/auth/") else most_bytes


class BodyBudget:
    """How many bytes of bodies the server holds at a time: a share for known senders, one for all others.

    Within a share a body may hold at most as much as is still free. So a few large ones cannot keep out the
    small ones that come after them: a login still passes where nothing large does.
    """

    def __init__(self, most_bytes: int) -> None:
        """``most_bytes`` is the largest body; where nothing else is in flight, one of that size is taken."""
        self.known = Share(max(KNOWN_BYTES, 2 * most_bytes + 2**20))
        self.anonymous = Share(ANONYMOUS_BYTES)


@dataclass
class Share:
    """One part of the budget, in bytes."""

    most_bytes: int
    held_bytes: int = 0


class Intake:
    """What one request has sent of its body so far. Its sender is anonymous until somebody says otherwise."""

    def __init__(self, budget: BodyBudget, most_bytes: int) -> None:
        self._budget = budget
        self._share = budget.anonymous
        self._most_bytes = most_bytes
        self._received_bytes = 0
        self._held_bytes = 0

    def has_known_sender(self) -> None:
        """Count what comes from here on to the share of those whose credential is valid."""
        self._share.held_bytes -= self._held_bytes
        self._share = self._budget.known
        self._share.held_bytes += self._held_bytes

    def take(self, piece: bytes) -> None:
        """Count a piece that came in; raises TooLarge, and Busy where the server holds too much already."""
        self._received_bytes += len(piece)
        if self._received_bytes > self._most_bytes:
            raise too_large(self._most_bytes)
        cost = len(piece) + PIECE_BYTES
        self._held_bytes += cost
        self._share.held_bytes += cost
        if self._held_bytes > self._share.most_bytes - self._share.held_bytes + PIECE_BYTES:
            self.let_go()  # now, not with the answer: else all who come at once would be sent away together
            raise TooManyAtOnce(
                "The server holds as many unfinished requests as it can; nothing was changed.",
                hint="Try again in a moment.",
                retry_after_seconds=RETRY_SECONDS,
            )

    def let_go(self) -> None:
        """Give back what was held, when the request is answered."""
        self._share.held_bytes -= self._held_bytes
        self._held_bytes = 0


def counted(receive: Receive, intake: Intake) -> Receive:
    """Return a ``receive`` that counts what comes in; it raises what ``Intake.take`` does."""

    async def receive_counted() -> Message:
        message = await receive()
        if message.get("body"):
            intake.take(message["body"])
        return message

    return receive_counted


class HashingQueue:
    """Runs password hashing off the event loop: a few at once, some waiting, the rest sent away (503)."""

    def __init__(self, at_once: int = HASHES_AT_ONCE) -> None:
        self._workers = ThreadPoolExecutor(at_once, thread_name_prefix="hashing")
        self._most = at_once + HASHES_WAITING
        self._taken = 0

    async def run(self, work: Callable[..., Value], *arguments: object) -> Value:
        """Return what ``work`` returns; raises Busy where too many are waiting already."""
        if self._taken >= self._most:
            raise TooManyAtOnce(
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
