"""Are the words of screens and pages all there in each language, and do they say the same variables?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.web import words
from tests.web import catalogue
from tests.web.browsing import Browser, signed_in
from tests.web.conftest import Site

VARIABLE = re.compile(r"%\((\w+)\)s")
LANGUAGES = catalogue.languages()


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.parts[-3])
def test_every_message_is_there_in_each_language(path: Path) -> None:
    known = {each.id: each.string for each in catalogue.read(path) if each.id}
    wanted = {each.id for each in catalogue.gathered() if each.id}
    missing = [each for each in wanted if not known.get(each) or not all(_forms(known[each]))]
    assert missing == [], "run: make catalogue, and translate what is new"
    assert set(known) == wanted


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.parts[-3])
def test_a_translation_has_the_variables_of_its_message(path: Path) -> None:
    for each in catalogue.read(path):
        if each.id:
            said = set().union(*(VARIABLE.findall(text) for text in _forms(each.id)))
            for text in _forms(each.string):
                assert set(VARIABLE.findall(text)) == said, each.id
                assert "%" not in VARIABLE.sub("", text), each.id


def _forms(said: object) -> list[str]:
    return list(said) if isinstance(said, (tuple, list)) else [str(said)]


def test_what_was_gathered_is_what_the_code_says() -> None:
    before = (catalogue.TRANSLATIONS / "messages.pot").read_text(encoding="utf-8")
    wanted = {each.id for each in catalogue.gathered() if each.id}
    assert {each.id for each in catalogue.read_messages(before) if each.id} == wanted


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-AT,en;q=0.5", "de"),
        ("en,de;q=0.9", "en"),
        ("fr,de;q=0.3", "de"),
        ("fr", "en"),
        ("", "en"),
        ("*;q=nonsense", "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_would_like_best(accepted: str, language: str) -> None:
    assert words.wanted_language(accepted) == language


@pytest.mark.only_on("sqlite")
def test_the_screens_speak_german(site: Site) -> None:
    browser = signed_in(site, "ann")
    browser.submit(browser.get("/manage/"), "Deutsch")
    page = browser.get("/manage/")
    assert (page.title, page.root.get("lang")) == ("Heute", "de")
    assert "Sag, wer du bist" in page.links
    page = browser.get("/manage/entries/ideas/new")
    saved = browser.submit(page, "Speichern", content="Write to ann@hive.example")
    assert "1 Stelle darin wird Fremden nicht gezeigt" in saved.words


@pytest.mark.only_on("sqlite")
def test_kinds_and_reasons_have_german_words(site: Site) -> None:
    browser = signed_in(site, "ann")
    header = site.log_in("ann")
    made = site.client.post(
        "/api/v1/favorite_books", json={"title": "Momo", "author": "Ende"}, headers=header
    ).json()["id"]
    browser.submit(browser.get("/manage/"), "Deutsch")
    for path in ("entries", "audience", "audience/as", "links", "page", "audience/kind/favorite_books"):
        page = browser.get(f"/manage/{path}")
        assert "Lieblingsbücher" in page.title + page.words, path
    assert "Favorite books" not in browser.get("/manage/entries").words
    why = browser.get(f"/manage/audience/why/{made}").words
    assert "Alles Öffentliche hat es auf der Liste, und nichts verbirgt es." in why
    assert "It is" not in why


def test_a_page_speaks_the_language_that_its_person_wishes(site: Site) -> None:
    header = site.log_in("ann")
    entry = {"content": "Summen", "meta": {"title": "Bienen", "date": "2026-03-04"}}
    site.client.post("/api/v1/ideas", json=entry, headers=header)
    english = Browser(site).get("/@ann").words
    site.client.put("/api/v1/me/page", json={"language": "de-AT"}, headers=header)
    german = Browser(site).get("/@ann")
    assert ("4 Mar 2026" in english, "Ideas" in english) == (True, True)
    assert ("4. März 2026" in german.words, "Ideen" in german.words) == (True, True)
    assert german.root.get("lang") == "de-AT"
    site.client.put("/api/v1/me/page", json={"language": "fr"}, headers=header)
    assert "4 Mar 2026" in Browser(site).get("/@ann").words
