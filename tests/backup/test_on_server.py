"""Backups of a database on a server: the same manifest, names and order as of a file, proved and put back."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app import clock
from app.backup import prune
from app.backup.catalog import list_backups
from app.backup.manifest import manifest_path
from app.backup.verify import prove_backup
from app.database import open_database
from app.entries import kinds
from app.errors import Busy, Damaged, Refused, UsageError
from app.settings import Settings
from app.storage.postgresql import dump, programs
from app.storage.postgresql import scratch_databases as scratch_databases_of_server
from app.storage.postgresql.exchange import Exchange
from app.storage.postgresql.locks import AdvisoryLock
from app.storage.registry import storage_for
from app.storage.types import StorageError
from app.upgrade.detect.identity import identity_of
from app.upgrade.detect.recognise import describe, recognise
from app.upgrade.model import Plan
from app.upgrade.operations.back_up import back_up
from app.upgrade.operations.init import initialise
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from app.upgrade.readiness import ask_readiness
from app.upgrade.steps.apply import apply
from app.upgrade.steps.steps import steps_between
from app.upgrade.versions.releases import FIRST_ON_SERVERS
from tests.conftest import SettingsIn
from tests.databases import PostgreSQLDatabases
from tests.postgresql import PostgreSQL
from tests.upgrade.killing import killed_at
from tests.web.conftest import DEADLINE_SECONDS, served_here

pytestmark = pytest.mark.needs("postgresql")
KINDS = len(kinds.built_in())


@pytest.fixture
def settings(
    tmp_path: Path, settings_in: SettingsIn, postgresql_databases: PostgreSQLDatabases
) -> Iterator[Settings]:
    """A new database on a server."""
    postgresql_databases.begin_test()
    made = settings_in(
        tmp_path, database_url=postgresql_databases.fresh(tmp_path), data_dir=tmp_path / "data"
    )
    yield made
    drop_all_of(postgresql_databases.server, name_of(made))


@pytest.fixture
def name(settings: Settings) -> str:
    """The name of that database."""
    return name_of(settings)


def name_of(settings: Settings) -> str:
    return settings.database_url.rpartition("/")[2]


def test_a_backup_is_made_listed_and_proved(settings: Settings, postgresql_server: PostgreSQL) -> None:
    made = back_up(settings, "manual")
    assert made.state == "good"
    assert made.manifest is not None
    assert made.manifest.rows["endpoints"] == KINDS
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
    assert postgresql_server.execute("SELECT count(*) FROM endpoints", name) == [(KINDS,)]
    assert done.old_database.startswith(f"{name}_before_")
    assert postgresql_server.execute("SELECT count(*) FROM endpoints", done.old_database) == [(3,)]
    assert ask_readiness(settings, storage_for(settings.database_url)).state == "READY"
    assert done.safety is not None
    restore_and_hold(settings, done.safety)
    assert postgresql_server.execute("SELECT count(*) FROM endpoints", name) == [(3,)]
    assert scratch_databases(postgresql_server) == []


def test_a_restore_is_done_though_its_scratch_databases_cannot_be_dropped(
    settings: Settings, postgresql_server: PostgreSQL, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk of the server is full by then; they are dropped later."""
    made = back_up(settings, "manual")
    postgresql_server.execute("DELETE FROM endpoints WHERE id > 3", name)

    def fails(driver: Any, name: str) -> None:
        raise psycopg.errors.InternalError_("checkpoint request failed")

    with monkeypatch.context() as patched:
        patched.setattr(scratch_databases_of_server, "_drop", fails)
        restore_and_hold(settings, made.name)
    assert postgresql_server.execute("SELECT count(*) FROM endpoints", name) == [(KINDS,)]
    assert scratch_databases(postgresql_server) != []
    scratch_databases_of_server.clear_leftovers(settings.database_url)
    assert scratch_databases(postgresql_server) == []


def test_a_restore_restores_the_backup_once_and_the_state_before_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = back_up(settings, "manual")
    restore, restored = scratch_databases_of_server._restore, []

    def counted(url: str, name: str, dump: Path, *more: Any) -> None:
        restored.append(dump.read_bytes() == made.path.read_bytes())
        restore(url, name, dump, *more)

    monkeypatch.setattr(scratch_databases_of_server, "_restore", counted)
    restore_and_hold(settings, made.name)
    assert restored == [True, False]


