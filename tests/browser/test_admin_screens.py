"""Admin in a browser: can everyone use each of its screens, at any width, and by the keyboard alone?"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import (
    BrowserSite,
    StartSite,
    Windows,
    scrolls_sideways,
    violations,
)
from tests.conftest import sample
from tests.web.conftest import PASSWORD
from tests.web.test_pictures import photo

SCREENS = (
    *("audience", "audience/kind/resume", "audience/field/resume?path=title", "audience/why/{entry}"),
    *("audience/as", "audience/entries", "audience/findings", "audience/never-list", "messages", "webhooks"),
    *("links", "links?entry={entry}", "review", "profile", "entries/resume/{entry}", "import", "export"),
    *("page", "activity", "activity/assistants", "keys", "account", "account/leave"),
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


def test_what_is_too_large_is_said_before_it_is_sent(
    site: BrowserSite, session: Any, windows: Windows
) -> None:
    page = windows.open(storage_state=session)
    sent: list[str] = []
    page.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" else None)
    page.goto(f"{site.url}/manage/profile")
    chosen = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"x" * 10_000_001}
    page.locator("input[type=file]").set_input_files(chosen)  # type: ignore[arg-type]
    invalid = "all => all.map(each => each.validationMessage)"
    assert "choose a smaller one" in page.eval_on_selector_all("input[type=file]", invalid)[0]
    page.goto(f"{site.url}/manage/entries/ideas/new")
    page.evaluate("document.querySelector('[name=content]').value = 'x'.repeat(11_000_000)")
    page.get_by_role("button", name="Save", exact=True).click()
    said = "document.querySelector('[name=content]').validationMessage"
    page.wait_for_function(f"{said} !== ''")
    assert "your words are still here" in page.evaluate(said)
    assert page.evaluate("document.querySelector('[name=content]').value.length") == 11_000_000
    assert sent == []


def test_screens_work_without_scripts(site: BrowserSite, session: Any, windows: Windows) -> None:
    page = windows.open(storage_state=session, java_script_enabled=False)
    page.goto(f"{site.url}/manage/keys")
    page.get_by_label("What it is for").fill("my phone")  # by words: ids are not found without scripts
    page.get_by_role("button", name="Make the key").click()
    assert "dmn_" in page.get_by_role("status").inner_text()


def press(page: Page, words: str) -> None:
    """Go to a button or link by the keyboard, and press Enter; the next page comes."""
    tab_to(page, words)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def check(page: Page, label: str) -> None:
    """Check a box by the keyboard alone, from where the focus is on."""
    box = page.get_by_label(re.compile(f"^{label}")).first
    for _ in range(120):
        page.keyboard.press("Tab")
        if box.evaluate("one => one === document.activeElement"):
            page.keyboard.press("Space")
            assert box.is_checked()
            return
    raise AssertionError(f"{label!r} is not reached by the keyboard")


def test_entries_are_chosen_for_a_link_by_the_keyboard_alone(
    site: BrowserSite, entry_id: int, session: Any, windows: Windows
) -> None:
    page = windows.open(320, storage_state=session)
    page.goto(f"{site.url}/manage/links")
    tab_to(page, "Single entries")
    page.keyboard.press("Enter")
    check(page, "Engineer")
    press(page, "Make the link")
    assert "/api/v1/shared/" in page.inner_text("main .notice")
    assert violations(page) == []


def test_entries_are_hidden_and_shown_by_the_keyboard_alone(
    site: BrowserSite, entry_id: int, session: Any, windows: Windows
) -> None:
    page = windows.open(320, storage_state=session)
    page.goto(f"{site.url}/manage/audience/entries")
    check(page, "Engineer")
    press(page, "Make the chosen ones: Private")
    assert site.server.ask(f"/api/v1/resume/{entry_id}")[0] == 404
    tab_to(page, "Private")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    check(page, "Engineer")
    press(page, "Make the chosen ones: Public")
    assert site.server.ask(f"/api/v1/resume/{entry_id}")[0] == 200


@pytest.mark.parametrize("has_scripts", [True, False])
def test_the_look_is_seen_before_it_is_saved(
    site: BrowserSite, entry_id: int, session: Any, windows: Windows, has_scripts: bool
) -> None:
    page = windows.open(storage_state=session, java_script_enabled=has_scripts)
    page.goto(f"{site.url}/manage/page")
    page.get_by_label("Theme").select_option("ink")
    if not has_scripts:
        page.get_by_role("button", name="Try it first").click()
    shown = page.frame_locator("iframe.look").locator("html.theme-ink")
    shown.wait_for()
    assert "Engineer" in shown.inner_text()
    if has_scripts:
        assert violations(page) == []
    wishes = site.send("GET", "/api/v1/me/page", None, site.log_in())
    assert wishes["theme"] is None


def test_a_picture_and_an_import_are_sent_by_the_keyboard_alone(
    site: BrowserSite, session: Any, windows: Windows
) -> None:
    page = windows.open(320, scheme="dark", storage_state=session)
    page.goto(f"{site.url}/manage/profile")
    page.get_by_label("Picture", exact=True).set_input_files(
        {"name": "me.png", "mimeType": "image/png", "buffer": photo()}
    )
    page.get_by_label("What is to be seen in it").focus()
    page.keyboard.type("Ann, laughing")
    press(page, "Add the picture")
    assert page.get_by_alt_text("Ann, laughing").count() == 1
    assert violations(page) == []
    assert not scrolls_sideways(page)
    page.goto(f"{site.url}/manage/import")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "bees.md", "mimeType": "text/markdown", "buffer": b"---\ntitle: On bees\n---\nHum.\n"}
    )
    press(page, "Look at it first")
    assert "would be added" in page.inner_text("main")
    assert violations(page) == []
    assert not scrolls_sideways(page)
    press(page, "Add it")
    assert "1 entry was added." in page.inner_text("main")
    press(page, "Undo")
    assert "is deleted" in page.inner_text("main")


def test_what_a_person_is_given_once_can_be_used_by_everyone(
    site: BrowserSite, session: Any, windows: Windows
) -> None:
    page = windows.open(320, storage_state=session)
    page.goto(f"{site.url}/manage/people")
    page.get_by_label("Who it is for").focus()
    page.keyboard.type("Ben")
    page.get_by_label("Your password, again").focus()
    page.keyboard.type(PASSWORD)
    press(page, "Invite")
    link = page.locator("code.secret").inner_text()
    assert violations(page) == []
    assert not scrolls_sideways(page)
    joining = windows.open(320)
    joining.goto(link)
    assert violations(joining) == []
    for typed in ("ben", "Ben", "ben@example.org", PASSWORD):  # the first field has the focus
        joining.keyboard.type(typed)
        joining.keyboard.press("Tab")
    with joining.expect_navigation():
        joining.keyboard.press("Enter")
    assert joining.url == f"{site.url}/manage/"
