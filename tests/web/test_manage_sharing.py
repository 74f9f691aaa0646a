"""Are share links made, files imported and undone, and one's own things taken away, all in the browser?"""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.web.browsing import Browser, PageSeen, fields_of, signed_in, words_of
from tests.web.conftest import PASSWORD, Site, wait_until

CARD = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Wren Hill\r\nEND:VCARD\r\n"
NOTE = b"---\ntitle: On bees\n---\nCall +1 415-555-0134.\n"


def ideas(site: Site) -> list[Any]:
    found: list[Any] = site.client.get("/api/v1/ideas", headers=site.log_in("ann")).json()["items"]
    return found


@pytest.mark.parametrize("path", ["links", "import", "export"])
def test_without_a_session_one_is_asked_to_sign_in(site: Site, path: str) -> None:
    assert Browser(site).get(f"/manage/{path}").path == "/manage/sign-in"


def test_a_link_to_a_kind_is_shown_once_and_revoked(site: Site) -> None:
    entry = {"content": "x", "visibility": "unlisted"}
    site.client.post("/api/v1/ideas", json=entry, headers=site.log_in("ann"))
    ann = signed_in(site, "ann")
    made = ann.submit(
        ann.get("/manage/links"), "Make the link", label="For Rosa", kinds=["ideas"], views_most="5"
    )
    (address,) = re.findall(r"https://daemon\.example(/api/v1/shared/[\w-]+)", made.text)
    assert len(site.client.get(address).json()["items"]) == 1
    left = dict(fields_of(made.form_with("Make the link")))
    assert (left["label"], left["views_most"], "kinds" in left) == ("", "", False)
    listed = ann.get("/manage/links")
    assert address not in listed.text
    assert "For Rosa" in listed.words
    assert "seen 1 times of 5" in listed.words
    ann.submit(listed, "Revoke")
    assert site.client.get(address).status_code == 404


def test_a_link_to_one_unlisted_entry_is_begun_at_the_entry(site: Site) -> None:
    entry = {"content": "x", "visibility": "unlisted"}
    made = site.client.post("/api/v1/ideas", json=entry, headers=site.log_in("ann")).json()
    ann = signed_in(site, "ann")
    page = ann.submit(ann.get(f"/manage/links?entry={made['id']}"), "Make the link")
    (address,) = re.findall(r"https://daemon\.example(/api/v1/shared/[\w-]+)", page.text)
    assert site.client.get(address).json()["items"][0]["id"] == made["id"]


def test_what_was_typed_stays_where_a_link_is_refused(site: Site) -> None:
    ann = signed_in(site, "ann")
    page = ann.submit(ann.get("/manage/links"), "Make the link", label="For no one", entries="4711")
    assert page.status in (404, 422)
    assert 'value="For no one"' in page.text
    assert "choose a kind or an entry" in ann.submit(page, "Make the link", entries="seven").words


def test_entries_of_a_link_are_chosen_by_their_titles_and_found_by_words(site: Site) -> None:
    headers = site.log_in("ann")
    for title in ("Two hives", "A library of tools"):
        content = {"content": "x", "meta": {"title": title, "visibility": "unlisted"}}
        site.client.post("/api/v1/ideas", json=content, headers=headers)
    ann = signed_in(site, "ann")
    page = ann.get("/manage/links")
    assert "Two hives Ideas" in page.words
    hives = box(page, "Two hives")
    asked = {"q": "library"}
    wait_until(
        lambda: site.client.get("/api/v1/search", params=asked, headers=headers).json()["items"],
        "the entry is not found",
    )
    found = ann.submit(page, "Find", label="For Rosa", entries=[hives], words="libr")
    assert 'value="For Rosa"' in found.text
    assert fields_of(found.form_with("Make the link")).count(("entries", hives)) == 1
    done = ann.submit(found, "Make the link", entries=[hives, box(found, "A library of tools")])
    listed = ann.get("/manage/links")
    assert "Two hives · A library of tools" in listed.words
    (address,) = re.findall(r"https://daemon\.example(/api/v1/shared/[\w-]+)", done.text)
    assert len(site.client.get(address).json()["items"]) == 2


def box(page: PageSeen, title: str) -> str:
    """The value of the check box of an entry."""
    label = next(each for each in page.root.iter("label") if words_of(each).startswith(title))
    found = next(each for each in page.root.iter("input") if each.get("id") == label.get("for"))
    return str(found.get("value"))


def test_many_entries_are_chosen_from_a_part_at_a_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.admin.choosing.AT_ONCE", 2)
    for number in range(3):
        content = {"content": f"# Idea {number}"}
        site.client.post("/api/v1/ideas", json=content, headers=site.log_in("ann"))
    ann = signed_in(site, "ann")
    page = ann.get("/manage/links")
    assert [f"Idea {number}" in page.words for number in range(3)] == [False, True, True]
    older = ann.submit(page, "Older ones", entries=[box(page, "Idea 2")])
    assert [f"Idea {number}" in older.words for number in range(3)] == [True, False, True]


def chosen(ann: Browser, name: str, content: bytes) -> PageSeen:
    page = ann.get("/manage/import")
    return ann.submit(page, "Look at it first", files={"file": (name, content)})


