"""Do answers name commands as they are typed where the server was started, on every way out?"""

from __future__ import annotations

import pytest

from app import typed_commands
from tests.web.browsing import signed_in
from tests.web.conftest import Site
from tests.web.test_waiting import BROWSER, behind, old

__all__ = ["behind", "old"]
pytestmark = pytest.mark.only_on("sqlite")
TYPED = ".venv/bin/python -m app.cli"


@pytest.fixture(autouse=True)
def started_from_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(typed_commands._of_answers, "program", TYPED)


def test_while_the_database_is_behind(behind: Site) -> None:
    for path in ("/api/v1/ideas", "/health", "/api/v1/system/upgrade"):
        assert behind.client.get(path).json()["hint"] == f"{TYPED} upgrade run"
    page = behind.client.get("/manage/waiting", headers=BROWSER)
    assert f"<code>{TYPED} upgrade run</code>" in page.text
    assert "daemon upgrade" not in page.text


def test_in_problems_and_on_screens(site: Site) -> None:
    headers = site.log_in("ann")
    refused = site.client.delete("/api/v1/admin/invitations/4711", headers=headers).json()
    assert refused["hint"] == f"{TYPED} user invitations"
    found = site.client.get("/api/v1/admin/findings", headers=headers).json()["items"]
    assert f"{TYPED} backup create" in {each["hint"] for each in found}
    page = signed_in(site, "ann").get("/manage/findings")
    assert f"{TYPED} backup create" in page.words
    assert f"as the command {TYPED} doctor finds it" in page.words
