"""Does the server back itself up once a day, quietly, and never at the cost of serving?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app import clock
from app.backup.catalog import list_backups
from app.backup.prune import prune_backups
from app.server.daily_backup import back_up_daily
from app.server.jobs import BackgroundJobs, Job
from app.settings import Settings
from tests.web.conftest import DEADLINE_SECONDS, Site, wait_until


def test_a_backup_is_made_once_a_day(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert back_up_daily(settings)
    assert not back_up_daily(settings)
    found = list_backups(settings)
    assert [(each.state, each.purpose) for each in found] == [("good", "daily")]
    tomorrow = clock.now() + timedelta(hours=24, minutes=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    assert back_up_daily(settings)
    assert len(list_backups(settings)) == 2


@pytest.mark.parametrize("days", [2, 400, 5_000])
def test_a_backup_from_the_future_does_not_stop_todays(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=days))
    assert back_up_daily(settings)
    monkeypatch.setattr(clock, "now", lambda: now)
    assert back_up_daily(settings)
    assert not back_up_daily(settings), "once a day all the same"
    monkeypatch.setattr(clock, "now", lambda: now - timedelta(minutes=30))
    assert not back_up_daily(settings), "a clock that was set back a little is no wrong clock"


def test_a_damaged_backup_does_not_count(settings: Settings) -> None:
    back_up_daily(settings)
    made = list_backups(settings)[0].path
    made.write_bytes(made.read_bytes()[:-1])
    assert back_up_daily(settings)


def test_old_backups_are_pruned_with_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    today = clock.now()
    for day in (0, 1, 20, 21, 22, 23, 24, 25, 32):
        monkeypatch.setattr(clock, "now", lambda day=day: today + timedelta(days=day))
        assert back_up_daily(settings)
    made = sorted(backup.created_at for backup in list_backups(settings))
    assert [(at - today).days for at in made if (at - today).days < 10] == []
    assert len(made) == 7


@pytest.mark.only_on("sqlite")  # thirty backups; that dumps are cleared away too, tests/backup says
@pytest.mark.parametrize("days", [30, 31, 400, 5000])
def test_a_clock_that_leaps_prunes_nothing_until_somebody_asks(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    today = clock.now()
    for day in range(9):
        monkeypatch.setattr(clock, "now", lambda day=day: today + timedelta(days=day))
        assert back_up_daily(settings)
    settings = replace(settings, backup_retention_days=20)
    for day in range(9):  # days after the leap
        monkeypatch.setattr(clock, "now", lambda day=day: today + timedelta(days=8 + days + day))
        assert back_up_daily(settings)
        assert len(list_backups(settings)) == 10 + day
    monkeypatch.setattr(clock, "now", lambda: today + timedelta(days=9))
    back_up_daily(settings)  # it was set right again
    assert len(list_backups(settings)) >= 18
    monkeypatch.setattr(clock, "now", lambda: today + timedelta(days=17 + days))
    assert len(prune_backups(settings).removed) >= 9
    assert len(list_backups(settings)) >= 7


# -- the thread that does them


@pytest.fixture
def started() -> Iterator[Callable[..., BackgroundJobs]]:
    """`started(job, ...)`: jobs that run in a thread until the test ends."""
    running: list[BackgroundJobs] = []

    def start(*jobs: Job, may_run: Callable[[], bool] = lambda: True) -> BackgroundJobs:
        made = BackgroundJobs(may_run)
        for job in jobs:
            made.add(job)
        made.start()
        running.append(made)
        return made

    yield start
    for each in running:
        each.stop()


def test_every_job_is_begun_and_one_that_fails_stops_no_other(
    started: Callable[..., BackgroundJobs], caplog: pytest.LogCaptureFixture
) -> None:
    ran = threading.Event()

    def fail() -> None:
        raise ValueError("a fault of its own")

    failing = Job("failing", 3600.0, fail)
    started(failing, Job("other", 3600.0, ran.set))
    assert ran.wait(DEADLINE_SECONDS)
    assert failing.begun_at is not None
    told = [record for record in caplog.records if record.message == "A background job failed."]
    assert [getattr(record, "job", None) for record in told] == ["failing"]


def test_a_job_is_not_begun_again_before_its_time() -> None:
    ran: list[str] = []
    jobs = BackgroundJobs(lambda: True)
    jobs.add(Job("seldom", 3600.0, lambda: ran.append("seldom")))
    jobs.add(Job("often", 0.0, lambda: ran.append("often")))
    for _ in range(3):
        jobs.run_due()
    assert ran == ["seldom", "often", "often", "often"]


def test_a_job_may_wait_for_its_first_time() -> None:
    ran: list[str] = []
    jobs = BackgroundJobs(lambda: True)
    later = Job("later", 3600.0, lambda: ran.append("later"), first_after_seconds=30.0)
    jobs.add(later)
    jobs.run_due()
    assert ran == []
    later.made_at -= 30.0
    jobs.run_due()
    jobs.run_due()
    assert ran == ["later"]


def test_nothing_is_begun_without_a_reason_or_while_the_database_is_closed() -> None:
    ran: list[str] = []
    is_open, has_reason = [False], [False]
    jobs = BackgroundJobs(lambda: is_open[0])
    jobs.add(Job("x", 3600.0, lambda: ran.append("x"), is_wanted=lambda: has_reason[0]))
    jobs.run_due()
    is_open[0] = True
    jobs.run_due()
    assert ran == []
    has_reason[0] = True
    jobs.run_due()
    assert ran == ["x"]


def test_what_is_due_at_the_end_is_done_once_the_thread_begins_no_more(
    started: Callable[..., BackgroundJobs],
) -> None:
    ran: list[str] = []
    began = threading.Event()
    started(Job("x", 3600.0, began.set, at_end=lambda: ran.append("end"))).stop()
    assert ran == ["end"]


# -- as the server has them


@pytest.fixture
def backing_up(serve: Callable[..., Site], settings: Settings) -> Site:
    """An unclaimed site that makes backups."""
    return serve(replace(settings, backup_enabled=True))


def test_the_server_backs_itself_up_once_it_is_somebodys(backing_up: Site) -> None:
    folder = backing_up.settings.backup_dir
    assert not folder.exists()
    backing_up.add_user("ann", is_admin=True)
    backing_up.client.get("/api/v1/ideas")
    wait_until(lambda: folder.exists() and list(folder.glob("backup_*.json")), "it never made a backup")


def test_a_backup_that_fails_harms_nobody(
    serve: Callable[..., Site], settings: Settings, tmp_path: Path
) -> None:
    blocked = tmp_path / "a file"
    blocked.touch()
    site = serve(replace(settings, backup_enabled=True, backup_dir=blocked))
    site.add_user("ann", is_admin=True)
    site.client.get("/api/v1/ideas")
    log = site.settings.log_dir / "server.log"
    wait_until(lambda: "A background job failed" in log.read_text(), "it never tried")
    assert site.client.get("/api/v1/ideas").status_code == 200
