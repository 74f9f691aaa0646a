"""Backups of a database on a server: the same manifest, names and order as of a file, proved and put back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.backup.catalog import list_backups
from app.backup.verify import prove_backup
from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.detect.identity import identity_of
from app.upgrade.detect.recognise import describe, recognise
from app.upgrade.model import Plan
from app.upgrade.operations.back_up import back_up
from app.upgrade.operations.init import initialise
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.readiness import ask_readiness
from app.upgrade.steps.apply import apply
from app.upgrade.steps.steps import steps_between
from app.upgrade.versions.releases import FIRST_ON_SERVERS
from tests.conftest import SettingsIn
from tests.postgresql import PostgreSQL

pytestmark = pytest.mark.needs("postgresql")


@pytest.fixture
def name(postgresql_database: str) -> str:
    return postgresql_database


@pytest.fixture
def settings(
    tmp_path: Path, settings_in: SettingsIn, postgresql_server: PostgreSQL, name: str
) -> Iterator[Settings]:
    """A new database on a server."""
    url = postgresql_server.url(name)
    made = settings_in(tmp_path, database_url=url, data_dir=tmp_path / "data")
    assert initialise(made).state == "done"
    yield made
    drop_all_of(postgresql_server, name)


def test_a_backup_is_made_listed_and_proved(settings: Settings, postgresql_server: PostgreSQL) -> None:
    made = back_up(settings, "manual")
    assert made.state == "good"
    assert made.manifest is not None
    assert made.manifest.rows["endpoints"] == 33
    assert made.manifest.digests is not None
    assert made.path.read_bytes().startswith(b"PGDMP")
    assert [one.name for one in list_backups(settings, identity=identity_of(settings))] == [made.name]
    proof = prove_backup(settings, made.name, describe=describe)
    assert proof.contents.rows == dict(made.manifest.rows)
    assert scratch_databases(postgresql_server) == []


def test_a_backup_is_put_back_and_what_was_there_is_kept(
    settings: Settings, postgresql_server: PostgreSQL, name: str
) -> None:
    made = back_up(settings, "manual")
    postgresql_server.execute("DELETE FROM endpoints WHERE id > 3", name)
    done = restore_and_hold(settings, made.name)
    assert postgresql_server.execute("SELECT count(*) FROM endpoints", name) == [(33,)]
    assert done.old_database.startswith(f"{name}_before_")
    assert postgresql_server.execute("SELECT count(*) FROM endpoints", done.old_database) == [(3,)]
    assert ask_readiness(settings, storage_for(settings.database_url)).state == "READY"
    assert done.safety is not None
    restore_and_hold(settings, done.safety)
    assert postgresql_server.execute("SELECT count(*) FROM endpoints", name) == [(3,)]
    assert scratch_databases(postgresql_server) == []


def scratch_databases(server: PostgreSQL) -> list[str]:
    return [name for (name,) in server.execute("SELECT datname FROM pg_database") if "_scratch_" in name]


# -- under an upgrade, and taken back ------------------------------------------------------------------------


@pytest.fixture
def older(
    tmp_path: Path, settings_in: SettingsIn, postgresql_server: PostgreSQL, name: str
) -> Iterator[Settings]:
    """A database on a server as the first version made it that knew servers."""
    made = settings_in(tmp_path, database_url=postgresql_server.url(name), data_dir=tmp_path / "data")
    with storage_for(made.database_url).migration_connection() as migration:
        nothing = recognise(migration)
        steps = steps_between(nothing, FIRST_ON_SERVERS)
        apply(migration, nothing, Plan(nothing, FIRST_ON_SERVERS, steps))
        migration.commit_durably()
    yield made
    drop_all_of(postgresql_server, name)


def test_an_upgrade_is_backed_up_and_rolled_back_with_what_was_written_since(
    older: Settings, postgresql_server: PostgreSQL, name: str
) -> None:
    outcome = run_upgrade(older)
    assert (outcome.state, outcome.exit_code) == ("done", 0), outcome.message
    assert outcome.backup is not None
    assert outcome.backup.endswith(".dump")
    postgresql_server.execute(
        "INSERT INTO users (id, username, email, hashed_password) VALUES (1, 'ann', 'a@example.org', 'x')",
        name,
    )
    postgresql_server.execute(
        "INSERT INTO data_entries (id, endpoint_id, data, created_by_id) VALUES (1, 3, '{}', 1)", name
    )
    back = run_rollback(older)
    assert (back.state, back.exit_code) == ("done", 0), back.message
    assert back.details["version"] == FIRST_ON_SERVERS
    assert postgresql_server.execute("SELECT username FROM users", name) == [("ann",)]
    assert postgresql_server.execute("SELECT id FROM data_entries", name) == [(1,)]
    assert ask_readiness(older, storage_for(older.database_url)).state == "BEHIND"
    again = run_upgrade(older)
    assert again.exit_code == 0, again.message
    assert postgresql_server.execute("SELECT id FROM data_entries", name) == [(1,)]
    assert scratch_databases(postgresql_server) == []


def drop_all_of(server: PostgreSQL, name: str) -> None:
    for (other,) in server.execute("SELECT datname FROM pg_database"):
        if str(other).startswith(f"{name}_"):
            server.drop(other)
