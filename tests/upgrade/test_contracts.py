"""Does every step keep to its contract, and is one that does more than it says found out and taken back?"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from app.storage.schema import folded
from app.storage.types import MigrationConnection
from app.upgrade.checks.allowed_changes import names_in
from app.upgrade.detect.name_collisions import OWNERS_PREFIX
from app.upgrade.model import Applied, Plan
from app.upgrade.operations import upgrade
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import exit_code_of, make_plan
from app.upgrade.records.waiting_writes import Waiting
from app.upgrade.versions import contracts, contracts_of_frozen
from app.upgrade.versions.contracts import Contract, ContractBroken, contract_of, step_path
from app.upgrade.versions.expected_schema import schema_at
from app.upgrade.versions.releases import SCHEMA_VERSIONS
from tests.upgrade.places import contents, execute, value
from tests.upgrade.test_verify import NOTES

Old = Callable[[str], Path]

# What a step may do besides what it says. Each runs behind the real steps, in their transaction, when the
# owner's views and triggers are in place again.
EXCESSES: dict[str, tuple[str, ...]] = {
    "a table": ("CREATE TABLE more (a)",),
    "a table with rows": ("CREATE TABLE more (a)", "INSERT INTO more VALUES (1)"),
    "a column of a table of ours": ("ALTER TABLE users ADD COLUMN more TEXT",),
    "a column of the owner's table": ("ALTER TABLE notes ADD COLUMN more TEXT",),
    "an index": ("CREATE INDEX more ON users (created_at)",),
    "an index on the owner's table": ("CREATE INDEX more ON notes (text)",),
    "a view": ("CREATE VIEW more AS SELECT * FROM users",),
    "a trigger": ("CREATE TRIGGER more AFTER INSERT ON users BEGIN SELECT 1; END",),
    "a trigger with the name of a table": (
        "CREATE TRIGGER login_places AFTER INSERT ON users BEGIN SELECT 1; END",
    ),
    "rows in a table of before": (
        "INSERT INTO users (username, email, hashed_password) VALUES ('m', 'm', 'm')",
    ),
    "rows in the owner's table": ("INSERT INTO notes (text) VALUES ('more')",),
    "rows in a new table": ("INSERT INTO login_places (user_id, network) VALUES (1, 'more')",),
    "values in a new column": ("UPDATE users SET token_generation = 1",),
    "one value in a new column": ("UPDATE api_keys SET can_write = 1 WHERE id = 1",),
    "values in a column of before": ("UPDATE users SET last_login = '2030-01-01' WHERE id = 1",),
    "values in the owner's column": ("UPDATE notes SET text = 'more'",),
    "kept values of nothing": (
        "INSERT INTO kept_values (table_name, row_key, column_name) VALUES ('a', 'b', 'c')",
    ),
    "a line of history": (
        "INSERT INTO database_versions (version, outcome, is_claim) VALUES ('0.1.0', 'done', 0)",
    ),
    "a claim": ("INSERT INTO database_versions (version, is_claim) VALUES ('0.1.0', 1)",),
    "a number in the header": ("PRAGMA user_version = 399",),
    "another program's number in the header": ("PRAGMA application_id = 77",),
    "ids that are skipped": ("UPDATE sqlite_sequence SET seq = 4000 WHERE name = 'counted'",),
    "another index under the owner's name": (
        "DROP INDEX ix_notes_text",
        "CREATE INDEX ix_notes_text ON notes (number)",
    ),
    "an index of the owner's is gone": ("DROP INDEX ix_notes_text",),
    "the owner's view is gone": ("DROP VIEW all_notes",),
    "another view under the owner's name": ("DROP VIEW all_notes", "CREATE VIEW all_notes AS SELECT 1"),
    "another form of the owner's table": (
        "CREATE TABLE other (a, b, PRIMARY KEY (a, b), CHECK (a > 0)) WITHOUT ROWID",
        "INSERT INTO other SELECT * FROM pairs",
        "DROP TABLE pairs",
        "ALTER TABLE other RENAME TO pairs",
    ),
}
THE_OWNERS = (
    *NOTES,
    "CREATE INDEX ix_notes_text ON notes (text)",
    "CREATE VIEW all_notes AS SELECT * FROM notes",
)


@pytest.mark.parametrize("statements", EXCESSES.values(), ids=EXCESSES)
def test_a_planted_excess_is_found_and_taken_back(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch, statements: tuple[str, ...]
) -> None:
    path = old("layout_b")
    execute(path, *THE_OWNERS)
    before = contents(path)
    with monkeypatch.context() as patched:
        plant(patched, *statements)
        outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("failed_unchanged", 1), outcome
    assert "verification found faults" in outcome.message
    assert contents(path) == before
    assert run_upgrade(settings).state == "done"


def plant(monkeypatch: pytest.MonkeyPatch, *statements: str) -> None:
    """Let the steps run as they are, and then these statements in the same transaction."""
    real = upgrade._stepped

    def excessive(
        work: upgrade.Work, migration: MigrationConnection, plan: Plan, waiting: Waiting
    ) -> tuple[Applied, ...]:
        applied = real(work, migration, plan, waiting)
        for statement in statements:
            migration.connection.exec_driver_sql(statement)
        return applied

    monkeypatch.setattr(upgrade, "_stepped", excessive)


# What a later run may do to values that its contract lets it set in one way only.
LATER = {
    "a visibility that was there": "UPDATE data_entries SET visibility = 'public'",
    "a visibility taken away": "UPDATE data_entries SET visibility = NULL WHERE id = 1",
    "a claim that was our own": "UPDATE database_versions SET is_claim = 1 WHERE is_claim = 0 AND id = 1",
    "a counter that goes down": "UPDATE id_counters SET last_id = last_id - 1 WHERE table_name = 'users'",
}


@pytest.mark.parametrize("statement", LATER.values(), ids=LATER)
def test_what_may_be_filled_or_raised_may_not_be_set(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    path = old("layout_b")
    assert run_upgrade(settings).state == "done"
    before = contents(path)
    with monkeypatch.context() as patched:
        plant(patched, statement)
        outcome = run_upgrade(settings, force=True)
    assert (outcome.state, outcome.exit_code) == ("failed_unchanged", 1), outcome
    assert contents(path) == before
    assert run_upgrade(settings, force=True).state == "done"


def test_a_step_alone_may_do_only_what_it_says_itself(
    settings: Settings, old: Old, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old("layout_b")
    assert run_upgrade(settings, target="0.3.0").state == "done"
    plant(monkeypatch, "UPDATE data_entries SET visibility = 'public'")
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("failed_unchanged", 1), outcome
    assert value(path, "SELECT count(*) FROM data_entries WHERE visibility <> 'public'") > 0


# -- what they say -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(len(SCHEMA_VERSIONS)))
def test_a_contract_names_all_that_its_version_adds_and_drops(number: int) -> None:
    row = SCHEMA_VERSIONS[number]
    now = {folded(name) for name in names_in(schema_at(row.version))}
    before = (
        {folded(name) for name in names_in(schema_at(SCHEMA_VERSIONS[number - 1].version))}
        if number
        else set()
    )
    added = {name for name in now - before if name.partition(".")[0] not in now - before or "." not in name}
    said = contract_of(row.revision)
    assert added <= said.adds <= now
    assert all("." in column and column in now for column in said.changes)
    assert said.grows <= now
    assert said.drops == before - now


def test_only_the_steps_that_were_frozen_before_have_theirs_elsewhere() -> None:
    assert list(contracts_of_frozen.CONTRACTS) == ["0001", "0002", "0003", "0004"]
    for row in SCHEMA_VERSIONS:
        is_elsewhere = row.revision in contracts_of_frozen.CONTRACTS
        assert ("\nCONTRACT = {" in step_path(row.revision).read_text()) is not is_elsewhere


WHOLE: dict[str, Any] = {key: () if key in ("adds", "grows") else {} for key in contracts.KEYS}
NOT_WHOLE = {
    "nothing": "",
    "no plain values": "CONTRACT = dict(adds=())",
    "a list": "CONTRACT = [1]",
    "less": f"CONTRACT = { {key: said for key, said in WHOLE.items() if key != 'needs'}!r}",
    "more": f"CONTRACT = { {**WHOLE, 'also': ()}!r}",
    "a way to change that is none": f"CONTRACT = { {**WHOLE, 'changes': {'a.b': 'somehow'}}!r}",
    "a table without a way down": f"CONTRACT = { {**WHOLE, 'adds': ('tags', 'ix_tags')}!r}",
    "a way down that is none": f"CONTRACT = { {**WHOLE, 'adds': ('tags',), 'down': {'tags': 'gone'}}!r}",
    "a table that is dropped": f"CONTRACT = { {**WHOLE, 'drops': ('tags',)}!r}",
}


@pytest.fixture
def last_step_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Let the last step's file be one with this contract; what it does stays."""

    def say(contract: str) -> None:
        last = SCHEMA_VERSIONS[-1].revision
        made = tmp_path / f"{last}_step.py"
        own = step_path(last).read_text().replace("\nCONTRACT = ", "\nFORMERLY = ")
        made.write_text(f"{own}\n{contract}\n")
        real = contracts.step_path
        monkeypatch.setattr(contracts, "step_path", lambda name: made if name == last else real(name))
        monkeypatch.delitem(contracts_of_frozen.CONTRACTS, last, raising=False)
        contracts.contract_of.cache_clear()

    return say


