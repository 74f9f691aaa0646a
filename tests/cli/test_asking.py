"""Is someone at a terminal asked before a restore or a rollback, and no one else?"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import Typed

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 60
QUESTIONS = (b"[y/N] ", b"Password: ", b"The same again: ")


@dataclass(frozen=True)
class Answered:
    """What a command said to someone at a terminal."""

    returncode: int
    stdout: str
    stderr: str


def answered(folder: Path, words: str, *keys: str) -> Answered:
    """Run a command with a terminal as its stdin; each of ``keys`` is typed when a question stands there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", *words.split()],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # anyone who runs the tests keeps their own terminal
    )
    assert process.stderr is not None
    try:
        asked = "".join(typed_when_asked(process.stderr.fileno(), ours, each) for each in keys)
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
        return Answered(process.returncode, out.decode(), asked + err.decode())
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)


def typed_when_asked(said: int, terminal: int, keys: str) -> str:
    """Read what is said until it ends with a question, then type; returns what was said."""
    text = b""
    while not text.endswith(QUESTIONS):
        part = os.read(said, 4096)
        assert part, text
        text += part
    os.write(terminal, keys.encode())
    return text.decode()


@pytest.fixture
def backup(typed: Typed) -> str:
    typed("init")
    return str(typed("backup", "create", "--json").json["name"])


@pytest.mark.parametrize("keys", ["n\n", "\n", "\x04"])
def test_no_is_no(tmp_path: Path, backup: str, keys: str) -> None:
    before = sorted(path.name for path in (tmp_path / "backups").iterdir())
    done = answered(tmp_path, f"backup restore {backup}", keys)
    assert (done.returncode, done.stdout) == (0, "")
    assert "[y/N]" in done.stderr
    assert "Nothing was done." in done.stderr
    assert sorted(path.name for path in (tmp_path / "backups").iterdir()) == before


def test_yes_is_yes(tmp_path: Path, backup: str) -> None:
    done = answered(tmp_path, f"backup restore {backup}", "y\n")
    assert done.returncode == 0, done.stderr
    assert backup in done.stdout


def test_with_yes_nothing_is_asked(tmp_path: Path, backup: str) -> None:
    done = answered(tmp_path, f"backup restore {backup} --yes")
    assert done.returncode == 0, done.stderr
    assert "[y/N]" not in done.stderr


def test_a_password_is_asked_for_twice_and_not_shown(tmp_path: Path, typed: Typed) -> None:
    typed("init")
    done = answered(tmp_path, "user create ann --admin", "correct horse\n", "correct horse\n")
    assert done.returncode == 0, done.stderr
    assert "correct horse" not in done.stdout + done.stderr
    done = answered(tmp_path, "user password ann", "correct horse\n", "battery staple\n")
    assert done.returncode == 2
    assert "differ" in done.stderr
