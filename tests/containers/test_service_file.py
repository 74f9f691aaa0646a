"""Does systemd take daemon.service, and how well does it shut the service in?"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
# systemd's exposure level times ten (0 safe, 100 unsafe); what is left is the network that a server needs.
WORST_EXPOSURE = 15

pytestmark = pytest.mark.needs("systemd-analyze")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root folder in which the unit's program and user exist, so that only the unit itself is judged."""
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    shutil.copy(TOP / "daemon.service", units)
    program = tmp_path / "opt/daemon/venv/bin/python"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name in (
        "network-online.target",
        "multi-user.target",
        "sysinit.target",
        "basic.target",
        "shutdown.target",
    ):
        (units / name).write_text(f"[Unit]\nDescription={name}\n")
    return tmp_path


def test_g12_the_unit_is_valid_to_the_letter(root: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", f"--root={root}", "daemon.service"],
        capture_output=True,
        text=True,
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if "daemon.service" in line]
    assert (done.returncode, said) == (0, [])


def test_the_unit_is_hardened() -> None:
    done = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=yes",
            f"--threshold={WORST_EXPOSURE}",
            TOP / "daemon.service",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_g34_the_unit_lives_in_opt_daemon() -> None:
    unit = (TOP / "daemon.service").read_text()
    assert "WorkingDirectory=/opt/daemon\n" in unit
    assert "User=daemon\n" in unit
    assert "pmac" not in unit


def test_where_no_bytecode_is_written_the_code_is_compiled_before() -> None:
    image = (TOP / "Dockerfile").read_text()
    assert "PYTHONDONTWRITEBYTECODE=1" in image
    assert image.index("COPY app ./app") < image.index("RUN python -m compileall -q app scripts")
    assert "compileall -q app\n" in (TOP / "daemon.service").read_text()


def test_a_call_that_the_unit_forbids_is_refused_and_kills_nothing() -> None:
    """As a chown to the group of the database, for an account that is no root's."""
    assert "SystemCallErrorNumber=EPERM" in (TOP / "daemon.service").read_text().splitlines()