def test_an_import_is_shown_first_then_added_and_undone(site: Site) -> None:
    ann = signed_in(site, "ann")
    shown = chosen(ann, "bees.md", NOTE)
    assert "would be added" in shown.words
    assert "***REDACTED***" in shown.text
    assert ideas(site) == []
    done = ann.submit(shown, "Add it", files={})
    assert "1 entry was added." in done.words
    assert len(ideas(site)) == 1
    again = chosen(ann, "bees.md", NOTE)
    assert "is here already" in again.words
    undone = ann.submit(ann.get("/manage/import"), "Undo")
    assert "is deleted" in undone.words
    assert ideas(site) == []


def test_what_the_columns_of_a_csv_file_are_is_asked_for(site: Site) -> None:
    ann = signed_in(site, "ann")
    asked = chosen(ann, "hobbies.csv", b"name,wh~a/t=\nbees,keeping them\nbread,baking it\n")
    assert "Its columns are: name, wh~a/t=" in asked.words
    assert "daemon import" not in asked.text.partition('class="calls"')[0]
    page = ann.submit(asked, "Go on", files={}, kind="ideas")
    assert page.words.count("leave out") == 2
    nothing = ann.submit(page, "Look at it first", files={}, columns=["", ""])
    assert "Choose at least one column" in nothing.words
    same = ann.submit(nothing, "Look at it first", files={}, columns=["content=name", "content=wh~a/t="])
    assert "Two columns cannot become the same" in same.words
    shown = ann.submit(same, "Look at it first", files={}, columns=["meta.title=name", "content=wh~a/t="])
    assert "2: would be added" in shown.words
    assert "2 entries were added." in ann.submit(shown, "Add it", files={}).words
    found = [each["data"] for each in ideas(site)]
    assert {(each["meta"]["title"], each["content"]) for each in found} == {
        ("bees", "keeping them"),
        ("bread", "baking it"),
    }


def test_a_column_is_proposed_for_the_member_of_its_name(site: Site) -> None:
    ann = signed_in(site, "ann")
    page = ann.get("/manage/import")
    files = {"file": ("a.csv", b"Title,other\nbees,x\n")}
    asked = ann.submit(page, "Look at it first", files=files, kind="ideas")
    assert 'value="meta.title=Title" selected' in asked.text or 'value="title=Title" selected' in asked.text
    assert asked.text.count(" selected>") == 1


def test_a_large_file_is_chosen_again_to_be_added(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.web.admin import importing

    monkeypatch.setattr(importing, "CARRIED_MOST", 10)
    ann = signed_in(site, "ann")
    shown = chosen(ann, "wren.vcf", CARD)
    assert 'name="base64"' not in shown.text
    done = ann.submit(shown, "Add it", files={"file": ("wren.vcf", CARD)})
    assert "1 entry was added." in done.words


def test_what_is_no_import_is_said(site: Site) -> None:
    ann = signed_in(site, "ann")
    assert chosen(ann, "a.pdf", b"%PDF-1.7").status == 422
    assert "No file was chosen." in ann.submit(ann.get("/manage/import"), "Look at it first").words


def test_everything_about_oneself_is_made_and_fetched_with_the_password(site: Site) -> None:
    ann = signed_in(site, "ann")
    assert ann.submit(ann.get("/manage/export"), "Make the file", password="wrong").status in (401, 403)
    ann.submit(ann.get("/manage/export"), "Make the file", password=PASSWORD)

    def ready() -> PageSeen | None:
        page = ann.get("/manage/export")
        return page if "here until" in page.words else None

    page = wait_until(ready, "the file was not made")
    answer = fetched(site, ann, page, "Fetch it")
    names = zipfile.ZipFile(io.BytesIO(answer)).namelist()
    assert any(each.endswith("SHA256SUMS") for each in names)


def test_a_zip_for_another_daemon_is_fetched_with_the_password(site: Site) -> None:
    ann = signed_in(site, "ann")
    page = ann.get("/manage/export")
    assert ann.submit(page, "Fetch the ZIP", password="wrong").status in (401, 403)
    names = zipfile.ZipFile(io.BytesIO(fetched(site, ann, page, "Fetch the ZIP"))).namelist()
    assert any(each.endswith("manifest.json") for each in names)


def fetched(site: Site, ann: Browser, page: PageSeen, button: str) -> bytes:
    """The bytes of the file that a form leads to."""
    form = page.form_with(button)
    token = next(each.get("value") for each in form.iter("input") if each.get("name") == "form_token")
    cookie = "; ".join(f"{name}={value}" for name, value in ann.cookies.items())
    answer = site.client.post(
        urljoin(page.url, form.get("action")),
        data={"form_token": token, "password": PASSWORD},
        headers={"Cookie": cookie, "Origin": ann.base},
    )
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]
    assert "attachment" in answer.headers["content-disposition"]
    return answer.content


@pytest.mark.parametrize("path", ["links", "import", "export", "export/archive"])
def test_a_form_of_someone_else_changes_nothing(site: Site, path: str) -> None:
    ann = signed_in(site, "ann")
    data = {"kinds": "ideas", "password": PASSWORD, "name": "a.md", "base64": "YQ==", "add": "yes"}
    assert ann.ask("POST", f"/manage/{path}", data=data, headers={"Origin": ann.base}).status == 403
    assert ideas(site) == []
    assert site.client.get("/api/v1/links", headers=site.log_in("ann")).json()["items"] == []
