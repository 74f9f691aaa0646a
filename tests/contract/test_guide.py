"""Does every command in docs/upgrade_guide.md work, in the order in which it stands there?

A block's info string says where it is run: `bash`, `python` and `sql` in the folder of an operator with an
old database, one after the other; `systemd` there too, with stand-ins for sudo and systemctl; `copy` in a
folder of its own; `adopt` where the database still is at ./daemon.db; `unclaimed` on a new installation;
`container` by tests/containers. `exits=N` is the exit status to expect.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import app.errors
from app.cli.main import EXIT_STATUSES
from app.upgrade.versions import releases
from tests.contract.conftest import ROOT, Operator

GUIDE = (ROOT / "docs/upgrade_guide.md").read_text()
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(python (?:-m app\.cli|scripts/\w+\.py)[^`]*)`")
PLACES = {"systemd", "copy", "adopt", "unclaimed", "container"}
BACKUP_PLACEHOLDER = "backup_YYYYMMDD_HHMMSS.db"
NEWEST_BACKUP = "$(cd backups; ls backup_*.db | tail -n 1)"
TAG = f"v{releases.NEWEST}"

ACTIVATE = 'PATH="$(dirname "$(realpath "${BASH_SOURCE[0]}")"):$PATH"\n'
SUDO = '#!/bin/sh\nexec "$@"\n'
CHOWN = '#!/bin/sh\nshift 2\nfor path in "$@"; do test -e "$path" || exit 1; done\n'
SYSTEMCTL = """#!/bin/bash
case "$1" in
start)
    command=$(sed -n 's|^ExecStart=/opt/daemon/||p' daemon.service)
    nohup $command > console.txt 2>&1 & echo $! > service.pid ;;
stop)
    test -e service.pid || exit 0
    kill "$(cat service.pid)" && tail --pid="$(cat service.pid)" -s 0.05 -f /dev/null; rm service.pid ;;
daemon-reload) ;;
*) exit 1 ;;
esac
"""


@dataclass(frozen=True)
class Block:
    """A fenced block of the guide."""

    language: str
    words: tuple[str, ...]
    text: str
    line: int

    @property
    def place(self) -> str:
        return next((word for word in self.words if word in PLACES), "")

    @property
    def status(self) -> int:
        return next((int(word[6:]) for word in self.words if word.startswith("exits=")), 0)


BLOCKS = [
    Block(found[1], tuple(found[2].split()), found[3], GUIDE[: found.start()].count("\n") + 1)
    for found in FENCE.finditer(GUIDE)
]


def test_every_block_says_where_it_is_run() -> None:
    assert len(BLOCKS) == GUIDE.count("```") // 2
    for block in BLOCKS:
        assert block.language in ("bash", "python", "sql"), block
        assert all(word in PLACES or word.startswith("exits=") for word in block.words), block


@pytest.mark.needs("sqlite3")
@pytest.mark.needs("git")
@pytest.mark.needs("curl")
def test_the_guide_from_the_first_command_to_the_last(walker: Operator) -> None:
    walker.put("layout_a")
    for block in BLOCKS:
        if block.place in ("", "systemd"):
            run(walker, block)


def test_the_short_way(walker: Operator) -> None:
    walker.put("layout_a")
    for block in blocks_of("copy"):
        run(walker, block)
    walker.type("python -m app.cli upgrade check")


def test_the_database_of_an_earlier_release_is_adopted(walker: Operator) -> None:
    walker.put("layout_a")
    old = walker.folder / "daemon.db"
    walker.database.rename(old)
    before = old.read_bytes()
    (walker.folder / "data").rmdir()
    walker.type("python -m app.cli upgrade run", status=15)
    for block in blocks_of("adopt"):
        run(walker, block)
    assert old.read_bytes() == before
    count = "SELECT COUNT(*) FROM data_entries"
    assert walker.rows(count) == walker.rows(count, old)


def test_trying_it_out_on_an_unclaimed_installation(walker: Operator) -> None:
    walker.type("python -m app.cli init")
    with walker.server():
        for block in blocks_of("unclaimed"):
            run(walker, block)
        items = walker.ask("/api/v1/ideas").body["items"]
    assert [item["content"] for item in items] == ["# Test Idea\nThis is a test before migration"]


@pytest.mark.parametrize("command", sorted(set(INLINE.findall(GUIDE))))
def test_a_command_within_a_sentence_exists_with_its_options(walker: Operator, command: str) -> None:
    words = [word for word in command.split() if not word.isupper()]
    options = [word for word in words if word.startswith("--")]
    help_text = walker.type(" ".join([word for word in words if word not in options] + ["--help"])).out
    assert all(option in help_text for option in options), help_text


def test_the_statuses_of_the_guide_are_those_of_the_program() -> None:
    in_guide = {int(found[1]) for found in re.finditer(r"^\| (\d+) \| ", GUIDE, re.MULTILINE)}
    in_help = {int(found[1]) for found in re.finditer(r"^ *(\d+)  ", EXIT_STATUSES, re.MULTILINE)}
    of_errors = {
        found.exit_code
        for found in vars(app.errors).values()
        if isinstance(found, type) and issubclass(found, app.errors.DaemonError)
    }
    others = {0, app.errors.EXIT_UPGRADE_PENDING, app.errors.EXIT_INTERRUPTED}
    assert in_guide == in_help == of_errors | others


def blocks_of(place: str) -> list[Block]:
    found = [block for block in BLOCKS if block.place == place]
    assert found, place
    return found


def run(operator: Operator, block: Block) -> None:
    """Run one block as a person would type it, with the names of this folder in the places of the guide's."""
    text = filled(operator, block.text)
    where = f"docs/upgrade_guide.md, line {block.line}"
    if block.language == "python":
        (operator.folder / "typed.py").write_text(text)
        text = 'python -c "$(cat typed.py)"'
    elif block.language == "sql":
        (operator.folder / "typed.sql").write_text(text)
        text = "sqlite3 data/daemon.db < typed.sql"
    done = operator.type(f"set -e  # {where}\n{text}", status=block.status)
    print(f"{where}\n{done.said}")
    if "systemctl start" in text:
        operator.wait_for("/health", 200)


