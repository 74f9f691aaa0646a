"""Are texts in boolean columns read as they are meant, kept, and named where they switch someone off?"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.backup.restore.restore import restore_backup
from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.checks import excess
from app.upgrade.checks.allowed_changes import allowed_by
from app.upgrade.detect.recognise import describe
from app.upgrade.model import Outcome, Plan
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import look, make_order, make_plan, plan_from
from app.upgrade.versions.releases import NEWEST
from tests.upgrade.places import execute

Old = Callable[[str], Path]
ON = ("true", "TRUE", "t", "T", "yes", "Yes", "on", "oN", "1x"[:1])
OFF = ("false", "False", "f", "no", "off", "maybe", " true", "true ", "", "wahr", "true\0", "ｔｒｕｅ")


def ask(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def give(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement, values)
        connection.commit()


def add_person(path: Path, name: str, is_active: object, is_admin: object) -> None:
    give(
        path,
        "INSERT INTO users (username, email, hashed_password, is_active, is_admin) VALUES (?, ?, 'x', ?, ?)",
        name, f"{name}@example.org", is_active, is_admin,
    )  # fmt: skip


def upgraded(settings: Settings) -> Outcome:
    outcome = run_upgrade(settings)
    assert outcome.state == "done", outcome.message
    return outcome


def said(plan: Plan) -> str:
    return "\n".join(f"{each.message} {each.hint}" for each in plan.warnings)


@pytest.mark.parametrize("word", [*ON, *OFF], ids=repr)
def test_a_text_in_a_switch_is_on_only_when_it_says_so(old: Old, settings: Settings, word: str) -> None:
    path = old("layout_b")
    add_person(path, "dora", word, word)

    upgraded(settings)

    wanted = int(word in ON)
    assert ask(path, "SELECT is_active, is_admin FROM users WHERE username = 'dora'") == [(wanted, wanted)]
    kept = ask(path, "SELECT column_name, value, value_type FROM kept_values WHERE table_name = 'users'")
    if word != "1":  # which the column made a number of when it was written
        assert sorted(kept) == [("is_active", word, "text"), ("is_admin", word, "text")]


@pytest.mark.parametrize("name", ["layout_a", "layout_b", "second_shape", "third_shape"])
def test_every_switch_of_every_old_form_is_read(old: Old, settings: Settings, name: str) -> None:
    path = old(name)
    execute(path, "UPDATE data_entries SET is_active = 'yes' WHERE id % 2 = 0")
    execute(path, "UPDATE data_entries SET is_active = 'no' WHERE id % 2 = 1")
    execute(path, "UPDATE endpoints SET is_active = 'on', is_public = 'TRUE'")
    execute(path, "UPDATE api_keys SET is_active = 'false'")

    upgraded(settings)

    odd = "SELECT count(*) FROM {} WHERE typeof({}) = 'text'"
    for place in (
        "data_entries.is_active",
        "endpoints.is_active",
        "endpoints.is_public",
        "api_keys.is_active",
    ):
        assert ask(path, odd.format(*place.split("."))) == [(0,)]
    assert ask(path, "SELECT count(*) FROM data_entries WHERE is_active <> (id % 2 = 0)") == [(0,)]
    assert ask(path, "SELECT count(*) FROM endpoints WHERE is_public IS NOT 1") == [(0,)]


def test_whoever_is_off_by_a_text_is_named_before_and_after(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    add_person(path, "cid", "false", 0)
    add_person(path, "bo b", 1, "nope")
    add_person(path, "two", 2, 0)
    give(path, "UPDATE endpoints SET is_public = 'no' WHERE name = 'ideas'")
    give(path, "UPDATE data_entries SET is_active = 'gone' WHERE id IN (SELECT id FROM data_entries LIMIT 1)")
    (gone,) = ask(path, "SELECT id FROM data_entries WHERE is_active = 'gone'")

    plan = make_plan(settings)
    outcome = upgraded(settings)

    for text in (said(plan), "\n".join(outcome.notes)):
        assert "daemon user activate cid && daemon user activate two" in text
        assert "daemon user admin 'bo b'" in text
        assert "accounts cid ('false'), two (2) the switch is_active" in text
        assert "kinds ideas ('no') the switch is_public" in text
        assert f"entries {gone[0]} the switch is_active" in text
        assert "no account is an active admin" not in text
    assert outcome.plan is not None
    assert [step.id for step in plan.steps] == [step.id for step in outcome.plan.steps]


@pytest.mark.parametrize("word", ["false", "0.", "admin"])
def test_the_only_admin_is_told_what_to_type(old: Old, settings: Settings, word: str) -> None:
    path = old("layout_a")
    execute(path, "UPDATE users SET is_admin = 0")
    add_person(path, "eva", 1, f"{word}!")

    plan, outcome = make_plan(settings), upgraded(settings)

    for text in (said(plan), "\n".join(outcome.notes)):
        assert "no account is an active admin: eva" in text
        assert "daemon user admin eva && daemon user activate eva" in text


@pytest.mark.parametrize("word", ["false", "true", "no"])
def test_what_strangers_will_not_see_is_the_same_before_and_after(
    old: Old, settings: Settings, word: str
) -> None:
    path = old("layout_b")
    execute(path, f"UPDATE users SET is_active = '{word}' WHERE id = 1")
    execute(path, f"UPDATE endpoints SET is_public = '{word}' WHERE id % 3 = 0")
    execute(path, f"UPDATE data_entries SET is_active = '{word}' WHERE id % 5 = 0")

    plan, outcome = make_plan(settings), upgraded(settings)

    assert plan.hidden is not None
    assert [each["id"] for each in plan.hidden] == [each["id"] for each in outcome.hidden_now]


def test_a_text_that_comes_later_is_named_and_read_by_a_repair(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    upgraded(settings)
    add_person(path, "fay", "yes", 0)

    assert make_plan(settings).steps == ()
    assert "users.is_active of fay ('yes')" in said(make_plan(settings))
    outcome = run_upgrade(settings, repair=True)

    assert outcome.state == "done", outcome.message
    assert ask(path, "SELECT is_active FROM users WHERE username = 'fay'") == [(1,)]
    assert "fay" not in said(make_plan(settings))


def test_an_upgrade_from_a_version_of_ours_shows_nothing_that_a_text_has_hidden(
    old: Old, settings: Settings
) -> None:
    path = old("layout_b")
    assert run_upgrade(settings, target="0.4.0").state == "done"
    give(path, "UPDATE endpoints SET is_public = 'yes' WHERE name = 'ideas'")
    give(path, "UPDATE data_entries SET is_active = 'true' WHERE id = 1")
    add_person(path, "fay", "yes", 0)
    odd = "SELECT is_public FROM endpoints WHERE typeof(is_public) = 'text'"

    plan, outcome = make_plan(settings), upgraded(settings)

    assert "counts as off" in said(plan)
    assert not [step.id for step in plan.steps if step.id.startswith("switch:")]
    assert outcome.plan is not None
    assert ask(path, odd) == [("yes",)]
    assert ask(path, "SELECT is_active FROM users WHERE username = 'fay'") == [("yes",)]
    assert run_rollback(settings).state == "done"
    assert ask(path, odd) == [("yes",)]
    upgraded(settings)
    assert run_upgrade(settings, repair=True).state == "done"
    assert ask(path, odd) == []


def test_an_upgrade_after_a_restore_reads_them_again(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    add_person(path, "gus", "on", "off")
    first = upgraded(settings)
    assert first.backup is not None
    restore_backup(settings, first.backup, describe=describe)
    assert ask(path, "SELECT is_active FROM users WHERE username = 'gus'") == [("on",)]

    upgraded(settings)

    assert ask(path, "SELECT is_active, is_admin FROM users WHERE username = 'gus'") == [(1, 0)]
    assert make_plan(settings, NEWEST).steps == ()


def test_a_rollback_does_not_count_the_texts_as_written_since(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    add_person(path, "hal", "true", "false")
    upgraded(settings)
    give(path, "UPDATE users SET full_name = 'Ida' WHERE id = 1")

    outcome = run_rollback(settings)

    assert outcome.state == "done", outcome.message
    assert outcome.details["written_since"] == {"users": {"added": 0, "changed": 1, "removed": 0}}
    assert ask(path, "SELECT is_active, is_admin FROM users WHERE username = 'hal'") == [("true", "false")]


@pytest.mark.parametrize("name", ["layout_a", "layout_b", "guide_0_1"])
def test_a_switch_of_a_kind_is_read_beside_the_kinds_that_the_upgrade_adds(
    old: Old, settings: Settings, name: str
) -> None:
    path = old(name)
    execute(path, "DELETE FROM endpoints WHERE id NOT IN (SELECT endpoint_id FROM data_entries)")
    execute(path, "UPDATE endpoints SET is_active = 'TRUE', is_public = 'no' WHERE name = 'ideas'")
    before = ask(path, "SELECT count(*) FROM endpoints")

    upgraded(settings)

    assert ask(path, "SELECT count(*) FROM endpoints") > before
    assert ask(path, "SELECT is_active, is_public FROM endpoints WHERE name = 'ideas'") == [(1, 0)]


def test_no_step_may_fill_a_switch_in_which_nothing_was(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    execute(path, "UPDATE endpoints SET is_active = 'on' WHERE id > 1")
    execute(path, "UPDATE endpoints SET is_active = NULL WHERE id = 1")
    storage = storage_for(settings.database_url)
    with storage.migration_connection() as migration:
        allowed = allowed_by(plan_from(settings, look(storage, "rows"), make_order()))
        before = excess.measure(migration, allowed)
        wrong = "endpoints.is_active has other values than before, where only texts may become 0 or 1"
        migration.execute("UPDATE endpoints SET is_active = 1 WHERE id > 1", {})
        assert wrong not in excess.faults(migration, before, allowed, NEWEST)
        migration.execute("UPDATE endpoints SET is_active = 1 WHERE id = 1", {})
        assert wrong in excess.faults(migration, before, allowed, NEWEST)
