"""Guide commands on either engine: do they do the same to a database that is behind? (docs/postgresql.md)"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.storage.registry import storage_for
from app.upgrade.versions.releases import FIRST_ON_SERVERS, NEWEST
from tests.contract.conftest import Operator
from tests.databases import Databases, PostgreSQLDatabases, outside, run
from tests.upgrade.on_either_engine import contents, place_older
from tests.upgrade.typed import everything

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


@pytest.mark.sweep
@pytest.mark.needs("postgresql")
def test_the_guide_is_walked_on_a_server_with_an_old_file_moved_there_and_back(
    new_operator: Callable[[], Operator], postgresql_databases: PostgreSQLDatabases
) -> None:
    """What the guide's rows are called is in docs/postgresql.md: the same commands, another database."""
    postgresql_databases.begin_test()
    operator = new_operator()
    operator.put("layout_b")
    operator.type(MIGRATE)
    with operator.server():  # which adds and fills in what is new
        pass
    before = everything(operator.database)
    entries = operator.rows("SELECT count(*) FROM data_entries WHERE is_active = 1")[0][0]
    url = postgresql_databases.place(operator.folder)
    assert operator.type(f"python -m app.cli move --to {url} --check").out
    operator.type(f"python -m app.cli move --to {url}")
    operator.env["DATABASE_URL"] = url

    assert NEWEST in operator.type(f"{MIGRATE} --check-only").out
    assert NEWEST in operator.type("python scripts/version_tracker.py").out
    assert "nothing" in operator.type("python scripts/migrate_database.py").said.lower()
    assert operator.type(SNIPPET).out.split() == [str(entries), "True"]
    with operator.server():
        assert operator.ask("/health").body["database"] == {"state": "ready", "version": NEWEST}
        assert operator.ask("/api/v1/system/info").body["version"]
        shown = operator.ask("/api/v1/ideas").body
        assert operator.ask("/api/v1/ideas", {"content": "x"}).status == 401
        operator.type("python -m app.cli backup create")
        assert operator.ask("/api/v1/ideas").body == shown
    (made,) = (one for one in backups(operator) if one.endswith(".dump"))
    (name,) = (row[0] for row in rows_on_server(url, "SELECT min(username) FROM users WHERE is_active = 1"))
    operator.type(f"python -m app.cli export-user-data {name} --output-dir ./backups/")
    operator.type(f"python -m app.cli backup prove {made}")
    served = rows_on_server(url, "SELECT id, data, visibility FROM data_entries ORDER BY id")
    with outside(url) as connection:
        run(connection, "DELETE FROM data_entries")
    operator.type(f"python -m app.cli backup restore {made} --yes")
    assert rows_on_server(url, "SELECT id, data, visibility FROM data_entries ORDER BY id") == served
    assert rows_on_server(url, "SELECT count(*) FROM data_privacy_rules WHERE is_active = 1")[0][0] > 0

    operator.type("python -m app.cli move --to sqlite:///./data/back.db")
    del operator.env["DATABASE_URL"]
    after = everything(operator.data / "back.db")
    for table in (
        "users",
        "data_entries",
        "api_keys",
        "user_privacy_settings",
        "data_privacy_rules",
        "kept_values",
    ):
        assert [row for row in before[table] if row not in after[table]] == [], table
        assert len(after[table]) == len(before[table]), table
    lost = [row for row in before["audit_logs"] if row not in after["audit_logs"]]
    assert not lost


def rows_on_server(url: str, query: str) -> list[tuple[Any, ...]]:
    with outside(url) as connection:
        return [tuple(row) for row in run(connection, query).all()]
