"""Do the guide's commands do what it says of them? (G01 to G08, G12 to G16)

G09 to G11, the rows of containers, are in tests/containers.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from app import __version__
from app.upgrade.versions.releases import NEWEST
from tests.contract.conftest import Operator

CHECK_ONLY = "python scripts/migrate_comprehensive.py --check-only"
MIGRATE = "python scripts/migrate_comprehensive.py"
BACKUP_NAME = re.compile(r"backup_\d{8}_\d{6}(_\d+)?\.db")
POST_AN_IDEA = """curl -s -o answer.json -w '%{{http_code}}' -X POST http://localhost:{port}/api/v1/ideas \\
    -H "Content-Type: application/json" -d '{{"content": "# Test Idea\\nThis is a test before migration"}}'"""
CORE_TABLES = ("users", "endpoints", "data_entries", "api_keys", "audit_logs")


def everything(operator: Operator, path: Path | None = None) -> dict[str, list[tuple[object, ...]]]:
    """The rows of the five tables that no upgrade may change, in the columns of the first release."""
    columns = {
        "users": "id, username, email, hashed_password, is_active, is_admin, created_at, last_login",
        "endpoints": "id, name, description, schema, is_active, is_public, created_at, updated_at",
        "data_entries": "id, endpoint_id, CAST(data AS BLOB), is_active, created_at, created_by_id",
        "api_keys": "id, name, key_hash, user_id, is_active, expires_at, created_at, last_used",
        "audit_logs": "id, action, table_name, record_id, old_values, new_values, user_id, created_at",
    }
    return {
        table: operator.rows(f"SELECT {columns[table]} FROM {table} ORDER BY id", path)
        for table in CORE_TABLES
    }


def test_g01_check_only_tells_everything_and_writes_nothing(old: Operator) -> None:
    before = old.files()
    done = old.type(CHECK_ONLY)
    assert "0.1.0" in done.out
    assert NEWEST in done.out
    for word in ("Recorded:", "Detected:", "Sound:", "pending", "MB of disk", "about "):
        assert word in done.out, f"{word!r} is missing in\n{done.out}"
    assert old.files() == before


def test_g01_check_only_says_when_there_is_nothing_to_do(old: Operator) -> None:
    old.type(MIGRATE)
    before = old.files()
    done = old.type(CHECK_ONLY)
    assert "nothing" in done.out.lower()
    assert old.files() == before


def test_g01_check_only_fails_where_the_upgrade_would_be_refused(operator: Operator) -> None:
    operator.data.mkdir()
    operator.database.write_text("no database at all, but longer than the header of one" * 50)
    before = operator.files()
    operator.type(CHECK_ONLY, status=13)
    operator.type(MIGRATE, status=13)
    assert operator.files().items() >= before.items()


def test_g02_migrate_upgrades_with_a_backup_and_keeps_every_row(old: Operator) -> None:
    before = everything(old)
    old.type(MIGRATE)
    after = everything(old)
    for table in CORE_TABLES:
        assert [row for row in after[table] if row in before[table]] == before[table], table
    (name,) = old.backup_names()
    assert BACKUP_NAME.fullmatch(name)
    assert everything(old, old.backups / name) == before
    assert old.rows("SELECT version FROM database_versions ORDER BY id DESC LIMIT 1") == [(NEWEST,)]


def test_g02_a_second_run_changes_nothing(old: Operator) -> None:
    old.type(MIGRATE)
    before = old.database.read_bytes()
    old.type(MIGRATE)
    assert old.database.read_bytes() == before
    assert len(old.backup_names()) == 1


def test_g02_target_stops_on_the_way_and_never_goes_down(old: Operator) -> None:
    old.type(f"{MIGRATE} --target 0.2.0")
    newest = "SELECT version FROM database_versions ORDER BY id DESC LIMIT 1"
    assert old.rows(newest) == [("0.2.0",)]
    old.type(MIGRATE)
    assert old.rows(newest) == [(NEWEST,)]
    before = old.database.read_bytes()
    done = old.type(f"{MIGRATE} --target 0.1.0")
    assert NEWEST in done.said
    assert old.database.read_bytes() == before


def test_g02_an_unknown_target_is_refused_with_the_known_ones(old: Operator) -> None:
    before = old.files()
    done = old.type(f"{MIGRATE} --target 9.9.9", status=2)
    assert NEWEST in done.err
    assert old.files().items() >= before.items()


def test_g02_force_runs_again_what_is_recorded_and_still_makes_its_backup(old: Operator) -> None:
    old.type(MIGRATE)
    before = everything(old)
    old.type(f"{MIGRATE} --force")
    assert everything(old) == before
    assert len(old.backup_names()) == 2


def test_g03_the_tracker_tells_version_integrity_history_and_path(old: Operator) -> None:
    before = old.files()
    done = old.type("python scripts/version_tracker.py")
    assert "0.1.0" in done.out
    assert NEWEST in done.out
    for word in ("integrity", "history"):
        assert word in done.out.lower()
    assert old.files() == before
    assert old.rows("SELECT name FROM sqlite_master WHERE name = 'database_versions'") == []

    old.type(MIGRATE)
    before = old.files()
    done = old.type("python scripts/version_tracker.py")
    assert "0.2.0" in done.out
    assert NEWEST in done.out
    assert old.files() == before


def test_g03_the_tracker_names_what_is_missing_extra_and_different(old: Operator) -> None:
    old.type(MIGRATE)
    old.change("DROP INDEX ix_api_keys_user_id", "CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT)")
    done = old.type("python scripts/version_tracker.py", status=None)
    assert "ix_api_keys_user_id" in done.out
    assert "notes" in done.out


def test_g04_the_old_entry_point_still_works_and_is_verbose(old: Operator) -> None:
    before = everything(old)
    done = old.type("python scripts/migrate_database.py")
    assert len(done.said.splitlines()) > 5
    assert old.rows("SELECT version FROM database_versions ORDER BY id DESC LIMIT 1") == [(NEWEST,)]
    assert len(old.backup_names()) == 1
    after = everything(old)
    for table in CORE_TABLES:
        assert [row for row in after[table] if row in before[table]] == before[table], table


def test_g05_backup_create_makes_a_verified_backup_while_the_server_writes(old: Operator) -> None:
    old.type(MIGRATE)
    with old.server():
        done = old.type("python -m app.cli backup create --json")
    (name,) = set(old.backup_names()) - {old.rows("SELECT backup_file FROM database_versions")[0][0]}
    assert BACKUP_NAME.fullmatch(name)
    assert name in done.out
    manifest = json.loads((old.backups / f"{name}.json").read_text())
    (count,) = old.rows("SELECT COUNT(*) FROM data_entries")[0]
    assert manifest["rows"]["data_entries"] == count
    old.type(f"python -m app.cli backup prove {name}")


def test_g06_restore_puts_the_backup_back_and_keeps_the_state_before(old: Operator) -> None:
    old.type(MIGRATE)
    old.type("python -m app.cli backup create")
    name = old.backup_names()[-1]
    before = everything(old)
    old.change("DELETE FROM data_entries")
    old.type(f"python -m app.cli backup restore {name}")
    assert everything(old) == before
    emptied = [
        found for found in old.backup_names() if not everything(old, old.backups / found)["data_entries"]
    ]
    assert len(emptied) == 1
    old.type(f"python -m app.cli backup restore {emptied[0]}")
    assert everything(old)["data_entries"] == []


@pytest.mark.parametrize("harm", ["cut", "text", "another program's", "flipped", "missing", "outside"])
def test_g06_a_damaged_or_foreign_file_is_refused_and_nothing_changes(old: Operator, harm: str) -> None:
    old.type(MIGRATE)
    name = old.backup_names()[0]
    path = old.backups / name
    content = path.read_bytes()
    typed = name
    if harm == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif harm == "text":
        path.write_text("text " * 2000)
    elif harm == "another program's":
        path.unlink()
        old.type(f"sqlite3 backups/{name} 'CREATE TABLE notes (id INTEGER); INSERT INTO notes VALUES (1)'")
    elif harm == "flipped":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])
    elif harm == "missing":
        typed = "backup_20200101_000000.db"
    else:
        (old.folder / name).write_bytes(content)
        typed = f"../{name}"
    before = old.database.read_bytes()
    done = old.type(f"python -m app.cli backup restore {typed}", status=None)
    assert done.status in (1, 2, 13, 14, 15)
    assert "Error: " in done.err
    assert old.database.read_bytes() == before


def test_g07_export_writes_everything_that_a_user_has(old: Operator) -> None:
    old.type(MIGRATE)
    username, user_id = old.rows("SELECT username, id FROM users WHERE is_admin = 1 ORDER BY id")[0]
    old.type(f"python -m app.cli export-user-data '{username}' --output-dir ./backups/")
    exported: dict[int, str] = {}
    for path in old.backups.glob("export_*/entries/*.json"):
        exported |= {row["id"]: row["stored"] for row in json.loads(path.read_text())["rows"]}
    stored = dict(old.rows(f"SELECT id, data FROM data_entries WHERE created_by_id = {user_id}"))
    assert stored
    assert exported == stored


def test_g07_nobody_of_that_name(old: Operator) -> None:
    old.type(MIGRATE)
    done = old.type("python -m app.cli export-user-data nobody-here --output-dir ./backups/", status=1)
    assert "user list" in done.err


def test_g08_the_console_command_is_the_same_command_line(operator: Operator) -> None:
    bin_folder = operator.folder / "bin"
    bin_folder.mkdir()
    script = bin_folder / "daemon"
    # What an installer writes for the line in pyproject.toml.
    (address,) = re.findall(
        r'^\[project\.scripts\]\ndaemon = "([\w.]+:\w+)"$',
        (operator.folder / "pyproject.toml").read_text(),
        re.M,
    )
    module, function = address.split(":")
    script.write_text(
        f"#!{sys.executable}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
    )
    script.chmod(0o755)
    operator.env["PATH"] = f"{bin_folder}:{operator.env['PATH']}"
    operator.env["PYTHONPATH"] = str(operator.folder)
    by_name = operator.type("daemon --help").out
    by_module = operator.type("python -m app.cli --help").out
    assert "python -m app.cli init" in by_module
    assert by_name == re.sub(r"\S*python -m app\.cli", "daemon", by_module)
    for command in ("serve", "init", "backup", "upgrade", "user", "export-user-data", "status"):
        assert command in by_name
    assert "pmac" not in by_name


def test_g12_the_bare_metal_way_leaves_files_to_the_folders_owner(old: Operator) -> None:
    """As root or not, every file belongs to the data folder's owner; what was there keeps its group."""
    (database,) = old.data.glob("*.db")
    database.chmod(0o644)
    old.type(MIGRATE)
    old.type("python -m app.cli backup create")
    owner = old.data.stat().st_uid
    made = [*old.data.rglob("*"), *old.backups.rglob("*"), *(old.folder / "logs").rglob("*")]
    assert made
    assert {path.stat().st_uid for path in made} == {owner}
    modes = {path.name: path.stat().st_mode & 0o777 for path in made if path.is_file()}
    assert modes.pop(database.name) == 0o640
    assert set(modes.values()) == {0o600}


