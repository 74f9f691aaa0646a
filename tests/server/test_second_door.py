"""Can another door than the web's use everything of the server? In a process that has no web framework."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from app.settings import Settings
from tests.conftest import ROOT
from tests.web.conftest import environment


@pytest.fixture
def seen(settings: Settings) -> dict[str, Any]:
    """What the second door saw of a fresh installation."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.server.second_door"],
        cwd=ROOT,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_second_door_claims_logs_in_writes_reads_and_runs_a_job_without_the_web(
    seen: dict[str, Any],
) -> None:
    assert seen.pop("web") == []
    assert seen.pop("job") is True
    assert all(2**52 <= each < 2**53 for each in seen["ids"]), "random ones"
    assert seen == {
        "before": "not_authenticated: Writing needs an account.",
        "wrong claim": "not_allowed: The claim token is missing or wrong.",
        "registered": "ann",
        "registered again": "not_allowed: Registration is closed.",
        "wrong password": "not_authenticated: The user name or the password is wrong.",
        "admin": True,
        "ids": seen["ids"],
        "own": 2,
        "strangers": [1, 2],  # the second time it is the kept one, which says so
        "forged": "not_authenticated: The token is not valid here.",
        "unknown key": seen["unknown key"],
    }
    assert seen["unknown key"].startswith("not_authenticated: ")
