"""Does the README do what it says? Its commands are run in an empty folder, from claiming on."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import ROOT

DEADLINE_SECONDS = 60
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(heading: str) -> str:
    """Return the shell text of every block below a heading, in order."""
    section = re.split(rf"^## {re.escape(heading)}$", README, flags=re.MULTILINE)[1].split("\n## ")[0]
    return "\n".join(re.findall(r"^ *```bash\n(.*?)^ *```$", section, re.MULTILINE | re.DOTALL))


class Stranger:
    """Someone who has just checked the project out and types what the README says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("app", "scripts"):
            (folder / name).symlink_to(ROOT / name)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PORT": str(self.port),
            "HOME": str(folder),
        }

    def types(self, text: str) -> str:
        """Run a shell on the README's text, at this test's port; return what it printed."""
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", text.replace("8004", str(self.port))],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def starts_the_server(self) -> subprocess.Popen[str]:
        # what `make run` does once its environment is there
        self.types("python -m app.cli init")
        server = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not self._answers():
            assert server.poll() is None, server.stdout.read() if server.stdout else ""
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.05)
        return server

    def _answers(self) -> bool:
        """Whether it serves: it listens before that, and says there that it starts."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture
def stranger(tmp_path: Path) -> Stranger:
    return Stranger(tmp_path)


@pytest.fixture
def server(stranger: Stranger) -> Iterator[subprocess.Popen[str]]:
    running = stranger.starts_the_server()
    yield running
    running.terminate()
    running.communicate(timeout=DEADLINE_SECONDS)


@pytest.mark.needs("curl")
def test_five_minutes_end_with_one_idea_published(stranger: Stranger, server: subprocess.Popen[str]) -> None:
    token = (stranger.folder / "data/claim").read_text().strip()
    whole = stranger.types(commands("Five minutes to something published"))
    printed, _, page = whole.partition("<!doctype html>")
    assert "The street could share one drill." in page
    assert "Still thinking." not in page
    answers = [json.loads(part) for part in re.sub(r"\}\s*\{", "}\0{", printed).split("\0")]
    account, published, kept, seen = answers
    assert (account["username"], account["is_admin"]) == ("ann", True)
    assert [item["id"] for item in seen["items"]] == [published["id"]]
    assert seen["items"][0]["content"] == "# A library of tools\nThe street could share one drill."
    assert kept["id"] not in [item["id"] for item in seen["items"]]
    assert not (stranger.folder / "data/claim").exists()
    server.terminate()
    said, _ = server.communicate(timeout=DEADLINE_SECONDS)
    assert token in said
    assert token not in (stranger.folder / "logs/server.log").read_text()


@pytest.mark.parametrize("heading", ["Upgrading", "Backups"])
def test_the_commands_on_a_database_that_is_there(heading: str, stranger: Stranger) -> None:
    stranger.types("python -m app.cli init")
    stranger.types(commands(heading))


@pytest.mark.needs("curl")
def test_what_the_installation_makes_is_its_owners_alone(
    stranger: Stranger, server: subprocess.Popen[str]
) -> None:
    assert (stranger.folder / "data/claim").stat().st_mode & 0o077 == 0
    stranger.types(commands("Five minutes to something published"))
    stranger.types("python -m app.cli backup create")
    made = [
        path
        for name in ("data", "backups", "logs")
        for path in (stranger.folder / name).rglob("*")
        if path.is_file() and path.suffix not in (".lock", ".wanted")
    ]
    assert {path.name for path in made} >= {"daemon.db", "secret_key", "server.log"}
    assert [path.name for path in made if path.stat().st_mode & 0o077] == []


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "CHANGELOG.md"]
    named = {
        target
        for path in documents
        for target in re.findall(r"(?:`|^)make ([a-z-]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named - targets == set()


def test_every_setting_that_is_named_in_the_readme_exists() -> None:
    from app.settings import ROWS

    assert set(re.findall(r"`([A-Z]+_[A-Z_]+)(?:=[a-z]+)?`", README)) <= set(ROWS)
