"""Password hashing queue. How many passwords are hashed at the same time, and who is sent away?"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from app.server.overload import TooManyAtOnce

HASHES_AT_ONCE = 2
HASHES_WAITING = 16

Value = TypeVar("Value")


class PasswordWorkers:
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
