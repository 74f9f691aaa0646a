"""When it goes wrong, does happen what the guide says? (G40 to G45)"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from app.upgrade.versions.releases import NEWEST
from tests.contract.conftest import Operator
from tests.contract.test_commands import CORE_TABLES, everything

MIGRATE = "python scripts/migrate_comprehensive.py"
# May read everything (the Python that runs the tests may be in a home folder), and write nothing of others'.
AS_NOBODY = (
    "setpriv --reuid=65534 --regid=65534 --clear-groups"
    " --inh-caps +dac_read_search --ambient-caps +dac_read_search"
)
VERSION = "SELECT version FROM database_versions ORDER BY id DESC LIMIT 1"


@pytest.mark.parametrize("left", ["second_shape", "third_shape"])
def test_g40_a_partly_run_migration_is_found_and_finished(operator: Operator, left: str) -> None:
    operator.put(left)
    done = operator.type(f"{MIGRATE} --check-only")
    assert "user_privacy_settings" in done.out
    operator.type(MIGRATE)
    assert operator.rows(VERSION) == [(NEWEST,)]
    assert operator.rows("SELECT COUNT(*) FROM kept_values")[0][0] > 0


def test_g40_only_one_of_the_tables_is_there(operator: Operator) -> None:
    operator.put("guide_0_1")
    operator.change("ALTER TABLE users ADD COLUMN full_name VARCHAR(100)")
    operator.type(MIGRATE)
    assert operator.rows(VERSION) == [(NEWEST,)]


def test_g41_foreign_key_errors_are_listed_row_by_row_before(old: Operator) -> None:
    old.change(
        "UPDATE data_entries SET endpoint_id = 4711 WHERE id = (SELECT MIN(id) FROM data_entries)",
        "INSERT INTO api_keys (name, key_hash, user_id, is_active) VALUES ('lost', 'nothing', 4712, 1)",
    )
    entry = old.rows("SELECT id FROM data_entries WHERE endpoint_id = 4711")[0][0]
    key = old.rows("SELECT id FROM api_keys WHERE user_id = 4712")[0][0]
    before = old.database.read_bytes()
    said = old.type(f"{MIGRATE} --check-only").said
    for table, row in (("data_entries", entry), ("api_keys", key)):
        assert any(table in line and str(row) in line for line in said.splitlines()), said
    assert old.database.read_bytes() == before
    old.type(MIGRATE)
    assert old.rows("SELECT COUNT(*) FROM data_entries WHERE endpoint_id = 4711") == [(1,)]
    told = old.type("python -m app.cli repair orphans --dry-run").out
    assert "4711 comes back, deactivated" in told
    assert "4712 comes back, deactivated" in told
    old.type("python -m app.cli repair orphans")
    assert old.rows("PRAGMA foreign_key_check") == []
    assert old.rows("SELECT COUNT(*) FROM data_entries WHERE endpoint_id = 4711") == [(1,)]
    assert old.rows("SELECT is_active FROM users WHERE id = 4712") == [(0,)]


def test_g36_what_must_be_done_by_hand_is_found_listed_and_done_on_request(old: Operator) -> None:
    (old.folder / "docker-compose.yml").write_text("services:\n  api:\n    container_name: daemon-pmac-api\n")
    (old.folder / "daemon.service").write_text("[Service]\nWorkingDirectory=/opt/daemon-pmac\n")
    (old.folder / ".env").write_text("PORT=8004\n")
    listed = old.type("python -m app.cli doctor", status=10).out
    for word in ("daemon-pmac-api", "daemon.service", "PRIVACY_LEVEL", "BACKUP_ENABLED", "upgrade check"):
        assert word in listed
    done = old.type("python -m app.cli doctor --fix --json", status=10).json
    assert "container_name: daemon-api" in (old.folder / "docker-compose.yml").read_text()
    assert "/opt/daemon\n" in (old.folder / "daemon.service").read_text()
    assert "PRIVACY_LEVEL=public_full" in (old.folder / ".env").read_text()
    for one in done["fixed"]:
        old.type(one["undo"])
    assert "daemon-pmac" in (old.folder / "daemon.service").read_text()


@pytest.mark.needs("root")
@pytest.mark.needs("setpriv")
def test_g42_permission_errors_are_named_before_anything_starts(old: Operator) -> None:
    """As another user, in a folder of root's."""
    folder = Path("/var/tmp") / old.folder.name
    shutil.copytree(old.folder, folder)
    try:
        moved = Operator(folder)
        folder.chmod(0o755)
        moved.data.chmod(0o755)
        moved.database.chmod(0o644)
        before = moved.files()
        done = moved.type(f"{AS_NOBODY} python scripts/migrate_comprehensive.py", status=15)
        assert "chown" in done.err or "chmod" in done.err
        assert str(moved.data) in done.err
        assert moved.files() == before
    finally:
        shutil.rmtree(folder)


