"""What do the contract tests stand on? An operator's folder: a checkout with old data in it."""

from __future__ import annotations

import compileall
import contextlib
import hashlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.upgrade.old_databases import build

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("app", "scripts", "requirements.txt", "pyproject.toml", "daemon.service", ".env.example")
DEADLINE_SECONDS = 60


@dataclass
class Done:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Answer:
    """What a server said; status 0 while nothing listens."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Operator:
    """Someone in the folder of their installation, typing commands as the guide spells them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.database = self.data / "daemon.db"
        self.backups = folder / "backups"
        self.port = free_port()
        self.env = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PORT": str(self.port),
        }

    def put(self, name: str) -> Any:
        """An old database of the test's own making where the guide has it; returns what is known of it."""
        self.data.mkdir(exist_ok=True)
        return build(name, self.database)

    def type(self, line: str, status: int | None = 0, stdin: str = "") -> Done:
        """Run one line of shell; with ``status`` another exit status fails the test and shows why."""
        ended = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )
        done = Done(ended.returncode, ended.stdout, ended.stderr)
        assert "Traceback" not in done.said, f"a stack trace from {line}\n{done.said}"
        assert status is None or done.status == status, f"{line} exited {done.status}\n{done.said}"
        return done

    def rows(self, sql: str, path: Path | None = None) -> list[tuple[Any, ...]]:
        with contextlib.closing(
            sqlite3.connect(f"file:{path or self.database}?mode=ro", uri=True)
        ) as connection:
            return connection.execute(sql).fetchall()

    def change(self, *statements: str) -> None:
        with contextlib.closing(sqlite3.connect(self.database)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    def files(self) -> dict[str, tuple[str, int]]:
        """Every file outside the code: its hash and the time of its last change."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder)
            if path.is_file() and name.parts[0] not in ("app", "scripts"):
                found[str(name)] = (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        return found

    def backup_names(self) -> list[str]:
        return sorted(path.name for path in self.backups.glob("backup_*.db"))

    @contextlib.contextmanager
    def server(self) -> Iterator[subprocess.Popen[bytes]]:
        """The server, started as the guide starts it; it listens when the block begins."""
        log = self.folder / "console.txt"
        with log.open("ab") as console:
            process = subprocess.Popen(
                ["python", "-m", "app.cli", "serve"],
                cwd=self.folder,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        try:
            self.wait_for("/health/live", 200, process)
            self.ask("/health")  # is answered once it knows its database
            yield process
        finally:
            process.terminate()
            try:
                process.wait(DEADLINE_SECONDS)
            finally:
                process.kill()

    def ask(self, path: str, data: object = None, method: str | None = None, **headers: str) -> Answer:
        """One request to the server of this folder."""
        body = json.dumps(data).encode() if data is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers, method=method)
        if body is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Answer(answer.status, json.loads(answer.read() or b"null"), dict(answer.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read() or b"null"), dict(error.headers))
        except OSError:
            return Answer(0)

    def wait_for(self, path: str, status: int, process: subprocess.Popen[bytes] | None = None) -> Answer:
        """Ask until that status is there."""
        end = time.monotonic() + DEADLINE_SECONDS
        seen = Answer(0)
        while time.monotonic() < end and (process is None or process.poll() is None):
            seen = self.ask(path)
            if seen.status == status:
                return seen
            time.sleep(0.05)
        raise AssertionError(f"{path} answered {seen}\n{(self.folder / 'console.txt').read_text()}")


def free_port() -> int:
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's files, as they are now, to be copied into the folder of each operator."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part)
        elif source.exists():
            shutil.copy2(source, folder / part)
    compileall.compile_dir(folder / "app", quiet=1)  # once, not in the folder of every operator
    return folder


@pytest.fixture(scope="session")
def new_operator(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Operator]:
    """Makes as many operators' folders as a test wants."""

    def make() -> Operator:
        folder = tmp_path_factory.mktemp("operator")
        # Links, because they are quick: a test that changes a file of the code unlinks it first.
        shutil.copytree(checkout, folder, dirs_exist_ok=True, copy_function=os.link)
        return Operator(folder)

    return make


@pytest.fixture
def operator(new_operator: Callable[[], Operator]) -> Operator:
    """An operator whose folder has no data yet."""
    return new_operator()


@pytest.fixture
def old(operator: Operator) -> Operator:
    """An operator with a database of 0.1.0 (the genuine layout) in ./data."""
    operator.put("layout_a")
    return operator
