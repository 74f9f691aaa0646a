"""Does the server open, stay up, yield and open again by itself, as processes see it, on either engine?"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app import clock
from app.accounts import claim
from app.accounts.users import NewUser
from app.backup.catalog import list_backups
from app.database import open_database
from app.entries import write
from app.privacy.viewer import Viewer
from app.progress import Event, OnEvent
from app.settings import Settings
from app.storage.registry import process_lock_at, storage_for
from app.upgrade import readiness
from app.upgrade.model import Outcome
from app.upgrade.records.auto_upgrade_block import set_hold
from app.upgrade.versions.releases import NEWEST
from tests.conftest import SettingsIn
from tests.databases import Databases, locked_outside
from tests.upgrade.old_databases import build
from tests.upgrade.on_either_engine import place_older
from tests.web.conftest import HASH, PASSWORD, Server, Site, environment, wait_until

StartServer = Callable[..., Server]
IDEAS = "/api/v1/ideas"
TYPED = f"{Path(sys.executable).name} -m app.cli"  # in the folder of a test


@pytest.fixture
def empty(databases: Databases, tmp_path: Path, settings_in: SettingsIn) -> Settings:
    """Settings of an installation that has nothing yet, not even a folder."""
    return settings_in(tmp_path, database_url=databases.place(tmp_path), data_dir=tmp_path / "data")


@pytest.fixture
def old(databases: Databases, empty: Settings, base_of_run: Path) -> Settings:
    """Settings of an installation with an old database: the oldest that there can be on the engine."""
    empty.data_dir.mkdir()
    if databases.name != "sqlite":
        return replace(empty, database_url=place_older(databases, empty.data_dir.parent, base_of_run))
    build("layout_a", empty.database_path)
    return empty


def content_of(settings: Settings) -> object:
    """All that is in the database: the bytes of a file; on a server its rows, schema and mark."""
    if storage_for(settings.database_url).engine_name == "sqlite":
        return settings.database_path.read_bytes()
    with storage_for(settings.database_url).looking() as connection:
        return connection.digests(), connection.schema(), connection.mark()


def log_of(settings: Settings) -> str:
    return (settings.log_dir / "server.log").read_text()


def run_tool(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        env=environment(settings),
        cwd=settings.data_dir.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_first_start_makes_a_database_and_says_how_to_claim_it(
    empty: Settings, start_server: StartServer
) -> None:
    server = start_server(empty)
    server.wait_for("/health", 200)
    token = empty.claim_path.read_text().strip()
    assert server.ask(IDEAS, method="POST", body={"content": "first"})[0] == 201
    body = {"username": "ann", "email": "a@x", "password": PASSWORD, "claim_token": token}
    assert server.ask("/auth/register", method="POST", body=body)[0] == 201
    assert server.ask(IDEAS, method="POST", body={"content": "second"})[0] == 401
    printed = server.stop()
    assert printed.count(token) == 1
    assert token not in (empty.log_dir / "server.log").read_text()
    assert {path.stat().st_mode & 0o077 for path in empty.data_dir.iterdir()} == {0}, "no one else's"


@pytest.mark.only_on("sqlite")  # on a server there is no file
def test_a_database_with_a_second_name_is_served_with_a_warning(
    empty: Settings, start_server: StartServer
) -> None:
    server = start_server(empty)
    server.wait_for("/health", 200)
    server.stop()
    os.link(empty.database_path, empty.data_dir.parent / "copy.db")
    server = start_server(empty)
    server.wait_for("/health", 200)
    assert server.ask(IDEAS)[0] == 200
    server.stop()
    assert log_of(empty).count("has 2 names (hard links)") == 1


def test_manual_waits_and_opens_when_another_process_has_upgraded(
    old: Settings, start_server: StartServer
) -> None:
    server = start_server(old, UPGRADE_ON_START="manual")
    body = server.wait_for("/health", 503)
    assert body["status"] == "maintenance"
    assert body["database"]["state"] == "behind"
    assert NEWEST in body["detail"]
    assert body["hint"] == f"{TYPED} upgrade run"
    before = content_of(old), bytes_of(old.data_dir)
    status, problem, headers = server.ask(IDEAS)
    assert status == 503
    assert (problem["code"], problem["hint"]) == ("maintenance", f"{TYPED} upgrade run")
    assert headers["retry-after"]
    assert server.ask("/health/live")[0] == 200
    assert (content_of(old), bytes_of(old.data_dir)) == before
    done = run_tool(old, "upgrade", "run")
    assert done.returncode == 0, done.stderr
    assert server.wait_for("/health", 200)["database"]["version"] == NEWEST
    assert server.ask(IDEAS)[0] == 200
    assert server.process.poll() is None


def test_auto_upgrades_by_itself_with_a_backup(old: Settings, start_server: StartServer) -> None:
    server = start_server(old)
    server.wait_for("/health", 200)
    assert server.ask(IDEAS)[0] == 200
    assert [each.state for each in list_backups(old)] == ["good"]


def test_a_held_database_is_not_upgraded_by_itself(old: Settings, start_server: StartServer) -> None:
    set_hold(old, "the state before was put back")
    before = content_of(old)
    server = start_server(old)
    assert server.wait_for("/health", 503)["hint"] == f"{TYPED} upgrade run"
    assert "the state before was put back" in log_of(old)
    assert "the state before was put back" in run_tool(old, "status").stdout
    assert content_of(old) == before
    assert run_tool(old, "upgrade", "run").returncode == 0
    server.wait_for("/health", 200)


def test_an_upgrade_that_fails_at_start_is_told_and_not_tried_for_ever(
    old: Settings, start_server: StartServer, tmp_path: Path
) -> None:
    old.backup_dir.write_text("a file where the backups should go")
    before = content_of(old)
    server = start_server(old)
    body = server.wait_for("/health", 503)
    wait_until(lambda: server.ask("/health")[1]["status"] == "maintenance", "it never stopped trying")
    body = server.ask("/health")[1]
    assert (body["database"]["state"], body["hint"]) == ("behind", f"{TYPED} upgrade check")
    checked = run_tool(old, "upgrade", "check")
    assert all(str(old.backup_dir) in each for each in (log_of(old), checked.stdout + checked.stderr))
    assert content_of(old) == before
    assert server.process.poll() is None
    old.backup_dir.unlink()
    assert run_tool(old, "upgrade", "run").returncode == 0
    server.wait_for("/health", 200)


@pytest.mark.only_on("sqlite")  # an empty database on a server is begun with, as is one that is not there
@pytest.mark.parametrize(
    ("content", "state"),
    [(b"", "unknown"), (b"a text file, not a database at all", "unknown")],
    ids=["empty", "text"],
)
def test_what_cannot_be_served_keeps_it_waiting_not_dying(
    empty: Settings, start_server: StartServer, fresh_database: Path, content: bytes, state: str
) -> None:
    empty.data_dir.mkdir()
    empty.database_path.write_bytes(content)
    server = start_server(empty)
    body = server.wait_for("/health", 503)
    assert body["database"]["state"] == state
    assert body["detail"]
    assert body["hint"]
    assert empty.database_path.read_bytes() == content
    shutil.copyfile(fresh_database, empty.database_path)
    server.wait_for("/health", 200)


def test_a_lost_volume_is_not_begun_anew(
    empty: Settings, start_server: StartServer, fresh_database: Path
) -> None:
    elsewhere = empty.data_dir.parent / "daemon.db"
    shutil.copyfile(fresh_database, elsewhere)
    engine = storage_for(empty.database_url).engine_name
    server = start_server(empty)
    body = server.wait_for("/health", 503)
    assert body["database"]["state"] == "lost"
    assert body["hint"] == f"{TYPED} status"
    told = run_tool(empty, "status").stdout
    word = "--adopt" if engine == "sqlite" else "move --to"
    assert all(str(elsewhere) in each and word in each for each in (told, log_of(empty)))
    assert storage_for(empty.database_url).file_kind() == "missing"
    if engine == "sqlite":
        assert run_tool(empty, "init", "--adopt", str(elsewhere)).returncode == 0
        server.wait_for("/health", 200)


def test_it_yields_to_a_restore_and_serves_what_was_restored(
    settings: Settings, start_server: StartServer
) -> None:
    server = start_server(settings)
    server.wait_for("/health", 200)
    server.ask(IDEAS, method="POST", body={"content": "before"})
    made = run_tool(settings, "backup", "create")
    assert made.returncode == 0, made.stderr
    (name,) = [each.name for each in list_backups(settings)]
    server.ask(IDEAS, method="POST", body={"content": "after"})
    assert len(server.ask(IDEAS)[1]["items"]) == 2
    restored = run_tool(settings, "backup", "restore", name, "--yes")
    assert restored.returncode == 0, restored.stderr
    server.wait_for("/health", 200)
    assert [each["content"] for each in server.ask(IDEAS)[1]["items"]] == ["before"]
    assert server.process.poll() is None


def test_while_somebody_works_on_it_everybody_is_told_to_wait(
    settings: Settings, start_server: StartServer
) -> None:
    server = start_server(settings)
    server.wait_for("/health", 200)
    with process_lock_at(settings.database_path).exclusive(20):
        body = server.wait_for("/health", 503)
        assert body["database"]["state"] == "busy"
        status, problem, headers = server.ask(IDEAS)
        assert (status, problem["code"]) == (503, "maintenance")
        assert headers["retry-after"]
        with locked_outside(settings.database_url):
            pass  # the server lets go of every row
    server.wait_for("/health", 200)


def test_a_term_signal_ends_it_soon(settings: Settings, start_server: StartServer) -> None:
    server = start_server(settings)
    server.wait_for("/health", 200)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(timeout=20)
    assert time.monotonic() - began < 10


# -- in this process


def test_a_running_request_is_waited_for_before_the_database_is_handed_over(site: Site) -> None:
    supervisor, steps = site.app.server.supervisor, []

    def take() -> None:
        with process_lock_at(site.settings.database_path).exclusive(20):
            steps.append("handed over")

    with supervisor.writing() as connection:
        operator = threading.Thread(target=take)
        operator.start()
        wait_until(lambda: not supervisor.is_open, "it never began to yield")
        assert site.client.get(IDEAS).status_code == 503
        connection.exec_driver_sql("UPDATE users SET full_name = 'written while yielding'")
        steps.append("written")
    operator.join(20)
    assert steps == ["written", "handed over"]
    wait_until(lambda: supervisor.is_open, "it never opened again")
    assert site.user("ann").full_name == "written while yielding"


@pytest.mark.only_on("sqlite")  # on a server that is a restore, by name: tests/backup/test_on_server.py
def test_a_database_that_is_replaced_is_looked_at_anew(site: Site, fresh_database: Path) -> None:
    path = site.settings.database_path
    other = path.with_name("other.db")
    shutil.copyfile(fresh_database, other)
    database = open_database(Settings(database_url=f"sqlite:///{other}"))
    with database.writing() as connection:
        zoe = claim.create_account(connection, NewUser("zoe", "z@x", HASH, is_admin=True), clock.now())
        write.create(connection, Viewer("admin", zoe.id, "zoe"), "ideas", {"content": "so that zoe is known"})
    database.close()
    assert site.client.get("/api/v1/ideas/users/zoe").status_code == 404
    other.replace(path)
    wait_until(
        lambda: site.client.get("/api/v1/ideas/users/zoe").status_code == 200, "it never saw the other file"
    )


@pytest.mark.only_on("sqlite")
def test_a_file_written_over_the_database_is_noticed(site: Site) -> None:
    site.settings.database_path.write_bytes(b"a text file " * 1000)
    wait_until(lambda: site.client.get("/health").status_code == 503, "it never noticed")
    assert site.client.get(IDEAS).status_code == 503


@pytest.mark.only_on("sqlite")  # a server takes no such object
@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("view", "CREATE VIEW odd AS SELECT group_concat(1 FROB BY 2)"),
        ("trigger", "CREATE TRIGGER odd AFTER INSERT ON users BEGIN SELECT 1 FROB 2; END"),
    ],
)
def test_what_no_statement_can_be_run_beside_is_noticed_and_its_end_too(
    site: Site, kind: str, statement: str
) -> None:
    def changed(sql: str, *values: str) -> None:
        with closing(sqlite3.connect(site.settings.database_path)) as connection:
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute(sql, values)
            (cookie,) = connection.execute("PRAGMA schema_version").fetchone()
            connection.execute(f"PRAGMA schema_version = {cookie + 1}")
            connection.commit()

    changed("INSERT INTO sqlite_master VALUES (?, 'odd', 'users', 0, ?)", kind, statement)
    wait_until(lambda: site.client.get("/health").json()["status"] == "maintenance", "health never told it")
    changed("DELETE FROM sqlite_master WHERE name = 'odd'")
    wait_until(lambda: site.client.get(IDEAS).status_code == 200, "it never served again")


def test_health_tells_how_far_an_upgrade_is_and_how_it_failed(
    old: Settings, serve: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    go, calls = threading.Event(), []

    def upgrade(settings: Settings, on_event: OnEvent) -> Outcome:
        calls.append(settings)
        on_event(Event("progress", "backup", "Backing up", percent=40.0, eta_seconds=3.0))
        go.wait(20)
        return Outcome("failed_unchanged", 1, "It failed; the database is as it was.", "daemon upgrade run")

    monkeypatch.setattr(readiness, "upgrade_by_itself", upgrade)
    site = serve(old)
    wait_until(lambda: site.client.get("/health").json().get("progress"), "it never showed progress")
    health = site.client.get("/health")
    assert health.status_code == 503
    assert health.json()["status"] == "upgrading"
    assert health.json()["progress"] == {
        "phase": "backup", "percent": 40.0, "eta_seconds": 3.0,
    }  # fmt: skip
    assert site.client.get(IDEAS).status_code == 503
    go.set()
    wait_until(lambda: site.client.get("/health").json()["status"] == "maintenance", "it never gave up")
    assert "did not succeed" in site.client.get("/health").json()["detail"]
    assert "It failed; the database is as it was." in log_of(old)
    assert "progress" not in site.client.get("/health").json()
    assert len(calls) == 1
