"""Do admins see how the installation is set up and what is wrong with it, and can they remove someone?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.settings import ROWS, Settings, load_settings
from tests.web.conftest import PASSWORD, Site, wait_until

AT = "/api/v1/admin"


def ended(site: Site, operation: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    """An operation when it has ended."""
    found = operation

    def is_over() -> bool:
        nonlocal found
        found = site.client.get(f"/api/v1/operations/{operation['id']}", headers=headers).json()
        return bool(found["state"] != "running")

    wait_until(is_over, "the operation did not end")
    return found


def test_settings_are_those_of_the_server_with_where_each_is_said(
    serve: Callable[..., Site], settings: Settings, tmp_path: Any
) -> None:
    env = tmp_path / "settings.env"
    env.write_text("PRIVACY_LEVEL=professional\nAUDIT_DAYS=7\n")
    read = load_settings({"AUDIT_DAYS": "9", "SECRET_KEY": "k" * 40, "LOGGING_LEVEL": "ERROR"}, env)
    assert dict(read.sources) == {
        "PRIVACY_LEVEL": ".env",
        "AUDIT_DAYS": "environment",
        "SECRET_KEY": "environment",
        "LOG_LEVEL": "environment",
    }
    of_site = replace(read, database_url=settings.database_url, data_dir=settings.data_dir)
    site = serve(of_site)
    site.add_user("ann", is_admin=True)
    answer = site.client.get(f"{AT}/settings", headers=site.log_in("ann"))
    found = {each["name"]: each for each in answer.json()["items"]}
    assert set(found) == set(ROWS)
    assert (found["PRIVACY_LEVEL"]["value"], found["PRIVACY_LEVEL"]["source"]) == ("professional", ".env")
    assert (found["AUDIT_DAYS"]["value"], found["AUDIT_DAYS"]["source"]) == ("9", "environment")
    assert (found["PORT"]["value"], found["PORT"]["source"]) == (str(of_site.port), "default")
    assert (found["SECRET_KEY"]["value"], found["SECRET_KEY"]["is_secret"]) == (None, True)
    assert "k" * 40 not in answer.text


def test_no_password_of_a_database_is_told(settings: Settings) -> None:
    from app.server.shown_settings import shown_settings

    url = "postgresql+psycopg://ann:hunter2@db.example/daemon"
    told = shown_settings(replace(settings, database_url=url, database_replica_urls=(url, url)))
    assert "hunter2" not in str(told)


def test_findings_are_those_of_the_doctor(site: Site) -> None:
    ann = site.log_in("ann")
    answer = site.client.get(f"{AT}/findings", headers=ann)
    assert answer.status_code == 200, answer.text
    codes = {each["code"] for each in answer.json()["items"]}
    assert "no_recent_backup" in codes
    assert site.client.get(f"{AT}/findings", headers=ann).json() == answer.json()


def test_the_audit_is_verified_and_a_changed_row_is_named(site: Site) -> None:
    ann = site.log_in("ann")
    site.app.server.pending_audit.write()
    begun = site.client.post(f"{AT}/audit/verify", headers=ann)
    assert begun.status_code == 202
    assert ended(site, begun.json(), ann)["state"] == "done"
    with site.writing() as connection:
        connection.exec_driver_sql("UPDATE audit_logs SET ip_address = '192.0.2.9' WHERE action = 'CREATE'")
    broken = ended(site, site.client.post(f"{AT}/audit/verify", headers=ann).json(), ann)
    assert broken["state"] == "failed"
    assert "NOT whole" in broken["fault"]


def test_a_person_is_removed_by_their_name_and_cannot_undo_it(site: Site) -> None:
    ben_id, ann = site.add_user("ben").id, site.log_in("ann")
    address = f"{AT}/users/{ben_id}/departure"
    wrong = site.client.post(address, json={"username": "bem"}, headers=ann)
    assert (wrong.status_code, site.user("ben").is_active) == (422, True)
    removed = site.client.post(address, json={"username": "ben"}, headers=ann)
    assert (removed.status_code, "daemon user keep" in removed.json()["undo"]) == (202, True)
    login = site.client.post("/auth/login", data={"username": "ben", "password": PASSWORD})
    assert login.status_code == 401
    site.client.post("/auth/stay", json={"username": "ben", "password": PASSWORD})
    assert not site.user("ben").is_active
    own = site.client.get("/auth/me", headers=ann).json()["id"]
    last = site.client.post(f"{AT}/users/{own}/departure", json={"username": "ann"}, headers=ann)
    assert (last.status_code, site.user("ann").is_active) == (409, True)
