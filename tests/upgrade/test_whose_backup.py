"""Several installations, one backup folder: does each look at its own, and is no one's people replaced?"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app import clock
from app.backup import manifest as manifests
from app.backup import prune
from app.backup.catalog import Backup, list_backups
from app.backup.manifest import manifest_path, read_manifest
from app.errors import OtherInstallation
from app.server.daily_backup import back_up_daily
from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.checks.lost_volume import look_for_lost_databases, lost_hint, lost_sentence
from app.upgrade.detect.identity import identity_of, known_of
from app.upgrade.operations.back_up import back_up, clear_away, find_own_newest_good
from app.upgrade.operations.identify import note_opening
from app.upgrade.operations.init import initialise
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.operations.upgrade import run_upgrade
from tests.conftest import SettingsIn
from tests.upgrade.old_databases import build
from tests.upgrade.places import execute

PERSON = (
    "INSERT INTO users (username, email, hashed_password, created_at)"
    " VALUES ('{0}', '{0}@example.org', 'x', '2026-01-0{1} 10:00:00')"
)


class Neighbours:
    """Installations in folders of their own; the backup folder is one for all."""

    def __init__(self, folder: Path, settings_in: SettingsIn) -> None:
        self.folder = folder
        self.settings_in = settings_in
        self.count = 0

    def make(self, name: str, person: str | None) -> Settings:
        """Make an installation whose only account is ``person``."""
        made = self.settings_in(self.folder / name, backup_dir=self.folder / "shared")
        initialise(made, fresh=True)
        self.count += 1
        if person:
            execute(made.database_path, PERSON.format(person, self.count))
        return made

    def empty(self, name: str) -> Settings:
        """Name a place where nothing is."""
        return self.settings_in(self.folder / name, backup_dir=self.folder / "shared")


@pytest.fixture
def neighbours(tmp_path: Path, settings_in: SettingsIn) -> Neighbours:
    return Neighbours(tmp_path, settings_in)


def people(settings: Settings) -> list[str]:
    with contextlib.closing(sqlite3.connect(settings.database_path)) as connection:
        return [name for (name,) in connection.execute("SELECT username FROM users ORDER BY id")]


def id_of(settings: Settings) -> str | None:
    return identity_of(settings).installation_id


def aged(made: Backup, days: int) -> Backup:
    """The backup as one that was made that many days earlier."""
    assert made.manifest is not None
    then = made.created_at - timedelta(days=days)
    name = f"backup_{clock.stamp(then)}.db"
    manifest = replace(made.manifest, file=name, created_at=clock.rfc3339(then))
    manifest_path(made.path).unlink()
    path = made.path.rename(made.path.with_name(name))
    manifest_path(path).write_bytes(manifest.as_bytes())
    return replace(made, name=name, path=path, created_at=then, manifest=manifest)


def without(made: Backup, *, manifest: bool = False, identity: bool = False) -> Backup:
    """The backup without its manifest, or with one of before there were ids."""
    assert made.manifest is not None
    manifest_path(made.path).unlink()
    if manifest:
        return made
    older = replace(made.manifest, installation=None, number=None, format=1)
    assert identity
    known = json.loads(older.as_bytes())
    for name in ("installation", "number", "manifest_sha256"):
        known.pop(name)
    known["manifest_sha256"] = manifests._seal(known)
    manifest_path(made.path).write_text(json.dumps(known))
    assert read_manifest(manifest_path(made.path)) is not None
    return replace(made, manifest=read_manifest(manifest_path(made.path)))


@pytest.fixture
def one_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest one alone stays whatever its age."""
    monkeypatch.setattr(prune, "NEWEST_KEPT", 1)


# -- whose


def test_the_list_says_whose_each_is_and_has_its_own_first(neighbours: Neighbours) -> None:
    a, b, c = (neighbours.make(name, name) for name in "abc")
    made = {name: back_up(each, "manual").name for name, each in zip("abc", (a, b, c), strict=True)}
    for name, each in zip("abc", (a, b, c), strict=True):
        found = list_backups(each, identity=identity_of(each))
        assert (found[0].name, found[0].whose) == (made[name], "this")
        assert [one.whose for one in found[1:]] == ["another", "another"]


