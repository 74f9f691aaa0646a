"""What does the address of the upgrade tell to whom?"""

from __future__ import annotations

import pytest

from app import journal
from app.server.database_status import DatabaseStatus
from app.upgrade.versions.releases import NEWEST
from tests.web.conftest import Site

PATH = "/api/v1/system/upgrade"


def test_while_it_is_closed_everybody_hears_how_far_it_is_and_no_name_or_count(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = {"phase": "steps", "message": "ada's 4711 rows", "percent": 41.0, "eta_seconds": 12.0}
    status = DatabaseStatus("upgrading", "BEHIND", "/secret/place", "daemon x", progress=progress)
    monkeypatch.setattr(site.app.server.supervisor, "_status", status)
    answer = site.client.get(PATH)
    assert answer.status_code == 200
    said = answer.json()
    assert said["state"] == "upgrading"
    assert said["progress"] == {"phase": "steps", "percent": 41.0, "eta_seconds": 12.0}
    assert "4711" not in answer.text
    assert "/secret/place" not in answer.text
    assert "history" not in said


def test_strangers_hear_the_state_and_admins_the_history(site: Site) -> None:
    settings = site.app.server.settings
    hidden = {"ideas": 3}
    words = {"from_version": "0.1.0", "to_version": NEWEST, "backup": "backup_20260101_000000.db"}
    journal.write_line(settings, "started", **words)
    journal.write_line(settings, "committed", **words, hidden=hidden)
    journal.write_line(settings, "backup", backup="backup_20260102_000000.db")
    stranger = site.client.get(PATH).json()
    assert stranger["state"] == "ready"
    assert "history" not in stranger
    site.add_user("root", is_admin=True)
    (upgrade,) = site.client.get(PATH, headers=site.log_in("root")).json()["history"]
    assert (upgrade["what"], upgrade["backup"], upgrade["hidden"]) == ("upgraded", words["backup"], hidden)
    site.add_user("ben")
    assert "history" not in site.client.get(PATH, headers=site.log_in("ben")).json()


def test_it_is_asked_with_a_credential_that_ended(site: Site) -> None:
    assert site.client.get(PATH, headers={"Authorization": "Bearer a.b.c"}).status_code == 200