@pytest.mark.needs("root")
def test_g12_root_in_a_folder_of_the_service_user(old: Operator) -> None:
    import os

    service_user = 12345
    for path in (old.folder, old.data, old.database):
        os.chown(path, service_user, service_user)
    old.type(MIGRATE)
    old.type("python -m app.cli backup create")
    made = [*old.data.rglob("*"), *old.backups.rglob("*"), old.backups, *(old.folder / "logs").rglob("*")]
    assert {str(path): path.stat().st_uid for path in made if path.stat().st_uid != service_user} == {}


def test_g12_the_unit_file_is_there_and_starts_the_server(operator: Operator) -> None:
    unit = (operator.folder / "daemon.service").read_text()
    assert "WorkingDirectory=/opt/daemon" in unit
    assert "User=daemon" in unit
    assert "python -m app.cli serve" in unit


def test_g13_health_on_the_default_port(old: Operator) -> None:
    old.type(MIGRATE)
    del old.env["PORT"]
    looked = old.type('python -c "from app.settings import load_settings as s; print(s().host, s().port)"')
    assert looked.out.split() == ["127.0.0.1", "8004"]
    old.env["PORT"] = str(old.port)
    with old.server():
        answer = old.type(f"curl -s http://localhost:{old.port}/health")
        assert json.loads(answer.out)["status"] == "healthy"


