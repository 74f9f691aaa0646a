"""What do the tests of the upgrade share? An operator's folder, and the old databases to put there."""

from __future__ import annotations

import importlib.util
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from app.settings import Settings
from tests.conftest import SettingsIn
from tests.databases import Databases
from tests.upgrade.on_either_engine import place_older


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's folder; commands are run there."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def settings(home: Path, settings_in: SettingsIn) -> Settings:
    """The settings of that folder, where nothing is yet."""
    return settings_in(home)


@pytest.fixture
def behind(databases: Databases, home: Path, base_of_run: Path, settings_in: SettingsIn) -> Settings:
    """An installation, on either engine, whose database is of 0.5.0, the first that there was on servers."""
    url = place_older(databases, home, base_of_run)
    return settings_in(home, database_url=url, data_dir=home / "data")


@pytest.fixture
def old(settings: Settings) -> Callable[[str], Path]:
    """`old("layout_a")`: build that old database where the settings say the database is."""

    def make(name: str) -> Path:
        from tests.upgrade.old_databases import build

        settings.data_dir.mkdir(parents=True, exist_ok=True)
        build(name, settings.database_path)
        return settings.database_path

    return make


@pytest.fixture(scope="session")
def manifest_tool(shared: Path) -> Iterator[ModuleType]:
    """The checker that comes with the shared databases."""
    spec = importlib.util.spec_from_file_location("legacy_manifest", shared / "tools" / "legacy_manifest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    opened: list[sqlite3.Connection] = []  # the checker leaves what it opens to be collected
    open_copy = module.open_copy

    def open_and_close_the_last(path: str, folder: str) -> sqlite3.Connection:
        for connection in opened:
            connection.close()
        longest = sys.get_int_max_str_digits()
        opened[:] = [open_copy(path, folder)]
        sys.set_int_max_str_digits(longest)  # the checker lifts it for the whole process
        return opened[0]

    module.open_copy = open_and_close_the_last  # type: ignore[attr-defined]
    yield module
    for connection in opened:
        connection.close()