def filled(operator: Operator, text: str) -> str:
    text = text.replace(BACKUP_PLACEHOLDER, NEWEST_BACKUP)
    text = text.replace("/opt/daemon", str(operator.folder)).replace("vX.Y.Z", TAG)
    text = text.replace("/etc/systemd/system", str(operator.folder / "stand-ins"))
    text = text.replace("localhost:8004", f"localhost:{operator.port}")
    if " USER " in text:
        text = text.replace(" USER ", f" {operator.rows('SELECT username FROM users ORDER BY id')[0][0]} ")
    return text


@pytest.fixture
def walker(new_operator: Callable[[], Operator]) -> Iterator[Operator]:
    """An operator with a git checkout, a `venv`, and stand-ins for what only root on a real machine has."""
    operator = new_operator()
    put_stand_ins(operator)
    make_repository(operator)
    (operator.folder / ".curlrc").write_text("silent\nshow-error\nfail\n")
    operator.env["PIP_NO_INDEX"] = operator.env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    yield operator
    operator.type("systemctl stop daemon", status=None)


def put_stand_ins(operator: Operator) -> None:
    stand_ins = operator.folder / "stand-ins"
    venv = operator.folder / "venv/bin"
    python = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
    pip = f'#!/bin/sh\nexec "{sys.executable}" -m pip "$@"\n'
    scripts = {
        stand_ins / "sudo": SUDO,
        stand_ins / "chown": CHOWN,
        stand_ins / "systemctl": SYSTEMCTL,
        venv / "activate": ACTIVATE,
        venv / "python": python,
        venv / "pip": pip,
    }
    for path, text in scripts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    operator.env["PATH"] = f"{stand_ins}:{operator.env['PATH']}"


def make_repository(operator: Operator) -> None:
    """A repository whose origin is itself, with the tag that the guide checks out."""
    if shutil.which("git") is None:
        return
    environment = {**os.environ, "HOME": str(operator.folder)}
    named = ("-c", "user.name=Operator", "-c", "user.email=operator@example.org")
    for words in (
        ("init", "-q", "-b", "main"),
        ("add", "app", "scripts", "requirements.txt", "daemon.service"),
        (*named, "commit", "-q", "-m", "What was released"),
        ("tag", TAG),
        ("remote", "add", "origin", str(Path())),
    ):
        subprocess.run(["git", *words], cwd=operator.folder, env=environment, check=True)
