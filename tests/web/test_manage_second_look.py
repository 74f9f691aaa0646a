"""Is it seen, and changed, in the browser who may see each entry; and what waits from before the claim?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from app.settings import Settings
from app.tables import data_entries
from app.web.admin.api import path_of_kind
from tests.web.browsing import Browser, PageSeen, signed_in, words_of
from tests.web.conftest import Site

HOME = "http://localhost:8004"
OWN = "/api/v1/me/entries"


def write(site: Site, title: str, **meta: str) -> int:
    content = {"content": "x", "meta": {"title": title, **meta}}
    made = site.client.post("/api/v1/ideas", json=content, headers=site.log_in("ann"))
    return int(made.json()["id"])


def own(site: Site, query: str = "") -> Any:
    answer = site.client.get(f"{OWN}{query}", headers=site.log_in("ann"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def called(site: Site, query: str = "") -> list[str]:
    return [each["title"] or each["excerpt"] for each in own(site, query)["items"]]


def as_before_0_7_0(site: Site, entry_id: int) -> None:
    """What an upgrade leaves of an entry whose words no one heard when it was written."""
    was = update(data_entries).where(data_entries.c.id == entry_id)
    with site.writing() as connection:
        connection.execute(was.values(visibility="public", shown_from=None, shown_until=None))


def boxes(page: PageSeen) -> dict[str, str]:
    """The value of each check box of a list of entries, by what the entry is called."""
    labels = {each.get("for"): words_of(next(each.iter("bdi"))) for each in page.root.iter("label")}
    return {
        labels[each.get("id")]: each.get("value")
        for each in page.root.iter("input")
        if each.get("type") == "checkbox"
    }


# -- as the API lists it


def test_one_s_own_entries_are_listed_by_what_they_are_called(site: Site) -> None:
    site.add_user("bob")
    site.client.post("/api/v1/ideas", json={"content": "his"}, headers=site.log_in("bob"))
    first = write(site, "Hives", visibility="private")
    write(site, "Tools")
    site.client.post("/api/v1/quotes", json={"content": "Be still."}, headers=site.log_in("ann"))
    found = own(site)["items"]
    assert [(each["kind"], each["title"], each["visibility"]) for each in found] == [
        ("quotes", None, "public"),
        ("ideas", "Tools", "public"),
        ("ideas", "Hives", "private"),
    ]
    assert [each["is_shown_now"] for each in found] == [True, True, False]
    assert found[0]["excerpt"] == "Be still."
    assert called(site, "?visibility=private") == ["Hives"]
    assert called(site, f"?ids={first},999") == ["Hives"]
    part = own(site, "?limit=2")
    assert [each["kind"] for each in part["items"]] == ["quotes", "ideas"]
    assert called(site, f"?limit=2&cursor={part['next']}") == ["Hives"]
    for wrong in ("?visibility=secret", "?ids=1,x", "?ids=", "?cursor=x", f"?ids={','.join('1' * 101)}"):
        assert site.client.get(f"{OWN}{wrong}", headers=site.log_in("ann")).status_code == 400, wrong


def test_an_answer_looks_at_so_many_entries_and_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.entries.own_entries.LOOKED_AT_MOST", 2)
    write(site, "Hidden", visibility="private")
    for number in range(4):
        write(site, f"Idea {number}")
    pages = [own(site, "?visibility=private")]
    while pages[-1]["next"]:
        pages.append(own(site, f"?visibility=private&cursor={pages[-1]['next']}"))
    assert [[each["title"] for each in page["items"]] for page in pages] == [[], [], ["Hidden"]]


def test_words_that_no_one_heard_are_named(site: Site) -> None:
    draft = write(site, "Not yet", status="draft")
    write(site, "Draft", status="draft")
    write(site, "How to draft a letter")
    assert called(site, "?unheard=true") == []
    as_before_0_7_0(site, draft)
    (found,) = own(site, "?unheard=true")["items"]
    assert (found["title"], found["unheard"], found["is_shown_now"]) == ("Not yet", ["status"], True)


# -- in the browser


def test_entries_are_hidden_and_shown_again_by_a_list(site: Site) -> None:
    for title in ("Hives", "Tools", "Bees"):
        write(site, title)
    ann = signed_in(site, "ann")
    page = ann.get("/manage/audience/entries")
    values = boxes(page)
    assert list(values) == ["Bees", "Tools", "Hives"]
    done = ann.submit(page, "Make the chosen ones: Private", entries=[values["Hives"], values["Bees"]])
    assert "2 entries are changed." in done.words
    assert list(boxes(done)) == ["Tools"]
    stranger = site.client.get("/api/v1/ideas").json()["items"]
    assert [each["data"]["meta"]["title"] for each in stranger] == ["Tools"]
    hidden = ann.get(done.links["Private"])
    done = ann.submit(hidden, "Make the chosen ones: Public", entries=[boxes(hidden)["Hives"]])
    assert len(site.client.get("/api/v1/ideas").json()["items"]) == 2
    assert "No entry was chosen." in ann.submit(hidden, "Make the chosen ones: Public").words


def test_what_says_otherwise_than_it_is_shown_is_hidden_or_goes_on(site: Site) -> None:
    for title in ("Stays", "Goes"):
        as_before_0_7_0(site, write(site, title, status="draft"))
    ann = signed_in(site, "ann")
    page = ann.get("/manage/audience/entries?which=unheard")
    values = boxes(page)
    assert "says that it is a draft" in page.words
    page = ann.submit(page, "Make the chosen ones: Private", entries=[values["Goes"]])
    page = ann.submit(page, "Go on showing the chosen ones", entries=[values["Stays"]])
    assert boxes(page) == {}
    shown = site.client.get("/api/v1/ideas").json()["items"]
    assert [each["data"]["meta"] for each in shown] == [{"title": "Stays"}]


def test_words_beside_an_entry_that_are_no_object_stay(site: Site) -> None:
    headers, content = site.log_in("ann"), {"title": "Story", "content": "x", "meta": [{"note": "only copy"}]}
    made = site.client.post("/api/v1/personal_story", json=content, headers=headers)
    assert made.status_code == 201, made.text
    ann = signed_in(site, "ann")
    page = ann.get("/manage/audience/entries")
    (place,) = boxes(page).values()
    assert "1 entry is changed." in ann.submit(page, "Make the chosen ones: Private", entries=[place]).words
    path = f"/api/v1/{place}"
    assert site.client.get(path).status_code == 404
    assert site.client.get(path, headers=headers).json()["data"]["meta"] == content["meta"]


def test_an_entry_of_someone_else_is_not_changed(site: Site) -> None:
    write(site, "Hives")
    site.add_user("bob")
    bob = signed_in(site, "bob")
    page = bob.get("/manage/audience/entries")
    assert "Hives" not in page.words
    site.client.post("/api/v1/ideas", json={"content": "his"}, headers=site.log_in("bob"))
    page = bob.get("/manage/audience/entries")
    refused = bob.submit(page, "Make the chosen ones: Private", entries=["ideas/1", "../auth/me"])
    assert "changed." not in refused.words
    assert own(site)["items"][0]["visibility"] == "public"


@pytest.fixture
def claimed(serve: Callable[..., Site], settings: Settings) -> Browser:
    """The browser of ann, who has claimed what four ideas were written into before."""
    site = serve(settings, peer="127.0.0.1", base_url=HOME)
    for title in ("One", "Two", "Three", "Four"):
        content = {
            "content": "x",
            "meta": {"title": title, "visibility": "unlisted" if title == "Two" else "public"},
        }
        assert site.client.post("/api/v1/ideas", json=content).status_code == 201
    site.add_user("ann", is_admin=True)
    return signed_in(site, "ann", HOME)


def test_what_came_before_the_claim_is_looked_through(claimed: Browser) -> None:
    today = claimed.get("/manage/")
    assert "4 entries from before the claim wait for your decision." in today.words
    page = claimed.get(today.links["Look through it"])
    values = boxes(page)
    assert list(values) == ["One", "Two", "Three", "Four"]
    assert "was meant to be: Unlisted" in page.words
    page = claimed.submit(page, "As it was meant: One")
    assert "1 entry is as it was meant." in page.words
    page = claimed.submit(page, "Keep it private: Two")
    assert list(boxes(page)) == ["Three", "Four"]
    page = claimed.submit(page, "Delete: Three")
    assert "It can be brought back" in page.words
    assert "No entry was chosen." in claimed.submit(page, "As they were meant").words
    page = claimed.submit(page, "As they were meant", entries=[values["Four"]])
    assert "Nothing waits any more." in page.words
    shown = {
        word: list(boxes(claimed.get(f"/manage/audience/entries?which={word}")))
        for word in ("public", "private")
    }
    assert shown == {"public": ["Four", "One"], "private": ["Two"]}
    assert "wait" not in claimed.get("/manage/").words


def test_a_form_of_someone_else_decides_nothing(claimed: Browser) -> None:
    data = {"entries": ["ideas/1", "1"], "do": "publish", "which": "private"}
    for path in ("review", "audience/entries"):
        assert claimed.ask("POST", f"/manage/{path}", data=data, headers={"Origin": HOME}).status == 403
    assert len(boxes(claimed.get("/manage/review"))) == 4


def test_an_old_kind_of_a_reserved_name_is_asked_by_its_tilde() -> None:
    assert path_of_kind("keys", 7) == "/api/v1/~keys/7"
    assert path_of_kind("ideas", 7, "undelete") == "/api/v1/ideas/7/undelete"