def test_no_server_takes_what_is_put_back_before_it_is_locked_and_looked_at(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock of what was there before went with it, to its new name."""
    made = back_up(settings, "manual")
    exchanged, tried = Exchange._swap, []

    def exchanged_and_tried(self: Exchange, new: str) -> str:
        old = exchanged(self, new)
        lock = storage_for(settings.database_url).process_lock()
        with pytest.raises(Busy):
            lock.serve()
        lock.yield_()
        tried.append(True)
        return old

    monkeypatch.setattr(Exchange, "_swap", exchanged_and_tried)
    restore_and_hold(settings, made.name)
    assert tried
    lock = storage_for(settings.database_url).process_lock()
    lock.serve()
    lock.yield_()


def scratch_databases(server: PostgreSQL) -> list[str]:
    """Those of this process's tests: others have theirs on the same server."""
    found = server.execute("SELECT datname FROM pg_database")
    return [name for (name,) in found if "_scratch_" in name and f"_{os.getpid()}_" in name]


def test_old_dumps_are_cleared_away_with_their_manifests_and_numbered(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "NEWEST_KEPT", 1)
    older, newer = back_up(settings, "daily", serving=True), back_up(settings, "manual")
    assert (older.number, newer.number) == (1, 2)
    identity, later = identity_of(settings), clock.now() + timedelta(days=100)
    assert [one.whose for one in list_backups(settings, identity=identity)] == ["this", "this"]
    done = prune.prune_backups(settings, now=later, identity=identity)
    assert [one.name for one in done.removed] == [older.name]
    left = {path.name for path in settings.backup_dir.iterdir() if path.name.startswith("backup_")}
    assert left == {newer.name, f"{newer.name}.json"}


# -- under an upgrade, and taken back ------------------------------------------------------------------------


@pytest.fixture
def older(
    tmp_path: Path, settings_in: SettingsIn, postgresql_databases: PostgreSQLDatabases
) -> Iterator[Settings]:
    """A database on a server as the first version made it that knew servers."""
    postgresql_databases.begin_test()
    url = postgresql_databases.place(tmp_path)
    made = settings_in(tmp_path, database_url=url, data_dir=tmp_path / "data")
    with storage_for(made.database_url).migration_connection() as migration:
        nothing = recognise(migration)
        steps = steps_between(nothing, FIRST_ON_SERVERS)
        apply(migration, nothing, Plan(nothing, FIRST_ON_SERVERS, steps))
        migration.commit_durably()
    yield made
    drop_all_of(postgresql_databases.server, name_of(made))


def test_an_upgrade_is_backed_up_and_rolled_back_with_what_was_written_since(
    older: Settings, postgresql_server: PostgreSQL
) -> None:
    name = name_of(older)
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


# -- what keeps a backup from being made, proved or put back -------------------------------------------------


def test_a_role_without_createdb_is_found_and_told_what_is_possible(
    settings: Settings, postgresql_server: PostgreSQL, name: str
) -> None:
    postgresql_server.execute(f"CREATE ROLE limited_{name} LOGIN")
    postgresql_server.execute(f"GRANT ALL ON SCHEMA public TO limited_{name}", name)
    for (table,) in postgresql_server.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace", name
    ):
        postgresql_server.execute(f'ALTER TABLE "{table}" OWNER TO limited_{name}', name)
    limited = replace(settings, database_url=settings.database_url.replace("postgres@", f"limited_{name}@"))
    try:
        found = {one.code: one for one in make_plan(limited).warnings}
        assert "has no CREATEDB" in found["no_createdb"].message
        assert found["no_createdb"].hint.startswith("psql -c")
        made = back_up(limited, "manual")
        assert made.state == "good"
        assert "no CREATEDB" in made.soundness.not_proven[0]
        with pytest.raises(Refused, match="no CREATEDB"):
            restore_and_hold(limited, made.name)
        assert postgresql_server.execute("SELECT count(*) FROM endpoints", name) == [(KINDS,)]
        restore_and_hold(replace(settings), made.name)  # as a role that may
    finally:
        postgresql_server.execute(f"REASSIGN OWNED BY limited_{name} TO postgres", name)
        drop_all_of(postgresql_server, name)
        postgresql_server.execute(f"DROP OWNED BY limited_{name}", name)
        postgresql_server.execute(f"DROP ROLE limited_{name}")


