"""What the guide only hoped for: does it happen here? (G50, G52, G53; G51 is in test_versions)"""

from __future__ import annotations

import pytest

from app.upgrade.versions.releases import NEWEST
from tests.contract.conftest import Operator

MIGRATE = "python scripts/migrate_comprehensive.py"


@pytest.mark.parametrize("claim", [None, "0.1.0", "0.3.1"])
def test_g50_the_version_is_detected_from_the_schema_whatever_is_recorded(
    operator: Operator, claim: str | None
) -> None:
    operator.put("layout_a")
    if claim:
        operator.change(
            "CREATE TABLE database_versions (id INTEGER PRIMARY KEY AUTOINCREMENT,"
            " version VARCHAR(20) NOT NULL, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,"
            " migration_script VARCHAR(100), description TEXT, rollback_notes TEXT)",
            f"INSERT INTO database_versions (version) VALUES ('{claim}')",
        )
    done = operator.type("python -m app.cli upgrade check --json", status=10)
    assert done.json["current"]["lowest"] == "0.1.0"
    assert done.json["current"]["exact"] is True
    said = operator.type(f"{MIGRATE} --check-only").out
    assert "0.1.0" in said
    if claim == "0.3.1":
        assert "0.3.1" in said
    operator.type(MIGRATE)
    operator.type("python -m app.cli upgrade check")


def test_g50_a_drifted_schema_is_told_from_a_known_one(operator: Operator) -> None:
    operator.put("layout_a")
    operator.change("ALTER TABLE users DROP COLUMN last_login")
    before = operator.database.read_bytes()
    done = operator.type("python -m app.cli upgrade check", status=11)
    assert "last_login" in done.said
    operator.type("python -m app.cli upgrade run", status=11)
    assert operator.database.read_bytes() == before
    operator.type("python -m app.cli upgrade run --repair")
    operator.type("python -m app.cli upgrade check")


def test_g52_rollback_is_automatic_on_failure_and_a_command_afterwards(old: Operator) -> None:
    old.type(MIGRATE)
    old.type("python -m app.cli upgrade rollback")
    old.type("python -m app.cli upgrade check", status=10)


def test_g53_the_status_is_tracked_while_it_runs(old: Operator) -> None:
    events = old.type("python -m app.cli upgrade run --json").events
    assert all(event["v"] == 1 for event in events)
    assert {event["type"] for event in events} >= {"phase", "result"}
    assert events[-1]["type"] == "result"
    assert events[-1]["exit_code"] == 0
    phases = [event["phase"] for event in events if event["type"] == "phase"]
    assert len(phases) >= 4
    status = old.type("python -m app.cli upgrade status --json").json
    assert NEWEST in str(status)
    with old.server():
        health = old.ask("/health").body
        assert NEWEST in str(health) or health["status"] == "healthy"