@pytest.mark.needs("root")
@pytest.mark.needs("unshare")
@pytest.mark.needs("ip")
@pytest.mark.needs("curl")
def test_g13_the_guides_own_words_in_a_network_of_its_own(old: Operator) -> None:
    """Port 8004 of this machine may be taken; that of a network namespace is not."""
    old.type(MIGRATE)
    del old.env["PORT"]
    (old.folder / "walk.sh").write_text(
        "set -e\n"
        "ip link set lo up\n"
        "python -m app.cli serve 2> console.txt & server=$!\n"
        "trap 'kill $server; wait $server' EXIT\n"
        "curl -s --retry 100 --retry-connrefused --retry-delay 1 --retry-max-time 50"
        " http://localhost:8004/health/live > live.json\n"
        "curl http://localhost:8004/health\n"
    )
    answer = old.type("unshare --net bash walk.sh")
    assert json.loads(answer.out)["status"] == "healthy"


def test_g14_system_info_tells_versions_mode_and_endpoints(old: Operator) -> None:
    old.type(MIGRATE)
    with old.server():
        said = json.loads(old.type(f"curl -s http://localhost:{old.port}/api/v1/system/info").out)
    text = json.dumps(said)
    assert __version__ in text
    assert NEWEST in text
    assert said["mode"] in ("single_user", "multi_user")
    assert "ideas" in text