@pytest.mark.parametrize(("version", "words"), [(None, "is not installed here"), (14, "is of 14")])
def test_without_a_pg_dump_of_the_server_s_version_none_is_made(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int | None, words: str
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    if version is not None:
        program = folder / "pg_dump"
        program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}.3'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/sbin")
    monkeypatch.setattr(programs, "DEBIANS", str(tmp_path))
    with pytest.raises(Refused, match=words) as refused:
        back_up(settings, "manual")
    assert refused.value.hint.startswith("apt-get install postgresql-client-")
    assert list_backups(settings) == []
    blockers = [one.code for one in make_plan(settings).blockers]
    assert blockers == ["no_backup_program"]


def test_a_damaged_dump_is_told_and_not_put_back(
    settings: Settings, postgresql_server: PostgreSQL, name: str
) -> None:
    made = back_up(settings, "manual")
    content = bytearray(made.path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    made.path.write_bytes(content)
    assert [one.state for one in list_backups(settings)] == ["damaged"]
    with pytest.raises(Damaged):
        prove_backup(settings, made.name, describe=describe)
    with pytest.raises(Damaged):
        restore_and_hold(settings, made.name)
    assert postgresql_server.execute("SELECT count(*) FROM endpoints", name) == [(KINDS,)]
    manifest_path(made.path).unlink()  # nothing vouches for it any more: pg_restore finds out
    made.path.write_bytes(content[: len(content) // 2])
    with pytest.raises(Damaged, match="is damaged"):
        restore_and_hold(settings, made.name)
    assert scratch_databases(postgresql_server) == []


def test_a_backup_of_the_other_engine_is_not_put_back(
    settings: Settings, tmp_path: Path, settings_in: SettingsIn
) -> None:
    file = settings_in(tmp_path, database_url=f"sqlite:///{tmp_path / 'other' / 'daemon.db'}")
    initialise(file, fresh=True)
    of_file, of_server = back_up(file, "manual"), back_up(settings, "manual")
    with pytest.raises(UsageError, match="is a backup of SQLite"):
        restore_and_hold(settings, of_file.name)
    with pytest.raises(UsageError, match="is a backup of PostgreSQL"):
        restore_and_hold(file, of_server.name)


def test_what_a_killed_restore_left_is_cleared_away_by_the_next(
    settings: Settings, postgresql_server: PostgreSQL
) -> None:
    made = back_up(settings, "manual")
    child = os.fork()
    if child == 0:
        scratch = scratch_databases_of_server
        with scratch.restored(settings.database_url, made.path):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert len(scratch_databases(postgresql_server)) == 1
    prove_backup(settings, made.name, describe=describe)
    assert scratch_databases(postgresql_server) == []


def test_a_copy_that_could_not_be_dropped_is_a_leftover(
    settings: Settings,
    postgresql_server: PostgreSQL,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    scratch, url = scratch_databases_of_server, settings.database_url
    names = [scratch.make(url) for _ in range(2)]
    assert storage_for(url).clear_leftovers() == 2, "they are in use"
    failing = [names[0]]

    def not_at_first(driver: Any, name: str) -> None:
        if name in failing:
            failing.remove(name)
            raise psycopg.OperationalError("the connection was lost")
        dropped(driver, name)

    dropped = scratch._drop
    monkeypatch.setattr(scratch, "_drop", not_at_first)
    kept = scratch.kept(url)
    kept.__enter__()
    scratch._kept.changed = {(url, (Path("a.dump"), 1, number)): name for number, name in enumerate(names)}
    kept.__exit__(None, None, None)
    assert "could not be dropped" in caplog.text
    assert scratch_databases(postgresql_server) == names[:1], "the other one is dropped all the same"
    assert storage_for(url).clear_leftovers() == 0
    assert scratch_databases(postgresql_server) == []


def test_who_could_make_no_copy_holds_none(
    settings: Settings, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = scratch_databases_of_server
    monkeypatch.setattr(scratch, "_new_name", lambda live: live)  # which is taken
    before = dict(scratch._in_use)
    with pytest.raises(StorageError, match="already exists"):
        scratch.make(settings.database_url)
    assert scratch._in_use == before


def test_what_a_killed_process_left_goes_with_the_start_of_a_server_and_with_what_is_erased(
    settings: Settings, postgresql_server: PostgreSQL, name: str
) -> None:
    scratch, url, others = scratch_databases_of_server, settings.database_url, f"{name}_2_scratch_00000000"

    def left() -> None:
        made = scratch.make(url)
        scratch.let_go(made)
        assert made in scratch_databases(postgresql_server)

    with closing(open_database(settings)) as database:
        left()
        database.scrub(["data_entries"])
        assert scratch_databases(postgresql_server) == []
        used = scratch.make(url)
        with pytest.raises(Busy, match="copy of the database is in use"):
            database.scrub(["data_entries"])
        assert scratch_databases(postgresql_server) == [used]
        scratch.drop(url, used)
        database.scrub(["data_entries"])
    left()
    postgresql_server.execute(f'CREATE DATABASE "{others}"')  # of another installation
    with served_here(settings):
        ends = time.monotonic() + DEADLINE_SECONDS
        while scratch_databases(postgresql_server) != [others]:
            assert time.monotonic() < ends
            time.sleep(0.05)
    postgresql_server.execute(f'DROP DATABASE "{others}"')


def test_a_password_is_not_among_the_words_of_a_program(tmp_path: Path) -> None:
    url = "postgresql+psycopg://ann:s%3Aec%5Cret@host.example/name?sslmode=require"
    with programs.conninfo_without_password(url, tmp_path) as conninfo:
        assert "ret" not in conninfo
        path = tmp_path / "pgpass"
        assert path.read_text() == "*:*:*:*:s\\:ec\\\\ret\n"
        assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == []


# -- one moment, under a lock, killed ------------------------------------------------------------------------


def test_rows_and_digests_are_of_the_moment_of_the_dump(
    settings: Settings, postgresql_server: PostgreSQL, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = programs.run

    def run_and_write(words: Sequence[str | Path], *more: Any) -> None:
        run(words, *more)
        if Path(str(words[0])).name == "pg_dump":
            postgresql_server.execute("DELETE FROM endpoints WHERE id > 3", name)

    monkeypatch.setattr(programs, "run", run_and_write)
    made = back_up(settings, "manual")
    assert made.manifest is not None
    assert made.manifest.rows["endpoints"] == KINDS
    assert postgresql_server.execute("SELECT count(*) FROM endpoints", name) == [(3,)]


def test_no_one_writes_from_the_dump_of_an_upgrade_on(
    older: Settings, postgresql_server: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = name_of(older)
    run, refused = programs.run, []

    def run_and_try_to_write(words: Sequence[str | Path], *more: Any) -> None:
        with psycopg.connect(postgresql_server.conninfo(name)) as other:
            other.execute("SET lock_timeout = '100ms'")
            assert other.execute("SELECT count(*) FROM endpoints").fetchone() == (33,)  # of its step
            with contextlib.suppress(psycopg.errors.LockNotAvailable):
                other.execute("DELETE FROM endpoints WHERE id = 3")
                refused.append(False)
        run(words, *more)
        refused.append(True)

    monkeypatch.setattr(programs, "run", run_and_try_to_write)
    assert run_upgrade(older).exit_code == 0
    assert refused
    assert all(refused)


POINTS: dict[str, tuple[Any, str]] = {
    "state kept": (dump, "dump"),
    "new one made": (scratch_databases_of_server, "make"),
    "restored": (scratch_databases_of_server, "_restore"),
    "names exchanged": (Exchange, "_swap"),
    "compared": (Exchange, "_was_written"),
    "locked again": (AdvisoryLock, "_wait_for"),
}


@pytest.mark.sweep
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("point", POINTS)
def test_a_killed_restore_leaves_the_old_or_the_new_whole(
    settings: Settings, postgresql_server: PostgreSQL, name: str, point: str, when: str
) -> None:
    made = back_up(settings, "manual")
    postgresql_server.execute("DELETE FROM endpoints WHERE id > 3", name)
    killed_at(*POINTS[point], when, lambda: restore_and_hold(settings, made.name))
    assert postgresql_server.execute("SELECT count(*) FROM endpoints", name)[0][0] in (3, KINDS)
    assert ask_readiness(settings, storage_for(settings.database_url)).state == "READY"
    restore_and_hold(settings, made.name)
    assert postgresql_server.execute("SELECT count(*) FROM endpoints", name) == [(KINDS,)]
    assert scratch_databases(postgresql_server) == []
