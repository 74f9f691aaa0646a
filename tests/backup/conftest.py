"""What do the tests of backups share? An installation in a folder, with a small Daemon's database."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import Settings
from tests.backup.worlds import make_daemon
from tests.conftest import SettingsIn


@pytest.fixture
def home(tmp_path: Path, settings_in: SettingsIn) -> Settings:
    """Settings of an installation whose database has entries and is in rollback-journal mode."""
    settings = settings_in(tmp_path)
    make_daemon(settings.database_path)
    return settings


@pytest.fixture(params=[False, True], ids=["delete", "wal"])
def home_in_either_mode(request: pytest.FixtureRequest, tmp_path: Path, settings_in: SettingsIn) -> Settings:
    """As `home`, once in each journal mode."""
    settings = settings_in(tmp_path)
    make_daemon(settings.database_path, wal=request.param)
    return settings
