"""Is what the API says in English said on screens in their language, whatever the values in it?"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.web import said as said_module
from app.web import words
from app.web.admin.api import Answer
from app.web.admin.visit import sentence_of
from app.web.said import Message, Messages, messages_of, said
from tests.web import catalogue, said_texts
from tests.web.browsing import Browser, signed_in
from tests.web.conftest import PASSWORD, Site
from tests.web.said_literals import is_said

HOLE = re.compile(r"\{(\d+)\}")
LANGUAGES = [path.parts[-3] for path in catalogue.languages()]
PASSED_ON = {
    "backup/create.py": "str(error)",  # the engine's own words
}
"""Texts of errors that are no sentences of ours, by file."""

ONE_TWO = {
    "There is no kind {0} here.": "Hier gibt es keine Art {0}.",
    "{0} of {1} items do not fit: {2}.": "Von {1} Teilen passen {0} nicht: {2}.",
    "it is not UTF-8 (byte {0})": "es ist kein UTF-8 (Byte {0})",
    "{0} entries": "{0} Einträge",
    "must be at least {0}": "muss mindestens {0} sein",
    "Try again.": "Versuch es noch einmal.",
    "It is {0}. Nothing was changed.": "Es ist {0}. Nichts wurde geändert.",
    "The entry is deleted; nothing was changed.": "Der Eintrag ist gelöscht; nichts wurde geändert.",
}
MESSAGES = Messages(ONE_TWO)
NUMBERS = [str(41 + number) for number in range(12)]
NAMES = [f"/v{number}.x" for number in range(12)]
HOSTILE = [f"{{{11 - number}}}\n%(name)s%s\\g<0>(.*)+[<b>{number}" for number in range(12)]


def test_whatever_an_error_says_is_gathered() -> None:
    """A text that the walk does not find would stay English: write it as a literal, or an f-string."""
    unknown = {
        place: text
        for place, text in said_texts.walked().unknown.items()
        if PASSED_ON.get(place.partition(":")[0]) != text
    }
    assert unknown == {}


def test_texts_are_gathered_through_all_they_go_through() -> None:
    found = said_texts.walked().found
    for each in (
        "There is no kind {0}.",  # of an f-string
        "The content does not fit: {0}: {1}.",
        "it is not UTF-8 (byte {0})",  # of a function that an argument is made by
        "the whole",  # of a hole
        "must be at least {0}",  # of a dict of formats
        "it holds what would be hidden in a text",  # of an argument of a helper
        "This password is among those that are tried first; choose another one.",
        "a moment with its zone is needed here, as 2030-01-31T12:00:00Z",
        "There is nothing at this address.",
    ):
        assert each in found


@pytest.mark.parametrize(
    "text", ["daemon user list", "SELECT id FROM users", "text/html; charset=utf-8", "name"]
)
def test_commands_and_names_are_no_sentences(text: str) -> None:
    assert not is_said(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_values_of_its_message(language: str) -> None:
    for english, text in _translated(language).items():
        assert sorted(set(HOLE.findall(text))) == sorted(HOLE.findall(english)), english


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_message_is_found_again_whatever_its_values(language: str) -> None:
    messages = messages_of(language)
    assert messages is not None
    for english, text in _translated(language).items():
        is_number = len(re.findall(r"[^\W\d_]{2,}", HOLE.sub(" ", english))) < 2
        for values in NUMBERS, NAMES, HOSTILE:
            if values is NUMBERS or not is_number:
                assert messages.said(_filled(english, values)) == _filled(text, values), english


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("There is no kind 'x' here.", "Hier gibt es keine Art 'x'."),
        (
            "2 of 3 items do not fit: it is not UTF-8 (byte 7).",
            "Von 3 Teilen passen 2 nicht: es ist kein UTF-8 (Byte 7).",
        ),
        ("It is 3 entries. Nothing was changed.", "Es ist 3 Einträge. Nichts wurde geändert."),
        (
            "Try again. There is no kind a here. So be it.",
            "Versuch es noch einmal. Hier gibt es keine Art a. So be it.",
        ),
        ("must be at least 3", "muss mindestens 3 sein"),
        ("The entry is deleted; nothing was changed.", "Der Eintrag ist gelöscht; nichts wurde geändert."),
        ("many entries", "many entries"),
        ("Nothing of ours", "Nothing of ours"),
    ],
)
def test_sentences_are_said_with_their_values(english: str, german: str) -> None:
    assert MESSAGES.said(english) == german


@pytest.mark.parametrize(
    "value",
    [
        "{0}",
        "{1} {2}",
        "%(name)s %s 100%",
        "a.*+?[(\\",
        "\n\r\t",
        "<b>&amp;",
        "\\g<0>",
        "here.",
        "Try again.",
        "",
        "ü" * 900,
    ],
)
def test_values_are_copied_and_never_interpreted(value: str) -> None:
    assert MESSAGES.said(f"There is no kind {value!r} here.") == f"Hier gibt es keine Art {value!r}."


def test_what_is_said_is_plain_text_that_templates_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(said_module, "messages_of", lambda _language: MESSAGES)
    told = said("There is no kind <b> here.")
    assert (type(told), told) == (str, "Hier gibt es keine Art <b>.")
    assert said("  Try again.\n") == "  Versuch es noch einmal.\n"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "text",
    [
        "a " * 2_000,
        "The content does not fit: " * 150,
        ". It is. " * 400,
        ": " * 2_000,
        "There is no " + "here." * 700,
    ],
)
def test_a_hostile_text_is_gone_through_in_linear_time(
    language: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: how many messages are tried, and how many characters are searched for each."""
    messages, tried, searched = messages_of(language), [0], [0]
    assert messages is not None
    before = Message.values_in

    class Counted(str):
        def find(self, piece: str, start: int = 0, end: int = -1) -> int:  # type: ignore[override]
            found = str.find(self, piece, start, end)
            searched[0] += (end if found < 0 else found) - start
            return found

    def counting(self: Message, english: str) -> dict[str, str] | None:
        tried[0] += 1
        already = searched[0]
        found = before(self, Counted(english))
        assert searched[0] - already <= len(english)
        return found

    monkeypatch.setattr(Message, "values_in", counting)
    messages.said(text[: said_module.LONGEST_CHARACTERS])
    assert tried[0] < 20_000


