"""What does a browser get while the database is not ready, and who can check, upgrade and roll back in it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app import clock
from app.accounts.operations import Operation
from app.log_lines import HIDDEN
from app.server.database_status import DatabaseStatus
from app.server.going_back import Told
from app.settings import Settings
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.report.render import plan_text
from app.upgrade.versions.releases import NEWEST
from tests.conftest import SettingsIn
from tests.upgrade.old_databases import build
from tests.web.browsing import Browser, PageSeen
from tests.web.conftest import Site, wait_until

WAITING = "/manage/waiting"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def old(tmp_path_factory: pytest.TempPathFactory, settings_in: SettingsIn) -> Settings:
    """An installation whose database is an old one, and which does not upgrade it unasked."""
    folder = tmp_path_factory.mktemp("old")
    base = settings_in(folder, backup_enabled=False, data_dir=folder / "data", upgrade_on_start="manual")
    made = replace(base, database_url=f"sqlite:///{folder}/data/daemon.db")
    build("layout_a", made.database_path)
    return made


@pytest.fixture
def behind(serve: Callable[..., Site], old: Settings) -> Site:
    """The same, served: it waits."""
    return serve(old)


@pytest.fixture
def browser(behind: Site) -> Browser:
    return Browser(behind)


def token_of(site: Site) -> str:
    return site.settings.operator_path.read_text().split("\n")[0]


def let_in(browser: Browser, site: Site) -> PageSeen:
    """Come in with the token of the file."""
    page = browser.submit(browser.get(WAITING), "Go on", token=token_of(site))
    assert page.status == 200, page.text
    return page


def ended(browser: Browser, words: str, path: str = WAITING) -> PageSeen:
    """Look again, as the page does by itself, until it says that."""

    def look() -> PageSeen | None:
        page = browser.get(path)
        return page if words in page.words and "refresh" not in page.headers else None

    found = wait_until(look, f"it never said: {words}")
    assert isinstance(found, PageSeen)
    return found


# -- the page of every address


@pytest.mark.parametrize("path", ["/", "/@ann", "/api/v1/ideas", "/nothing", "/docs"])
def test_a_browser_gets_a_page_at_every_address_and_programs_get_what_they_got(
    behind: Site, path: str
) -> None:
    page = behind.client.get(path, headers=BROWSER)
    assert (page.status_code, page.headers["cache-control"]) == (503, "no-store")
    assert page.headers["retry-after"] == "5"
    assert page.headers["content-type"].startswith("text/html")
    assert "The database waits for its upgrade" in page.text
    assert str(behind.settings.data_dir) not in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]
    for accept in ("*/*", "application/json"):
        problem = behind.client.get(path, headers={"Accept": accept})
        assert (problem.status_code, problem.headers["content-type"]) == (503, "application/problem+json")
        assert problem.json()["hint"] == "daemon upgrade run"
    assert behind.client.get("/health", headers=BROWSER).json()["status"] == "maintenance"


@pytest.mark.parametrize(
    ("phase", "gate", "words", "reloads"),
    [
        ("yielding", "BUSY", "Someone works on the database", True),
        ("upgrading", "BEHIND", "The database is being upgraded", True),
        ("maintenance", "DAMAGED", "The database is damaged", False),
        ("maintenance", "AHEAD", "The database is newer than this Daemon", False),
        ("maintenance", "ODD", "The database cannot be served", False),
    ],
)
def test_it_says_how_things_stand_and_goes_on_by_itself_where_that_helps(
    site: Site, monkeypatch: pytest.MonkeyPatch, phase: str, gate: str, words: str, reloads: bool
) -> None:
    progress = {"phase": "steps", "message": "4711 rows", "percent": 41.2, "eta_seconds": 130.0}
    status = DatabaseStatus(phase, gate, "/secret/place", "daemon x", progress=progress)  # type: ignore[arg-type]
    monkeypatch.setattr(site.app.server.supervisor, "_status", status)
    monkeypatch.setattr(type(site.app.server.supervisor), "_set_status", lambda *_told: None)
    page = Browser(site).get("/")
    assert (page.status, page.title) == (503, words)
    assert ("refresh" in page.headers) is reloads
    assert "41 %" in page.words
    assert "About 2 minutes to go" in page.words
    assert "/secret/place" not in page.text
    assert "4711" not in page.text
    posted = Browser(site).ask("POST", "/manage/entries", data={"a": "b"})
    assert (posted.status, "refresh" in posted.headers) == (503, False)


def test_it_speaks_the_language_of_the_browser(behind: Site) -> None:
    page = behind.client.get("/", headers={**BROWSER, "Accept-Language": "de-AT,de;q=0.9"})
    assert '<html lang="de"' in page.text


# -- the token


def test_the_token_is_printed_and_in_no_address_log_or_page(
    behind: Site, browser: Browser, capfd: pytest.CaptureFixture[str]
) -> None:
    token = token_of(behind)
    page = let_in(browser, behind)
    assert token not in page.url + page.text
    (cookie,) = browser.cookies.items()
    assert cookie[0] == "__Secure-daemon_operator"
    assert token not in cookie[1]
    log = (behind.settings.log_dir / "server.log").read_text()
    assert token not in log
    assert cookie[1] not in log
    assert HIDDEN not in token


def test_its_cookie_is_kept_from_scripts_and_other_addresses(behind: Site, browser: Browser) -> None:
    answer = browser.submit(browser.get(WAITING), "Go on", follow=False, token=token_of(behind))
    said = answer.headers["set-cookie"]
    assert {"HttpOnly", "Secure", "SameSite=strict", "Max-Age=3600"} <= set(said.split("; "))
    assert "Path" not in said, "that of the folder, behind whatever prefix"
    assert answer.headers["location"] == "../waiting" or answer.headers["location"].endswith("waiting")


def test_a_wrong_one_is_refused_and_tries_are_counted(behind: Site, browser: Browser) -> None:
    page = browser.get(WAITING)
    statuses = [browser.submit(page, "Go on", token=f"wrong{number}").status for number in range(12)]
    assert statuses[:2] == [403, 403]
    assert statuses[-1] == 429
    assert not browser.cookies
    assert let_in(browser, behind).status == 200, "the right one is never held up"


def test_it_is_good_once(behind: Site, browser: Browser) -> None:
    token = token_of(behind)
    let_in(browser, behind)
    second = Browser(behind)
    assert second.submit(second.get(WAITING), "Go on", token=token).status == 403


def test_nothing_is_typed_over_a_connection_that_others_can_read(behind: Site) -> None:
    page = Browser(behind, "http://daemon.example").get(WAITING)
    assert "not encrypted" in page.words
    assert not [form for form in page.forms() if "token" in (form.get("action") or "")]
    sent = Browser(behind, "http://daemon.example").ask(
        "POST",
        f"{WAITING}/token",
        data={"token": token_of(behind)},
        headers={"Origin": "http://daemon.example"},
        follow=False,
    )
    assert "set-cookie" not in sent.headers


@pytest.mark.parametrize("act", ["check", "run", "look", "rollback", "leave"])
def test_without_the_session_its_form_or_its_origin_nothing_is_done(
    behind: Site, browser: Browser, act: str
) -> None:
    before = behind.settings.database_path.read_bytes()
    own = {"Origin": browser.base}
    assert browser.ask("POST", f"{WAITING}/{act}", headers=own).status == 403
    let_in(browser, behind)
    assert browser.ask("POST", f"{WAITING}/{act}", headers=own).status == 403, "no form token"
    form = next(each for each in browser.get(WAITING).forms() if "check" in (each.get("action") or ""))
    (token,) = (each.get("value") for each in form.iter("input"))
    for origin in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        data = {"form_token": token}
        assert browser.ask("POST", f"{WAITING}/{act}", data=data, headers={**own, **origin}).status == 403
    assert behind.settings.database_path.read_bytes() == before
    assert not (behind.settings.backup_dir).exists()


def test_it_opens_nothing_else(behind: Site, browser: Browser) -> None:
    let_in(browser, behind)
    for path in ("/manage/backups", "/manage/", "/admin/backups"):
        page = browser.get(path)
        assert (page.status, page.title) == (503, "The database waits for its upgrade")


def test_once_the_database_is_served_no_token_is_taken_and_the_file_is_gone(site: Site) -> None:
    page = Browser(site).get(WAITING, follow=False)
    assert (page.status, page.headers["location"]) == (303, "../manage/")
    assert not site.settings.operator_path.exists()


# -- what is done


def test_a_job_that_has_just_begun_is_shown_before_it_says_how_far_it_is(
    behind: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_in(browser, behind)
    begun = Operation(7, 0, "upgrade", "running", created_at="2030-01-01 00:00:00")
    told = Told(begun, "")
    monkeypatch.setattr(behind.app.server.going_back, "find_newest", lambda: told)
    page = browser.get(WAITING)
    assert (page.status, "It has begun." in page.words) == (200, True)
    assert page.headers["refresh"] == "2"


def test_the_session_outlives_the_server(behind: Site, browser: Browser, serve: Callable[..., Site]) -> None:
    let_in(browser, behind)
    again = Browser(serve(behind.settings))
    assert "Operator token" in again.get(WAITING).words
    again.cookies = dict(browser.cookies)
    assert "Run the upgrade" in again.get(WAITING).words


def test_the_upgrade_is_done_in_the_browser_and_its_session_ends_with_it(
    behind: Site, browser: Browser
) -> None:
    from app.upgrade.operations.look_ahead import plan_with_hidden

    before = behind.settings.database_path.read_bytes()
    page = let_in(browser, behind)
    browser.submit(page, "Check")
    page = ended(browser, "An upgrade to")
    report = next(page.root.iter("pre")).text
    assert report == plan_text(plan_with_hidden(behind.settings), everything=True)
    assert behind.settings.database_path.read_bytes() == before

    browser.submit(page, "Run the upgrade")
    page = ended(browser, "The database is served")
    assert "The upgrade ended well" in page.words
    assert f"{NEWEST}" in page.words
    assert behind.client.get("/api/v1/ideas").status_code == 200

    assert "an admin signs in" in page.words
    assert "History" not in page.words, "that is for admins"
    assert not [each for each in page.forms() if "/waiting/" in (each.get("action") or "")]
    assert run_rollback(behind.settings).exit_code == 0  # as an admin does, and the command line
    ended(Browser(behind), "The database waits for its upgrade")
    page = let_in(browser, behind)
    assert "rolled back" in page.words, "the history"
    assert behind.client.get("/api/v1/ideas").status_code == 503


def test_when_the_upgrade_is_served_its_session_is_over_and_opens_nothing_in_the_hour(
    behind: Site, browser: Browser
) -> None:
    page = let_in(browser, behind)
    kept = dict(browser.cookies)
    form = next(each for each in page.forms() if "check" in (each.get("action") or ""))
    (form_token,) = (each.get("value") for each in form.iter("input"))
    assert run_upgrade(behind.settings).exit_code == 0
    page = ended(browser, "The database is served")
    assert (page.status, browser.cookies) == (200, {}), "told once, and the browser forgets it"
    assert "History" not in page.words
    browser.cookies = dict(kept)  # a copy
    assert browser.get(WAITING, follow=False).headers["location"] == "../manage/"
    for is_served in (True, False):
        if not is_served:
            assert run_rollback(behind.settings).exit_code == 0
            ended(Browser(behind), "The database waits for its upgrade")
        thief = Browser(behind)
        thief.cookies = dict(kept)
        for act in ("check", "run", "look", "rollback", "leave"):
            data, own = {"form_token": form_token}, {"Origin": thief.base}
            assert thief.ask("POST", f"{WAITING}/{act}", data=data, headers=own).status == 403, act
    assert "Operator token" in thief.get(WAITING).words
    assert behind.client.get("/api/v1/ideas").status_code == 503


def test_who_leaves_after_a_rollback_leaves_nothing_that_opens(behind: Site, browser: Browser) -> None:
    given = behind.app.server.operator_token.new_session(clock.now())  # as an admin gets it who rolls back
    browser.cookies["__Secure-daemon_operator"] = given
    page = browser.get(WAITING)
    assert "Run the upgrade" in page.words
    page = browser.submit(page, "Leave: this browser forgets that it had the token")
    assert "Operator token" in page.words
    assert browser.cookies == {}
    browser.cookies["__Secure-daemon_operator"] = given
    assert "Operator token" in browser.get(WAITING).words
    let_in(Browser(behind), behind)


def test_who_left_is_told_nothing_when_the_database_is_served(behind: Site, browser: Browser) -> None:
    page = let_in(browser, behind)
    kept = dict(browser.cookies)
    browser.submit(page, "Leave: this browser forgets that it had the token")
    assert run_upgrade(behind.settings).exit_code == 0
    wait_until(lambda: behind.app.server.supervisor.is_open, "it was never served")
    browser.cookies = kept
    assert browser.get(WAITING, follow=False).headers["location"] == "../manage/"


def test_what_fails_says_how_things_stand_and_what_to_type(behind: Site, browser: Browser) -> None:
    page = let_in(browser, behind)
    before = behind.settings.database_path.read_bytes()
    behind.settings.backup_dir.mkdir()
    behind.settings.backup_dir.chmod(0o700)
    behind.settings.database_path.write_bytes(before[:-5_000] + b"\xff" * 5_000)
    browser.submit(page, "Run the upgrade")
    page = ended(browser, "The upgrade did not succeed")
    assert "daemon" in page.words


def test_one_that_is_killed_is_told_and_run_again(behind: Site, browser: Browser) -> None:
    page = let_in(browser, behind)
    browser.submit(page, "Run the upgrade")
    process = behind.app.server.going_back._process
    assert process is not None
    process.kill()
    page = ended(browser, "The upgrade did not succeed")
    assert "daemon status" in page.words
    assert "The database waits for its upgrade" in page.words
    browser.submit(page, "Run the upgrade")
    ended(browser, "The database is served")


def test_an_upgrade_of_the_command_line_is_shown_as_it_goes_on(behind: Site, browser: Browser) -> None:
    let_in(browser, behind)
    assert run_upgrade(behind.settings).exit_code == 0
    ended(browser, "The database is served")
