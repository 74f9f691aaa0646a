"""Does the server back itself up once a day, quietly, and never at the cost of serving?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from app import clock
from app.backup.catalog import list_backups
from app.server.jobs import back_up_daily
from app.settings import Settings
from tests.conftest import SettingsIn
from tests.web.conftest import Site, wait_until


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
    back_up_daily(settings)
    later = clock.now() + timedelta(days=settings.backup_retention_days + 1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert back_up_daily(settings)
    assert len(list_backups(settings)) == 1


@pytest.fixture
def backing_up(serve: Callable[..., Site], settings: Settings, settings_in: SettingsIn) -> Site:
    """An unclaimed site that makes backups."""
    return serve(settings_in(settings.data_dir.parent))


def test_the_server_backs_itself_up_once_it_is_somebodys(backing_up: Site) -> None:
    folder = backing_up.settings.backup_dir
    assert not folder.exists()
    backing_up.add_user("ann", is_admin=True)
    backing_up.client.get("/api/v1/ideas")
    wait_until(lambda: folder.exists() and list(folder.glob("backup_*.json")), "it never made a backup")


def test_a_backup_that_fails_harms_nobody(
    serve: Callable[..., Site], settings: Settings, settings_in: SettingsIn, tmp_path: Path
) -> None:
    blocked = tmp_path / "a file"
    blocked.touch()
    site = serve(settings_in(settings.data_dir.parent, backup_dir=blocked))
    site.add_user("ann", is_admin=True)
    site.client.get("/api/v1/ideas")
    log = site.settings.log_dir / "server.log"
    wait_until(lambda: "A round failed" in log.read_text(), "it never tried")
    assert site.client.get("/api/v1/ideas").status_code == 200
