"""A server whose database is on a server of PostgreSQL: does it stop, wait and go on as it should?"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from app import clock
from app.accounts.users import NewUser
from app.accounts.users import create_user as store_user
from app.errors import Busy, DaemonError
from app.server import database_supervisor, lifetime
from app.server.jobs import Job
from app.server.lifetime import running
from app.server.state import ServerState
from app.settings import Settings
from app.storage.registry import process_lock_at
from app.tables import users
from app.upgrade.operations.init import initialise
from tests.postgresql import PostgreSQL, own_server
from tests.web.conftest import wait_until

pytestmark = pytest.mark.needs("postgresql")

SECONDS = 60.0


@pytest.fixture
def settings(
    postgresql_server: PostgreSQL, postgresql_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """An installation with an empty database."""
    return settings_of(postgresql_server.url(postgresql_database), tmp_path, monkeypatch)


def settings_of(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation in a folder; its database is made."""
    monkeypatch.chdir(tmp_path)
    settings = Settings(database_url=url, backup_dir=tmp_path / "backups", log_dir=tmp_path / "logs")
    initialise(settings)
    return settings


@pytest.fixture
def server(settings: Settings) -> Iterator[ServerState]:
    """A server without a door, which serves."""
    yield from served(settings)


def served(settings: Settings) -> Iterator[ServerState]:
    """A server without a door, which serves."""
    server = ServerState(settings)
    server.supervisor.start(SECONDS)
    wait_until(partial(is_open, server), "it never served", SECONDS)
    try:
        yield server
    finally:
        server.supervisor.stop()
        server.writes.close()


def is_open(server: ServerState) -> bool:
    """Whether it serves."""
    return server.supervisor.is_open


def is_closed(server: ServerState) -> bool:
    """Whether it does not."""
    return not server.supervisor.is_open


def write(server: ServerState, name: str) -> None:
    """Write one row."""
    with server.supervisor.writing() as connection:
        store_user(connection, NewUser(name, f"{name}@example.org", "x"), clock.now())


def names(server: ServerState) -> list[str]:
    """What was written."""
    with server.supervisor.reading() as connection:
        return sorted(connection.execute(select(users.c.username)).scalars())


def test_a_lost_session_stops_writes_and_service_goes_on_by_itself(
    server: ServerState, postgresql_server: PostgreSQL, postgresql_database: str
) -> None:
    write(server, "ann")
    postgresql_server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE '%%(lock)%%' AND datname = %s",
        "postgres",
        (postgresql_database,),
    )
    wait_until(partial(is_closed, server), "it never noticed", SECONDS)
    with pytest.raises(DaemonError) as refused:
        write(server, "bob")
    assert refused.value.status == 503
    wait_until(partial(is_open, server), "it never went on", SECONDS)
    write(server, "cid")
    assert names(server) == ["ann", "cid"]


def test_an_operator_is_let_in_and_service_goes_on_afterwards(
    server: ServerState, settings: Settings
) -> None:
    write(server, "ann")
    with process_lock_at(settings.database_path).exclusive(SECONDS):
        assert not server.supervisor.is_open
        with pytest.raises(DaemonError):
            write(server, "bob")
    wait_until(partial(is_open, server), "it never went on", SECONDS)
    write(server, "cid")
    assert names(server) == ["ann", "cid"]


def test_a_server_of_the_database_that_crashes_and_comes_back_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_server(durable=True) as database_server:
        url = database_server.create(f"crashing_{os.getpid()}")
        for server in served(settings_of(url, tmp_path, monkeypatch)):
            write(server, "ann")
            database_server.stop("immediate")
            with pytest.raises(Busy):
                write(server, "bob")
            wait_until(partial(is_closed, server), "it never noticed", SECONDS)
            assert server.supervisor.generation() == -1
            database_server.start(durable=True)
            wait_until(partial(is_open, server), "it never went on", SECONDS)
            write(server, "cid")
            assert names(server) == ["ann", "cid"]


def test_two_servers_see_each_others_commits_at_once(server: ServerState, settings: Settings) -> None:
    for other in served(settings):
        before = server.supervisor.generation()
        for number in range(20):
            write(other, f"one{number}")
            assert server.supervisor.generation() != before
            before = server.supervisor.generation()
            assert f"one{number}" in names(server)
        assert server.supervisor.is_mine("backup") != other.supervisor.is_mine("backup")


def test_a_server_that_is_to_stop_does_not_wait_for_a_standby_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits is told that it is not known; and what is to be written at the end holds no one up either."""
    monkeypatch.setattr(database_supervisor, "DRAIN_SECONDS", 0.5)
    monkeypatch.setattr(lifetime, "jobs_of", lambda _server: [])  # what they write would wait as well
    told: list[object] = []
    with own_server() as primary:
        server = ServerState(settings_of(primary.url(), tmp_path, monkeypatch))
        with running(server):
            wait_until(partial(is_open, server), "it never served", SECONDS)
            server.jobs.add(Job("at the end", SECONDS, int, at_end=partial(write, server, "later")))
            make_synchronous_with_nobody(primary)
            writing = Thread(target=lambda: told.append(outcome_of(partial(write, server, "ann"))))
            writing.start()
            waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            wait_until(lambda: primary.execute(waits)[0][0], "no commit waits", SECONDS)
            began = time.monotonic()
        writing.join(SECONDS)
        assert time.monotonic() - began < SECONDS / 2
        assert "whether it was written is not known" in str(told)


def make_synchronous_with_nobody(primary: PostgreSQL) -> None:
    """Let a commit wait for a standby that is not there."""
    primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    primary.execute("SELECT pg_reload_conf()")
    wait_until(
        lambda: primary.execute("SHOW synchronous_standby_names") == [("nobody",)],
        "it waits for no one",
        SECONDS,
    )


def outcome_of(act: Callable[[], object]) -> object:
    """What it returned or raised."""
    try:
        return act()
    except DaemonError as error:
        return error
