"""Can a person write, change, publish, take back and erase with forms alone, and is nothing lost by it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.entries.kinds import built_in
from app.settings import Settings
from tests.web.browsing import Browser, PageSeen, fields_of, signed_in, words_of
from tests.web.conftest import PASSWORD, Site

MAIL = "Write to ann@hive.example"


@pytest.fixture
def ann(site: Site) -> Browser:
    return signed_in(site, "ann")


def write(browser: Browser, kind: str = "ideas", **typed: Any) -> PageSeen:
    page = browser.get(f"/manage/entries/{kind}/new")
    return browser.submit(page, "Save", **typed)


def stored(site: Site, path: str) -> Any:
    return site.client.get(f"/api/v1/{path}", headers=site.log_in("ann")).json()


def as_stranger(site: Site, path: str) -> int:
    return int(site.client.get(f"/api/v1/{path}").status_code)


def test_an_entry_is_written_and_shown(site: Site, ann: Browser) -> None:
    page = write(ann, **{"m.title": "Bees", "content": "They *hum*.", "m.tags": "bees, spring"})
    assert (page.status, page.path, page.title) == (200, "/manage/entries/ideas/1", "Bees")
    assert "Saved." in page.words
    assert stored(site, "ideas/1")["data"] == {
        "content": "They *hum*.",
        "meta": {"title": "Bees", "tags": ["bees", "spring"]},
    }
    assert as_stranger(site, "ideas/1") == 200
    assert "Bees" in ann.get("/manage/entries/ideas").links
    assert "1 entry" in ann.get("/manage/entries").words


def test_what_is_too_large_for_an_entry_is_still_in_the_form(
    serve: Callable[..., Site], settings: Settings
) -> None:
    site = serve(replace(settings, max_body_bytes=40_000))
    site.add_user("ann", is_admin=True)
    ann = signed_in(site, "ann")
    text = "é" * 12_000  # 24 KB, and 72 in a form: what its letters are makes it no larger
    page = write(ann, **{"m.title": "Bees", "content": "é" * 10_000})
    assert (page.status, page.title) == (200, "Bees")
    here = page.path
    for refused in (
        ann.submit(ann.get(here), "Save", {"m.title": "typed"}, content="x" * 60_000 + "the end"),
        write(ann, content="x" * 60_000 + "the end", **{"m.title": "typed"}),
    ):
        assert refused.status == 413
        assert "all of it is still here" in refused.words
        typed = dict(fields_of(refused.form_with("Save")))
        assert (typed["content"], typed["m.title"]) == ("x" * 60_000 + "the end", "typed")
        form = refused.form_with("Save")
        assert int(form.get("data-most-bytes")) == 80_000
        again = ann.submit(refused, "Save", content="shorter")
        assert (again.status, "Saved." in again.words) == (200, True)
    beyond = ann.submit(ann.get(here), "Save", content=text * 2)
    assert beyond.status == 413
    assert "Nothing was saved. Go back" in beyond.words


def test_saving_without_a_change_loses_nothing(site: Site, ann: Browser) -> None:
    contents: tuple[tuple[str, Any], ...] = (
        ("ideas", {"content": "a\nb", "meta": {"title": "T", "tags": ["a, b"], "more": {"deep": [1]}}}),
        ("ideas", {"title": "T", "description": "a\nb", "category": None, "odd": [1, {"x": None}]}),
        ("ideas", {"content": "  x\n", "visibility": "private", "meta": {"date": "2026"}}),
        ("resume", {"basics": {"name": "Ann"}, "work": [{"name": "Hive", "highlights": ["honey"]}]}),
        ("about", {"name": "Ann", "social_links": {"github": "https://github.com/ann"}}),
        ("ideas", {"content": "<b>&amp;\"'</b>", "meta": {"status": "Draft", "publish_at": "2030-01-01"}}),
    )
    header = site.log_in("ann")
    for kind, content in contents:
        made = site.client.post(f"/api/v1/{kind}", json=content, headers=header).json()
        assert "id" in made, made
        page = ann.get(f"/manage/entries/{kind}/{made['id']}")
        saved = ann.submit(page, "Save")
        assert "Saved." in saved.words, saved.words
        after = stored(site, f"{kind}/{made['id']}")
        assert after["visibility"] == made["visibility"]
        assert _without_visibility(after["data"]) == _without_visibility(made["data"])


def _without_visibility(data: dict[str, Any]) -> dict[str, Any]:
    """What is said of the visibility moves into `meta`, and an empty member is left out."""
    meta = {name: value for name, value in (data.get("meta") or {}).items() if name != "visibility"}
    meta = {name: value.lower() if name == "status" else value for name, value in meta.items()}
    kept = {name: value for name, value in data.items() if value is not None}
    return {**{name: kept[name] for name in kept if name not in ("visibility", "meta")}, "meta": meta}


def test_a_form_that_is_sent_twice_makes_one_entry(site: Site, ann: Browser) -> None:
    page = ann.get("/manage/entries/ideas/new")
    first, second = (ann.submit(page, "Save", content="Once") for _ in range(2))
    assert first.path == second.path
    assert len(stored(site, "ideas")["items"]) == 1


def test_what_is_refused_stays_typed(ann: Browser) -> None:
    page = write(ann, content="", **{"m.title": "Only a title", "m.publish_at": "soon"})
    assert page.status == 422
    assert 'value="Only a title"' in page.text
    page = write(ann, content="x", rest="{no json")
    assert (page.status, "it is no JSON" in page.words) == (422, True)
    assert "{no json" in page.text


def test_no_update_is_lost(site: Site, ann: Browser) -> None:
    write(ann, content="first")
    mine = ann.get("/manage/entries/ideas/1")
    site.client.put("/api/v1/ideas/1", json={"content": "theirs"}, headers=site.log_in("ann"))
    page = ann.submit(mine, "Save", content="mine")
    assert page.status == 409
    assert stored(site, "ideas/1")["data"]["content"] == "theirs"
    assert dict(fields_of(page.form_with("Save")))["content"] == "mine"
    assert "theirs" in page.words
    assert "Saved." in ann.submit(page, "Save").words
    assert stored(site, "ideas/1")["data"]["content"] == "mine"


# -- what others see


def test_the_preview_says_what_each_audience_sees(ann: Browser) -> None:
    page = ann.get("/manage/entries/ideas/new")
    seen = ann.submit(page, "Preview", content=f"# Hum\n\n{MAIL}")
    assert seen.status == 200
    others = seen.words.partition("What others see")[2]
    assert "anyone who looks at your page" in others
    assert "anyone who asks for your business card Nothing." in others
    assert "a mail address: ann@hive.example" in others
    assert "ann@hive.example" not in others.partition("Found in it")[0]
    assert dict(fields_of(seen.form_with("Save")))["content"] == f"# Hum\n\n{MAIL}"


def test_the_preview_of_a_draft_says_that_no_one_sees_it_yet(ann: Browser) -> None:
    page = ann.get("/manage/entries/ideas/new")
    seen = ann.submit(page, "Preview", {"m.status": "draft"}, content="Later")
    assert "Only you see it now" in seen.words
    assert "anyone who looks at your page" in seen.words


@pytest.mark.parametrize(
    ("linked", "more", "is_said"),
    [
        ({"kinds": ["ideas"]}, {}, True),
        ({"entries": [1]}, {}, True),
        ({"kinds": ["ideas"]}, {"status": "draft"}, False),
        ({"kinds": ["about"]}, {}, False),
    ],
)
def test_an_unlisted_entry_that_a_link_shows_is_not_said_to_be_seen_by_no_one_else(
    site: Site, ann: Browser, linked: dict[str, Any], more: dict[str, str], is_said: bool
) -> None:
    headers = site.log_in("ann")
    content = {"content": "x", "meta": {"visibility": "unlisted", **more}}
    assert site.client.post("/api/v1/ideas", json=content, headers=headers).json()["id"] == 1
    assert "Only you see it now" in ann.get("/manage/entries/ideas/1").words
    link = site.client.post("/api/v1/links", json=linked, headers=headers).json()
    page = ann.get("/manage/entries/ideas/1")
    assert ("You, and whoever has a link that shows it" in page.words) is is_said
    assert ("Only you see it now" in page.words) is not is_said
    site.client.delete(f"/api/v1/links/{link['id']}", headers=headers)
    assert "Only you see it now" in ann.get("/manage/entries/ideas/1").words


def test_a_script_gets_the_preview_alone(ann: Browser) -> None:
    page = ann.get("/manage/entries/ideas/new")
    part = ann.submit(page, "Preview", headers={"HX-Request": "true"}, content="Hum")
    assert "<html" not in part.text
    assert "Hum" in part.text


def test_nothing_is_written_by_a_preview(site: Site, ann: Browser) -> None:
    ann.submit(ann.get("/manage/entries/ideas/new"), "Preview", content="Hum")
    assert stored(site, "ideas")["items"] == []


def test_what_is_found_is_released_and_hidden_again(site: Site, ann: Browser) -> None:
    page = write(ann, content=MAIL)
    assert "1 thing in it is not shown to strangers" in page.words
    assert "ann@hive.example" not in site.client.get("/api/v1/ideas/1").text
    page = ann.submit(page, "Show it")
    assert "ann@hive.example" in site.client.get("/api/v1/ideas/1").text
    ann.submit(page, "Hide it again")
    assert "ann@hive.example" not in site.client.get("/api/v1/ideas/1").text


def test_hostile_text_is_text(ann: Browser) -> None:
    evil = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>"
    page = write(ann, content=evil, **{"m.title": '"><script>alert(2)</script>'})
    scripts = list(page.root.iter("script"))
    names = [str(each.get("src")).rpartition("/")[2].partition(".")[0] for each in scripts]
    assert names == ["htmx", "forms"], "both are ours"
    assert not list(page.root.iter("img"))
    assert not [each for each in page.root.iter("a") if str(each.get("href")).startswith("javascript")]


# -- earlier states, deleting, erasing


def test_an_earlier_state_is_compared_and_put_back(site: Site, ann: Browser) -> None:
    write(ann, content="one\ntwo")
    ann.submit(ann.get("/manage/entries/ideas/1"), "Save", content="one\nthree")
    page = ann.get("/manage/entries/ideas/1/history")
    assert "-two" in page.words
    assert "+three" in page.words
    done = ann.submit(page, "Put back state 1")
    assert "That state is back" in done.words
    assert stored(site, "ideas/1")["data"]["content"] == "one\ntwo"


def test_what_is_deleted_is_brought_back(site: Site, ann: Browser) -> None:
    page = write(ann, content="Gone")
    deleted = ann.submit(page, "Delete")
    assert (deleted.path, "Gone" in deleted.words) == ("/manage/deleted", True)
    assert as_stranger(site, "ideas/1") == 404
    assert "It is back." in ann.submit(deleted, "Bring back: Gone").words
    assert as_stranger(site, "ideas/1") == 200


def test_erasing_names_the_entry_and_asks_for_a_word_and_the_password(site: Site, ann: Browser) -> None:
    write(ann, content="Gone for good")
    page = ann.get("/manage/entries/ideas/1/erase")
    assert "Gone for good Ideas" in page.words
    assert ann.submit(page, "Erase for good", typed="1", password=PASSWORD).status == 422
    assert ann.submit(page, "Erase for good", typed="erase", password="another sentence").status == 403
    assert as_stranger(site, "ideas/1") == 200
    ann.submit(ann.get("/manage/entries/ideas/1"), "Delete")
    page = ann.get("/manage/entries/ideas/1/erase")
    assert "Gone for good Ideas" in page.words
    done = ann.submit(page, "Erase for good", typed="erase", password=PASSWORD)
    assert "It is erased for good." in done.words
    assert ann.get("/manage/entries/ideas/1").status == 404
    assert stored(site, "me/deleted")["items"] == []


def test_what_is_someone_elses_is_not_there(site: Site, ann: Browser) -> None:
    write(ann, content="hers", **{"m.visibility": "private"})
    site.add_user("bob")
    bob = signed_in(site, "bob")
    for path in ("", "/history", "/erase"):
        page = bob.get(f"/manage/entries/ideas/1{path}")
        assert "hers" not in page.text
    assert bob.get("/manage/entries/ideas/1").status == 404
    assert bob.get("/manage/entries/no_such_kind").status == 404


# -- the first day


def fill_profile(browser: Browser, **typed: Any) -> PageSeen:
    return browser.submit(browser.get("/manage/profile"), "Save", **typed)


def test_a_profile_of_a_few_lines_makes_a_page(site: Site, ann: Browser) -> None:
    assert dict(fields_of(ann.get("/manage/profile").form_with("Save")))["name"] == "ann"
    page = fill_profile(
        ann,
        name="Ann Otter",
        title="Beekeeper",
        location="Otterton",
        bio="Honey and wax.",
        website="https://ann.example",
        looking_for="A garden for two hives",
        email="ann@hive.example",
    )
    assert "Saved." in page.words, page.words
    seen = Browser(site).get("/@ann").words
    for words in ("Ann Otter", "Beekeeper", "Otterton", "Honey and wax.", "A garden for two hives"):
        assert words in seen
    assert dict(fields_of(ann.get("/manage/profile").form_with("Save")))["title"] == "Beekeeper"


def test_a_profile_that_was_changed_meanwhile_is_not_overwritten(site: Site, ann: Browser) -> None:
    fill_profile(ann, name="Ann", title="Beekeeper")
    mine = ann.get("/manage/profile")
    site.client.patch("/api/v1/about/1", json={"title": "Keeper", "more": 1}, headers=site.log_in("ann"))
    page = ann.submit(mine, "Save", title="Apiarist")
    assert page.status == 409
    assert stored(site, "about/1")["data"]["title"] == "Keeper"
    assert "Saved." in ann.submit(page, "Save").words
    assert stored(site, "about/1")["data"] == {"name": "Ann", "title": "Apiarist", "more": 1}


def test_today_says_what_to_do_next(site: Site, ann: Browser) -> None:
    page = ann.get("/manage/")
    assert "Say who you are" in page.links
    assert "There is no backup yet." in page.words
    fill_profile(ann, name="Ann")
    write(ann, content="Hum", **{"m.status": "draft"})
    page = ann.get("/manage/")
    assert "Hum" in page.links
    site.add_user("bob")
    assert "backup" not in signed_in(site, "bob").get("/manage/").words


# -- what a person types


def test_what_is_seen_and_needed_is_enough_for_each_kind(site: Site, ann: Browser) -> None:
    for kind in built_in():
        form = ann.get(f"/manage/entries/{kind}/new").form_with("Save")
        folded = {each for fold in form.iter("details") for each in fold.iter()}
        seen = {
            words_of(label): label.get("for").removeprefix("in-")
            for label in form.iter("label")
            if label not in folded
        }
        line = next((words_of(each) for each in form.iter("p") if words_of(each).startswith("Needed: ")), "")
        ways = line.removeprefix("Needed: ").rstrip(".").split(", or ") if line else ["Text"]
        for way in ways:
            typed = {seen[label]: "The Bee Book" for label in way.split(" and ")}
            page = write(ann, kind, **typed)
            assert "Saved." in page.words, (kind, way, page.words)


def test_the_title_that_is_seen_is_the_one_that_counts(site: Site, ann: Browser) -> None:
    page = ann.get("/manage/entries/favorite_books/new")
    labels = {words_of(each): each.get("for") for each in page.root.iter("label")}
    assert (labels["Title"], labels["Author"]) == ("in-f.title", "in-f.author")
    assert labels["Another title, shown instead"] == "in-m.title"
    ann.submit(page, "Save", {"f.title": "The Bee Book", "f.author": "F. Bee"})
    assert stored(site, "favorite_books/1")["data"] == {"title": "The Bee Book", "author": "F. Bee"}
    write(ann, **{"m.title": "Of old", "content": "x"})
    page = ann.get("/manage/entries/ideas/2")  # an entry that has its title in `meta` alone keeps it there
    labels = {words_of(each): each.get("for") for each in page.root.iter("label")}
    assert (labels["Title"], labels["Title (in the data)"]) == ("in-m.title", "in-f.title")


def test_a_refusal_names_what_to_fill_in_beside_its_field(ann: Browser) -> None:
    page = write(ann, "favorite_books", **{"f.title": "The Bee Book"})
    assert page.status == 422
    assert "Nothing was saved. Fill in: Title and Author, or Text." in page.words
    assert faults_of(page) == {"f.author": "Fill this in."}
    page = write(ann, "projects", **{"m.title": "A hive"})
    assert "Nothing was saved. Fill in: Text." in page.words
    assert faults_of(page) == {"content": "Fill this in."}
    for each in ("/api/v1/endpoints", "the whole", "/content"):
        assert each not in page.words
    page = write(ann, content="x", **{"m.publish_at": "soon"})
    assert "Nothing was saved. Shown from: must be a day" in page.words
    assert "/meta" not in page.words
    assert list(faults_of(page)) == ["m.publish_at"]


def faults_of(page: PageSeen) -> dict[str, str]:
    return {
        each.get("id").removesuffix("-fault"): words_of(each)
        for each in page.root.iter("span")
        if each.get("class") == "fault"
    }


def test_fields_of_all_forms_are_named_by_their_labels(ann: Browser) -> None:
    page = ann.submit(ann.get("/manage/webhooks"), "Tell it", url="nonsense")
    assert (page.status, page.words.count("Its address:"), "/url" in page.words) == (422, 1, False)
    ann.submit(ann.get("/manage/"), "Deutsch")
    page = ann.get("/manage/entries/favorite_books/new")
    page = ann.submit(page, "Speichern", {"f.title": "Das Bienenbuch"})
    assert "Nichts wurde gespeichert. Fülle aus: Titel und Autor, oder Text." in page.words
    page = ann.submit(
        page, "Speichern", {"m.publish_at": "2030-02-01", "m.expires_at": "2030-01-01"}, content="x"
    )
    assert "Gezeigt bis: muss später sein als „Gezeigt ab“." in page.words