def test_g15_an_open_write_only_while_nobody_has_claimed_it(operator: Operator) -> None:
    operator.type("python -m app.cli init")
    line = POST_AN_IDEA.format(port=operator.port)
    with operator.server():
        assert operator.type(line).out == "201"
        assert operator.type(f"{line} -H 'X-Forwarded-For: 192.0.2.7'").out == "401"
        seen = operator.ask("/api/v1/ideas").body
        assert [item["content"] for item in seen["items"]] == ["# Test Idea\nThis is a test before migration"]
        operator.type("python -m app.cli user create ann --admin --password-stdin", stdin="a long password\n")
        assert operator.type(line).out == "401"
        assert "login" in (operator.folder / "answer.json").read_text()
    assert operator.rows("SELECT username FROM users WHERE is_admin = 1") == [("ann",)]
    assert operator.rows("SELECT created_by_id FROM data_entries") == operator.rows("SELECT id FROM users")


def test_g15_never_on_an_installation_that_has_a_user(old: Operator) -> None:
    old.type(MIGRATE)
    with old.server():
        assert old.type(POST_AN_IDEA.format(port=old.port)).out == "401"


def test_g16_what_was_public_before_the_upgrade_is_there_after_it(operator: Operator) -> None:
    facts = operator.put("layout_a")
    assert facts.public_ids
    operator.type(MIGRATE)
    with operator.server():
        operator.wait_for("/health", 200)
        for (username, kind), ids in facts.public_ids.items():
            items = operator.ask(f"/api/v1/{kind}/users/{username}").body["items"]
            assert {item["id"] for item in items} == ids, (username, kind)
        admin = next(each for each in facts.accounts if each.is_admin and each.is_active)
        for kind in {kind for username, kind in facts.public_ids if username == admin.username}:
            items = operator.ask(f"/api/v1/{kind}").body["items"]
            assert {item["id"] for item in items} == facts.public_ids[admin.username, kind]


def test_g16_what_was_posted_on_an_unclaimed_installation_is_there_after_a_restart(
    operator: Operator,
) -> None:
    operator.type("python -m app.cli init")
    with operator.server():
        assert operator.type(POST_AN_IDEA.format(port=operator.port)).out == "201"
    operator.type(MIGRATE)
    with operator.server():
        said = operator.type(f"curl -s http://localhost:{operator.port}/api/v1/ideas").out
    assert "This is a test before migration" in said


def test_g07_who_is_there_is_listed_before_the_upgrade_too(old: Operator) -> None:
    before = old.database.read_bytes()
    listed = old.type("python -m app.cli user list --json").json["users"]
    assert [each["username"] for each in listed] == [
        name for (name,) in old.rows("SELECT username FROM users")
    ]
    assert old.database.read_bytes() == before
    assert old.backup_names() == []


def test_g07_before_the_upgrade_too_and_the_database_is_only_looked_at(old: Operator) -> None:
    before = old.database.read_bytes()
    old.type("python -m app.cli export-user-data ann --output-dir ./backups/")
    entries = [path.read_text() for path in old.backups.glob("export_*/entries/*.json")]
    assert entries
    assert old.database.read_bytes() == before
    assert old.backup_names() == []
