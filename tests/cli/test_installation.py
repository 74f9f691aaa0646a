"""Do the commands say which installation this is, whose backups there are, and what the clock has done?"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from app import clock
from app.cli import status as status_command
from app.cli.status import found_out, in_words
from app.entries import kinds
from app.settings import load_settings
from app.upgrade.operations.identify import note_opening
from tests.cli.conftest import Typed

PASSWORD = "a long sentence is best"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BACKUP_DIR", str(tmp_path / "shared"))
    return tmp_path


def begin(typed: Typed, folder: Path, name: str, person: str = "") -> Path:
    """Make an installation in a folder of its own, and be there."""
    place = folder / name
    place.mkdir()
    os.chdir(place)
    typed("init", "--fresh")
    if person:
        address = f"{person}@example.org"
        typed("user", "create", person, address, "--admin", "--password-stdin", stdin=f"{PASSWORD}\n")
    return place


def at(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    moment = clock.now() + timedelta(days=days)
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_two_installations_and_one_backup_folder(typed: Typed, folder: Path) -> None:
    a = begin(typed, folder, "a", "ann")
    of_a = Path(typed("backup", "create", "--json").json["path"]).name
    begin(typed, folder, "b", "bob")
    typed("backup", "create")
    listed = typed("backup", "list").out
    assert "this one" in listed
    assert str(a / "data" / "daemon.db") in listed
    said = {one["name"]: one for one in typed("backup", "list", "--json").json["backups"]}
    assert (said[of_a]["whose"], said[of_a]["number"]) == ("another", 1)
    assert said[of_a]["installation"] in listed
    status = typed("status", "--json").json
    assert (status["backup_count"], status["backups_of_others"]) == (1, 1)
    assert status["newest_backup"] != of_a
    refused = typed("backup", "restore", of_a, status=15)
    assert f"daemon backup restore {of_a} --other-installation" in refused.err
    done = typed("backup", "restore", of_a, "--other-installation")
    back = done.out.partition("kept: daemon ")[2].partition(" takes")[0]
    typed(*back.split())
    assert "bob" in typed("user", "list").out


def test_the_history_and_the_journal_are_of_this_installation(typed: Typed, folder: Path) -> None:
    begin(typed, folder, "a", "ann")
    typed("backup", "create")
    begin(typed, folder, "b", "bob")
    said = json.dumps(typed("upgrade", "history", "--all", "--json").json)
    assert "ann" not in said
    assert str(folder / "a") not in said
    assert "bob" in said


def test_a_copied_folder_is_asked_and_answered(typed: Typed, folder: Path) -> None:
    begin(typed, folder, "a", "ann")
    own = typed("status", "--json").json["installation"]
    for name, word in (("copy", "--new-id"), ("moved", "--moved")):
        shutil.copytree(folder / "a", folder / name)
        os.chdir(folder / name)
        for words in (typed("status").out, typed("doctor", status=None).out):
            assert "init --new-id" in words
            assert "init --moved" in words
        typed("user", "list")
        typed("init", word)
        after = typed("status", "--json").json
        assert after["seen_elsewhere"] is None
        assert (after["installation"] == own) == (word == "--moved")
        assert "init --new-id" not in typed("doctor", status=None).out


def test_a_new_database_has_every_kind_before_a_server_opens_it(typed: Typed, folder: Path) -> None:
    typed("init")
    with closing(sqlite3.connect(folder / "data/daemon.db")) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM endpoints")}
    assert names == set(kinds.built_in())


@pytest.mark.parametrize("words", [("--new-id", "--moved"), ("--fresh", "--new-id")])
def test_one_cannot_say_two_things(typed: Typed, folder: Path, words: tuple[str, ...]) -> None:
    begin(typed, folder, "a")
    typed("init", *words, status=2)


def test_where_there_is_no_database_there_is_no_id(typed: Typed, folder: Path) -> None:
    (folder / "none").mkdir()
    os.chdir(folder / "none")
    refused = typed("init", "--new-id", status=None)
    assert refused.status in (13, 15)
    assert "fault" not in refused.err
    assert typed("status", "--json").json["installation"] is None


def test_a_leap_is_told_everywhere_with_the_command_that_confirms_it(
    typed: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(typed, folder, "a", "ann")
    for _ in range(9):
        typed("backup", "create")
    at(monkeypatch, 4000)
    typed("backup", "create")
    confirm = "backup prune --clock-is-right"
    assert confirm in typed("status").out
    assert confirm in typed("doctor", status=None).out
    assert confirm in note_opening(load_settings())[0]
    held = typed("backup", "prune")
    assert confirm in held.out
    assert typed("backup", "prune", "--json").json["removed"] == []
    assert len(typed(*confirm.split(), "--json").json["removed"]) == 3
    assert typed("status", "--json").json["clock"] is None


@pytest.mark.parametrize("days", [-2, -4000])
def test_status_tells_the_truth_after_a_clock_was_set_back(
    typed: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    begin(typed, folder, "a", "ann")
    first = typed("backup", "create", "--json").json["name"]
    at(monkeypatch, days)
    before = typed("status", "--json").json
    assert before["newest_backup"] == first
    assert before["newest_backup_is_from_the_future"]
    assert "one of them is wrong" in before["clock"]
    assert "of a time to come" in in_words(found_out(load_settings()))
    second = typed("backup", "create", "--json").json["name"]
    after = typed("status", "--json").json
    assert after["newest_backup"] == second, "it came later, whatever its name says"
    assert not after["newest_backup_is_from_the_future"]
    assert typed("backup", "list", "--json").json["backups"][0]["name"] == second


def test_a_rollback_that_a_wrong_clock_dated_before_the_upgrade_is_the_last_thing_that_happened(
    typed: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app import journal

    begin(typed, folder, "a")
    settings = load_settings()
    journal.write_line(settings, "committed", backup="x", to_version="0.5.0", hidden={"people": 3})
    assert status_command.found_out(settings)["hidden_by_last_upgrade"] == {"people": 3}
    at(monkeypatch, -400)
    journal.write_line(settings, "rolled_back", to_version="0.1.0")
    assert status_command.found_out(settings)["hidden_by_last_upgrade"] == {}
