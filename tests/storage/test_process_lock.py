"""Process lock, on either engine: does it keep servers and operators apart, and does death open it?"""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from app.errors import Busy
from app.storage.registry import storage_for
from app.storage.types import ServingLock
from tests.databases import Databases
from tests.storage.conftest import StartProcess, until

SERVER = """
    import sys, time
    from app.storage.registry import storage_for
    lock = storage_for(sys.argv[1]).process_lock()
    while True:
        lock.serve(30)
        print("serving", flush=True)
        while not lock.wanted():
            time.sleep(0.01)
        print("wanted", flush=True)
        if sys.argv[2] == "stubborn":
            time.sleep(60)
        lock.yield_()
        print("yielded", flush=True)
"""
OPERATOR = """
    import sys
    from app.storage.registry import storage_for
    with storage_for(sys.argv[1]).process_lock().exclusive(30):
        print("alone", flush=True)
        input()
    print("done", flush=True)
"""
# How whoever holds it is told: a process of this machine, or a session of the server.
HOLDER = {"sqlite": r"process \d+ of \w+: .*python.*", "postgresql": r"process \d+ of postgres: daemon.*"}


@pytest.fixture
def url(databases: Databases, tmp_path: Path) -> str:
    """A place where no database is yet: the lock asks for none."""
    (tmp_path / "data").mkdir()
    return databases.place(tmp_path)


def lock_of(url: str) -> ServingLock:
    return storage_for(url).process_lock()


def test_servers_share(url: str, other_process: StartProcess) -> None:
    lock = lock_of(url)
    assert not lock.is_held()
    lock.serve()
    assert lock.is_held()
    assert other_process(SERVER, url, "polite").hears() == "serving"
    lock.yield_()
    lock.yield_()
    assert not lock.is_held()


def test_a_server_yields_and_goes_on_afterwards(url: str, other_process: StartProcess) -> None:
    server = other_process(SERVER, url, "polite")
    assert server.hears() == "serving"
    with lock_of(url).exclusive(30):
        assert server.hears() == "wanted"
        assert server.hears() == "yielded"
        with pytest.raises(Busy, match="at work"):
            lock_of(url).serve()
    assert server.hears() == "serving"


def test_a_stubborn_server_is_named_and_nothing_is_taken(url: str, other_process: StartProcess) -> None:
    server = other_process(SERVER, url, "stubborn")
    server.hears()
    with (
        pytest.raises(Busy, match="does not let go of it; nothing was changed") as refused,
        lock_of(url).exclusive(0.2),
    ):
        raise AssertionError
    holders = refused.value.details["holders"]
    assert isinstance(holders, list)
    assert re.fullmatch(HOLDER[storage_for(url).engine_name], holders[0]), holders
    assert not lock_of(url).wanted()


def test_operators_queue(url: str, other_process: StartProcess) -> None:
    first = other_process(OPERATOR, url)
    assert first.hears() == "alone"
    assert lock_of(url).wanted()
    with pytest.raises(Busy, match="Another upgrade or restore"), lock_of(url).exclusive(0.1):
        raise AssertionError
    second = other_process(OPERATOR, url)
    first.tell()
    assert first.hears() == "done"
    assert second.hears() == "alone"


@pytest.mark.parametrize("program", [SERVER, OPERATOR], ids=["server", "operator"])
def test_death_opens_it(url: str, other_process: StartProcess, program: str) -> None:
    holder = other_process(program, url, "stubborn")
    holder.hears()
    holder.kill()
    with lock_of(url).exclusive(30):  # a server of databases sees the death of a client a moment later
        pass
    lock = lock_of(url)
    lock.serve()
    lock.yield_()


def test_an_operator_killed_in_the_queue_leaves_nothing(url: str, other_process: StartProcess) -> None:
    server = other_process(SERVER, url, "stubborn")
    server.hears()
    waiting = other_process(OPERATOR, url)
    assert server.hears() == "wanted"
    waiting.kill()
    until(lambda: not lock_of(url).wanted())


def test_an_error_inside_lets_go(url: str) -> None:
    with pytest.raises(ZeroDivisionError), lock_of(url).exclusive(0):
        raise ZeroDivisionError
    with lock_of(url).exclusive(5):
        pass


def test_a_server_that_waits_gets_it_when_the_operator_ends(url: str) -> None:
    lock = lock_of(url)
    with lock_of(url).exclusive(0):
        server = threading.Thread(target=lock.serve, args=(30,))
        server.start()
        assert not lock.is_held()
    server.join()
    assert lock.is_held()
    lock.yield_()


def test_who_serves_cannot_take_it_alone(url: str) -> None:
    lock = lock_of(url)
    lock.serve()
    with pytest.raises(RuntimeError, match="must yield"), lock.exclusive(0):
        raise AssertionError
    lock.yield_()
