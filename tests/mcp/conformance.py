"""The protocol's own suite, and its inspector, against a real server: python -m tests.mcp.conformance TOOLS

TOOLS is the folder of npm's programs (make conformance puts them there). Ends with 1 where a scenario fails
that is not in expected_failures.yml, where one of those passes, or where the inspector is not answered.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tests.web.conftest import free_port

ROOT = Path(__file__).parents[2]
EXPECTED = Path(__file__).with_name("expected_failures.yml")
REVISIONS = ("2025-11-25", "2026-07-28")
PASSWORD = "a long sentence is best"
SECONDS = 60.0


def main(tools: str) -> int:
    """Run everything; say what failed."""
    environment = {**os.environ, "PATH": f"{Path(tools).resolve()}{os.pathsep}{os.environ['PATH']}"}
    failed = []
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as url:
        write_something(url, Path(folder))
        for revision in REVISIONS:
            command = ["conformance", "server", "--url", f"{url}/mcp", "--requirements", revision]
            whole = [*command, "--expected-failures", str(expected_of(revision, Path(folder)))]
            if subprocess.run(whole, env=environment, cwd=folder, check=False).returncode:
                failed.append(" ".join(command))
        for arguments in (["tools/list"], ["tools/call", "--tool-name", "who_is"], ["resources/list"]):
            command = ["mcp-inspector", "--cli", f"{url}/mcp", "--transport", "http", "--method", *arguments]
            done = subprocess.run(
                command, env=environment, cwd=folder, capture_output=True, text=True, check=False
            )
            if done.returncode or not json.loads(done.stdout):
                failed.append(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    for each in failed:
        print(f"FAILED {each}")
    print(f"{len(REVISIONS) + 3 - len(failed)} passed, {len(failed)} failed")
    return bool(failed)


def expected_of(revision: str, folder: Path) -> Path:
    """Write what is expected to fail at a revision, as the suite reads it."""
    said = yaml.safe_load(EXPECTED.read_text(encoding="utf-8"))
    path = folder / f"expected-{revision}.yml"
    path.write_text(yaml.safe_dump({"server": said["every revision"] + said.get(revision, [])}))
    return path


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A server in an empty folder; gives its address."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    log = (folder / "output.txt").open("w")
    with (
        log,
        subprocess.Popen(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=log, stderr=log
        ) as process,
    ):
        try:
            ends = time.monotonic() + SECONDS
            while not is_answered(url):
                if time.monotonic() > ends or process.poll() is not None:
                    raise SystemExit("The server did not start.")
                time.sleep(0.1)
            yield url
        finally:
            process.terminate()


def is_answered(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def write_something(url: str, folder: Path) -> None:
    """Claim the installation, and publish one entry."""
    token = (folder / "data" / "claim").read_text().strip()
    account = {"username": "ann", "email": "ann@example.org", "password": PASSWORD, "claim_token": token}
    post(f"{url}/auth/register", account)
    form = f"username=ann&password={PASSWORD.replace(' ', '+')}".encode()
    with urllib.request.urlopen(f"{url}/auth/login", form, timeout=30) as answered:
        bearer = f"Bearer {json.load(answered)['access_token']}"
    post(f"{url}/api/v1/about", {"content": "I build clocks.", "meta": {"visibility": "public"}}, bearer)


def post(url: str, body: Any, authorization: str = "") -> None:
    headers = {"Content-Type": "application/json", "Authorization": authorization}
    if not authorization:
        del headers["Authorization"]
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=30):
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
