"""What do the tests of the web door stand on? A fresh database, a client in this process, a real server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from sqlalchemy import Connection
from starlette.testclient import TestClient

from app import clock, log_lines
from app.accounts import claim, passwords, users
from app.accounts.users import NewUser, User
from app.settings import Settings
from app.web.app import WebApp, create_app
from tests.conftest import ROOT, SettingsIn
from tests.databases import Databases, SQLiteDatabases
from tests.web.described import check_answer

PASSWORD = "a long sentence is best"
HASH = passwords.hash_password(PASSWORD)
DEADLINE_SECONDS = 60.0  # for a condition, on a machine that has much else to do

# Hashing and waiting are what these tests would spend their time on.


@pytest.fixture(autouse=True)
def _refusals_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.accounts import login

    monkeypatch.setattr(login, "REFUSAL_SECONDS", 0.0)


@pytest.fixture(scope="session")
def fresh_database(sqlite_databases: SQLiteDatabases) -> Path:
    """The file of a fresh database, to be copied."""
    return sqlite_databases.template()


@pytest.fixture
def settings(tmp_path: Path, settings_in: SettingsIn, databases: Databases) -> Settings:
    """Settings of an installation with a fresh database that no one has claimed."""
    made = settings_in(tmp_path, backup_enabled=False, data_dir=tmp_path / "data")
    return replace(made, database_url=databases.fresh(tmp_path))


@dataclass
class Site:
    """An installation that is served in this process."""

    settings: Settings
    app: WebApp
    client: TestClient

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection of the server's own, for what no address does."""
        with self.app.server.supervisor.writing() as connection:
            yield connection

    def add_user(self, username: str, *, is_admin: bool = False, stored_hash: str = HASH) -> User:
        """Make an account whose password is PASSWORD."""
        new = NewUser(username, f"{username}@example.org", stored_hash, is_admin=is_admin)
        with self.writing() as connection:
            return claim.create_account(connection, new, clock.now())

    def log_in(self, username: str, password: str = PASSWORD) -> dict[str, str]:
        """Return the header of someone who logged in."""
        answer = self.client.post("/auth/login", data={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def user(self, username: str) -> User:
        """Return the account as it is stored."""
        with self.app.server.supervisor.reading() as connection:
            return users.get_user(connection, username)


@contextmanager
def served_here(
    settings: Settings, peer: str = "192.0.2.1", base_url: str = "http://daemon.example"
) -> Iterator[Site]:
    """An installation, served in this process as long as this lasts."""
    app = create_app(settings)
    client = TestClient(app, base_url=base_url, client=(peer, 50000), raise_server_exceptions=True)
    client.event_hooks = {"response": [check_response]}
    with client, secrets_of_its_own():
        assert app.server.supervisor.wait_until_decided(DEADLINE_SECONDS)
        yield Site(settings, app, client)


@contextmanager
def secrets_of_its_own() -> Iterator[None]:
    """What is kept out of the log in this time is forgotten then: each line is searched for all of it."""
    before = set(log_lines._kept_secret)
    try:
        yield
    finally:
        log_lines._kept_secret.clear()
        log_lines._kept_secret.update(before)


@pytest.fixture
def serve() -> Iterator[Callable[..., Site]]:
    """`serve(settings)`: the installation, served in this process until the test ends."""
    with ExitStack() as stack:
        yield lambda settings, **how: stack.enter_context(served_here(settings, **how))


def check_response(response: Any) -> None:
    """Hold an answer to what its address describes; see tests.web.described."""
    request, path = response.request, unquote(response.request.url.raw_path.decode().partition("?")[0])
    content_type = response.headers.get("content-type", "")
    check_answer(request.method, path, response.status_code, content_type, response.read())


@pytest.fixture
def unclaimed(serve: Callable[..., Site], settings: Settings) -> Site:
    """An installation that no one has claimed, asked from elsewhere."""
    return serve(settings)


@pytest.fixture
def site(unclaimed: Site) -> Site:
    """An installation whose admin is ann, asked from elsewhere."""
    unclaimed.add_user("ann", is_admin=True)
    return unclaimed


# -- real processes


@dataclass
class Server:
    """A server process on a port of its own."""

    folder: Path
    port: int
    process: subprocess.Popen[str]
    output: list[str] = field(default_factory=list)

    def ask(
        self, path: str, *, method: str = "GET", body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, JSON body and headers; status 0 where no one answers."""
        data = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if body is not None else {}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data, {**sent, **(headers or {})}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return _read(method, path, answer.status, answer)
        except urllib.error.HTTPError as error:
            with error:
                return _read(method, path, error.code, error)
        except OSError:
            return 0, None, {}

    def wait_for(self, path: str, status: int, seconds: float = DEADLINE_SECONDS) -> Any:
        """Ask until the status comes; returns the body."""
        return wait_until(lambda: self._body_if(path, status), f"{path} never answered {status}", seconds)

    def _body_if(self, path: str, status: int) -> Any:
        found, body, _headers = self.ask(path)
        return (body or True) if found == status else None

    def stop(self) -> str:
        """End the server as a service manager does; returns what it printed."""
        self.process.terminate()
        printed, _ = self.process.communicate(timeout=30)
        return printed


def _read(method: str, path: str, status: int, answer: Any) -> tuple[int, Any, dict[str, str]]:
    body = answer.read()
    lower = {name.lower(): value for name, value in dict(answer.headers).items()}
    check_answer(method, unquote(path.partition("?")[0]), status, lower.get("content-type", ""), body)
    return status, json.loads(body) if body else None, lower


def wait_until(look: Callable[[], Any], otherwise: str, seconds: float = DEADLINE_SECONDS) -> Any:
    """Return what ``look`` finds as soon as it finds something; fail with a sentence otherwise."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(otherwise)


def environment(settings: Settings, **changes: str) -> dict[str, str]:
    """Return the environment that makes another process use ``settings``."""
    given = {
        "DATABASE_URL": settings.database_url,
        "BACKUP_DIR": str(settings.backup_dir),
        "LOG_DIR": str(settings.log_dir),
        "BACKUP_ENABLED": "false",
        "PYTHONPATH": str(ROOT),
    }
    return {**os.environ, **given, **changes}


def free_port() -> int:
    """Return a port that no one listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """`start_server(settings, UPGRADE_ON_START="manual")`: a real server process, ended with the test."""
    started: list[Server] = []

    def start(settings: Settings, **changes: str) -> Server:
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port), "--no-access-log"]
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment(settings, PORT=str(port), **changes),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        server = Server(tmp_path, port, process)
        started.append(server)
        wait_until(lambda: server.ask("/health")[0], "it never listened")
        return server

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
        server.process.communicate(timeout=30)
