"""Can an admin make, prove and put back backups, and take an upgrade back, in the browser?"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from app import clock
from app.accounts.operations import Operation
from app.settings import Settings
from app.upgrade.operations.back_up import back_up
from app.upgrade.records.auto_upgrade_block import set_hold
from app.web.admin.operations import shown
from app.web.admin.operator_visit import COOKIE
from tests.conftest import SettingsIn
from tests.web.browsing import Browser, PageSeen, signed_in
from tests.web.conftest import PASSWORD, Site, wait_until
from tests.web.test_going_back import upgraded as upgraded

BACKUPS = "/manage/backups"


def ended(browser: Browser, page: PageSeen, words: str) -> PageSeen:
    """Look again, as the page does by itself, until it says that and looks no more."""

    def look() -> PageSeen | None:
        found = browser.get(page.path)
        return found if words in found.words and "refresh" not in found.headers else None

    found = wait_until(look, f"it never said: {words}")
    assert isinstance(found, PageSeen)
    return found


def contents(site: Site, username: str = "ann") -> list[str]:
    found = site.client.get("/api/v1/ideas", headers=site.log_in(username)).json()["items"]
    return [each["content"] for each in found]


def button_of(page: PageSeen, label: str) -> str:
    """The words of the button that is called so."""
    found = [each for each in page.root.iter("button") if each.get("aria-label") == label]
    assert len(found) == 1, label
    return "".join(found[0].itertext())


def submit_at(browser: Browser, page: PageSeen, action: str, **typed: str) -> PageSeen:
    """Send the form that goes there."""
    form = next(each for each in page.forms() if (each.get("action") or "").endswith(action))
    (token,) = (each.get("value") for each in form.iter("input") if each.get("name") == "form_token")
    headers = {"Origin": browser.base, "Sec-Fetch-Site": "same-origin"}
    place = form.get("action").replace("../", "")
    return browser.ask("POST", f"/{place}", data={"form_token": token, **typed}, headers=headers)


def test_a_backup_is_made_proved_and_put_back(site: Site) -> None:
    browser = signed_in(site, "ann")
    who = site.log_in("ann")
    site.client.post("/api/v1/ideas", json={"content": "before"}, headers=who)
    page = browser.submit(browser.get(BACKUPS), "Make a backup now")
    page = ended(browser, page, "It is done.")
    (made,) = site.settings.backup_dir.glob("backup_*[!n]")
    assert made.name in page.words
    listed = browser.get(BACKUPS)
    assert made.name in listed.words
    assert "The newest is of " in browser.get("/manage/").words
    assert button_of(listed, f"Put back {made.name}") == "Put back …"
    ended(browser, submit_at(browser, listed, f"{made.name}/prove"), "It is done.")
    site.client.post("/api/v1/ideas", json={"content": "after"}, headers=who)

    page = submit_at(browser, listed, f"{made.name}/preview")
    page = ended(browser, page, "What was written since would not be in it any more.")
    is_counted = site.settings.database_url.startswith("postgresql")  # a dump is not compared row by row
    assert ("entries: 1 rows then, 2 now" if is_counted else "entries: 1 new") in page.words
    wrong = browser.submit(page, "Put it back", typed="yes", password=PASSWORD)
    assert (wrong.status, "type the name exactly" in wrong.words) == (422, True)
    wrong = browser.submit(page, "Put it back", typed=made.name, password="not mine")
    assert wrong.status in (401, 403)
    assert sorted(contents(site)) == ["after", "before"], "nothing was changed"

    begun = browser.submit(page, "Put it back", typed=made.name, password=PASSWORD)
    assert begun.status in (200, 503)

    def asked_to_sign_in() -> PageSeen | None:
        found = browser.get(begun.path)
        return found if found.title == "Sign in" else None

    again = wait_until(asked_to_sign_in, "the session went on")
    assert "A backup was put in the place of the database" in again.words
    page = browser.submit(again, "Sign in", username="ann", password=PASSWORD)
    assert "It is done." in page.words, "and it is told how it went"
    assert contents(site) == ["before"]
    assert "A backup was put" not in Browser(site).get("/manage/sign-in").words


def test_while_it_is_put_back_the_browser_waits_on_a_page(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.server.database_status import DatabaseStatus

    browser = signed_in(site, "ann")
    monkeypatch.setattr(type(site.app.server.supervisor), "_set_status", lambda *_told: None)
    monkeypatch.setattr(site.app.server.supervisor, "_status", DatabaseStatus("yielding", "BUSY"))
    page = browser.get("/manage/operations/7")
    assert (page.status, page.title) == (503, "Someone works on the database")
    assert page.headers["refresh"] == "2"


def test_old_ones_are_cleared_away_and_what_is_damaged_is_not_offered(site: Site) -> None:
    made = back_up(site.settings, "manual", serving=True)
    browser = signed_in(site, "ann")
    page = browser.submit(browser.get(BACKUPS), "Clear away old ones")
    assert "0 backups were cleared away." in page.words
    (site.settings.backup_dir / "backup_20200101_000000.db").write_bytes(b"no database")
    listed = browser.get(BACKUPS).words
    assert f"Put back {made.name}" not in listed
    assert "backup_20200101_000000.db" in listed


@pytest.mark.parametrize("path", ["backups", "upgrade", "system", "backups/x/restore", "upgrade/rollback"])
def test_a_member_gets_none_of_it(site: Site, path: str) -> None:
    site.add_user("ben")
    browser = signed_in(site, "ben")
    assert browser.get(f"/manage/{path}").status == 403
    assert "Backups" not in browser.get("/manage/").links
    assert Browser(site).get(f"/manage/{path}").title == "Sign in"
    assert not site.settings.backup_dir.exists()


def test_what_a_form_of_elsewhere_asks_for_is_not_done(site: Site) -> None:
    browser = signed_in(site, "ann")
    page = browser.get(BACKUPS)
    sent = browser.submit(page, "Make a backup now", headers={"Origin": "https://evil.example"})
    assert sent.status == 403
    assert browser.ask("POST", BACKUPS, data={}, headers={"Origin": browser.base}).status == 403
    assert not site.settings.backup_dir.exists()


def test_the_system_and_the_work_of_oneself_are_shown(site: Site) -> None:
    browser = signed_in(site, "ann")
    words = browser.get("/manage/system").words
    assert "It reads and writes; all is well." in words
    assert "free of" in words
    assert "You began nothing of late" in browser.get("/manage/operations").words
    assert "Nothing was upgraded" in browser.get("/manage/upgrade").words


def test_how_long_the_rest_takes_is_reckoned_from_what_is_done() -> None:
    known = json.loads(
        '{"id": 1, "name": "backup", "state": "running", "done_count": 25, "total_count": 100,'
        ' "created_at": "2020-01-01T00:00:00Z", "finished_at": null, "file": null, "fault": null}'
    )
    assert shown(known)["percent"] == 25
    assert "minutes to go" in shown(known)["rest"]
    assert shown({**known, "done_count": None})["percent"] is None
    assert shown({**known, "state": "done"})["rest"] == ""


@pytest.mark.only_on("sqlite")
def test_an_upgrade_is_taken_back_and_done_again_by_the_same_browser(
    upgraded: tuple[Settings, str, str], serve: Callable[..., Site], tmp_path: Path, settings_in: SettingsIn
) -> None:
    place, username, password = upgraded
    site = serve(place)
    browser = Browser(site)
    browser.sign_in(username, password)
    page = browser.submit(browser.get("/manage/upgrade"), "See what taking the last upgrade back would do")
    page = ended(browser, page, "The state until now is kept as a backup first")
    (word,) = (
        each.partition(": ")[2] for each in page.words.split("To confirm, type")[1:2] for each in [each]
    )
    version = word.split()[0]
    button = f"Roll back to {version}"
    assert browser.submit(page, button, typed="yes", password=password).status == 422
    waiting = browser.submit(page, button, typed=version, password=password)
    waiting = ended(browser, waiting, "The rollback ended well")
    assert waiting.path == "/manage/waiting"
    browser.submit(waiting, "Run the upgrade")
    ended(browser, waiting, "The database is served")
    again = browser.get("/manage/upgrade")
    assert again.title == "Sign in"
    assert "The upgrade was taken back" not in again.words, "it was done again since"
    set_hold(place, "it is as before")
    assert "The upgrade was taken back" in browser.get("/manage/upgrade").words


@pytest.mark.only_on("sqlite")
def test_a_rollback_that_ends_at_once_ends_the_session_that_it_gives(
    upgraded: tuple[Settings, str, str], serve: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, username, password = upgraded
    site = serve(place)
    token = site.app.server.operator_token

    def ended_at_once(asked_by: str) -> Operation:
        token.end(clock.now())  # the database is served again before the answer is sent
        return Operation(7, 0, "rollback", "done", created_at=clock.stored(clock.now()))

    given: list[str] = []
    new_session = token.new_session

    def noted(now: datetime) -> str:
        given.append(new_session(now))
        return given[-1]

    monkeypatch.setattr(site.app.server.going_back, "roll_back", ended_at_once)
    monkeypatch.setattr(token, "new_session", noted)
    browser = Browser(site)
    browser.sign_in(username, password)
    page = browser.submit(browser.get("/manage/upgrade"), "See what taking the last upgrade back would do")
    page = ended(browser, page, "The state until now is kept as a backup first")
    version = page.words.partition("To confirm, type")[2].partition(": ")[2].split()[0]
    browser.submit(page, f"Roll back to {version}", typed=version, password=password)
    assert len(given) == 1
    assert not token.is_session(given[0], clock.now())
    assert not any(name.endswith(COOKIE) for name in browser.cookies), "how it ended was told with it"