@pytest.mark.parametrize("what", ["identity", "manifest"])
def test_one_without_an_id_counts_where_path_and_accounts_agree(neighbours: Neighbours, what: str) -> None:
    a, b = neighbours.make("a", "ann"), neighbours.make("b", "bob")
    made = without(back_up(a, "manual"), **{what: True})
    execute(a.database_path, PERSON.format("later", 7))
    known = made.manifest if what == "identity" else None  # else the file itself says whose it is
    assert [identity_of(each).owner_of(made.path, known) for each in (a, b)] == ["this", "another"]


@pytest.mark.parametrize(
    ("names", "is_own"),
    [(("ann",), True), (("Ann", "bob"), True), (("bob",), False), ((), False)],
)
def test_at_one_path_the_accounts_tell(neighbours: Neighbours, names: tuple[str, ...], is_own: bool) -> None:
    """Containers have the same path: what was there before may have been someone else's."""
    a = neighbours.make("a", "ann")
    made = without(back_up(a, "manual"), identity=True)
    a.database_path.unlink()
    initialise(a, fresh=True)
    for name in names:
        execute(a.database_path, PERSON.format(name, 1))
    assert (identity_of(a).owner_of(made.path, made.manifest) == "this") == is_own


def test_accounts_of_one_name_that_were_made_at_other_times_are_others(neighbours: Neighbours) -> None:
    a = neighbours.make("a", "admin")
    made = without(back_up(a, "manual"), identity=True)
    execute(a.database_path, "UPDATE users SET created_at = '2026-02-02 02:02:02'")
    assert identity_of(a).owner_of(made.path, made.manifest) == "another"


def test_where_the_database_is_gone_its_own_backup_is_named_and_not_a_neighbours(
    neighbours: Neighbours,
) -> None:
    a, b = neighbours.make("a", "ann"), neighbours.make("b", "bob")
    own = back_up(a, "manual")
    back_up(b, "manual")  # the newest file
    a.database_path.unlink()
    found = look_for_lost_databases(a)
    assert lost_hint(a, found).startswith(f"To put the backup back: daemon backup restore {own.name} ")
    assert f" of {b.database_path} (" in lost_sentence(a, found)
    assert {one.whose for one in list_backups(a, identity=identity_of(a))} == {"unknown"}
    assert clear_away(a, clock_is_right=True).removed == ()
    restore_and_hold(a, own.name)
    assert people(a) == ["ann"]


# -- pruning, and the daily one


@pytest.mark.usefixtures("one_is_enough")
def test_pruning_looks_at_its_own_only(neighbours: Neighbours) -> None:
    installations = [neighbours.make(name, name) for name in "abc"]
    for each in installations:
        for days in (100, 90, 80):
            aged(back_up(each, "manual"), days + installations.index(each))
    newest = [back_up(each, "manual").name for each in installations]
    removed = clear_away(installations[1]).removed
    assert len(removed) == 3
    left = {one.name for one in list_backups(installations[0])}
    assert len(left) == 9
    assert {*newest} <= left
    assert [one.whose for one in removed] == ["this"] * 3


def test_each_keeps_its_own_newest_seven(neighbours: Neighbours) -> None:
    a, b = neighbours.make("a", "ann"), neighbours.make("b", "bob")
    for each in (a, b):
        for days in range(9):
            aged(back_up(each, "manual"), 200 + days if each is a else 300 + days)
    for each in (a, b):
        clear_away(each, clock_is_right=True)
    for each in (a, b):
        assert sum(one.whose == "this" for one in list_backups(each, identity=identity_of(each))) == 7


def test_the_daily_backup_is_made_although_anothers_is_new(neighbours: Neighbours) -> None:
    a, b, c = (neighbours.make(name, name) for name in "abc")
    back_up(a, "manual")
    assert find_own_newest_good(b) is None
    assert back_up_daily(b)
    assert not back_up_daily(b)
    assert back_up_daily(c)
    assert not back_up_daily(a)


def test_an_upgrade_keeps_its_backup_beside_anothers(neighbours: Neighbours) -> None:
    a = neighbours.make("a", "ann")
    b = neighbours.empty("b")
    build("layout_a", b.database_path)
    done = run_upgrade(b)
    assert done.exit_code == 0, done.message
    assert id_of(b) != id_of(a)
    found = {one.name: one.whose for one in list_backups(a, identity=identity_of(a))}
    assert found[done.backup or ""] == "another"


# -- restoring


