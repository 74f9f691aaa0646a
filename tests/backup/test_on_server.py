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
from app.upgrade.detect.recognise import describe
from app.upgrade.operations.back_up import back_up
from app.upgrade.operations.init import initialise
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.readiness import ask_readiness
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
    for (other,) in postgresql_server.execute("SELECT datname FROM pg_database"):
        if str(other).startswith(f"{name}_"):
            postgresql_server.drop(other)


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
