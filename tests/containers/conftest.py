"""What do the container tests stand on? A copy of the project in a folder of its own, and compose in it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 90
PARTS = ("app", "scripts", "deploy", "Dockerfile", ".dockerignore", "docker-compose.yml", "requirements.txt")
HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts containers needs an engine; the hook is handed every test of the run, not only these."""
    for item in items:
        if HERE in item.path.parents and "site" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.needs("engine"))


class Site:
    """An operator's folder with the service in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.env = {**os.environ, "DAEMON_PORT": str(self.port), "COMPOSE_PROJECT_NAME": "daemon-test"}

    @property
    def database(self) -> Path:
        return self.folder / "data" / "daemon.db"

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder; with ``check`` a non-zero exit status fails the test and shows why."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if check and done.returncode != 0:
            pytest.fail(f"{' '.join(command)} exited {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def compose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("docker", "compose", *arguments, check=check)

    def in_api(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.compose("exec", "-T", "api", *command, check=check)

    def get(self, path: str) -> tuple[int, dict[str, object]]:
        """Status and JSON body; status 0 while nothing listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except (OSError, ValueError):
            return 0, {}

    def wait_for(self, path: str, status: int) -> dict[str, object]:
        """Ask until the status is there; the deadline is generous, the machine may be slow."""
        end = time.monotonic() + DEADLINE_SECONDS
        seen: tuple[int, dict[str, object]] = (0, {})
        while time.monotonic() < end:
            seen = self.get(path)
            if seen[0] == status:
                return seen[1]
            time.sleep(0.2)
        logs = self.compose("logs", "api", check=False)
        pytest.fail(f"{path} answered {seen}, not {status}\n{logs.stdout}\n{logs.stderr}")


def free_port() -> int:
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Build the image once, by the compose file that operators use."""
    site = Site(copy_of_project(tmp_path_factory.mktemp("image")))
    site.compose("build", "--quiet")


def copy_of_project(folder: Path) -> Path:
    for part in PARTS:
        source = TOP / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / part)
    return folder


@pytest.fixture
def site(tmp_path: Path, image: None) -> Iterator[Site]:
    """An empty installation; whatever a test started is down afterwards."""
    made = Site(copy_of_project(tmp_path))
    try:
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "5", check=False)
