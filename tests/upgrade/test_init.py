"""Does a database begin only where none was, whole, and never beside an older life?"""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app import journal
from app.errors import Damaged, LostVolume, NotFound, Refused, UnknownDatabase, UsageError
from app.progress import say_nothing
from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.checks.lost_volume import look_for_lost_databases
from app.upgrade.operations import init
from app.upgrade.operations.init import initialise
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from app.upgrade.readiness import ask_readiness
from app.upgrade.records.history import read_history
from app.upgrade.versions.releases import SCHEMA_VERSIONS
from tests.conftest import SettingsIn
from tests.upgrade.old_databases import build
from tests.upgrade.places import contents, everything_in, execute, value

Old = Callable[[str], Path]


MADE = {"daemon.db", "daemon.db.lock", "daemon.db.wanted"}  # and no draft


def test_a_fresh_one_has_every_step_in_its_history(settings: Settings) -> None:
    outcome = initialise(settings)
    assert (outcome.state, outcome.exit_code) == ("done", 0)
    assert ask_readiness(settings, storage_for(settings.database_url)).state == "READY"
    steps = [line for line in read_history(settings) if line.event == "step"]
    assert [line.version for line in steps] == [row.version for row in SCHEMA_VERSIONS]
    assert settings.database_path.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in settings.data_dir.iterdir()} == MADE
    assert journal.read_journal(settings)[-1].event == "initialised"
    assert make_plan(settings).steps == ()


def test_one_that_is_there_is_left_alone(old: Old, settings: Settings) -> None:
    old("layout_a")
    before = everything_in(settings.data_dir)
    assert initialise(settings).state == "nothing_to_do"
    for words in ({"fresh": True}, {"adopt": settings.database_path}):
        with pytest.raises(Refused):
            initialise(settings, **words)
    assert everything_in(settings.data_dir) == before


def test_of_many_at_once_one_makes_it_and_all_find_it(settings: Settings) -> None:
    outcomes = []
    readiness = threading.Barrier(6)

    def start() -> None:
        readiness.wait()
        outcomes.append(initialise(settings).state)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", *["nothing_to_do"] * 5]
    assert {path.name for path in settings.data_dir.iterdir()} == MADE


def test_a_fault_leaves_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("planted")

    with monkeypatch.context() as patched:
        patched.setattr(init, "apply", broken)
        with pytest.raises(RuntimeError):
            initialise(settings)
    assert list(settings.data_dir.iterdir()) == []
    assert initialise(settings).state == "done"


