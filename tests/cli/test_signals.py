"""Is what was done said to be done, whatever signal comes while it is done and told?"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import interrupt
from app.backup import create
from app.cli.output import Output
from app.storage.sqlite.exclusive import Exchange
from app.storage.sqlite.migration import SQLiteMigration
from app.upgrade.operations import init, upgrade
from app.upgrade.versions.releases import NEWEST
from tests.cli.conftest import Typed
from tests.upgrade.old_databases import build
from tests.upgrade.places import backups_in, value

pytestmark = pytest.mark.usefixtures("listening")

NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
COMMITS: dict[str, tuple[type | Any, str]] = {
    "upgrade run": (SQLiteMigration, "commit_durably"),
    "upgrade rollback": (Exchange, "copy_in"),
    "backup restore": (Exchange, "copy_in"),
    "backup create": (create, "_publish"),
    "init": (init, "_put_in_place"),
}


@pytest.fixture
def place(typed: Typed, tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir(exist_ok=True)
    build("layout_a", tmp_path / "data/daemon.db")
    return tmp_path / "data/daemon.db"


def prepared(typed: Typed, place: Path, command: str) -> list[str]:
    """Bring the place to where the command has something to do; return the words to type."""
    if command == "upgrade rollback":
        typed("upgrade", "run")
    elif command == "backup restore":
        typed("backup", "create")
    elif command == "init":
        place.unlink()
    interrupt.listen()  # as the process of the command itself does
    name = [each.name for each in backups_in(place.parents[1] / "backups")] if "restore" in command else []
    return [*command.split(), *name]


def signal_after(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, number: signal.Signals) -> None:
    real = getattr(owner, name)

    def signalled(*positional: Any, **named: Any) -> Any:
        answer = real(*positional, **named)
        os.kill(os.getpid(), number)
        return answer

    monkeypatch.setattr(owner, name, signalled)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("command", COMMITS)
def test_from_the_commit_on_a_signal_changes_nothing(
    typed: Typed, place: Path, monkeypatch: pytest.MonkeyPatch, command: str, number: signal.Signals
) -> None:
    words = prepared(typed, place, command)
    signal_after(monkeypatch, *COMMITS[command], number)
    said = typed(*words)
    assert "Interrupted" not in said.out + said.err
    judge_done(command, place, said.out)


@pytest.mark.parametrize("command", COMMITS)
def test_nor_while_it_is_told(
    typed: Typed, place: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    words = prepared(typed, place, command)
    for name in ("answer", "result"):
        real: Callable[..., None] = getattr(Output, name)

        def signalled(*positional: Any, told: Callable[..., None] = real, **named: Any) -> None:
            for number in NUMBERS:
                os.kill(os.getpid(), number)
            told(*positional, **named)

        monkeypatch.setattr(Output, name, signalled)
    judge_done(command, place, typed(*words).out)


def judge_done(command: str, place: Path, out: str) -> None:
    home = place.parents[1]
    if command in ("upgrade run", "init"):
        assert value(place, "SELECT max(version) FROM database_versions") == NEWEST
        assert "daemon.db" in out or backups_in(home / "backups")[0].name in out
        return
    assert backups_in(home / "backups")[-1].name in out
    if command != "backup create":
        assert list((home / "data").glob("*hold*"))


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("command", COMMITS)
def test_before_it_everything_is_taken_back(
    typed: Typed, place: Path, monkeypatch: pytest.MonkeyPatch, command: str, number: signal.Signals
) -> None:
    words = prepared(typed, place, command)
    before = place.read_bytes() if place.exists() else None
    kept = backups_in(place.parents[1] / "backups")
    early: dict[str, tuple[Any, str]] = {"upgrade run": (upgrade, "apply"), "init": (init, "run_every_step")}
    signal_after(monkeypatch, *early.get(command, (create, "_copied")), number)
    said = typed(*words, status=130)
    assert "Interrupted" in said.err
    assert (place.read_bytes() if place.exists() else None) == before
    assert not list(place.parent.glob("*hold*"))
    assert not list(place.parents[1].glob("backups/.*.making"))
    if command != "upgrade run":  # whose backup is kept, and named
        assert backups_in(place.parents[1] / "backups") == kept
