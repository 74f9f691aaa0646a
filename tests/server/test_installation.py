"""Does the server know at its start where and when it serves, say what is odd, and serve on?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from app import clock, installation
from app.settings import Settings
from app.upgrade.detect.identity import known_of
from tests.databases import outside
from tests.web.conftest import Site


def changed(settings: Settings, **columns: object) -> None:
    sets = ", ".join(f"{name} = :{name}" for name in columns)
    with outside(settings.database_url) as connection:
        connection.execute(text(f"UPDATE installation SET {sets}"), columns)


@pytest.mark.only_on("postgresql")
def test_a_machine_that_is_new_keeps_which_server_is_the_primary(
    settings: Settings, serve: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    """Its data folder is not there yet: others made the database."""
    assert not settings.data_dir.exists()
    serve(settings)
    assert settings.database_path.with_name(f"{settings.database_path.name}.epoch").exists()
    assert "cannot be kept" not in caplog.text


@pytest.mark.parametrize(
    "seen", [{"seen_path": "/somewhere/else.db", "seen_host": "one"}, {"seen_host": "another host"}]
)
def test_a_copy_is_served_and_asked(
    settings: Settings, serve: Callable[..., Site], caplog: pytest.LogCaptureFixture, seen: dict[str, str]
) -> None:
    changed(settings, seen_path=str(settings.database_path))
    changed(settings, **seen)
    site = serve(settings)
    assert site.client.get("/health").json()["status"] == "healthy"
    said = [line.getMessage() for line in caplog.records if "daemon init --new-id" in line.getMessage()]
    assert len(said) == 1
    site.app.server.supervisor.note_place_and_time()
    assert caplog.text.count("daemon init --new-id") == 1, "once"


def test_a_start_notes_the_place_and_the_time(settings: Settings, serve: Callable[..., Site]) -> None:
    changed(settings, clock_seen_at=None)
    assert serve(settings).client.get("/health").status_code == 200
    found = known_of(settings)[1]
    assert found is not None
    assert found.seen == installation.here(settings.database_path)
    assert found.clock.seen_at is not None
    assert clock.now() - found.clock.seen_at < timedelta(minutes=5)


def test_a_server_without_daily_backups_notices_a_leap_and_serves_on(
    settings: Settings,
    serve: Callable[..., Site],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = serve(settings)
    later = clock.now() + timedelta(days=4000)
    monkeypatch.setattr(clock, "now", lambda: later)
    site.app.server.supervisor.note_place_and_time()
    assert "daemon backup prune --clock-is-right" in caplog.text
    found = known_of(settings)[1]
    assert found is not None
    assert found.clock.is_leapt
    assert site.client.get("/health").json()["status"] == "healthy"
