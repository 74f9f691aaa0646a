"""Does a German admin speak German, whatever screen is looked at and whatever is refused?

Every text of a page is compared with the catalogue: none may be an English message that has other words in
German. What people wrote here is none of the messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from app.web import words
from app.web.admin import screens
from app.web.said import said
from tests.web.browsing import Browser, Element, PageSeen, signed_in
from tests.web.conftest import PASSWORD, Site, wait_until

pytestmark = pytest.mark.only_on("sqlite")
SPOKEN_ATTRIBUTES = ("aria-label", "placeholder", "title", "alt")
OF_PEOPLE = {"Bees", "Other", "Humming"}
NO_PAGE = ("/manage/media/", "/manage/page/preview")  # a picture, and a page in the language of its person
NAMED = re.compile(r"\(\?P<(\w+)>[^)]*\)")


def english_in(page: PageSeen) -> list[str]:
    """The texts of a page that are English messages with a German translation."""
    words.speak("de")
    known = words.translations("de")._catalog  # type: ignore[attr-defined]
    found = []
    for text in texts_of(page.root.find("body")):
        german = known.get(text)
        if text not in OF_PEOPLE and (
            (isinstance(german, str) and german not in ("", text)) or said(text) != text
        ):
            found.append(text)
    words.speak("en")
    return found


def texts_of(element: Element) -> Iterator[str]:
    """The texts of an element one by one, and those of attributes; not the calls that a screen has made."""
    if element.get("class") == "calls" or element.tag in ("script", "style") or element.get("lang") == "en":
        if element.tail:
            yield from lines_of(element.tail)
        return
    for name in SPOKEN_ATTRIBUTES:
        yield from lines_of(element.get(name) or "")
    yield from lines_of(element.text or "")
    for child in element:
        yield from texts_of(child)
    yield from lines_of(element.tail or "")


def lines_of(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if line.strip():
            yield " ".join(line.split())


@pytest.fixture
def filled(site: Site) -> Site:
    """An installation in which something is on every screen."""
    site.add_user("ben")
    headers = site.log_in("ann")
    made = {"content": "Bees", "visibility": "private", "meta": {"title": "Bees", "status": "draft"}}
    for content in ({"content": "Call +49 30 1234567"}, made):
        site.client.post("/api/v1/ideas", json=content, headers=headers)
    site.client.patch(
        "/api/v1/ideas/1", json={"content": "Other", "visibility": "private"},
        headers={**headers, "Content-Type": "application/merge-patch+json"},
    )  # fmt: skip
    site.client.post("/api/v1/favorite_books", json={"title": "Momo", "author": "Ende"}, headers=headers)
    gone = site.client.post("/api/v1/hobbies", json={"content": "Humming"}, headers=headers).json()["id"]
    site.client.delete(f"/api/v1/hobbies/{gone}", headers=headers)
    site.client.post("/auth/keys", json={"name": "phone", "verbs": ["read", "create"]}, headers=headers)
    site.client.post("/api/v1/links", json={"kinds": ["ideas"], "level": "ai_safe"}, headers=headers)
    site.client.post("/api/v1/webhooks", json={"url": "https://hooks.example/x"}, headers=headers)
    site.client.put("/api/v1/me/message-box", json={"is_open": True}, headers=headers)
    site.client.post("/api/v1/users/ann/messages", json={"text": "Hello there"})
    begun = site.client.post("/api/v1/admin/backups", headers=headers).json()["id"]
    wait_until(
        lambda: site.client.get(f"/api/v1/operations/{begun}", headers=headers).json()["state"] != "running",
        "no backup",
    )
    site.app.server.pending_audit.write()
    return site


def addresses(site: Site, headers: dict[str, str]) -> list[str]:
    """Every GET screen, with something there in the place of each name."""

    def first(path: str, key: str = "id") -> Any:
        body = site.client.get(path, headers=headers).json()
        return body.get("items", body.get("backups"))[0][key]

    entry = site.client.get("/api/v1/ideas", headers=headers).json()["items"][0]["id"]
    named = {
        "entry": entry,
        "message": first("/api/v1/me/messages"),
        "webhook": first("/api/v1/webhooks"),
        "number": first("/api/v1/operations"),
        "person": 2,
        "backup": first("/api/v1/admin/backups", "filename"),
        "kind": "ideas",
    }
    routes = [each for name in screens.MODULES for each in import_module(name).router._routes]
    patterns = [regex.pattern.strip("^$") for method, regex, *_rest in routes if method == "GET"]
    shown = [pattern for pattern in patterns if not pattern.startswith(NO_PAGE)]
    paths = [NAMED.sub(lambda found: str(named[found[1]]), each).replace("\\", "") for each in shown]
    return [f"{path}?path=content" if "audience/field" in path else path for path in sorted(paths)]


def german(site: Site, username: str) -> Browser:
    browser = signed_in(site, username)
    browser.submit(browser.get("/manage/"), "Deutsch")
    return browser


def test_every_screen_is_german(filled: Site) -> None:
    headers, browser = filled.log_in("ann"), german(filled, "ann")
    paths = addresses(filled, headers)
    assert len(paths) > 40
    backup = next(path for path in paths if path.endswith("/restore")).rsplit("/", 1)[0]
    looked = browser.get("/manage/backups")
    form = next(each for each in looked.forms() if f"{backup}/preview" in (each.get("action") or ""))
    token = next(each.get("value") for each in form.iter("input") if each.get("name") == "form_token")
    shown = browser.ask(
        "POST", f"{backup}/preview", data={"form_token": token}, headers={"Origin": browser.base}
    )
    assert shown.status == 200
    wait_until(lambda: "läuft" not in browser.get(f"{backup}/restore").words, "it is still looked at")
    english = {path: english_in(browser.get(path)) for path in paths}
    assert {path: texts for path, texts in english.items() if texts} == {}


def test_what_is_refused_is_said_in_german(filled: Site) -> None:
    browser = german(filled, "ann")
    refused = [
        browser.get("/manage/nothing-there"),
        browser.get("/manage/people/4711"),
        browser.get("/manage/entries/nothing"),
        browser.get("/manage/audit?user=nobody_here"),
        browser.submit(browser.get("/manage/keys"), "Den Schlüssel machen", name="x" * 400),
        browser.submit(browser.get("/manage/links"), "Den Link machen", expires="2001-01-01", entries="3"),
        browser.submit(browser.get("/manage/webhooks"), "Bescheid geben", url="http://10.0.0.1/"),
        browser.submit(browser.get("/manage/page"), "So aussehen", language="no language"),
        browser.submit(browser.get("/manage/account"), "Das Passwort ändern",
                       current_password="wrong one", new_password="short", again="short"),
        browser.submit(browser.get("/manage/entries/ideas/new"), "Speichern", rest="{"),
        browser.submit(browser.get("/manage/people"), "Einladen", password="wrong one", days="9999"),
    ]  # fmt: skip
    assert all(page.status >= 400 or "bad" in page.text for page in refused)
    assert [english for english in map(english_in, refused) if english] == []
    assert PASSWORD not in "".join(page.text for page in refused)


def test_the_check_finds_english(site: Site) -> None:
    """What the other tests look for is found where it is."""
    assert "Audience" in english_in(signed_in(site, "ann").get("/manage/"))
