"""Does someone see in the browser who sees what, why, and what a change would change? In plain forms."""

from __future__ import annotations

from typing import Any

import pytest

from app.web.admin.shown import without_inner
from tests.web.browsing import Browser, PageSeen, signed_in, words_of
from tests.web.conftest import Site

RESUME = {
    "name": "Ann Bee",
    "title": "Engineer",
    "summary": "Call +1 415-555-0134.",
    "contact": {"email": "ann@work.example", "location": "Portland"},
}
SCREENS = ("audience", "audience/as", "audience/findings", "audience/never-list", "audience/kind/resume")


@pytest.fixture
def entry_id(site: Site) -> int:
    """The resume of ann."""
    headers = site.log_in("ann")
    made = site.client.post("/api/v1/resume", json=RESUME, headers=headers)
    site.client.post("/api/v1/ideas", json={"content": "x", "visibility": "private"}, headers=headers)
    return int(made.json()["id"])


def test_what_lies_in_a_longer_finding_is_named_once_that_is_released() -> None:
    hidden, shown = {"public_full": "hidden"}, {"public_full": "shown"}

    def found(kind: str, start: int, end: int, **more: Any) -> dict[str, Any]:
        place = {"entry_id": 1, "pointer": "/content", "start": start, "end": end}
        return {"kind": kind, "levels": hidden, "released": None, **place, **more}

    iban, card, mail = found("iban", 10, 32), found("card", 15, 30), found("mail", 40, 50)
    assert without_inner([card, mail, iban]) == [mail, iban]
    assert without_inner([{**iban, "released": 7, "levels": shown}, card]) == [
        {**iban, "released": 7, "levels": shown},
        card,
    ]
    apart = [iban, {**card, "pointer": "/title"}, {**card, "entry_id": 2}, found("card", 20, 36)]
    assert without_inner(apart) == apart
    assert without_inner([{**iban, "levels": shown}, card]) == [{**iban, "levels": shown}, card]
    assert without_inner([iban, found("phone", 10, 32)]) == [iban, found("phone", 10, 32)]


def row_of(page: PageSeen, heading: str) -> list[str]:
    """The cells of the row that begins with these words."""
    for row in page.root.iter("tr"):
        cells = [words_of(cell) for cell in row]
        if cells and cells[0].startswith(heading):
            return cells
    raise AssertionError(f"no row {heading!r}: {page.words}")


def seen(site: Site, level: str = "public_full") -> Any:
    return site.client.get(f"/api/v1/resume/users/ann?level={level}").json()["items"][0]["data"]


@pytest.mark.parametrize("path", [*SCREENS, "audience/field/resume?path=title"])
def test_without_a_session_one_is_asked_to_sign_in(site: Site, path: str) -> None:
    assert Browser(site).get(f"/manage/{path}").path == "/manage/sign-in"


def test_the_table_has_each_kind_with_what_every_level_shows(site: Site, entry_id: int) -> None:
    page = signed_in(site, "ann").get("/manage/audience")
    assert row_of(page, "Resume")[1:3] == ["1", "1"]
    assert all(cell.startswith("1 ") for cell in row_of(page, "Resume")[3:])
    assert row_of(page, "Ideas")[1:] == ["1", "0", "nothing", *["0 all fields"] * 3]
    assert "/api/v1/privacy/audience" in page.text


def test_from_a_kind_to_a_field_to_a_rule_that_is_shown_before_it_is_made(site: Site, entry_id: int) -> None:
    ann = signed_in(site, "ann")
    kind = ann.get(ann.get("/manage/audience").links["Resume"])
    assert row_of(kind, "contact.email")[1:] == ["partly", "shown", "shown", "shown"]
    field = ann.get(kind.links["title"])
    told = ann.submit(field, "Hide it from everyone")
    assert row_of(told, "Resume")[1] == "title"
    assert "shown hidden" in told.words
    assert seen(site)["title"] == "Engineer"
    done = ann.submit(told, "Do it")
    assert (done.path, "It is changed" in done.words) == ("/manage/audience/field/resume", True)
    assert "title" not in seen(site)
    assert "Your rule for resume.title." in done.words
    again = ann.submit(ann.submit(done, "Take my rule away"), "Do it")
    assert seen(site)["title"] == "Engineer"
    assert "Your rule" not in again.words


def test_a_field_that_is_not_there_and_a_kind_that_is_not(site: Site) -> None:
    ann = signed_in(site, "ann")
    assert "no such field" in ann.get("/manage/audience/field/resume?path=nothing").words
    assert ann.get("/manage/audience/kind/no_such_kind").status == 404


def test_assistants_are_kept_out_after_a_look_at_what_that_changes(site: Site, entry_id: int) -> None:
    ann = signed_in(site, "ann")
    told = ann.submit(ann.get("/manage/audience"), "See what this would change", ai_assistant_access=None)
    assert "Resume" in told.words
    ann.submit(told, "Do it")
    asked = site.client.get("/api/v1/resume/users/ann?level=ai_safe")
    assert asked.json()["items"] == [], asked.text
    assert seen(site)["title"] == "Engineer"