@pytest.fixture(autouse=True)
def _forget() -> Any:
    yield
    contracts.contract_of.cache_clear()


@pytest.mark.parametrize("said", NOT_WHOLE.values(), ids=NOT_WHOLE)
def test_a_step_without_a_whole_contract_is_not_run(
    old: Old, settings: Settings, last_step_says: Callable[[str], None], said: str
) -> None:
    path = old("layout_b")
    before = contents(path)
    last_step_says(said)
    with pytest.raises(ContractBroken):
        contract_of(SCHEMA_VERSIONS[-1].revision)
    plan = make_plan(settings)
    assert (exit_code_of(plan), plan.blockers[0].code) == (15, "step_needs")
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("refused", 15), outcome
    assert SCHEMA_VERSIONS[-1].revision in outcome.message
    assert contents(path) == before
    assert run_upgrade(settings, target=SCHEMA_VERSIONS[-2].version).state == "done"


def test_what_a_step_needs_is_asked_beforehand(
    old: Old, settings: Settings, last_step_says: Callable[[str], None]
) -> None:
    path = old("layout_b")
    last = contract_of(SCHEMA_VERSIONS[-1].revision)
    needs = {"no entry is called 1": "SELECT id FROM data_entries WHERE id = 1"}
    last_step_says(f"CONTRACT = {_spelled(last, needs)!r}")
    plan = make_plan(settings)
    assert (exit_code_of(plan), plan.blockers[0].code) == (15, "step_needs")
    assert "no entry is called 1 (not so of 1)" in plan.blockers[0].message
    assert run_upgrade(settings).exit_code == 15
    execute(path, "UPDATE data_entries SET id = 100 WHERE id = 1")
    assert exit_code_of(make_plan(settings)) == 10
    assert run_upgrade(settings).state == "done"


