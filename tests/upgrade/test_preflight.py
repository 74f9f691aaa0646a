"""Is each thing that stands in the way one sentence and one command, and each warning no more than that?"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.disk import nearest_existing
from app.progress import Event
from app.settings import Settings
from app.storage.registry import storage_for
from app.storage.sqlite.storage import SQLiteStorage
from app.storage.types import Soundness
from app.upgrade.checks import soundness
from app.upgrade.model import Plan
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import look, make_order, make_plan, plan_from
from app.upgrade.records import auto_upgrade_block
from app.upgrade.report import render
from tests.conftest import SettingsIn
from tests.upgrade.places import contents, everything_in, execute

Old = Callable[[str], Path]
UNHEARD = "words_not_heard"


@pytest.fixture
def settings(home: Path, settings_in: SettingsIn) -> Settings:
    """Of an operator with a secret of their own: nothing is to be said of that."""
    return settings_in(home, secret_key="Zp0-long-enough-and-of-the-operator-alone")


def codes(plan: Plan) -> tuple[list[str], list[str]]:
    warnings = [problem.code for problem in plan.warnings]  # an entry of the household says "Public"
    return [problem.code for problem in plan.blockers], [code for code in warnings if code != UNHEARD]


@pytest.mark.parametrize("mount", ["nfs", "nfs4", "cifs", "smb3"])
@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_network_file_system_is_refused(
    old: Old, settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch, mount: str, mode: str
) -> None:
    execute(old("layout_a"), f"PRAGMA journal_mode={mode}")
    monkeypatch.setattr(SQLiteStorage, "mount_kind", lambda storage: mount)
    before = everything_in(home)
    outcome = run_upgrade(settings, force=True)
    assert (outcome.state, outcome.exit_code) == ("refused", 15)
    assert mount in outcome.message
    assert everything_in(home) == before


@pytest.mark.parametrize("mount", ["9p", "virtiofs", "fuse.sshfs", "fuse"])
def test_a_shared_one_is_refused_in_wal_mode_and_only_told_otherwise(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch, mount: str
) -> None:
    path = old("layout_a")
    monkeypatch.setattr(SQLiteStorage, "mount_kind", lambda storage: mount)
    assert codes(make_plan(settings)) == ([], ["doubtful_filesystem"])
    execute(path, "PRAGMA journal_mode=WAL")
    assert "network_filesystem" in codes(make_plan(settings))[0]
    execute(path, "PRAGMA journal_mode=DELETE")
    assert run_upgrade(settings).state == "done"


def test_an_old_sqlite_is_refused(old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    old("layout_a")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 31, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.31.1")
    plan = make_plan(settings)
    assert codes(plan)[0] == ["sqlite_too_old"]
    assert "3.31.1" in plan.blockers[0].message
    assert run_upgrade(settings).exit_code == 15


@pytest.mark.parametrize(("version", "told"), [((3, 51, 2), True), ((3, 51, 3), False)])
def test_the_fault_of_wal_mode_is_told_where_it_is(
    old: Old,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    version: tuple[int, int, int],
    told: bool,
) -> None:
    path = old("layout_a")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert "wal_race" not in codes(make_plan(settings))[1]
    execute(path, "PRAGMA journal_mode=WAL")
    assert ("wal_race" in codes(make_plan(settings))[1]) is told


def test_orphans_are_listed_row_by_row_and_block_nothing(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    known = len(make_plan(settings).warnings)
    execute(
        path,
        "INSERT INTO data_entries (id, endpoint_id, data) VALUES (7001, 888, '{}')",
        "INSERT INTO api_keys (id, name, key_hash, user_id) VALUES (7002, 'k', 'h', 999)",
    )
    plan = make_plan(settings)
    assert plan.blockers == ()
    told = [problem.message for problem in plan.warnings if problem.code == "orphan"]
    assert len(plan.warnings) - known == 2
    assert any("data_entries, row 7001" in message and "endpoints" in message for message in told)
    assert any("api_keys, row 7002" in message and "users" in message for message in told)
    outcome = run_upgrade(settings)
    assert outcome.state == "done"
    assert any("2 rows name a row that is not there" in note for note in outcome.notes)


def test_every_blocker_is_a_sentence_with_a_command(settings: Settings, old: Old) -> None:
    """Of several things in the way, the one that is most to the point gives the exit status."""
    path = old("layout_a")
    execute(path, "DROP INDEX ix_users_email")
    auto_upgrade_block.set_hold(settings, "someone went back")
    plan = make_plan(settings)
    for problem in (*plan.blockers, *plan.warnings):
        assert problem.message.endswith(".")
        assert problem.hint
    assert codes(plan) == (["drift"], ["hold"])
    assert "missing" in plan.blockers[0].message
    assert "--repair" in plan.blockers[0].hint
    assert "In the way:" in render.check_text(plan)


def test_what_is_mended_is_told_as_a_warning_and_as_a_step(settings: Settings, old: Old) -> None:
    execute(old("layout_a"), "DROP INDEX ix_users_email")
    plan = make_plan(settings, repair=True)
    assert codes(plan) == ([], ["drift"])
    assert plan.steps[0].kind == "repair"
    assert "ix_users_email" in plan.steps[0].title


def test_what_is_found_under_the_lock_is_what_counts(old: Old, settings: Settings) -> None:
    """Between the first look and the lock someone changes the schema: it is refused, nothing is touched."""
    path = old("layout_a")

    def on_event(event: Event) -> None:
        if event.phase == "lock":
            execute(path, "DROP INDEX ix_users_email")

    outcome = run_upgrade(settings, on_event=on_event)
    assert (outcome.state, outcome.exit_code) == ("refused", 11)
    assert not settings.backup_dir.exists()
    assert "database_versions" not in contents(path)


def test_a_database_that_goes_missing_meanwhile(old: Old, settings: Settings) -> None:
    path = old("layout_a")
    outcome = run_upgrade(settings, on_event=lambda event: path.unlink() if event.phase == "lock" else None)
    assert outcome.exit_code == 13
    assert not path.exists()


def test_missing_is_told_with_the_way_on(settings: Settings) -> None:
    plan = make_plan(settings)
    assert codes(plan)[0] == ["missing"]
    assert plan.blockers[0].exit_code == 13
    assert "daemon init" in plan.blockers[0].hint
    assert run_upgrade(settings).exit_code == 13


def test_the_needs_are_enough_for_what_was_measured_and_not_absurd(old: Old, settings: Settings) -> None:
    """Measured on 200,000 entries: beside the backup, a little more than once the database for a while."""
    old("layout_a")
    facts = replace(look(storage_for(settings.database_url), "rows"), database_bytes=10**9)
    needs = plan_from(settings, facts, make_order()).needs
    assert 1.1 * 10**9 < needs.data_bytes < 2.2 * 10**9
    assert 10**9 < needs.backup_bytes < 1.2 * 10**9
    assert nearest_existing(settings.backup_dir) == settings.backup_dir.parent


WORDS = [
    ('{"content": "a", "meta": {"draft": true}}', "/meta/draft"),
    ('{"content": "b", "published": false}', "/published"),
    ('{"meta": {"publish_at": "2099-01-01", "visibilty": ""}}', "/meta/publish_at, /meta/visibilty"),
]


@pytest.mark.parametrize("layout", ["layout_a", "newest"])
def test_entries_with_words_that_are_not_heard_are_listed_and_block_nothing(
    old: Old, settings: Settings, layout: str
) -> None:
    path = old("layout_a")
    if layout == "newest":
        assert run_upgrade(settings).state == "done"
    assert _unheard(settings).startswith("1 entry says in words that do not count")
    assert "ideas 5 (/meta/visibility)" in _unheard(settings)
    execute(path, *(_entry(9000 + at, text) for at, (text, _place) in enumerate(WORDS)))
    execute(path, _entry(9100, '{"content": "d", "meta": {"draft": true, "visibility": "private"}}'))
    execute(path, _entry(9101, '{"content": "e", "draft": true}', is_active=0), _entry(9102, "no JSON"))
    before = contents(path)
    plan = make_plan(settings)
    told = _unheard(settings)
    assert told.startswith("4 entries")
    for at, (_text, place) in enumerate(WORDS):
        assert f"{9000 + at} ({place})" in told
    assert not plan.blockers
    assert told in render.check_text(plan)
    assert contents(path) == before


def test_the_list_of_such_entries_is_bounded(old: Old, settings: Settings) -> None:
    execute(old("layout_a"), *(_entry(9000 + at, WORDS[0][0]) for at in range(30)))
    assert _unheard(settings).startswith("31 entries")
    assert "and 11 more" in _unheard(settings)


def _unheard(settings: Settings) -> str:
    (told,) = [problem for problem in make_plan(settings).warnings if problem.code == UNHEARD]
    assert "visibility" in told.hint
    return told.message


def _entry(entry_id: int, text: str, is_active: int = 1) -> str:
    return (
        "INSERT INTO data_entries (id, endpoint_id, data, is_active) "
        f"SELECT {entry_id}, min(id), '{text}', {is_active} FROM endpoints"
    )


def test_rows_against_a_rule_are_named_in_the_warning() -> None:
    content = ("NULL value in users.email",) * 7 + (
        "CHECK (a < b) failed in mine",
        "non-unique entry in index i",
    )
    rows = {content[0]: ("1", "2", "3", "4", "5"), content[7]: ("9",), content[8]: ()}
    (found,) = soundness.warnings(Soundness(content=content, content_rows=rows), ())
    assert found.message == (
        "9 rows do not keep the rules of their table: NULL value in users.email (rows 1, 2, 3, 4, 5 and 2 "
        "more); CHECK (a < b) failed in mine (row 9); non-unique entry in index i. They are kept as they are."
    )
