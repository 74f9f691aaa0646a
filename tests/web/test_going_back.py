"""Can an admin put a backup back, and take an upgrade back, over HTTP: who, what is told, and afterwards?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from app.settings import Settings
from app.upgrade.operations.back_up import back_up
from app.upgrade.operations.upgrade import run_upgrade
from tests.conftest import SettingsIn
from tests.upgrade.old_databases import NAMES, build
from tests.web.conftest import PASSWORD, Site, wait_until

Headers = dict[str, str]


def place_of(answer: Any) -> str:
    assert answer.status_code == 202, answer.text
    return str(urljoin(str(answer.request.url), answer.headers["location"]))


def end_of(site: Site, place: str, who: Headers, username: str = "ann", password: str = PASSWORD) -> Any:
    """Ask as an admin, who logs in again where that login has ended, until it is over."""
    known = [who]

    def look() -> Any:
        answer = site.client.get(place, headers=known[0])
        if answer.status_code == 401:
            form = {"username": username, "password": password}
            came_in = site.client.post("/auth/login", data=form)
            if came_in.status_code == 200:
                known[0] = {"Authorization": f"Bearer {came_in.json()['access_token']}"}
        found = answer.json()
        return found if answer.status_code == 200 and found["state"] != "running" else None

    return wait_until(look, "it never ended")


def ideas(site: Site, who: Headers) -> list[str]:
    items = site.client.get("/api/v1/ideas", headers=who).json()["items"]
    return [each["content"] for each in items]


def test_a_backup_is_put_back_and_the_server_comes_back_by_itself(site: Site) -> None:
    site.add_user("ben")
    ann = site.log_in("ann")
    site.client.post("/api/v1/ideas", json={"content": "before"}, headers=ann)
    made = back_up(site.settings, "manual", serving=True)
    site.client.post("/api/v1/ideas", json={"content": "after"}, headers=ann)
    place = place_of(site.client.post(f"/api/v1/admin/restore/{made.name}", headers=ann))
    done = end_of(site, place, ann)
    assert (done["name"], done["state"], done["fault"]) == ("restore", "done", None)
    assert site.client.get("/auth/me", headers=ann).status_code == 401, "every login ended"
    again = site.log_in("ann")
    assert ideas(site, again) == ["before"]
    assert site.client.get(place, headers=site.log_in("ben")).status_code == 404
    told = site.client.get("/api/v1/admin/journal", headers=again).json()["items"]
    assert [each["details"]["asked_by"] for each in told if "asked_by" in each["details"]] == ["ann"]


def test_what_is_damaged_is_not_put_back_and_nothing_changes(site: Site) -> None:
    ann = site.log_in("ann")
    made = back_up(site.settings, "manual", serving=True)
    made.path.chmod(0o600)
    content = bytearray(made.path.read_bytes())
    content[-5000] ^= 1
    made.path.write_bytes(content)
    site.client.post("/api/v1/ideas", json={"content": "after"}, headers=ann)
    place = place_of(site.client.post(f"/admin/restore/{made.name}", headers=ann))
    failed = end_of(site, place, ann)
    assert (failed["state"], "nothing was changed" in failed["fault"]) == ("failed", True)
    assert ideas(site, ann) == ["after"], "and the login goes on"


def test_it_takes_the_password_again(site: Site) -> None:
    ann = site.log_in("ann")
    made = back_up(site.settings, "manual", serving=True)
    with site.writing() as connection:
        connection.exec_driver_sql("UPDATE sessions SET confirmed_at = '2020-01-01 00:00:00'")
    for address in (f"admin/restore/{made.name}", "admin/rollback"):
        refused = site.client.post(f"/api/v1/{address}", headers=ann)
        assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_needed")
    assert not [each for each in site.settings.backup_dir.iterdir() if "restore" in each.name]


@pytest.fixture
def upgraded(tmp_path: Path, settings_in: SettingsIn) -> tuple[Settings, str, str]:
    """A database that was upgraded; an admin's name and password."""
    base = settings_in(tmp_path, backup_enabled=False, data_dir=tmp_path / "data")
    place = replace(base, database_url=f"sqlite:///{tmp_path}/data/daemon.db")
    for name in NAMES:
        facts = build(name, place.database_path)
        admins = [each for each in facts.accounts if each.is_admin and each.is_active]
        if facts.upgrades and admins:
            assert run_upgrade(place).exit_code == 0
            return place, admins[0].username, admins[0].password
        place.database_path.unlink()
    raise AssertionError("no old database has an admin")


@pytest.mark.only_on("sqlite")
def test_an_upgrade_is_taken_back_and_the_server_waits_for_the_next_one(
    upgraded: tuple[Settings, str, str], serve: Callable[..., Site]
) -> None:
    place, username, password = upgraded
    site = serve(place)
    ann = site.log_in(username, password)
    asked = place_of(site.client.post("/api/v1/admin/rollback", headers=ann))

    def waiting() -> dict[str, Any] | None:
        answer = site.client.get("/health")
        return answer.json() if answer.status_code == 503 and "upgrade run" in answer.text else None

    assert wait_until(waiting, "it never waited")
    assert site.client.get(asked, headers=ann).status_code == 503
    assert run_upgrade(place).exit_code == 0
    done = end_of(site, asked, ann, username, password)
    assert (done["name"], done["state"], done["fault"]) == ("rollback", "done", None)