@pytest.mark.parametrize("what", ["whole", "identity", "manifest"])
def test_anothers_backup_over_people_is_refused_until_it_is_said(neighbours: Neighbours, what: str) -> None:
    a, b = neighbours.make("a", "ann"), neighbours.make("b", "bob")
    made = back_up(a, "manual")
    if what != "whole":
        without(made, **{what: True})
    own = id_of(b)
    with pytest.raises(OtherInstallation) as refused:
        restore_and_hold(b, made.name)
    assert refused.value.exit_code == 15
    assert f"daemon backup restore {made.name} --other-installation" in refused.value.hint
    assert people(b) == ["bob"]
    done = restore_and_hold(b, made.name, other_installation=True)
    assert people(b) == ["ann"]
    assert id_of(b) == own, "the installation is the one that it was"
    assert note_opening(b) == ()
    assert done.safety
    restore_and_hold(b, done.safety)
    assert people(b) == ["bob"], "its own state before needs no word"


@pytest.mark.parametrize("there", ["nothing", "no one", "an empty file"])
def test_a_machine_without_people_becomes_the_other_installation(neighbours: Neighbours, there: str) -> None:
    a = neighbours.make("a", "ann")
    made = back_up(a, "manual")
    b = neighbours.make("b", None) if there == "no one" else neighbours.empty("b")
    if there == "an empty file":
        b.data_dir.mkdir(parents=True)
        b.database_path.touch()
    done = restore_and_hold(b, made.name)
    assert people(b) == ["ann"]
    assert id_of(b) == id_of(a)
    assert note_opening(b) == (), "it was said where it goes on"
    assert back_up(b, "manual").number == 3 if done.safety else 2


def upgraded(neighbours: Neighbours, name: str) -> tuple[Settings, str]:
    """An installation that was upgraded, and the name of its backup of the old version."""
    made = neighbours.empty(name)
    build("layout_a", made.database_path)
    done = run_upgrade(made)
    assert done.backup, done.message
    return made, done.backup


@pytest.mark.parametrize("there", ["nothing", "no one"])
def test_the_id_moves_with_a_backup_of_an_older_version_too(neighbours: Neighbours, there: str) -> None:
    a, of_before = upgraded(neighbours, "a")
    b = neighbours.make("b", None) if there == "no one" else neighbours.empty("b")
    restore_and_hold(b, of_before)
    assert id_of(b) is None
    assert run_upgrade(b).exit_code == 0
    assert id_of(b) == id_of(a)


def test_an_installation_with_people_keeps_its_id_through_anothers_older_backup(
    neighbours: Neighbours,
) -> None:
    a, of_before = upgraded(neighbours, "a")
    b = neighbours.make("b", "bob")
    own = id_of(b)
    restore_and_hold(b, of_before, other_installation=True)
    assert run_upgrade(b).exit_code == 0
    assert id_of(b) == own != id_of(a)


def test_an_own_backup_goes_back_without_a_word(neighbours: Neighbours) -> None:
    a = neighbours.make("a", "ann")
    for made in (back_up(a, "manual"), without(back_up(a, "manual"), identity=True)):
        execute(a.database_path, PERSON.format(f"since{made.path.stem[-2:]}", 9))
        restore_and_hold(a, made.name)
        assert people(a) == ["ann"]


def test_no_login_and_no_link_comes_back_with_a_backup(neighbours: Neighbours) -> None:
    home = neighbours.make("home", "ann")
    moment = "2026-01-01 10:00:00"
    execute(
        home.database_path,
        "INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, refresh_hash)"
        f" VALUES (7, 1, '{moment}', '{moment}', '2099-01-01 10:00:00', 'hash')",
        "INSERT INTO one_time_links (id, purpose, token_hash, created_at, expires_at)"
        f" VALUES (8, 'invitation', 'hash', '{moment}', '2099-01-01 10:00:00')",
    )
    made = back_up(home, "manual")
    execute(home.database_path, "DELETE FROM sessions", "DELETE FROM one_time_links")
    done = restore_and_hold(home, made.name)
    assert (done.now.rows["users"], done.now.rows["sessions"], done.now.rows["one_time_links"]) == (1, 0, 0)
    with contextlib.closing(sqlite3.connect(home.database_path)) as connection:
        assert (
            connection.execute("SELECT id FROM sessions UNION SELECT id FROM one_time_links").fetchall() == []
        )


