"""Is everyone answered as before, where what was exported is imported into another installation? (G07)"""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tests.contract.conftest import Operator

Answers = dict[tuple[str, str], tuple[int, list[dict[str, Any]]]]


def crawl(operator: Operator, people: list[str], kinds: list[str]) -> Answers:
    """What a stranger and everyone with a key is answered of everyone's entries; but for their ids."""
    keys: dict[str, dict[str, str]] = {"a stranger": {}}
    for name in people:
        made = operator.type(f"python -m app.cli key create {shlex.quote(name)} crawl --json")
        keys[name] = {"X-API-Key": made.json["key"]}
    answers: Answers = {}
    with operator.server():
        operator.wait_for("/health", 200)
        for (who, header), kind in itertools.product(keys.items(), kinds):
            for path in (f"/api/v1/{kind}", *(f"/api/v1/{kind}/users/{quote(name)}" for name in people)):
                answer = operator.ask(f"{path}?limit=200", None, None, **header)
                items = answer.body.get("items", [])
                answers[who, path] = answer.status, [{**each, "id": 0} for each in items]
    return answers


def test_g07_imported_elsewhere_everybody_is_answered_as_before(
    old: Operator, new_operator: Callable[[], Operator]
) -> None:
    old.type("python scripts/migrate_comprehensive.py")
    old.change(
        "DELETE FROM data_entries WHERE created_by_id IS NULL OR created_by_id NOT IN (SELECT id FROM users)"
    )  # of no one: in no export
    active = old.rows("SELECT username FROM users WHERE is_active = 1 ORDER BY is_admin DESC, id")
    people = [name for (name,) in active]
    admins = {name for (name,) in old.rows("SELECT username FROM users WHERE is_admin = 1")}
    new = new_operator()
    new.type("python -m app.cli init")
    for name in people:
        export = f"python -m app.cli export-user-data {shlex.quote(name)} --output-dir ./backups/ --json"
        folder = shlex.quote(old.type(export).json["folder"])
        admin = "--admin" if name in admins else ""
        new.type(f"python -m app.cli import {folder} {admin} --dry-run")
        done = new.type(f"python -m app.cli import {folder} {admin} --json").json
        assert (done["refused"], done["made_private"]) == ({}, {})
        before = new.rows("SELECT * FROM data_entries ORDER BY id")
        assert new.type(f"python -m app.cli import {folder} --json").json["added"] == []
        assert new.rows("SELECT * FROM data_entries ORDER BY id") == before
    kinds = [
        name
        for (name,) in old.rows(
            "SELECT DISTINCT name FROM endpoints JOIN data_entries ON endpoints.id = endpoint_id"
        )
    ]
    expected = crawl(old, people, kinds)
    assert any(items for _, items in expected.values())
    assert crawl(new, people, kinds) == expected
