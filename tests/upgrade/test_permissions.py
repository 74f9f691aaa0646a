"""Is a missing permission named before anything starts, with the command that mends it, as another user?"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from app import journal, log
from app.backup.catalog import list_backups
from app.backup.create import create_backup
from app.settings import Settings
from app.storage.process_lock import ProcessLock
from app.upgrade.detect.recognise import describe
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from app.upgrade.report import render
from tests.conftest import SettingsIn
from tests.upgrade.old_databases import build
from tests.upgrade.places import NOBODY, as_nobody, contents, everything_in, open_folder

pytestmark = pytest.mark.needs("root")


@pytest.fixture
def place(settings_in: SettingsIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An old database in folders of the user no one; everything is imported that a run needs."""
    with open_folder() as folder:
        monkeypatch.chdir(folder)
        rehearsed = settings_in(folder / "rehearsed")
        settings = settings_in(folder)
        for each in (rehearsed, settings):
            each.data_dir.mkdir(parents=True)
            each.backup_dir.mkdir()
            build("layout_a", each.database_path)
        assert run_upgrade(rehearsed).exit_code == 0
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        yield settings


CASES: dict[str, tuple[str, int, str]] = {
    "the database may not be written": ("data/daemon.db", 0o644, "database_not_writable"),
    "its folder may not be written": ("data", 0o755, "data_folder_not_writable"),
    "the backup folder may not be written": ("backups", 0o755, "backup_folder_not_writable"),
    "the database may not be read": ("data/daemon.db", 0o600, "not_readable"),
}


@pytest.mark.parametrize(("part", "mode", "code"), CASES.values(), ids=CASES)
def test_it_is_named_with_the_command_and_nothing_is_touched(
    place: Settings, part: str, mode: int, code: str
) -> None:
    folder = place.data_dir.parent
    os.chown(folder / part, 0, 0)
    (folder / part).chmod(mode)
    before = everything_in(folder)
    outcome = as_nobody(lambda: render.outcome_as_json(run_upgrade(place)))
    assert (outcome["state"], outcome["exit_code"]) == ("refused", 15)
    assert str(folder / part) in outcome["message"]
    assert f"chown nobody {folder / part}" in outcome["hint"]
    plan = as_nobody(lambda: render.plan_as_json(make_plan(place)))
    assert code in [problem["code"] for problem in plan["blockers"]]
    assert plan["exit_code"] == 15
    assert everything_in(folder) == before


def test_a_backup_folder_that_cannot_be_made(place: Settings) -> None:
    folder = place.data_dir.parent
    place.backup_dir.rmdir()
    os.chown(folder, 0, 0)
    before = everything_in(folder)
    outcome = as_nobody(lambda: render.outcome_as_json(run_upgrade(place)))
    assert outcome["exit_code"] == 15
    assert f"chown nobody {folder}" in outcome["hint"]
    assert everything_in(folder) == before


def test_with_every_permission_it_is_done_and_all_is_private(place: Settings) -> None:
    rows = contents(place.database_path)
    outcome = as_nobody(lambda: render.outcome_as_json(run_upgrade(place)))
    assert outcome["exit_code"] == 0
    assert contents(place.database_path) != rows
    for path in place.backup_dir.iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_what_root_makes_belongs_to_the_owner_of_the_folder(place: Settings) -> None:
    """`sudo daemon upgrade run` leaves nothing behind that the service cannot read or replace."""
    assert run_upgrade(place).exit_code == 0
    made = [*place.data_dir.iterdir(), *place.backup_dir.iterdir()]
    assert {path.name: path.stat().st_uid for path in made} == {path.name: NOBODY for path in made}


def test_an_upgrade_by_root_shuts_nobody_out_who_shares_the_database_by_group(place: Settings) -> None:
    """The folders and the database are root's and of the service's group, which may write there."""
    for folder in (place.data_dir, place.backup_dir, place.log_dir):
        folder.mkdir(exist_ok=True)
        os.chown(folder, 0, NOBODY)
        folder.chmod(0o2770)
    os.chown(place.database_path, 0, NOBODY)
    place.database_path.chmod(0o660)
    log.configure(place, console=False)
    assert run_upgrade(place).exit_code == 0
    log.release()
    assert (place.database_path.stat().st_uid, place.database_path.stat().st_gid) == (0, NOBODY)
    assert place.database_path.stat().st_mode & 0o777 == 0o660

    def by_the_service() -> list[str]:
        log.configure(place, console=False)
        log.get_logger("app.test").warning("the service writes on")
        process_lock = ProcessLock(place.database_path)
        process_lock.serve()
        process_lock.yield_()
        journal.write_line(place, "command", message="the service writes on")
        made = create_backup(place, describe=describe)
        rolled_back = run_rollback(place)
        return [made.state, *(backup.state for backup in list_backups(place)), rolled_back.state]

    assert as_nobody(by_the_service) == ["good"] * 4 + ["done"]
    assert "the service writes on" in (place.log_dir / log.FILE_NAME).read_text()
