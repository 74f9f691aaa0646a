"""Failover: does service go on with all that was answered, and with nothing of an old primary?"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.machines.failover import fail_over, write_at
from tests.machines.several import IDEAS, LONGEST_SECONDS, contents_in, serving
from tests.postgresql import own_server
from tests.replication import make_synchronous, promote, replicated
from tests.web.conftest import wait_until

pytestmark = [pytest.mark.needs("postgresql", "nginx"), pytest.mark.timeout(240)]


def test_service_goes_on_and_nothing_that_was_answered_is_lost(tmp_path: Path) -> None:
    """A sample; `make failover` does it again and again, with more load."""
    with replicated() as (primary, standby):
        seen = fail_over(tmp_path, primary, standby, seconds=0.2)
    print(seen)
    assert seen.answered >= 60
    assert seen.lost == []
    assert {name.split()[1] for name in seen.statuses} <= {"200", "201", "502", "503"}
    assert seen.pause_seconds < LONGEST_SECONDS
    assert seen.written_to_the_old == 0
    assert seen.alone == (503, 503)


def test_while_the_standby_is_down_writes_wait_and_reads_go_on(tmp_path: Path) -> None:
    answers: list[Any] = []
    with replicated() as (primary, standby), serving(tmp_path, primary, standby, count=1) as machines:
        make_synchronous(primary)
        assert write_at(machines)[0] == 201
        standby.stop()
        writing = threading.Thread(target=lambda: answers.append(write_at(machines)))
        writing.start()
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        wait_until(lambda: primary.execute(waits)[0][0], "no commit waits for the standby")
        assert machines.ask(f"{IDEAS}?limit=5")[0] == 200
        assert answers == []
        standby.start()
        writing.join(LONGEST_SECONDS)
        assert [status for status, _ in answers] == [201]


def test_a_primary_that_still_runs_is_left_when_another_is_promoted(tmp_path: Path) -> None:
    with replicated() as (primary, standby), serving(tmp_path, primary, standby, count=1) as machines:
        assert write_at(machines)[0] == 201
        wait_until(lambda: len(contents_in(standby)) == 1, "the standby is behind")
        promote(standby)

        def is_left() -> bool:
            write_at(machines)
            return len(contents_in(standby)) > 1

        wait_until(is_left, "the old primary is used on and on", LONGEST_SECONDS)
        before = len(contents_in(primary))
        assert [write_at(machines)[0] for _ in range(5)] == [201] * 5
        assert len(contents_in(primary)) == before
        assert len(machines.ask(f"{IDEAS}?limit=200")[1]["items"]) == len(contents_in(standby))


def test_what_one_machine_writes_the_others_show_at_their_next_request(tmp_path: Path) -> None:
    with own_server() as primary, serving(tmp_path, primary) as machines:
        one, other = machines.servers
        for number in range(20):
            (_, made), path = write_at(machines, one), IDEAS
            stranger = other.ask(f"{path}?limit=200")[1]["items"]
            assert made["id"] in [each["id"] for each in stranger], number
            private = {"meta": {"visibility": "private"}}
            assert machines.ask(f"{path}/{made['id']}", method="PATCH", body=private, server=one)[0] == 200
            assert other.ask(f"{path}/{made['id']}")[0] == 404, number
