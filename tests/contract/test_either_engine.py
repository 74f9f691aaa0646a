"""Guide commands on either engine: do they do the same to a database that is behind? (docs/postgresql.md)"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.storage.registry import storage_for
from app.upgrade.versions.releases import FIRST_ON_SERVERS, NEWEST
from tests.contract.conftest import Operator
from tests.databases import Databases
from tests.upgrade.on_either_engine import contents, place_older

MIGRATE = "python scripts/migrate_comprehensive.py"
SNIPPET = """python -c "
from sqlalchemy import inspect, text
from app.database import engine
with engine.connect() as connection:
    print(connection.execute(text('SELECT count(*) FROM data_entries WHERE is_active = 1')).scalar())
print('users' in inspect(engine).get_table_names())
" """


@pytest.fixture
def behind(databases: Databases, new_operator: Callable[[], Operator], base_of_run: Path) -> Operator:
    """An operator whose database is of 0.5.0."""
    operator = new_operator()
    operator.env["DATABASE_URL"] = place_older(databases, operator.folder, base_of_run)
    return operator


def seen(operator: Operator) -> dict[str, object]:
    """What its owner wrote."""
    with storage_for(operator.env["DATABASE_URL"]).looking() as connection:
        return contents(connection)


def backups(operator: Operator) -> list[str]:
    return sorted(path.name.removesuffix(".json") for path in operator.backups.glob("backup_*.json"))


def test_checked_upgraded_looked_at_and_taken_back(behind: Operator) -> None:
    before = seen(behind)
    assert NEWEST in behind.type(f"{MIGRATE} --check-only").out
    assert FIRST_ON_SERVERS in behind.type("python -m app.cli upgrade check", status=10).out
    assert seen(behind) == before

    behind.type(MIGRATE)
    assert seen(behind) == before
    (made,) = backups(behind)
    assert "nothing" in behind.type(MIGRATE).said.lower()
    assert backups(behind) == [made]

    assert NEWEST in behind.type("python -m app.cli status").out
    assert made in behind.type("python -m app.cli upgrade history").out
    assert behind.type(SNIPPET).out.split() == ["5", "True"]

    behind.type("python -m app.cli upgrade rollback --yes")
    assert seen(behind) == before
    assert FIRST_ON_SERVERS in behind.type("python -m app.cli status", status=None).out


def test_backed_up_proved_put_back_and_served(behind: Operator) -> None:
    behind.type(MIGRATE)
    with behind.server():
        before = seen(behind)  # with the kinds that a server adds when it starts
        made = behind.type("python -m app.cli backup create --json").json
        assert behind.ask("/health").body["database"] == {"state": "ready", "version": NEWEST}
    name = next(one for one in backups(behind) if one in str(made))
    behind.type(f"python -m app.cli backup prove {name}")
    assert name in behind.type("python -m app.cli backup list").out
    with storage_for(behind.env["DATABASE_URL"]).migration_connection() as migration:
        migration.execute("DELETE FROM data_entries WHERE id > 2")
        migration.commit_durably()
    behind.type(f"python -m app.cli backup restore {name} --yes")
    assert seen(behind) == before
