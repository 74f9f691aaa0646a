"""Does a database keep the id of its installation, through upgrades, rollbacks, copies and moves?"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app import installation
from app import settings as settings_module
from app.backup.manifest import manifest_path, read_manifest
from app.installation import CONTAINER, Installation, Place
from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.detect.identity import identity_of, known_of
from app.upgrade.operations.back_up import back_up
from app.upgrade.operations.identify import give_new_id, note_opening, say_moved
from app.upgrade.operations.init import initialise
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from tests.conftest import SettingsIn
from tests.upgrade.places import execute

Old = Callable[[str], Path]


def row_of(settings: Settings) -> Installation:
    found = known_of(settings)[1]
    assert found is not None
    return found


def id_in_manifest(settings: Settings, name: str | None) -> str | None:
    manifest = read_manifest(manifest_path(settings.backup_dir / (name or "")))
    assert manifest is not None
    return manifest.installation


def columns(settings: Settings) -> tuple[object, ...]:
    with contextlib.closing(sqlite3.connect(settings.database_path)) as connection:
        rows = connection.execute("SELECT * FROM installation").fetchall()
    assert len(rows) == 1
    return tuple(rows[0])


# -- the id


def test_a_new_database_has_an_id_of_its_own(settings: Settings, settings_in: SettingsIn, home: Path) -> None:
    initialise(settings)
    other = settings_in(home / "other")
    initialise(other, fresh=True)
    one, two = row_of(settings), row_of(other)
    assert uuid.UUID(one.id).version == 4
    assert one.id != two.id
    assert one.seen == installation.here(settings.database_path)
    assert columns(settings)[0] == 1


@pytest.mark.parametrize("name", ["layout_a", "layout_b", "guide_0_1", "claim_0_3_0_on_layout_b"])
def test_an_upgrade_gives_an_id_and_its_backup_bears_it(old: Old, settings: Settings, name: str) -> None:
    old(name)
    done = run_upgrade(settings)
    assert done.exit_code == 0, done.message
    found = row_of(settings)
    assert uuid.UUID(found.id).version == 4
    assert id_in_manifest(settings, done.backup) == found.id
    assert id_in_manifest(settings, back_up(settings, "manual").name) == found.id


@pytest.mark.parametrize("discard", [False, True])
@pytest.mark.parametrize("name", ["layout_a", "guide_0_1"])
def test_the_same_id_comes_back_after_a_rollback(
    old: Old, settings: Settings, name: str, discard: bool
) -> None:
    old(name)
    run_upgrade(settings)
    given = row_of(settings).id
    for _ in range(2):
        outcome = run_rollback(settings, discard=discard)
        assert outcome.exit_code == 0, outcome.message
        assert outcome.details["written_since"] == {}
        assert identity_of(settings).installation_id is None
        again = run_upgrade(settings)
        assert again.exit_code == 0
        assert row_of(settings).id == given
        assert id_in_manifest(settings, again.backup) == given
        columns(settings)


def test_the_same_id_comes_back_although_the_backups_are_elsewhere(old: Old, settings: Settings) -> None:
    """What the rollback kept beside the database is enough."""
    old("layout_a")
    run_upgrade(settings)
    given = row_of(settings).id
    run_rollback(settings)
    shutil.rmtree(settings.backup_dir)
    run_upgrade(settings)
    assert row_of(settings).id == given


def test_restoring_the_backup_of_an_upgrade_by_hand_does_not_cost_the_id(
    old: Old, settings: Settings
) -> None:
    old("layout_b")
    done = run_upgrade(settings)
    given = row_of(settings).id
    assert done.backup
    restore_and_hold(settings, done.backup)
    run_upgrade(settings)
    assert row_of(settings).id == given


def test_a_try_that_fails_costs_neither_the_id_nor_another_backup(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.upgrade.operations import upgrade

    old("layout_a")
    with monkeypatch.context() as patched:
        patched.setattr(upgrade, "_stepped", lambda *_: 1 / 0)
        failed = [run_upgrade(settings).backup for _ in range(2)]
    assert failed[0] == failed[1]
    done = run_upgrade(settings)
    assert done.backup == failed[0]
    assert row_of(settings).id == id_in_manifest(settings, failed[0])


@pytest.mark.parametrize("lost", ["DELETE FROM installation", "UPDATE installation SET installation_id = ''"])
@pytest.mark.parametrize("has_backup", [False, True])
def test_an_id_that_is_missing_is_drawn_at_the_first_opening(
    settings: Settings, lost: str, has_backup: bool
) -> None:
    initialise(settings)
    given = row_of(settings).id
    if has_backup:
        back_up(settings, "manual")
    execute(settings.database_path, lost)
    assert known_of(settings)[1] is None
    assert note_opening(settings) == ()
    found = row_of(settings)
    assert (found.id == given) == has_backup, "its own backups know it"
    note_opening(settings)
    assert row_of(settings) == found
    columns(settings)


def test_a_database_that_cannot_be_written_is_opened_all_the_same(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    initialise(settings)
    execute(settings.database_path, "DELETE FROM installation")
    monkeypatch.setattr(
        type(storage_for(settings.database_url)),
        "migration_connection",
        lambda *_: (_ for _ in ()).throw(OSError(30, "Read-only file system")),
    )
    assert note_opening(settings) == ()
    assert "could not be noted" in caplog.text
    assert back_up(settings, "manual").state == "good"


# -- copies and moves


@pytest.fixture
def copied(settings: Settings, settings_in: SettingsIn, home: Path) -> Settings:
    """The settings of a copy of the folder's database, which shares the backup folder."""
    initialise(settings)
    note_opening(settings)
    copy = replace(settings_in(home / "copy"), backup_dir=settings.backup_dir)
    copy.data_dir.mkdir(parents=True)
    shutil.copyfile(settings.database_path, copy.database_path)
    return copy


