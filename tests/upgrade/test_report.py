"""Are many alike lines of a report one with their count, and all of them there with --all?"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click
import pytest

from app.cli import aliases
from app.cli.main import daemon
from app.settings import Settings
from app.upgrade.model import Outcome
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from app.upgrade.report import render
from app.upgrade.report.fold import folded_lines
from tests.upgrade.places import execute

Old = Callable[[str], Path]

KEYS = tuple(
    f"INSERT INTO api_keys (id, name, key_hash, user_id, is_active) VALUES ({n}, 'k{n}', 'h{n}', 1, 1)"
    for n in range(500, 512)
)
UNALIKE = ("Yours, kept as it is: table a.", "Tokens of the old server are taken no more.")


def test_a_few_lines_are_all_shown() -> None:
    lines = [*UNALIKE, "Key 1 (a) of ann.", "Key 2 (b) of bob.", "Key 3 (c) of cid."]
    assert list(folded_lines(lines)) == lines


@pytest.mark.parametrize(
    "alike",
    [
        [f"Key {n} (name {n}) of person{n}, never used." for n in range(9)],
        [f"setting 'x{n}' of user {n} is not known: it is kept, and has no effect" for n in range(9)],
        [f"user {n} had {n + 2} rows of settings: of each setting the strictest counts" for n in range(9)],
        [f"data_entries {n} stays: there is another row with this key." for n in range(9)],
    ],
)
def test_many_alike_lines_are_one_with_their_count(alike: list[str]) -> None:
    lines = [UNALIKE[0], *alike, UNALIKE[1]]
    assert list(folded_lines(lines)) == [
        UNALIKE[0],
        alike[0],
        "and 8 more like it; --all lists them",
        UNALIKE[1],
    ]
    assert list(folded_lines(lines, everything=True)) == lines


def test_the_report_of_an_upgrade_folds_them(old: Old, settings: Settings) -> None:
    execute(old("layout_b"), *KEYS)
    outcome = run_upgrade(settings)
    short, whole = render.outcome_text(outcome), render.outcome_text(outcome, everything=True)
    assert short.count("Key ") == 1
    assert all(f"Key {n} (k{n})" in whole for n in range(500, 512))
    assert "more like it; --all lists them" in short
    assert "--all" not in whole
    assert sum("Key 5" in note for note in outcome.notes) == len(KEYS), (
        "programs and the journal get them all"
    )


def test_the_report_says_that_what_the_shipped_rules_hide_stays_hidden(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    outcome = run_upgrade(settings)
    [said] = [note for note in outcome.notes if "releases_shipped_rules=yes" in note]
    with closing(sqlite3.connect(path)) as connection:
        (accounts,) = connection.execute("SELECT count(*) FROM users").fetchone()
        kept = connection.execute(
            "SELECT DISTINCT releases_shipped_rules FROM user_privacy_settings"
        ).fetchall()
    assert f"the {accounts} accounts" in said
    assert kept == [(None,)]


def test_each_difference_of_a_schema_is_listed_with_all(old: Old, settings: Settings) -> None:
    tables = ("users", "endpoints", "data_entries", "api_keys", "audit_logs")
    execute(old("layout_b"), *(f"ALTER TABLE {table} RENAME COLUMN created_at TO made" for table in tables))
    plan = make_plan(settings)
    assert len(plan.current.drift) > 5
    assert "more." in render.check_text(plan)
    whole = render.check_text(plan, everything=True)
    assert all(f"{one.kind}: {one.what} {one.name}" in whole for one in plan.current.drift)


def test_the_entries_that_are_hidden_now_are_all_listed_with_all() -> None:
    hidden = tuple({"kind": "ideas", "id": n, "owner": "ann", "why": "private"} for n in range(30))
    outcome = Outcome("done", 0, "Done.", hidden_now=hidden)
    assert "and 10 more; --all lists them" in render.outcome_text(outcome)
    assert render.outcome_text(outcome, everything=True).count("ideas") == 31  # and in the count of kinds


@pytest.mark.parametrize(
    "words",
    [
        ("upgrade", "check"),
        ("upgrade", "plan"),
        ("upgrade", "run"),
        ("upgrade", "rollback"),
        ("repair", "orphans"),
    ],
)
def test_every_command_that_folds_lines_has_all(
    words: tuple[str, ...],
) -> None:
    command: click.Command = daemon
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    assert any("--all" in parameter.opts for parameter in command.params)


@pytest.mark.parametrize("command", [aliases.comprehensive, aliases.tracker, aliases.database])
def test_so_have_the_scripts_of_earlier_releases(command: click.Command) -> None:
    assert any("--all" in parameter.opts for parameter in command.params)