def test_an_old_servers_backup_of_the_same_people_goes_back_without_a_word(neighbours: Neighbours) -> None:
    a = neighbours.empty("a")
    build("layout_a", a.database_path)
    a.backup_dir.mkdir()
    kept = a.backup_dir / "daemon_backup_20250101_000000.db"
    shutil.copyfile(a.database_path, kept)
    run_upgrade(a)
    restore_and_hold(a, kept.name)
    assert id_of(a) is None
    other = neighbours.make("b", "bob")
    with pytest.raises(OtherInstallation):
        restore_and_hold(other, kept.name)


# -- the order


def test_numbers_count_on_whatever_the_clock_says(
    neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = neighbours.make("a", "ann")
    now = clock.now()
    made = []
    for days in (0, 4000, 1, -50, 2):
        monkeypatch.setattr(clock, "now", lambda days=days: now + timedelta(days=days))
        made.append(back_up(a, "manual"))
    assert [one.number for one in made] == [1, 2, 3, 4, 5]
    listed = list_backups(a, identity=identity_of(a))
    assert [one.name for one in listed] == [one.name for one in reversed(made)]
    newest = find_own_newest_good(a)
    assert newest is not None
    assert newest.name == made[-1].name


def test_a_number_is_never_given_twice(neighbours: Neighbours) -> None:
    a = neighbours.make("a", "ann")
    first = back_up(a, "manual")
    later = [back_up(a, "manual").number for _ in range(2)]
    done = restore_and_hold(a, first.name)  # the database counts from before again
    assert done.safety
    safety = read_manifest(manifest_path(a.backup_dir / done.safety))
    assert safety is not None
    numbers = [first.number, *later, safety.number, back_up(a, "manual").number]
    assert numbers == [1, 2, 3, 4, 5]
    shutil.rmtree(a.backup_dir)
    assert back_up(a, "manual").number == 6, "nor where the folder is lost"


def test_backups_without_a_number_are_in_the_order_of_their_names(neighbours: Neighbours) -> None:
    a = neighbours.make("a", "ann")
    old = [without(aged(back_up(a, "manual"), days), identity=True) for days in (5, 9, 1)]
    numbered = aged(back_up(a, "manual"), 3)
    listed = [one.name for one in list_backups(a, identity=identity_of(a))]
    assert listed == [old[2].name, numbered.name, old[0].name, old[1].name]


# -- the clock


@pytest.mark.usefixtures("one_is_enough")
def test_nothing_is_cleared_away_after_a_leap_until_it_is_confirmed(
    neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = neighbours.make("a", "ann")
    now = clock.now()
    for _ in range(4):
        back_up(a, "manual")
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=4000))
    assert clear_away(a).removed == (), "before a backup"
    assert back_up_daily(a)
    assert clear_away(a).removed == (), "and after it"
    found = known_of(a)[1]
    assert found is not None
    assert found.clock.is_leapt
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=4001))
    assert back_up_daily(a), "backups are made all the same"
    assert clear_away(a).removed == ()
    assert len(clear_away(a, clock_is_right=True, dry_run=True).removed) == 4
    assert len(clear_away(a, clock_is_right=True).removed) == 4
    assert len(clear_away(a).removed) == 0
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=4032))
    note_opening(a)
    assert known_of(a)[1].clock.is_leapt  # type: ignore[union-attr]


@pytest.mark.usefixtures("one_is_enough")
def test_a_clock_that_went_back_lets_pruning_go_on(
    neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = neighbours.make("a", "ann")
    now = clock.now()
    old = aged(back_up(a, "manual"), 100)
    young = back_up(a, "manual")
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=4000))
    future = back_up(a, "manual")
    assert clear_away(a).removed == ()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=1, hours=1))
    assert back_up_daily(a)
    left = {one.name for one in list_backups(a)}
    assert old.name not in left
    assert {young.name, future.name} <= left


def test_a_restore_does_not_make_the_clock_leap(
    neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known of the clock belongs to the place, and is not of the time of the backup."""
    a = neighbours.make("a", "ann")
    now = clock.now()
    made = back_up(a, "manual")
    for days in (20, 40, 60):
        monkeypatch.setattr(clock, "now", lambda days=days: now + timedelta(days=days))
        note_opening(a)
    restore_and_hold(a, made.name)
    assert note_opening(a) == ()


def test_a_backup_is_made_while_another_program_holds_the_database(neighbours: Neighbours) -> None:
    """It is not counted there then, and has its number all the same."""
    a = neighbours.make("a", "ann")
    back_up(a, "manual")
    with storage_for(a.database_url).migration_connection():
        assert back_up(a, "manual").number == 2
    assert back_up(a, "manual").number == 3
