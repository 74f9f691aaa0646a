"""Are passwords hashed a few at a time, and is anyone who comes too many sent away?"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from app.errors import Busy
from app.server import password_workers
from app.server.password_workers import PasswordWorkers


def test_many_logins_at_once_are_hashed_a_few_at_a_time_and_the_rest_sent_away() -> None:
    running, most, lock, go = 0, 0, threading.Lock(), threading.Event()

    def work() -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        go.wait(10)
        with lock:
            running -= 1
        return "done"

    async def crowd() -> list[Any]:
        queue = PasswordWorkers()
        tasks = [asyncio.create_task(queue.run(work)) for _ in range(30)]
        await asyncio.sleep(0)
        refused = [task for task in tasks if task.done()]
        assert len(refused) == 30 - password_workers.HASHES_AT_ONCE - password_workers.HASHES_WAITING
        go.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        queue.close()
        return found

    found = asyncio.run(crowd())
    assert most <= password_workers.HASHES_AT_ONCE
    assert found.count("done") == password_workers.HASHES_AT_ONCE + password_workers.HASHES_WAITING
    refused = [each for each in found if isinstance(each, Busy)]
    assert len(refused) + found.count("done") == 30
    assert all(each.details["retry_after_seconds"] for each in refused)
