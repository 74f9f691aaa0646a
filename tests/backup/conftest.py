"""What do the tests of backups share? An installation in a folder, with a small Daemon's database."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import Settings
from app.storage.registry import DUMP_ENDING
from tests.backup.worlds import make_daemon, make_daemon_at
from tests.conftest import SettingsIn
from tests.databases import Databases


@pytest.fixture
def home(tmp_path: Path, settings_in: SettingsIn) -> Settings:
    """Settings of an installation whose database has entries and is in rollback-journal mode."""
    settings = settings_in(tmp_path)
    make_daemon(settings.database_path)
    return settings


@pytest.fixture
def anywhere(databases: Databases, tmp_path: Path, settings_in: SettingsIn) -> Settings:
    """As `home`, once on each engine; what is tested with the other two is about files."""
    made = settings_in(tmp_path, database_url=databases.place(tmp_path), data_dir=tmp_path / "data")
    make_daemon_at(made.database_url)
    return made


@pytest.fixture
def ending(databases: Databases) -> str:
    """How the names of its backups end."""
    return ".db" if databases.name == "sqlite" else DUMP_ENDING


@pytest.fixture(params=[False, True], ids=["delete", "wal"])
def home_in_either_mode(request: pytest.FixtureRequest, tmp_path: Path, settings_in: SettingsIn) -> Settings:
    """As `home`, once in each journal mode."""
    settings = settings_in(tmp_path)
    make_daemon(settings.database_path, wal=request.param)
    return settings