def test_g43_a_failing_migration_leaves_the_database_as_it_was(old: Operator) -> None:
    before = everything(old)
    schema = old.rows("SELECT name, sql FROM sqlite_master ORDER BY name")
    step = next((old.folder / "app/upgrade/versions/migrations/versions").glob("0003_*.py"))
    text = step.read_text()
    step.unlink()
    step.write_text(
        text.replace(
            "def upgrade() -> None:\n", "def upgrade() -> None:\n    raise RuntimeError('planted')\n"
        )
    )
    assert step.read_text() != text
    done = old.type(MIGRATE, status=1)
    (backup,) = old.backup_names()
    assert "as it was" in done.err or "unchanged" in done.err
    assert backup in done.said
    assert everything(old) == before
    assert old.rows("SELECT name, sql FROM sqlite_master ORDER BY name") == schema
    step.write_text(text)
    old.type(MIGRATE)
    assert old.rows(VERSION) == [(NEWEST,)]


def test_g44_back_to_the_backup_when_the_new_version_does_not_suit(old: Operator) -> None:
    before = everything(old)
    old.type(MIGRATE)
    old.change(
        'INSERT INTO data_entries (endpoint_id, data, is_active) VALUES (1, \'{"content": "since"}\', 1)'
    )
    done = old.type("python -m app.cli upgrade rollback --yes --json")
    assert everything(old) == before
    assert old.rows("SELECT name FROM sqlite_master WHERE name = 'kept_values'") == []
    since = [
        name
        for name in old.backup_names()
        if old.rows("SELECT COUNT(*) FROM data_entries WHERE data LIKE '%since%'", old.backups / name)
        == [(1,)]
    ]
    assert len(since) == 1
    assert since[0] in done.out
    # No one owns it, so no one sees it here; there everyone would: it waits for the next upgrade.
    (kept,) = (old.folder / "data").glob("*.rollback_*.json")
    assert json.loads(done.out.splitlines()[-1])["details"]["kept_file"].endswith(kept.name)
    # Auto-upgrade holds: the server stays up and waits.
    with old.server():
        assert old.ask("/health").status == 503
        assert everything(old) == before
        old.type("python -m app.cli upgrade run")
        old.wait_for("/health", 200)
    assert old.rows("SELECT COUNT(*) FROM data_entries WHERE data LIKE '%since%'") == [(1,)]
    assert not kept.exists()


def test_g45_the_log_says_what_was_done_when_to_which_file_in_what_time(old: Operator) -> None:
    old.type(MIGRATE)
    lines = [json.loads(line) for line in (old.folder / "logs/server.log").read_text().splitlines()]
    done = [line for line in lines if NEWEST in json.dumps(line) and str(old.database) in json.dumps(line)]
    assert done
    assert any("second" in json.dumps(line) for line in done)
    assert all("time" in line for line in done)
    assert old.backup_names()[0] in json.dumps(lines)
    assert (old.folder / "logs/server.log").stat().st_mode & 0o077 == 0


def test_g45_history_shows_the_database_and_the_journal(old: Operator) -> None:
    old.type(MIGRATE)
    old.type("python -m app.cli upgrade rollback --yes")
    history = old.type("python -m app.cli upgrade history").out
    assert NEWEST in history
    assert "rolled" in history


def test_every_core_table_is_compared() -> None:
    assert set(CORE_TABLES) == {"users", "endpoints", "data_entries", "api_keys", "audit_logs"}
