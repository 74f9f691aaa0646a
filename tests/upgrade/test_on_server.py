"""Upgrades of a database of PostgreSQL: what is there when its server is lost, and in versions to come?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.backup.create import create_backup
from app.errors import DaemonError
from app.settings import Settings
from app.storage import failures
from app.storage.engine import StorageEngine
from app.storage.registry import storage_for
from app.storage.types import Mark, StorageConnection
from app.upgrade.detect.recognise import describe
from app.upgrade.operations.init import initialise
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from app.upgrade.readiness import ask_readiness
from app.upgrade.steps.apply import apply
from app.upgrade.versions.releases import APPLICATION_ID
from tests.postgresql import PostgreSQL, template
from tests.upgrade.next_version import VERSIONS, make_application
from tests.upgrade.on_either_engine import contents, make_older

pytestmark = pytest.mark.needs("postgresql")


@pytest.fixture
def settings(
    postgresql_server: PostgreSQL, base_of_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """An installation whose database is of FIRST_ON_SERVERS."""
    monkeypatch.chdir(tmp_path)
    older = template(postgresql_server, "older", base_of_run, make_older)
    name = f"upgraded_{os.getpid()}"
    url = postgresql_server.create(name, older)
    yield Settings(database_url=url, backup_dir=tmp_path / "backups", log_dir=tmp_path / "logs")
    found = postgresql_server.execute(f"SELECT datname FROM pg_database WHERE datname LIKE '{name}%'")
    for (each,) in found:
        postgresql_server.drop(each)


@pytest.fixture
def storage(settings: Settings) -> StorageEngine:
    """Its database."""
    return storage_for(settings.database_url)


def create(settings: Settings) -> object:
    """Make a backup."""
    with failures.named(settings.backup_dir, "no backup was made"):
        return create_backup(settings, storage=storage_for(settings.database_url), describe=describe)


def find_state(settings: Settings) -> object:
    """Whether a server may serve it."""
    return ask_readiness(settings, storage_for(settings.database_url))


def seen(storage: StorageEngine) -> dict[str, object]:
    """The contents as anyone sees them now."""
    with storage.looking() as connection:
        return contents(connection)


def test_a_connection_that_is_cut_within_an_upgrade_leaves_the_old_state(
    settings: Settings,
    storage: StorageEngine,
    postgresql_server: PostgreSQL,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = seen(storage)

    def cut(migration: StorageConnection, *rest: object, **more: object) -> object:
        done = apply(migration, *rest, **more)  # type: ignore[arg-type]
        (row,) = migration.rows("SELECT pg_backend_pid()")
        postgresql_server.execute(f"SELECT pg_terminate_backend({row[0]})")
        return done

    monkeypatch.setattr("app.upgrade.operations.upgrade.apply", cut)
    outcome = run_upgrade(settings)
    assert outcome.exit_code not in (0, 10)
    assert "before" in outcome.message or "nothing was changed" in outcome.message
    assert seen(storage) == before
    monkeypatch.undo()
    assert run_upgrade(settings).exit_code == 0


# -- a server that is not there ------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [initialise, run_upgrade, run_rollback, make_plan, create, find_state])
def test_a_server_that_is_not_there_is_named_as_that_by_every_command(
    tmp_path: Path, command: Callable[[Settings], object]
) -> None:
    settings = Settings(
        database_url="postgresql+psycopg://ann:hunter2@127.0.0.1:9/life",
        data_dir=tmp_path / "data",
        backup_dir=tmp_path / "backups",
        log_dir=tmp_path / "logs",
    )
    try:
        said = str(command(settings))
    except DaemonError as error:
        said = f"{error.exit_code} {error.message} {error.hint}"
    assert "The database server of postgresql://127.0.0.1:9/life cannot be reached" in said
    assert "pg_isready" in said
    assert "16" in said or command is find_state
    assert "hunter2" not in said


# -- versions to come ----------------------------------------------------------------------------------------

WALK = """
import json, sys
from app.settings import load_settings
from app.storage.registry import storage_for
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.readiness import ask_readiness
from app.upgrade.versions.expected_schema import is_whole
settings = load_settings()
storage = storage_for(settings.database_url)
said = []
for target in sys.argv[1:]:
    outcome = run_upgrade(settings, target=target)
    with storage.looking() as connection:
        whole = is_whole(connection, connection.schema(), target)
    said.append([outcome.state, outcome.exit_code, outcome.message, whole])
said.append(ask_readiness(settings, storage).state)
print(json.dumps(said))
"""


def test_a_version_to_come_is_reached_by_the_same_steps(
    settings: Settings, storage: StorageEngine, tmp_path: Path
) -> None:
    application = make_application(tmp_path / "application")
    done = subprocess.run(
        [sys.executable, "-c", WALK, *VERSIONS],
        env={
            **os.environ,
            "PYTHONPATH": str(application),
            "DATABASE_URL": settings.database_url,
            "BACKUP_DIR": str(settings.backup_dir),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *walked, state = json.loads(done.stdout)
    assert [(one[0], one[1], one[3]) for one in walked] == [("done", 0, True)] * 2, walked
    assert state == "READY"
    with storage.looking() as connection:
        notes = {row[0] for row in connection.rows("SELECT note FROM data_entries")}
        assert notes == {"from 9.8.0, seen by 9.9.0"}
        assert connection.mark() == Mark(APPLICATION_ID, 990)
    assert ask_readiness(settings, storage).state == "AHEAD"