def test_somebody_elses_file_is_never_overwritten(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file appears between the look and the end."""
    real = init.run_every_step

    def slow(draft: Path, on_event: object) -> None:
        real(draft, say_nothing)
        settings.database_path.write_text("mine")

    monkeypatch.setattr(init, "run_every_step", slow)
    assert initialise(settings).state == "nothing_to_do"
    assert settings.database_path.read_text() == "mine"


@pytest.mark.parametrize("taken", [False, True])
def test_where_there_are_no_hard_links(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    def unsupported(*_: object, **__: object) -> None:
        if taken:
            settings.database_path.write_text("mine")
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", unsupported)
    assert initialise(settings).state == ("nothing_to_do" if taken else "done")
    if taken:
        assert settings.database_path.read_text() == "mine"
    else:
        assert ask_readiness(settings, storage_for(settings.database_url)).state == "READY"


def test_an_empty_file_is_a_loss_until_somebody_decides(settings: Settings) -> None:
    settings.data_dir.mkdir()
    settings.database_path.touch()
    with pytest.raises(UnknownDatabase):
        initialise(settings)
    assert settings.database_path.stat().st_size == 0
    assert initialise(settings, fresh=True).state == "done"
    assert [path.name for path in settings.data_dir.iterdir() if ".empty-" in path.name]


# -- a lost volume -------------------------------------------------------------------------------------------

PLACES = ("daemon.db", "data/other.db", "elsewhere/renamed.db", "backups/daemon_backup_20260101_000000.db")


@pytest.fixture
def elsewhere(home: Path, settings_in: SettingsIn) -> Settings:
    """The configured database is in a folder of its own, and the usual places are others."""
    return settings_in(home, database_url=f"sqlite:///{home / 'elsewhere' / 'daemon.db'}")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["layout_a", "second_shape", "fourth_shape"])
def test_nothing_begins_beside_an_older_life(elsewhere: Settings, home: Path, place: str, name: str) -> None:
    build(name, home / place)
    before = everything_in(home)
    readiness = ask_readiness(elsewhere, storage_for(elsewhere.database_url))
    assert readiness.state == "LOST"
    assert str(home / place) in readiness.sentence
    is_backup = (home / place).parent == elsewhere.backup_dir
    way_on = f"backup restore {Path(place).name}" if is_backup else f"init --adopt {home / place}"
    assert f"daemon {way_on}" in readiness.command
    assert "--fresh" in readiness.command
    with pytest.raises(LostVolume):
        initialise(elsewhere)
    outcome = run_upgrade(elsewhere)
    assert (outcome.state, outcome.exit_code) == ("refused", 15)
    assert make_plan(elsewhere).blockers[0].code == "lost_volume"
    assert everything_in(home) == before


def test_adopting_copies_it_and_leaves_the_source(elsewhere: Settings, home: Path) -> None:
    build("wal_left_behind", home / "daemon.db")
    rows = contents(home / "daemon.db")
    before = everything_in(home)
    outcome = initialise(elsewhere, adopt="daemon.db")
    assert (outcome.state, outcome.exit_code) == ("done", 0)
    after = everything_in(home)
    assert {name: after[name] for name in before if name != "."} == {
        name: found for name, found in before.items() if name != "."
    }
    assert contents(elsewhere.database_path) == rows
    assert elsewhere.database_path.stat().st_mode & 0o777 == 0o600
    assert ask_readiness(elsewhere, storage_for(elsewhere.database_url)).state == "BEHIND"
    assert run_upgrade(elsewhere).state == "done"


def test_beginning_anew_leaves_it_too(elsewhere: Settings, home: Path) -> None:
    build("layout_a", home / "daemon.db")
    content = (home / "daemon.db").read_bytes()
    assert initialise(elsewhere, fresh=True).state == "done"
    assert ask_readiness(elsewhere, storage_for(elsewhere.database_url)).state == "READY"
    assert (home / "daemon.db").read_bytes() == content


def test_what_cannot_be_adopted_is_refused(elsewhere: Settings, home: Path) -> None:
    (home / "text.db").write_text("Dear diary")
    execute(home / "songs.db", "CREATE TABLE songs (a)")
    build("layout_a", home / "half.db")
    content = (home / "half.db").read_bytes()
    (home / "half.db").write_bytes(content[: len(content) // 2])
    for name, error in (
        ("missing.db", NotFound),
        ("text.db", UnknownDatabase),
        ("songs.db", UnknownDatabase),
        ("half.db", Damaged),
    ):
        with pytest.raises(error):
            initialise(elsewhere, adopt=home / name)
        assert not elsewhere.database_path.exists()
    with pytest.raises(UsageError):
        initialise(elsewhere, adopt=home / "text.db", fresh=True)


def test_other_programs_files_are_no_older_life(elsewhere: Settings, home: Path) -> None:
    (home / "daemon.db").write_text("not a database")
    (home / "backups").mkdir()
    execute(home / "backups" / "songs.db", "CREATE TABLE songs (a)")
    assert look_for_lost_databases(elsewhere) == []
    assert ask_readiness(elsewhere, storage_for(elsewhere.database_url)).state == "EMPTY"
    assert initialise(elsewhere).state == "done"


def test_where_the_configured_one_is_there_nobody_looks(old: Old, settings: Settings, home: Path) -> None:
    path = old("layout_a")
    shutil.copyfile(path, home / "daemon.db")
    assert look_for_lost_databases(settings) == []
    assert run_upgrade(settings).state == "done"
    assert value(settings.database_path, "PRAGMA integrity_check") == "ok"