def test_a_copy_is_asked_which_it_is_and_the_original_is_not(copied: Settings, settings: Settings) -> None:
    (said,) = note_opening(copied)
    assert "daemon init --new-id" in said
    assert "daemon init --moved" in said
    assert str(settings.database_path) in said
    assert note_opening(settings) == ()
    assert note_opening(copied) == (said,), "until it is answered"


def test_a_copy_that_is_one_of_its_own_gets_another_id(copied: Settings, settings: Settings) -> None:
    given = give_new_id(copied)
    assert given.id != row_of(settings).id
    assert row_of(copied) == given
    assert note_opening(copied) == ()
    columns(copied)


def test_a_database_that_was_moved_keeps_its_id(copied: Settings, settings: Settings) -> None:
    settings.database_path.unlink()
    assert say_moved(copied).seen == installation.here(copied.database_path)
    assert note_opening(copied) == ()


def test_a_copy_does_not_take_the_backups_of_the_original_for_its_own(
    copied: Settings, settings: Settings
) -> None:
    of_original, of_copy = back_up(settings, "manual"), back_up(copied, "manual")

    def whose(asking: Settings) -> list[str]:
        asker = identity_of(asking)
        return [asker.owner_of(one.path, one.manifest) for one in (of_original, of_copy)]

    assert whose(copied) == ["unknown", "this"]
    assert whose(settings) == ["this", "unknown"]
    give_new_id(copied)
    assert whose(copied) == ["another", "this"]
    assert whose(settings) == ["this", "unknown"]


def test_a_folder_that_was_copied_before_the_upgrade_gets_an_id_of_its_own(
    old: Old, settings: Settings, settings_in: SettingsIn, home: Path
) -> None:
    old("layout_a")
    copy = replace(settings_in(home / "copy"), backup_dir=settings.backup_dir)
    copy.data_dir.mkdir(parents=True)
    shutil.copyfile(settings.database_path, copy.database_path)
    assert run_upgrade(settings).exit_code == run_upgrade(copy).exit_code == 0
    assert row_of(settings).id != row_of(copy).id


def test_a_database_that_is_adopted_was_moved(
    settings: Settings, settings_in: SettingsIn, home: Path
) -> None:
    there = settings_in(home / "there")
    initialise(there, fresh=True)
    initialise(settings, adopt=there.database_path)
    assert row_of(settings).id == row_of(there).id
    assert note_opening(settings) == ()


@pytest.mark.parametrize(
    ("here", "before", "is_other"),
    [
        (Place("one", "/a"), Place("one", "/b"), True),
        (Place("one", "/a"), Place("two", "/a"), True),
        (Place("one.fritz.box", "/a"), Place("ONE.local", "/a"), False),
        (Place(CONTAINER, "/a"), Place(CONTAINER, "/a"), False),
        (Place(CONTAINER, "/a"), Place("one", "/a"), True),
        (Place(CONTAINER, "/a"), Place(CONTAINER, "/b"), True),
    ],
)
def test_another_place_is_another_path_or_host(here: Place, before: Place, is_other: bool) -> None:
    assert bool(Installation("an id", seen=before).question(here)) == is_other
    assert not Installation("an id").question(here)


def test_the_host_name_of_a_container_is_not_asked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is another one whenever the container is made anew."""
    monkeypatch.setenv("DAEMON_COMMAND", "docker compose exec api daemon")
    initialise(settings)
    assert row_of(settings).seen == Place(CONTAINER, str(settings.database_path))
    monkeypatch.setattr(settings_module, "is_in_container", lambda: False)
    assert len(note_opening(settings)) == 1, "on the machine itself it is another place"
