"""Write queue: is everyone told once the commit is there, and no one the fate of another?"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from app.errors import Busy, Conflict
from app.server.database_supervisor import DatabaseSupervisor
from app.server.write_queue import WriteQueue
from app.storage.types import WriteJob

DEADLINE_SECONDS = 30


class Committer:
    """Stands for the supervisor: does each job, and lets a commit wait or fail."""

    def __init__(self) -> None:
        self.commits: list[list[Any]] = []
        self.permits: threading.Semaphore | None = None
        self.refusal: Exception | None = None

    def write_each(self, jobs: Iterator[WriteJob]) -> None:
        if self.refusal is not None:
            raise self.refusal
        done = []
        for job in jobs:
            try:
                job.value = job.do(cast("Any", None))
            except Exception as error:  # noqa: BLE001 - as the storage does
                job.error = error
            done.append(job.value)
        if self.permits is not None:
            assert self.permits.acquire(timeout=DEADLINE_SECONDS)
        self.commits.append(done)


@pytest.fixture
def committer() -> Committer:
    return Committer()


@pytest.fixture
def queue(committer: Committer) -> Iterator[WriteQueue]:
    made = WriteQueue(cast("DatabaseSupervisor", committer))
    yield made
    made.close()


def valued(value: object) -> Callable[[object], object]:
    return lambda _connection: value


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0.001)


def test_who_waits_during_a_commit_shares_the_next_one(committer: Committer, queue: WriteQueue) -> None:
    committer.permits = threading.Semaphore(0)

    async def run() -> list[object]:
        first = asyncio.create_task(queue.write(valued("first")))
        await until(lambda: not queue._waiting and queue._is_at_work)
        others = [asyncio.create_task(queue.write(valued(number))) for number in range(5)]
        await until(lambda: len(queue._waiting) == 5)
        assert not first.done()  # its commit is not over
        committer.permits.release(2)  # type: ignore[union-attr]
        return await asyncio.wait_for(asyncio.gather(first, *others), DEADLINE_SECONDS)

    assert asyncio.run(run()) == ["first", 0, 1, 2, 3, 4]
    assert committer.commits == [["first"], [0, 1, 2, 3, 4]]


def test_each_is_told_its_own_error(queue: WriteQueue) -> None:
    def fail(_connection: object) -> None:
        raise Conflict("Mine alone.")

    async def run() -> list[object]:
        asked = (queue.write(each) for each in (valued("a"), fail, valued("b")))
        return await asyncio.gather(*asked, return_exceptions=True)

    found = asyncio.run(run())
    assert (found[0], found[2]) == ("a", "b")
    assert isinstance(found[1], Conflict)


def test_where_no_turn_is_to_be_had_all_who_wait_are_told(committer: Committer, queue: WriteQueue) -> None:
    committer.refusal = Busy("Too many.")

    async def run() -> list[object]:
        asked = (queue.write(valued(number)) for number in range(3))
        return await asyncio.gather(*asked, return_exceptions=True)

    refused = asyncio.run(run())
    assert all(isinstance(each, Busy) for each in refused)
    assert len({id(each) for each in refused}) == 3
    committer.refusal = None
    assert asyncio.run(queue.write(valued("later"))) == "later"


def test_who_has_gone_holds_no_one_up_and_is_written(committer: Committer, queue: WriteQueue) -> None:
    committer.permits = threading.Semaphore(0)

    async def run() -> None:
        gone = asyncio.create_task(queue.write(valued("gone")))
        await until(lambda: not queue._waiting and queue._is_at_work)
        gone.cancel()
        committer.permits.release(2)  # type: ignore[union-attr]
        assert await asyncio.wait_for(queue.write(valued("next")), DEADLINE_SECONDS) == "next"

    asyncio.run(run())
    assert [value for commit in committer.commits for value in commit] == ["gone", "next"]


def test_who_writes_when_the_server_stops_is_told(queue: WriteQueue) -> None:
    async def run() -> object:
        queue.close()
        return await asyncio.wait_for(queue.write(valued("late")), DEADLINE_SECONDS)

    with pytest.raises(Busy):
        asyncio.run(run())
