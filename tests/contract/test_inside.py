"""Does the database hold inside what the guide says it holds? (G20 to G27)"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from app.upgrade.versions.releases import NEWEST, sheet_of
from tests.contract.conftest import Operator

MIGRATE = "python scripts/migrate_comprehensive.py"
CORE = {"users", "endpoints", "data_entries", "api_keys", "audit_logs"}
PRIVACY = {"user_privacy_settings", "data_privacy_rules"}


@pytest.fixture(scope="module")
def upgraded(new_operator: Callable[[], Operator]) -> Operator:
    """An upgraded database that the tests of this file only look at."""
    operator = new_operator()
    operator.put("layout_a")
    operator.type(MIGRATE)
    return operator


@pytest.mark.needs("sqlite3")
def test_g20_the_tables(upgraded: Operator) -> None:
    names = set(upgraded.type('sqlite3 data/daemon.db ".tables"').out.split())
    assert names >= CORE | PRIVACY


@pytest.mark.needs("sqlite3")
def test_g20_the_tables_of_0_1(operator: Operator) -> None:
    operator.put("guide_0_1")
    assert set(operator.type('sqlite3 data/daemon.db ".tables"').out.split()) >= CORE
    operator.type(MIGRATE)
    assert set(operator.type('sqlite3 data/daemon.db ".tables"').out.split()) >= CORE | PRIVACY


def test_g21_the_engine_of_app_database(upgraded: Operator) -> None:
    lines = (
        "from sqlalchemy import text\n"
        "from app.database import engine\n"
        "with engine.connect() as connection:\n"
        "    count = connection.execute(text('SELECT COUNT(*) FROM data_entries')).scalar()\n"
        "    print(count, engine.url.database)\n"
    )
    (upgraded.folder / "look.py").write_text(lines)
    count, path = upgraded.type('python -c "$(cat look.py)"').out.split()
    assert (int(count),) == upgraded.rows("SELECT COUNT(*) FROM data_entries")[0]
    assert path == str(upgraded.database)


@pytest.mark.needs("sqlite3")
def test_g22_the_counts_before_and_after(old: Operator) -> None:
    line = 'sqlite3 data/daemon.db "SELECT COUNT(*) FROM {table}"'
    tables = ("users", "data_entries", "data_privacy_rules", "endpoints")
    before = {table: int(old.type(line.format(table=table)).out) for table in tables}
    old.type(MIGRATE)
    after = {table: int(old.type(line.format(table=table)).out) for table in tables}
    assert after["users"] == before["users"]
    assert after["data_entries"] == before["data_entries"]
    assert after["data_privacy_rules"] >= max(before["data_privacy_rules"], 1)
    assert after["endpoints"] >= max(before["endpoints"], 33)


def test_g23_the_default_privacy_rules(upgraded: Operator) -> None:
    rules = upgraded.rows("SELECT field_name, privacy_level FROM data_privacy_rules WHERE is_active = 1")
    assert len(rules) == 14
    assert all(name and level for name, level in rules)


def test_g24_the_admins(old: Operator) -> None:
    before = old.rows("SELECT username FROM users WHERE is_admin = 1")
    assert before
    old.type(MIGRATE)
    assert old.rows("SELECT username FROM users WHERE is_admin = 1") == before


@pytest.mark.needs("sqlite3")
def test_g25_no_row_points_at_nothing(upgraded: Operator) -> None:
    assert upgraded.type('sqlite3 data/daemon.db "PRAGMA foreign_key_check"').out == ""


def test_g25_rows_that_were_orphaned_before_are_reported_and_kept(operator: Operator) -> None:
    operator.put("layout_a")
    operator.change(
        "UPDATE data_entries SET created_by_id = 987654 WHERE id = (SELECT MAX(id) FROM data_entries)"
    )
    orphans = operator.rows("SELECT * FROM data_entries WHERE created_by_id = 987654")
    checked = operator.type(f"{MIGRATE} --check-only")
    assert "data_entries" in checked.said
    assert str(orphans[0][0]) in checked.said
    operator.type(MIGRATE)
    kept = operator.rows("SELECT * FROM data_entries WHERE created_by_id = 987654")
    assert [row[: len(orphans[0])] for row in kept] == orphans


def test_g26_tables_and_indexes_are_those_of_the_recorded_version(upgraded: Operator) -> None:
    said = upgraded.type(
        "python -c 'from sqlalchemy import inspect; from app.database import engine;"
        ' print(*inspect(engine).get_table_names(), sep="\\n")\''
    )
    frozen = sheet_of(NEWEST)
    assert set(said.out.split()) == set(re.findall(r"CREATE TABLE (\w+)", frozen)) > CORE | PRIVACY
    indexes = {name for (name,) in upgraded.rows("SELECT name FROM sqlite_master WHERE type = 'index'")}
    wanted = set(re.findall(r"CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?\"?(\w+)", frozen))
    assert wanted
    assert {name for name in indexes if not name.startswith("sqlite_autoindex_")} == wanted


@pytest.mark.parametrize(
    "query",
    [
        "SELECT COUNT(*) FROM data_entries",
        "SELECT COUNT(*) FROM data_entries WHERE endpoint_id = 1 AND created_by_id = 1 AND is_active = 1"
        " AND visibility = 'public'",
        "SELECT * FROM data_entries WHERE id = 1",
        "SELECT COUNT(*) FROM data_entries WHERE created_by_id = 1",
        "SELECT id FROM users WHERE username = 'ann'",
        "SELECT id FROM endpoints WHERE name = 'ideas'",
        "SELECT id FROM api_keys WHERE key_hash = 'x'",
        "SELECT id FROM api_keys WHERE user_id = 1",
        "SELECT id FROM audit_logs WHERE user_id = 1",
        "SELECT field_name FROM data_privacy_rules WHERE is_active = 1",
        "SELECT user_id FROM user_privacy_settings WHERE user_id = 1",
    ],
)
def test_g27_the_usual_queries_use_an_index(upgraded: Operator, query: str) -> None:
    plan = " ".join(str(row[3]) for row in upgraded.rows(f"EXPLAIN QUERY PLAN {query}"))
    assert "USING" in plan, plan
    assert "INDEX" in plan or "PRIMARY KEY" in plan, plan
