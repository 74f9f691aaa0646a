"""Upgrades of a database of PostgreSQL: are they what they are on SQLite, step, words, proof and way back?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import journal
from app.backup.create import create_backup
from app.errors import DaemonError
from app.settings import Settings
from app.storage import failures
from app.storage.engine import StorageEngine
from app.storage.registry import storage_for
from app.storage.types import Mark, StorageConnection
from app.upgrade.detect.recognise import describe, recognise
from app.upgrade.model import Plan
from app.upgrade.operations.init import initialise
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import exit_code_of, make_plan
from app.upgrade.readiness import ask_readiness
from app.upgrade.records.history import read_history
from app.upgrade.steps.apply import apply
from app.upgrade.steps.steps import steps_between
from app.upgrade.versions.releases import APPLICATION_ID, FIRST_ON_SERVERS, NEWEST
from tests.postgresql import PostgreSQL, template
from tests.upgrade.next_version import VERSIONS, make_application

pytestmark = pytest.mark.needs("postgresql")

ENTRIES = 5


def make_older(url: str) -> None:
    """Make a database of the oldest version that there is on a server, with a person and some entries."""
    with storage_for(url).migration_connection() as migration:
        nothing = recognise(migration)
        apply(migration, nothing, Plan(nothing, FIRST_ON_SERVERS, steps_between(nothing, FIRST_ON_SERVERS)))
        migration.execute(
            "INSERT INTO users (id, username, email, hashed_password, is_active, is_admin)"
            " VALUES (1, 'ann', 'ann@example.org', 'x', 1, 1)"
        )
        for number in range(ENTRIES):
            migration.execute(
                "INSERT INTO data_entries (id, endpoint_id, data, is_active, created_by_id, visibility)"
                " VALUES (:id, 1, :data, 1, 1, 'public')",
                {"id": number + 1, "data": json.dumps({"title": f"Ünïcode {number} % :x"})},
            )
        migration.commit_durably()


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


def contents(connection: StorageConnection) -> dict[str, object]:
    """What its owner wrote, in the columns of FIRST_ON_SERVERS."""
    return {
        "users": connection.as_written("users", ("id", "username", "email", "is_admin")),
        "data_entries": connection.as_written("data_entries", ("id", "data", "visibility", "created_at")),
        "endpoints": connection.as_written("endpoints", ("id", "name", "schema")),
    }


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


def test_a_database_that_is_behind_is_upgraded_and_nothing_of_it_is_lost(
    settings: Settings, storage: StorageEngine
) -> None:
    before = seen(storage)
    behind = ask_readiness(settings, storage)
    assert (behind.state, behind.command) == ("BEHIND", "daemon upgrade run")
    plan = make_plan(settings)
    assert [step.id for step in plan.steps] == ["0006", "0007"]
    assert not plan.blockers
    assert exit_code_of(plan) == 10
    assert seen(storage) == before

    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("done", 0), outcome.message
    assert outcome.backup is not None
    assert (settings.backup_dir / outcome.backup).is_file()
    assert seen(storage) == before
    assert ask_readiness(settings, storage).state == "READY"
    assert exit_code_of(make_plan(settings)) == 0
    assert run_upgrade(settings).state == "nothing_to_do"

    events = [line.event for line in journal.read_journal(settings)]
    assert [event for event in events if event in ("started", "committed")] == ["started", "committed"]
    steps = [line for line in read_history(settings) if line.event == "step"]
    assert [line.version for line in steps][-1] == NEWEST
    assert steps[-1].backup == outcome.backup


def test_a_step_that_loses_a_row_is_found_and_taken_back(
    settings: Settings, storage: StorageEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = seen(storage)

    def lossy(migration: StorageConnection, *rest: object, **more: object) -> object:
        done = apply(migration, *rest, **more)  # type: ignore[arg-type]
        migration.execute("DELETE FROM data_entries WHERE id = 3")  # type: ignore[attr-defined]
        return done

    monkeypatch.setattr("app.upgrade.operations.upgrade.apply", lossy)
    outcome = run_upgrade(settings)
    assert outcome.exit_code == 1
    assert "data_entries" in outcome.message
    assert seen(storage) == before
    assert ask_readiness(settings, storage).state == "BEHIND"


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


def test_a_schema_that_drifted_is_refused_before_anything_is_touched(
    settings: Settings, storage: StorageEngine
) -> None:
    with storage.migration_connection() as migration:
        migration.execute("DROP INDEX ix_data_entries_owner")
        migration.commit_durably()
    plan = make_plan(settings)
    assert [one.code for one in plan.blockers] == ["drift"]
    assert "ix_data_entries_owner is missing" in plan.blockers[0].message
    assert run_upgrade(settings).exit_code == plan.blockers[0].exit_code


def test_an_upgrade_is_taken_back(settings: Settings, storage: StorageEngine) -> None:
    before = seen(storage)
    assert run_upgrade(settings).exit_code == 0
    outcome = run_rollback(settings)
    assert (outcome.state, outcome.exit_code) == ("done", 0), outcome.message
    assert seen(storage) == before
    behind = ask_readiness(settings, storage)
    assert behind.state == "BEHIND"
    assert "was rolled back" in behind.sentence


def test_what_was_written_since_is_in_a_backup_where_it_is_left_behind(
    settings: Settings, storage: StorageEngine
) -> None:
    before = seen(storage)
    assert run_upgrade(settings).exit_code == 0
    with storage.migration_connection() as migration:
        migration.execute(
            "INSERT INTO data_entries (id, endpoint_id, data, is_active, created_by_id, visibility, slug)"
            " VALUES (77, 1, '{}', 1, 1, 'public', 'later')"
        )
        migration.commit_durably()
    outcome = run_rollback(settings, discard=True)
    assert (outcome.state, outcome.exit_code) == ("done", 0), outcome.message
    assert outcome.details["written_since"] == {"data_entries": {"added": 1, "changed": 0, "removed": 0}}
    assert seen(storage) == before


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


# -- several at once -----------------------------------------------------------------------------------------


def test_of_many_at_once_exactly_one_upgrades(settings: Settings, storage: StorageEngine) -> None:
    said: list[tuple[str, int]] = []

    def run() -> None:
        outcome = run_upgrade(settings)
        said.append((outcome.state, outcome.exit_code))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(said) == [("done", 0), *[("nothing_to_do", 0)] * 3]
    with storage.looking() as connection:
        (count,) = connection.rows(
            "SELECT count(*) FROM database_versions WHERE migration_script LIKE '0006%'"
        )
        assert count == (1,)


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
