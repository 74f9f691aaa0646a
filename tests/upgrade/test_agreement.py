"""Do `check` and `run` agree about a database that no one touched, and is the cause what they name?"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.backup.catalog import list_backups
from app.backup.create import create_backup
from app.backup.restore.restore import restore_backup
from app.errors import DaemonError, Refused
from app.settings import Settings
from app.storage import failures
from app.storage.registry import storage_for
from app.upgrade.detect.recognise import describe
from app.upgrade.model import Outcome
from app.upgrade.operations.init import initialise
from app.upgrade.operations.repair_orphans import find_repairs
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import exit_code_of, make_plan
from app.upgrade.readiness import ask_readiness
from tests.conftest import SettingsIn
from tests.upgrade.old_databases import build
from tests.upgrade.places import NOBODY, as_nobody, contents, everything_in, execute, open_folder

pytestmark = pytest.mark.needs("root")

Spoil = Callable[[Settings], Path]


@pytest.fixture
def place(settings_in: SettingsIn) -> Iterator[Settings]:
    """An installation that belongs to the account no one."""
    with open_folder() as folder:
        settings = settings_in(folder)
        for part in (settings.data_dir, settings.backup_dir, settings.log_dir):
            part.mkdir()
        build("layout_a", settings.database_path)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        yield settings


def beside(suffix: str, mode: int = 0o600) -> Spoil:
    """A file beside the database that belongs to root."""

    def spoil(settings: Settings) -> Path:
        path = settings.database_path
        if suffix in ("-wal", "-shm"):
            execute(path, "PRAGMA journal_mode = WAL")
            os.chown(path, NOBODY, NOBODY)
        sibling = path.with_name(path.name + suffix)
        sibling.write_bytes(b"")
        sibling.chmod(mode)
        return sibling

    return spoil


def owned_by_root(name: str, mode: int) -> Spoil:
    def spoil(settings: Settings) -> Path:
        path = settings.database_path.parents[1] / name
        if not path.exists():
            path.write_bytes(b"")
        os.chown(path, 0, 0)
        path.chmod(mode)
        return path

    return spoil


SPOILT: dict[str, tuple[Spoil, str]] = {
    "the log may not be read": (beside("-wal"), "not_readable"),
    "the log may not be written": (beside("-wal", 0o644), "beside_not_writable"),
    "the index of the log may not be read": (beside("-shm"), "beside_not_writable"),
    "the index of the log may not be written": (beside("-shm", 0o644), "beside_not_writable"),
    "the journal may not be read": (beside("-journal"), "not_readable"),
    "the journal may not be written": (beside("-journal", 0o644), "beside_not_writable"),
    "the lock may not be opened": (beside(".lock"), "lock_not_usable"),
    "the queue of the lock may not be opened": (beside(".wanted"), "lock_not_usable"),
    "the database may not be read": (owned_by_root("data/daemon.db", 0o600), "not_readable"),
    "the database may not be written": (owned_by_root("data/daemon.db", 0o644), "database_not_writable"),
    "the data folder may not be written": (owned_by_root("data", 0o755), "data_folder_not_writable"),
    "the data folder may not be entered": (owned_by_root("data", 0o700), "not_readable"),
    "the backup folder may not be written": (owned_by_root("backups", 0o755), "backup_folder_not_writable"),
    "the journal of upgrades may not be written": (
        owned_by_root("backups/upgrade_journal.jsonl", 0o644),
        "journal_not_writable",
    ),
}


def judged(settings: Settings) -> dict[str, object]:
    """What `check` finds, and what `run` then answers, as JSON values."""
    plan = make_plan(settings)
    first = plan.blockers[0]
    outcome = run_upgrade(settings, wait_seconds=1)
    return {
        "code": first.code,
        "message": first.message,
        "hint": first.hint,
        "check": exit_code_of(plan),
        "run": outcome.exit_code,
        "same words": first.message in outcome.message,
    }


@pytest.mark.parametrize("name", SPOILT)
def test_what_this_account_may_not_do_is_found_by_looking_and_named(place: Settings, name: str) -> None:
    spoil, code = SPOILT[name]
    cause = spoil(place)
    before = everything_in(place.data_dir)
    found = as_nobody(lambda: judged(place))
    assert (found["code"], found["check"], found["run"], found["same words"]) == (code, 15, 15, True)
    assert str(cause) in found["message"]
    assert str(cause) in shlex.split(found["hint"])
    assert everything_in(place.data_dir) == before
    subprocess.run(["sh", "-c", found["hint"].replace("sudo ", "")], check=True)  # which root may type
    assert as_nobody(lambda: run_upgrade(place).state) == "done"


@contextlib.contextmanager
def marked(path: Path, letter: str) -> Iterator[None]:
    subprocess.run(["chattr", f"+{letter}", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", f"-{letter}", path], check=True)


@pytest.mark.needs("root", "chattr")
@pytest.mark.parametrize("letter", ["i", "a"])
@pytest.mark.parametrize("which", ["database_path", "data_dir", "backup_dir"])
def test_a_mark_of_the_file_system_is_named_and_never_a_matter_of_owners(
    place: Settings, which: str, letter: str
) -> None:
    path: Path = getattr(place, which)
    before = contents(place.database_path)
    with marked(path, letter):
        found = judged(place)
    assert (found["check"], found["run"], found["same words"]) == (15, 15, True)
    assert f"{path} is marked" in str(found["message"])
    assert found["hint"] == f"sudo chattr -{letter} {shlex.quote(str(path))}"
    assert contents(place.database_path) == before


@pytest.mark.needs("root", "chattr")
@pytest.mark.parametrize("letter", ["i", "a"])
def test_nothing_is_restored_onto_what_no_account_may_write(place: Settings, letter: str) -> None:
    """Not even where it is the same already: nothing was restored then."""
    name = create_backup(place, describe=describe).name
    with marked(place.database_path, letter), pytest.raises(Refused, match="nothing was changed") as told:
        restore_backup(place, name, describe=describe, wait_seconds=1)
    assert "is marked" in told.value.message
    assert len(list(place.backup_dir.glob("*.db"))) == 1


READ_ONLY = """
mount --make-rprivate / && mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 99
cd "$2"; for words in "upgrade check" "upgrade run" "backup restore $3"; do
"$4" -m app.cli $words; echo "status=$?"; done 2>&1
"""


@pytest.mark.needs("root", "unshare")
def test_a_place_that_is_mounted_read_only_is_named(place: Settings) -> None:
    root = Path(__file__).resolve().parents[2]
    name = create_backup(place, describe=describe).name
    home = place.data_dir.parent
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    words = [
        "unshare",
        "-m",
        "sh",
        "-c",
        READ_ONLY,
        "sh",
        str(place.data_dir),
        str(home),
        name,
        sys.executable,
    ]
    done = subprocess.run(words, env=known, capture_output=True, text=True, check=False)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("no mount can be made here")
    assert done.stdout.count("status=15") == 3, done.stdout
    for answer in done.stdout.split("status=15")[:3]:
        assert "can only be read" in answer
        assert f"mount -o remount,bind,rw {place.data_dir}" in answer
    assert "chown" not in done.stdout


def test_a_closed_data_folder_is_named_by_every_command_with_what_opens_it(place: Settings) -> None:
    os.chown(place.data_dir, 1, 1)
    place.data_dir.chmod(0o700)
    acts: dict[str, Callable[[], tuple[int, str, str]]] = {
        "init": lambda: refusal(lambda: initialise(place)),
        "backup": lambda: refusal(lambda: create_backup(place, describe=describe)),
        "rollback": lambda: told(run_rollback(place)),
        "orphans": lambda: refusal(lambda: find_repairs(place)),
        "gate": lambda: gate(place),
        "door": lambda: refusal(lambda: failures_of_a_door(place)),
    }
    for name, act in acts.items():
        status, message, hint = as_nobody(act)
        assert status == 15, (name, message)
        assert f"may not go into {place.data_dir}" in message, name
        assert hint == f"sudo chown nobody {place.data_dir} && sudo chmod u+rwx {place.data_dir}", name


def refusal(act: Callable[[], object]) -> tuple[int, str, str]:
    try:
        act()
    except DaemonError as error:
        return error.exit_code, error.message, error.hint
    return 0, "", ""


def told(outcome: Outcome) -> tuple[int, str, str]:
    return outcome.exit_code, outcome.message, outcome.hint


def gate(settings: Settings) -> tuple[int, str, str]:
    said = ask_readiness(settings, storage_for(settings.database_url))
    return said.error.exit_code, said.sentence, said.command


def failures_of_a_door(settings: Settings) -> None:
    try:
        settings.database_path.stat()
    except OSError as error:
        raise failures.refused_by_the_system(error) from error


def test_a_backup_that_may_not_be_read_is_not_called_damaged(place: Settings) -> None:
    made = create_backup(place, describe=describe)
    made.path.chmod(0)
    os.chown(made.path, 0, 0)
    found = as_nobody(lambda: [(each.state, each.note) for each in list_backups(place)])
    assert found == [["unproved", "cannot be read: Permission denied"]]
