"""Does the check list kinds whose name is an address of Daemon's own, and do they stay as they are?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.settings import Settings
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from tests.upgrade.places import execute, value

Old = Callable[[str], Path]


def test_a_kind_of_a_reserved_name_is_listed_with_its_second_address(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    assert "reserved_kinds" not in [each.code for each in make_plan(settings).warnings]
    execute(
        path,
        "INSERT INTO endpoints (name, schema, is_active, is_public) VALUES ('search', '{\"a\": 1}', 1, 1)",
        "INSERT INTO endpoints (name, schema, is_active, is_public) VALUES ('feed.atom', '{\"a\": 1}', 1, 1)",
    )
    (said,) = [each for each in make_plan(settings).warnings if each.code == "reserved_kinds"]
    assert "/@NAME/~feed.atom, /api/v1/~search" in said.message
    assert run_upgrade(settings).state == "done"
    assert value(path, "SELECT schema FROM endpoints WHERE name = 'search'") == '{"a": 1}'
