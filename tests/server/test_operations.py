"""Is what runs for someone in the background told rightly: while it runs, how it ended, and after a kill?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from app import clock
from app.accounts import operations
from app.accounts.operations import Operation, Result
from app.errors import Conflict, DaemonError, Refused
from app.server.operations import Operations, Progress
from tests.web.conftest import DEADLINE_SECONDS, Site


def find(site: Site, begun: Operation) -> Operation:
    with site.app.server.supervisor.reading() as connection:
        found = operations.find_own(connection, begun.user_id, begun.id, clock.now())
    assert found is not None
    return found


def until(site: Site, begun: Operation, holds: Callable[[Operation], bool]) -> Operation:
    ends = time.monotonic() + DEADLINE_SECONDS
    while not holds(found := find(site, begun)):
        assert time.monotonic() < ends, found
        time.sleep(0.02)
    return found


def test_an_operation_says_how_far_it_is_and_what_it_left(site: Site) -> None:
    go_on = threading.Event()

    def work(progress: Progress) -> Result:
        progress.note(3, 10)
        assert go_on.wait(DEADLINE_SECONDS)
        return Result("a.zip", 7, "0" * 64)

    begun = site.app.server.operations.start(site.user("ann").id, "export", work)
    found = until(site, begun, lambda one: one.done_count == 3)
    assert (found.state, found.total_count, found.file_name) == ("running", 10, None)
    with pytest.raises(Conflict):
        site.app.server.operations.start(begun.user_id, "export", work)
    go_on.set()
    done = until(site, begun, lambda one: one.state != "running")
    assert (done.state, done.file_name, done.size_bytes, done.fault) == ("done", "a.zip", 7, None)


@pytest.mark.parametrize(
    ("raised", "fault"),
    [
        (Refused("There is no room.", hint="Make some."), "There is no room. Make some."),
        (ValueError("a path of the machine"), "It failed; the log of the server says why."),
    ],
)
def test_an_operation_that_fails_says_why_and_nothing_of_the_machine(
    site: Site, raised: Exception, fault: str
) -> None:
    def work(_progress: Progress) -> Result:
        raise raised

    begun = site.app.server.operations.start(site.user("ann").id, "export", work)
    done = until(site, begun, lambda one: one.state != "running")
    assert (done.state, done.fault) == ("failed", fault)


def test_one_that_was_killed_has_failed_and_can_be_begun_again(site: Site) -> None:
    user_id, now = site.user("ann").id, clock.now()
    with site.writing() as connection:
        begun = operations.begin(connection, user_id, "export", now - timedelta(minutes=5))
        again = operations.begin(connection, user_id, "export", now)
    assert (find(site, begun).state, find(site, again).state) == ("failed", "running")
    with site.writing() as connection:
        assert operations.find_own(connection, user_id + 1, again.id, now) is None


def test_a_server_that_stops_ends_what_runs(site: Site) -> None:
    runner = Operations(site.app.server.supervisor)

    def work(progress: Progress) -> Result:
        while True:
            progress.note(1)
            time.sleep(0.01)

    begun = runner.start(site.user("ann").id, "export", work)
    runner.close()
    assert find(site, begun).state == "failed"


def test_what_ended_is_cleared_away_after_its_time(site: Site) -> None:
    user_id, now = site.user("ann").id, clock.now()
    with site.writing() as connection:
        begun = operations.begin(connection, user_id, "export", now)
        operations.finish(connection, begun.id, now, Result("a.zip", expires_at=now + timedelta(hours=1)))
        operations.clear_past(connection, now + timedelta(minutes=59))
        assert operations.list_own(connection, user_id, now)
        operations.clear_past(connection, now + timedelta(minutes=61))
        assert operations.list_own(connection, user_id, now) == []


def test_no_more_than_a_few_run_at_once(site: Site) -> None:
    go_on = threading.Event()

    def work(_progress: Progress) -> Result:
        assert go_on.wait(DEADLINE_SECONDS)
        return Result()

    runner, user_id = site.app.server.operations, site.user("ann").id
    begun = [runner.start(user_id, f"export {number}", work) for number in range(3)]
    with pytest.raises(DaemonError, match="at the same time"):
        runner.start(user_id, "export 4", work)
    go_on.set()
    for each in begun:
        until(site, each, lambda one: one.state == "done")
    until(site, runner.start(user_id, "export 4", work), lambda one: one.state == "done")