def test_why_is_said_with_one_reason_and_one_click_changes_it(site: Site, entry_id: int) -> None:
    ann = signed_in(site, "ann")
    headers = site.log_in("ann")
    site.client.patch("/api/v1/privacy/settings", json={"show_location": False}, headers=headers)
    address = f"/manage/audience/why/{entry_id}"
    page = ann.get(address)
    assert "show_location is off." in page.words
    assert "location" not in seen(site)["contact"]
    done = ann.submit(page, "Change the setting: Show where I am")
    assert "It is changed." in done.words
    assert seen(site)["contact"]["location"] == "Portland"


def test_from_an_entry_one_gets_to_why_and_to_who_sees_it_and_to_its_links(site: Site, entry_id: int) -> None:
    ann = signed_in(site, "ann")
    page = ann.get(f"/manage/entries/resume/{entry_id}")
    titles = [ann.get(page.links[words]).title for words in ("Why is this hidden?", "As others see it")]
    assert titles == ["Why is this hidden?", "As others see it"]
    links = [href for words, href in page.links.items() if words == "Share links"]
    assert f'value="{entry_id}"' in ann.get(links[-1]).text


def test_what_is_sent_is_asked_for_again_and_never_said_by_a_form(site: Site, entry_id: int) -> None:
    ann = signed_in(site, "ann")
    page = ann.get(f"/manage/audience/why/{entry_id}")
    form = next(each for each in page.forms() if "/why/" in each.get("action", ""))
    token = next(each.get("value") for each in form.iter("input") if each.get("name") == "form_token")
    data = {"form_token": token, "pointer": "/no/such", "level": "professional"}
    sent = ann.ask("POST", f"/manage/audience/why/{entry_id}", data=data, headers={"Origin": ann.base})
    assert "nothing to change there" in sent.words


def test_each_audience_is_shown_side_by_side_as_it_is_answered(site: Site, entry_id: int) -> None:
    page = signed_in(site, "ann").get("/manage/audience/as?kind=resume")
    cards = [words_of(each) for each in page.root.iter("section")]
    assert len(cards) == 7
    assert "***@work.example" in cards[0]
    assert "ann@work.example" not in cards[0]
    assert "ann@work.example" in cards[1]


def test_an_entry_is_chosen_by_its_title_to_be_seen_as_others_do(site: Site, entry_id: int) -> None:
    ann = signed_in(site, "ann")
    options = [words_of(each) for each in ann.get("/manage/audience/as?kind=resume").root.iter("option")]
    assert [each for each in options if each.startswith("Engineer · ")]
    page = ann.get(f"/manage/audience/as?kind=resume&entry={entry_id}&words=engineer")
    assert f"/manage/audience/why/{entry_id}" in page.links["Why is this hidden?"]
    assert "ann@work.example" in page.words
    of_another_kind = ann.get(f"/manage/audience/as?kind=ideas&entry={entry_id}")
    assert (of_another_kind.status, "Ann Bee" in of_another_kind.words) == (200, False)
    assert "Engineer Resume" in ann.get(f"/manage/audience/why/{entry_id}").words


def test_what_was_found_is_released_and_hidden_again(site: Site, entry_id: int) -> None:
    ann = signed_in(site, "ann")
    assert "0134" not in seen(site)["summary"]
    done = ann.submit(ann.get("/manage/audience/findings"), "Show it to strangers")
    assert "0134" in seen(site)["summary"]
    ann.submit(done, "Hide it again")
    assert "0134" not in seen(site)["summary"]


def test_a_word_of_the_never_list_is_hidden_and_is_in_no_page(site: Site, entry_id: int) -> None:
    ann = signed_in(site, "ann")
    done = ann.submit(ann.get("/manage/audience/never-list"), "Hide this word", follow=True, word="Portland")
    assert "Portland" not in done.text
    assert "A word of 8 letters" in done.words
    assert seen(site)["contact"]["location"] != "Portland"
    ann.submit(done, "Take it off")
    assert seen(site)["contact"]["location"] == "Portland"


@pytest.mark.parametrize("path", ["try", "change", "findings", "never-list"])
def test_a_form_of_someone_else_changes_nothing(site: Site, path: str) -> None:
    ann = signed_in(site, "ann")
    data = {"path": "title", "action": "hide", "word": "Engineer", "patch": '{"show_location": false}'}
    for headers in ({"Origin": ann.base}, {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}):
        sent = ann.ask("POST", f"/manage/audience/{path}", data=data, headers=headers)
        assert sent.status == 403
    headers = site.log_in("ann")
    assert site.client.get("/api/v1/privacy/never-list", headers=headers).json()["items"] == []
    settings = site.client.get("/api/v1/privacy/settings", headers=headers).json()
    assert (settings["show_location"], settings["custom_privacy_rules"]) == (True, {})