def test_too_long_a_text_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(said_module, "messages_of", lambda _language: MESSAGES)
    long = f"There is no kind {'x' * said_module.LONGEST_CHARACTERS} here."
    assert said(long) == long


def test_english_is_said_as_it_is() -> None:
    words.speak("en")
    assert said("There is no kind 'x' here.") == "There is no kind 'x' here."


def _translated(language: str) -> dict[str, str]:
    known = words.translations(language)._catalog  # type: ignore[attr-defined]
    return {each: known[each] for each in said_texts.walked().found if known.get(each)}


def _filled(text: str, values: list[str]) -> str:
    return HOLE.sub(lambda hole: values[int(hole[1])], text)


# -- where it is shown


@pytest.mark.parametrize(
    ("faults", "sentence"),
    [
        ([], "It does not fit."),
        (["too short", "no number"], "It does not fit. (too short; no number)"),
        (["It is short.", "No number"], "It does not fit. It is short. No number."),
    ],
)
def test_what_is_said_of_fields_is_joined_as_sentences_are(faults: list[str], sentence: str) -> None:
    errors = [{"pointer": "/x", "detail": fault} for fault in faults]
    assert sentence_of(Answer(422, {"detail": "It does not fit.", "errors": errors}, {})) == sentence


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    needed: str
    number: int = Field(0, ge=3)
    word: str = Field("", max_length=1, pattern="^a*$")
    words: list[str] = Field([], max_length=1)
    size: Literal["small", "large"] = "small"
    is_open: bool = False
    day: date | None = None


