"""Do the guide's container rows work as written, on a real engine? (G09, G10, G11, G31, G36)"""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from tests.containers.conftest import Site
from tests.upgrade.old_databases import build

MIGRATE = ("python", "scripts/migrate_comprehensive.py")


def put_old_database(site: Site, owner: int) -> None:
    """A layout A database where the compose file of the earlier releases kept it."""
    site.database.parent.mkdir()
    build("layout_a", site.database)
    for path in (site.database.parent, site.database):
        os.chown(path, owner, owner)


def entry_count(path: Path) -> int:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM data_entries").fetchone()
    connection.close()
    return int(count)


@pytest.mark.parametrize("owner", [0, 1000], ids=["data-owned-by-root", "data-owned-by-1000"])
def test_g10_the_container_stays_up_on_an_old_database_and_serves_after_the_migration(
    site: Site, owner: int
) -> None:
    put_old_database(site, owner)
    before = entry_count(site.database)
    site.env["UPGRADE_ON_START"] = "manual"
    site.compose("up", "-d", "api")

    waiting = site.wait_for("/health", 503)
    assert "upgrade" in json.dumps(waiting)
    assert site.get("/health/live")[0] == 200
    assert site.get("/api/v1/ideas")[0] == 503

    site.in_api(*MIGRATE, "--check-only")
    site.in_api(*MIGRATE)
    assert site.wait_for("/health", 200)["status"] == "healthy"
    assert site.get("/api/v1/ideas")[0] == 200
    restarts = site.run("docker", "inspect", "-f", "{{.RestartCount}}", "daemon-api").stdout.strip()
    assert restarts == "0"
    site.compose("up", "-d")
    site.wait_for("/health", 200)

    site.compose("down")
    assert entry_count(site.database) == before
    owners = {path.stat().st_uid for path in site.folder.glob("data/*")}
    assert owners == {owner or 1000}


def test_g10_by_default_it_upgrades_by_itself_and_the_guides_steps_still_exit_0(site: Site) -> None:
    put_old_database(site, 1000)
    before = entry_count(site.database)
    site.compose("down")
    site.compose("up", "-d", "api")
    site.in_api(*MIGRATE)
    site.compose("up", "-d")
    site.wait_for("/health", 200)
    assert site.in_api("python", "scripts/version_tracker.py").returncode == 0
    site.compose("down")
    assert entry_count(site.database) == before
    assert list((site.folder / "backups").glob("backup_*.db"))


def test_g09_backup_in_the_running_service_and_restore_when_it_is_down(site: Site) -> None:
    put_old_database(site, 1000)
    site.compose("up", "-d", "api")
    site.wait_for("/health", 200)
    site.in_api("python", "-m", "app.cli", "backup", "create")
    newest = sorted((site.folder / "backups").glob("backup_*.db"))[-1].name
    before = entry_count(site.database)
    site.in_api("python", "-m", "app.cli", "backup", "restore", newest)
    site.wait_for("/health", 200)

    site.compose("down")
    with sqlite3.connect(site.database) as connection:
        connection.execute("DELETE FROM data_entries")
    connection.close()
    site.compose("run", "--rm", "-T", "api", "python", "-m", "app.cli", "backup", "restore", newest)
    assert entry_count(site.database) == before


def test_g11_data_backups_and_log_survive_a_new_container_and_a_kill(site: Site) -> None:
    site.compose("up", "-d", "api")
    site.wait_for("/health", 200)
    made = site.in_api(
        "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "http://localhost:8004/api/v1/ideas",
        "-H", "Content-Type: application/json", "-d", '{"content": "# Test Idea"}',
    )  # fmt: skip
    assert made.stdout == "201"
    site.compose("kill", "-s", "KILL", "api")
    site.compose("up", "-d", "--force-recreate", "api")
    site.wait_for("/health", 200)
    seen = site.in_api("curl", "-s", "http://localhost:8004/api/v1/ideas").stdout
    assert "# Test Idea" in seen
    assert site.database.is_file()
    assert (site.folder / "logs/server.log").is_file()


def test_the_server_in_the_container_is_not_root(site: Site) -> None:
    site.compose("up", "-d", "api")
    site.wait_for("/health", 200)
    status = site.in_api("cat", "/proc/1/status").stdout
    (identity,) = (line for line in status.splitlines() if line.startswith("Uid:"))
    assert identity.split()[1:] == ["1000"] * 4
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    assert int(effective.split()[1], 16) == 0


def test_g15_a_stranger_outside_the_container_cannot_write_to_an_unclaimed_one(site: Site) -> None:
    site.compose("up", "-d", "api")
    site.wait_for("/health", 200)
    answer = site.run(
        "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST",
        f"http://localhost:{site.port}/api/v1/ideas", "-H", "Content-Type: application/json", "-d", "{}",
    )  # fmt: skip
    assert answer.stdout == "401"


def test_g31_names_have_lost_their_suffix(site: Site) -> None:
    said = site.compose("config").stdout
    assert "container_name: daemon-api" in said
    assert "pmac" not in said
