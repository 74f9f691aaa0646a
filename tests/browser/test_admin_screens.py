"""Admin in a browser: can everyone use each of its screens, at any width, and by the keyboard alone?"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import (
    BrowserSite,
    StartSite,
    Windows,
    sample,
    scrolls_sideways,
    violations,
)
from tests.web.conftest import PASSWORD

SCREENS = (
    *("audience", "audience/kind/resume", "audience/field/resume?path=title", "audience/why/{entry}"),
    *("audience/as", "audience/findings", "audience/never-list", "messages", "webhooks", "links"),
    *("import", "export", "page", "activity", "activity/assistants", "keys", "account", "account/leave"),
    *("account/second-factor", "people", "people/1", "audit", "settings", "findings"),
)
WAYS = [(screen, width, scheme) for screen in SCREENS for width, scheme in ((320, "dark"), (1440, "light"))]
RESUME = {
    "name": "Ann Bee",
    "title": "Engineer",
    "summary": "Call +1 415-555-0134.",
    "contact": {"email": "ann@work.example", "location": "Portland"},
}


@pytest.fixture(scope="module")
def site(start_site: StartSite) -> BrowserSite:
    return start_site()


@pytest.fixture(scope="module")
def entry_id(site: BrowserSite) -> int:
    """The resume of ann."""
    return int(site.send("POST", "/api/v1/resume", RESUME, site.log_in())["id"])


def sign_in(page: Page, site: BrowserSite, path: str) -> None:
    """Sign in by the keyboard alone; the page that was asked for comes then."""
    page.goto(f"{site.url}/manage/sign-in?next=/manage/{path}")
    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/manage/{path}")


@pytest.fixture(scope="module")
def session(site: BrowserSite, chromium: Browser) -> Any:
    """What a browser keeps in which ann has signed in."""
    context = chromium.new_context()
    sign_in(context.new_page(), site, "account")
    kept = context.storage_state()
    context.close()
    return kept


def tab_to(page: Page, words: str) -> None:
    """Press Tab until what has these words has the focus, as someone without a mouse does."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if words == page.evaluate("(document.activeElement.innerText || '').trim()"):
            return
    raise AssertionError(f"{words!r} is not reached by the keyboard")


@pytest.mark.parametrize(("screen", "width", "scheme"), sample(WAYS))
def test_everyone_can_use_each_screen(
    site: BrowserSite, entry_id: int, session: Any, windows: Windows, screen: str, width: int, scheme: str
) -> None:
    page = windows.open(width, scheme=scheme, storage_state=session)
    page.goto(f"{site.url}/manage/{screen.format(entry=entry_id)}")
    assert violations(page) == []
    assert not scrolls_sideways(page)


def test_a_field_is_hidden_by_the_keyboard_alone(site: BrowserSite, entry_id: int, windows: Windows) -> None:
    page = windows.open(320)
    sign_in(page, site, "audience")
    tab_to(page, "Skip to the content")
    tab_to(page, "Resume")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/manage/audience/kind/resume")
    tab_to(page, "summary")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/manage/audience/field/resume?path=summary")
    tab_to(page, "Hide it from everyone")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/manage/audience/try")
    assert "summary" in page.inner_text("main table")
    tab_to(page, "Do it")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/manage/audience/field/resume?path=summary")
    assert "It is changed" in page.inner_text("main .notice")
    shown = site.send("GET", f"/api/v1/resume/{entry_id}?level=public_full", None, {})
    assert "summary" not in shown["data"]
    assert shown["data"]["title"] == "Engineer"


def test_screens_work_without_scripts(site: BrowserSite, session: Any, windows: Windows) -> None:
    page = windows.open(storage_state=session, java_script_enabled=False)
    page.goto(f"{site.url}/manage/keys")
    page.get_by_label("What it is for").fill("my phone")  # by words: ids are not found without scripts
    page.get_by_role("button", name="Make the key").click()
    assert "dmn_" in page.get_by_role("status").inner_text()
