"""Does the page on backups say what the code does, and does each of its commands work?"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from app.backup.catalog import State
from app.backup.manifest import Manifest
from tests.backup.worlds import ROOT

PAGE = (ROOT / "docs" / "backup_and_restore.md").read_text()
SCHEMA = (ROOT / "app" / "upgrade" / "legacy" / "schemas" / "layout_b.sql").read_text()


def first_cells(heading: str) -> set[str]:
    """The names in the first column of the table under a heading."""
    table = PAGE.split(heading, 1)[1].split("|---", 1)[1].split("\n\n", 1)[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_every_member_of_the_manifest_is_explained() -> None:
    known = {field.name for field in fields(Manifest)} | {"manifest_sha256"}
    assert first_cells("The manifest, format 2") == known


def test_every_state_is_explained() -> None:
    assert first_cells("## The list") == set(get_args(State))


@pytest.fixture
def operator(tmp_path: Path) -> Path:
    """A folder with an old database, as an operator has it."""
    (tmp_path / "data").mkdir()
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "daemon.db")) as connection:
        connection.executescript(SCHEMA)
    return tmp_path


def run(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_short_way_works_as_it_is_written(operator: Path) -> None:
    commands = re.search(r"## The short way\n\n```bash\n(.*?)```", PAGE, re.DOTALL)
    assert commands is not None
    name = ""
    for line in commands[1].splitlines():
        said = run(operator, *line.replace("backup_YYYYMMDD_HHMMSS.db", name).split()[1:])
        name = name or re.findall(r"backup_\d{8}_\d{6}\.db", said)[0]
    assert len(list((operator / "backups").glob("backup_*.db"))) == 2


def test_every_other_command_on_the_page_is_one(operator: Path) -> None:
    found = set(re.findall(r"`daemon ((?:backup|upgrade) [^`]*)`", PAGE))
    assert found
    for words in sorted(found):
        run(operator, *[word for word in words.split() if word != "NAME"], "--help")
