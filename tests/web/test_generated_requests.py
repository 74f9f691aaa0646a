"""Does a real server answer as its own description says, whatever requests are made of that description?

Schemathesis makes them: examples, edge cases, random ones and chains, always the same. All of its checks
run. The operations are asked in PARTS, each a case of its own, so that a run that takes a sample of cases
takes another part every day; chains go from any operation to any other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from app.settings import Settings
from tests.conftest import ROOT
from tests.web.conftest import PASSWORD, Server

EXAMPLES = 12  # for each operation and phase
SECONDS = 240  # for one run; it takes about 25
PARTS = 7
CHAINS = "chains"
# A list longer than described is refused with 413, which Schemathesis does not know as a refusal.
REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]
REFUSED = f"[checks.negative_data_rejection]\nexpected-statuses = {json.dumps(REFUSALS)}\n"
REAL_NAMES = '[parameters]\n"path.kind" = "ideas"\n"path.username" = "ann"\n"path.code" = "not_found"\n'

Description = dict[str, Any]


@pytest.fixture
def server(start_server: Callable[..., Server], settings: Settings) -> Server:
    """A server process whose admin is ann."""
    started = start_server(settings)
    started.wait_for("/health", 200)
    body = {
        "username": "ann",
        "email": "ann@example.org",
        "password": PASSWORD,
        "claim_token": settings.claim_path.read_text().strip(),
    }
    assert started.ask("/auth/register", method="POST", body=body)[0] == 201
    return started


def log_in(server: Server) -> str:
    form = urlencode({"username": "ann", "password": PASSWORD}).encode()
    request = Request(f"http://127.0.0.1:{server.port}/auth/login", form)
    with urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["access_token"])


def described(server: Server) -> Description:
    """What the server says of itself, but for "whatever else": every status has to be said by its number."""
    status, found, _headers = server.ask("/openapi.json")
    assert status == 200
    for operations in found["paths"].values():
        for operation in operations.values():
            del operation["responses"]["default"]
    return dict(found)


def run(folder: Path, server: Server, description: Description, *options: str, config: str = "") -> str:
    """Let Schemathesis ask the server; returns what it printed, and at the end its exit status."""
    (folder / "openapi.json").write_text(json.dumps(description))
    (folder / "schemathesis.toml").write_text(config + REFUSED)
    environment = {
        **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.web.generated",
        "GENERATED_FOR_PORT": str(server.port),
        # Which characters UTF-8 has is found out once for all runs, not by each in some seconds.
        "HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".hypothesis"),
    }
    command = [
        sys.executable,
        "-c",
        "from schemathesis.cli import schemathesis; schemathesis()",
        "--no-color",
    ]
    command += ["--config-file", "schemathesis.toml", "run", "openapi.json"]
    command += ["--url", f"http://127.0.0.1:{server.port}", "--checks", "all"]
    command += ["--exclude-checks", "positive_data_acceptance"]  # generated.py has it, where it can be held
    command += [
        "--request-timeout",
        "60",
    ]  # a document is made by another process, on a machine that has much to do
    command += ["--generation-deterministic", "--max-examples", str(EXAMPLES)]
    command += ["--generation-with-security-parameters", "false", *options]
    found = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    return f"{found.stdout}{found.stderr}\nexit status {found.returncode}"


def options_of(description: Description, part: int | str) -> list[str]:
    """Return the options that leave a case its phases and operations."""
    if part == CHAINS:
        return ["--phases", "stateful"]
    assert isinstance(part, int)
    paths = sorted(description["paths"])[part - 1 :: PARTS]
    assert paths
    return ["--phases", "examples,coverage,fuzzing", *(f"--include-path={path}" for path in paths)]


CASES = pytest.mark.parametrize("part", [*range(1, PARTS + 1), CHAINS])


@CASES
@pytest.mark.timeout(SECONDS + 30)
def test_strangers_are_answered_as_described(tmp_path: Path, server: Server, part: int | str) -> None:
    description = described(server)
    printed = run(tmp_path, server, description, *options_of(description, part))
    assert printed.endswith("exit status 0"), printed
    assert server.ask("/health")[0] == 200


@CASES
@pytest.mark.timeout(SECONDS + 30)
def test_the_admin_is_answered_as_described(tmp_path: Path, server: Server, part: int | str) -> None:
    header = f"Authorization: Bearer {log_in(server)}"
    description = described(server)
    printed = run(
        tmp_path, server, description, *options_of(description, part), "--header", header, config=REAL_NAMES
    )
    assert printed.endswith("exit status 0"), printed
    assert server.ask("/health")[0] == 200


def test_a_description_that_is_not_true_is_found(tmp_path: Path, server: Server) -> None:
    description = described(server)
    operation = description["paths"]["/api/v1/{kind}"]["get"]
    del operation["responses"]["404"]
    printed = run(
        tmp_path, server, description, "--include-operation-id", "entries_list", "--phases", "coverage"
    )
    assert printed.endswith("exit status 1"), printed
    assert "404" in printed


def test_nothing_but_the_server_is_asked(tmp_path: Path, server: Server) -> None:
    command = [
        sys.executable,
        "-c",
        "import tests.web.generated, socket; socket.create_connection(('127.0.0.1', 1))",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GENERATED_FOR_PORT": str(server.port)}
    found = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert "This is not the server under test" in found.stderr