@pytest.mark.parametrize(
    ("body", "german"),
    [
        ({}, "Dieses Feld wird gebraucht"),
        ({"needed": 1}, "Hier wird ein Text gebraucht"),
        ({"needed": "", "other": 1}, "Weitere Angaben sind hier nicht erlaubt"),
        ({"needed": "", "number": "x"}, "Hier wird eine ganze Zahl gebraucht; der Text ist keine"),
        ({"needed": "", "number": 2}, "Der Wert muss mindestens 3 sein"),
        ({"needed": "", "word": "aa"}, "Der Text darf höchstens 1 Zeichen haben"),
        ({"needed": "", "word": "b"}, "Der Text muss dem Muster '^a*$' entsprechen"),
        ({"needed": "", "words": ["a", "b"]}, "Es dürfen höchstens 1 sein, nicht 2 (List)"),
        ({"needed": "", "size": "x"}, "Erlaubt ist hier 'small' or 'large'"),
        (
            {"needed": "", "is_open": "x"},
            "Hier wird Ja oder Nein gebraucht (true, false); was kam, ist keines davon",
        ),
        ({"needed": "", "day": "x"}, "Hier wird ein Tag oder ein Zeitpunkt gebraucht: input is too short"),
    ],
)
def test_what_pydantic_finds_in_a_form_is_said_in_german(body: dict[str, object], german: str) -> None:
    messages = messages_of("de")
    assert messages is not None
    with pytest.raises(ValidationError) as refused:
        Form.model_validate(body)
    assert [messages.said(fault["msg"]) for fault in refused.value.errors()] == [german]


GERMAN = {"Accept-Language": "de"}


def test_a_screen_says_in_german_what_the_api_refuses(site: Site) -> None:
    browser = signed_in(site, "ann")
    browser.submit(browser.get("/manage/"), "Deutsch")
    page = browser.get("/manage/entries/nonsense/new")
    assert "Es gibt keine Art" in page.words
    assert "There is no" not in page.words
    assert "Diesen Eintrag gibt es nicht." in browser.get("/manage/entries/ideas/999").words
    form = browser.get("/manage/entries/ideas/new")
    wrong = browser.submit(form, "Speichern", content="Bees", rest="[1]")
    assert "Der Inhalt passt nicht: " in wrong.words
    assert "es muss ein JSON-Objekt sein" in wrong.words
    account, new = browser.get("/manage/account"), {"new_password": PASSWORD * 2, "again": PASSWORD * 2}
    changed = browser.submit(account, "Das Passwort ändern", new, current_password="nonsense")
    assert "Das Passwort stimmt nicht; nichts wurde geändert." in changed.words
    sent = {"file": ("resume.json", b"{", "application/json")}
    read = browser.submit(browser.get("/manage/import"), "Erst ansehen", files=sent)
    assert "kein JSON" in read.words
    assert "nichts wurde eingelesen." in read.words


def test_the_sign_in_says_in_german_what_is_wrong(site: Site) -> None:
    browser = Browser(site)
    form = browser.get("/manage/sign-in", headers=GERMAN)
    page = browser.submit(form, "Anmelden", headers=GERMAN, username="ann", password="nonsense")
    assert "Der Benutzername oder das Passwort ist falsch." in page.words


def test_a_page_that_is_not_there_says_so_in_the_language_of_the_browser(site: Site) -> None:
    for path in ("/@nobody", "/@ann/nonsense", "/api/v1/shared/nonsense"):
        german = site.client.get(path, headers={**GERMAN, "Accept": "text/html"})
        assert german.status_code == 404, path
        assert 'lang="de"' in german.text, path
        assert "Zum Anfang" in german.text, path
        assert "There is" not in german.text, path
        english = site.client.get(path, headers={"Accept": "text/html"})
        assert "To the beginning" in english.text, path
        problem = site.client.get(path, headers={**GERMAN, "Accept": "application/json"}).json()
        assert problem["detail"].startswith("There is"), path
