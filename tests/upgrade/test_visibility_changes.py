"""Does the report list exactly what strangers saw before and do not see now, with the reason?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.settings import Settings
from app.upgrade.legacy.visibility_changes import by_kind
from app.upgrade.model import Outcome
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from app.upgrade.records.history import read_history
from app.upgrade.report import render
from tests.upgrade.places import execute

Old = Callable[[str], Path]

NEW_ID = 5000


def added(path: Path, kind: str, data: str, *, owner: int | None = 1, active: int = 1) -> None:
    """Add the entry NEW_ID of that kind."""
    owned = "NULL" if owner is None else str(owner)
    text = data.replace("'", "''")
    execute(
        path,
        "INSERT INTO data_entries (id, endpoint_id, data, is_active, created_by_id) "
        f"SELECT {NEW_ID}, id, '{text}', {active}, {owned} FROM endpoints WHERE name = '{kind}'",
    )


CASES: dict[str, tuple[str, str, str | None]] = {
    "public by its word": ("ideas", json.dumps({"content": "a", "meta": {"visibility": "public"}}), None),
    "private by its word": ("ideas", json.dumps({"content": "a", "meta": {"visibility": "private"}}), None),
    "unlisted by its word": ("ideas", json.dumps({"content": "a", "meta": {"visibility": "unlisted"}}), None),
    "nothing said": ("ideas", json.dumps({"content": "a"}), None),
    "a word that no one knows": (
        "ideas",
        json.dumps({"content": "a", "meta": {"visibility": "Friends"}}),
        "by its own word",
    ),
    "at the top, where it was ignored": (
        "ideas",
        json.dumps({"content": "a", "visibility": "private"}),
        "by its own word",
    ),
    "a kind that is private": ("contacts", json.dumps({"name": "Pat"}), "entries of its kind"),
    "not JSON": ("ideas", '{"content": ', "not JSON"),
}


@pytest.mark.parametrize(("kind", "data", "why"), CASES.values(), ids=CASES)
def test_an_entry_is_listed_when_it_was_seen_and_is_not(
    old: Old, settings: Settings, kind: str, data: str, why: str | None
) -> None:
    path = old("layout_b")
    added(path, kind, data)
    beforehand = make_plan(settings).hidden
    outcome = run_upgrade(settings)
    listed = entry_of(outcome)
    assert beforehand == outcome.hidden_now
    if why is None:
        assert listed is None
    else:
        assert listed is not None
        assert listed["kind"] == kind
        assert listed["owner"]
        assert why in str(listed["why"])


def entry_of(outcome: Outcome) -> dict[str, object] | None:
    assert outcome.state == "done", outcome.message
    return next((entry for entry in outcome.hidden_now if entry["id"] == NEW_ID), None)


@pytest.mark.parametrize(
    ("owner", "why"), [(None, "no owner"), (987654, "account is gone")], ids=["nobody", "gone"]
)
def test_what_belongs_to_nobody_is_listed(old: Old, settings: Settings, owner: int | None, why: str) -> None:
    path = old("layout_b")
    added(path, "ideas", '{"content": "a"}', owner=owner)
    listed = entry_of(run_upgrade(settings))
    assert listed is not None
    assert why in str(listed["why"])


def test_what_belongs_to_an_inactive_account_is_listed(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    execute(path, "UPDATE users SET is_active = 0 WHERE id = 1")
    added(path, "ideas", '{"content": "a"}')
    listed = entry_of(run_upgrade(settings))
    assert listed is not None
    assert "not active" in str(listed["why"])


def test_what_was_not_seen_is_not_listed(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    execute(path, "UPDATE endpoints SET is_active = 0 WHERE name = 'hobbies'")
    execute(path, "UPDATE endpoints SET is_public = 0 WHERE name = 'contacts'")
    added(path, "contacts", '{"content": "a"}')
    assert entry_of(run_upgrade(settings)) is None


def test_what_sql_alone_cannot_decide_is_listed_beforehand_too(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    doubled = '{"content": "a", "visibility": "private", "visibility": "public"}'
    escaped = r'{"content": "a", "meta": {"\u0076isibility": "secret"}}'
    texts = [doubled, escaped, "[" * 500, '{"visibility": "public", "content": "\\u0061"}']
    for number, text in enumerate(texts):
        execute(
            path,
            "INSERT INTO data_entries (id, endpoint_id, data, is_active, created_by_id)"
            f" SELECT {NEW_ID + number}, id, '{text}', 1, 1 FROM endpoints WHERE name = 'ideas'",
        )
    execute(path, f"UPDATE data_entries SET data = CAST(data AS BLOB) WHERE id = {NEW_ID + 3}")
    beforehand = make_plan(settings).hidden
    assert beforehand == run_upgrade(settings).hidden_now
    assert beforehand is not None
    assert [entry["id"] for entry in beforehand if entry["id"] in range(NEW_ID, NEW_ID + 4)] == [
        *range(NEW_ID, NEW_ID + 4)
    ]


def test_nothing_is_said_of_an_upgrade_that_does_not_come_to_it(old: Old, settings: Settings) -> None:
    added(old("layout_b"), "contacts", '{"name": "Pat"}')
    assert make_plan(settings, target="0.1.0").hidden == ()
    run_upgrade(settings)
    assert make_plan(settings).hidden == ()


def test_the_journal_and_the_history_keep_how_many_of_each_kind(old: Old, settings: Settings) -> None:
    added(old("layout_b"), "contacts", '{"name": "Pat"}')
    outcome = run_upgrade(settings)
    (told,) = [line.hidden for line in read_history(settings) if line.event == "committed"]
    assert told == by_kind(outcome.hidden_now)
    assert told["contacts"] >= 1


def test_it_is_told_once_and_in_both_forms(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    added(path, "contacts", '{"name": "Pat"}')
    outcome = run_upgrade(settings)
    assert f"contacts {NEW_ID} of" in render.outcome_text(outcome)
    said = json.loads(json.dumps(render.outcome_as_json(outcome)))
    assert NEW_ID in [entry["id"] for entry in said["hidden_now"]]
    assert run_upgrade(settings, force=True).hidden_now == ()