def test_what_only_an_earlier_step_lets_one_ask_is_asked_before_the_step(
    old: Old, settings: Settings, last_step_says: Callable[[str], None]
) -> None:
    path = old("layout_b")
    before = contents(path)
    last = contract_of(SCHEMA_VERSIONS[-1].revision)
    needs = {"nothing is private": "SELECT id FROM data_entries WHERE visibility = 'private'"}
    last_step_says(f"CONTRACT = {_spelled(last, needs)!r}")
    assert exit_code_of(make_plan(settings)) == 10
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("failed_unchanged", 1), outcome
    assert "nothing is private" in outcome.message
    assert contents(path) == before


def _spelled(contract: Contract, needs: dict[str, str]) -> dict[str, Any]:
    said = {key: getattr(contract, key) for key in contracts.KEYS}
    said |= {key: tuple(sorted(getattr(contract, key))) for key in ("adds", "grows", contracts.DROPS)}
    return {**said, "needs": needs}


# -- the hash that is stored ---------------------------------------------------------------------------------


def test_a_step_that_was_another_when_it_was_run_is_named(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    assert run_upgrade(settings).state == "done"
    assert "step_differs" not in {warning.code for warning in make_plan(settings).warnings}
    last = SCHEMA_VERSIONS[-1].revision
    execute(path, f"UPDATE database_versions SET steps_hash = 'other' WHERE migration_script LIKE '{last}%'")
    plan = make_plan(settings)
    (said,) = [warning for warning in plan.warnings if warning.code == "step_differs"]
    assert f"The steps {last} were others" in said.message
    assert run_upgrade(settings, force=True).state == "done"
    assert "step_differs" not in {warning.code for warning in make_plan(settings).warnings}


def test_the_hash_covers_the_contract_of_a_step(tmp_path: Path) -> None:
    from app.upgrade.versions.step_hash import semantic_hash

    made = tmp_path / "step.py"
    hashes = []
    for said in (WHOLE, {**WHOLE, "grows": ("users",)}):
        made.write_text(f"CONTRACT = {said!r}\n")
        hashes.append(semantic_hash(made))
    assert hashes[0] != hashes[1]


def test_the_conditions_of_the_way_down_can_be_asked() -> None:
    from app.upgrade.versions.releases import sheet_of

    for row in SCHEMA_VERSIONS:
        connection = sqlite3.connect(":memory:")
        connection.executescript(sheet_of(row.version))
        said = contract_of(row.revision)
        for table, condition in said.withheld.items():
            connection.execute(f"SELECT 1 FROM {table} t WHERE {condition}")
        for place, condition in said.readable.items():
            connection.execute(f"SELECT {place.replace('users.', 't.')} FROM users t WHERE {condition}")
        connection.close()


def test_no_step_adds_what_looks_like_something_of_the_owner_that_made_room() -> None:
    """`owner_id` would be taken for a column `id` of the owner's that had to be renamed."""
    added = [name for row in SCHEMA_VERSIONS for name in contract_of(row.revision).adds]
    assert not [name for name in added if name.rpartition(".")[2].startswith(OWNERS_PREFIX)]
