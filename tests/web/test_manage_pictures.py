"""Can a person show, describe and remove pictures by forms alone, and who may see them in a browser?"""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from app.formats.pictures import MOST_BYTES
from tests.web.browsing import Browser, PageSeen, signed_in
from tests.web.conftest import Site
from tests.web.test_pictures import SECRET, bytes_of, photo

FILE_NAME = "at-home-in-the-hidden-valley.jpg"


@pytest.fixture
def ann(site: Site) -> Browser:
    return signed_in(site, "ann")


@pytest.fixture
def hives(site: Site) -> str:
    """An entry that no one else sees, and its screen."""
    content = {"content": "x", "meta": {"title": "Hives", "visibility": "private"}}
    made = site.client.post("/api/v1/ideas", json=content, headers=site.log_in("ann")).json()
    return f"/manage/entries/ideas/{made['id']}"


def chosen(content: bytes) -> dict[str, Any]:
    return {"picture": (FILE_NAME, content, "image/jpeg")}


def images(page: PageSeen) -> list[tuple[str, str]]:
    return [(each.get("alt"), each.get("src")) for each in page.root.iter("img")]


def add(browser: Browser, page: PageSeen, content: bytes, alt: str = "") -> PageSeen:
    return browser.submit(page, "Add the picture", files=chosen(content), alt=alt)


def fault(page: PageSeen) -> str:
    """What is said beside the field of the file."""
    return next("".join(each.itertext()) for each in page.root.iter() if each.get("id") == "picture-fault")


def opened(site: Site, browser: Browser, page: PageSeen) -> Any:
    """The only picture of a page, as the browser's session opens it."""
    (_alt, src) = images(page)[0]
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    path = "/manage/" + src.rpartition("manage/")[2]
    return site.client.get(browser.base + path, headers={"Cookie": cookie})


def test_a_picture_of_oneself_is_shown_described_replaced_and_removed(site: Site, ann: Browser) -> None:
    before = ann.get("/manage/profile")
    assert images(before) == []
    assert "The file itself is not kept" in before.words
    page = add(ann, before, photo(), "Ann, laughing")
    assert (page.path, [alt for alt, _src in images(page)]) == ("/manage/profile", ["Ann, laughing"])
    seen = opened(site, ann, page)
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(seen.content)).size == (96, 96)
    assert SECRET not in seen.content
    answer = site.client.get("/api/v1/me/avatar", headers=site.log_in("ann"))
    made = answer.json()
    assert FILE_NAME not in page.words + answer.text + str(seen.headers)
    stored = bytes_of(site.settings)  # audit and all
    assert SECRET not in stored
    assert FILE_NAME.encode() not in stored
    page = ann.submit(page, "Save these words", {f"alt.{made['id']}": "Ann at work"})
    assert [alt for alt, _src in images(page)] == ["Ann at work"]
    page = ann.submit(page, "Put it in the place of this one", files=chosen(photo(seed=9)), alt="")
    assert [alt for alt, _src in images(page)] == ["Picture 1, without words about it"]
    assert images(ann.submit(page, "Remove the picture")) == []
    assert site.client.get("/api/v1/me/avatar", headers=site.log_in("ann")).status_code == 404


def test_a_private_entry_shows_its_pictures_to_its_owner_alone(site: Site, ann: Browser, hives: str) -> None:
    page = add(ann, ann.get(hives), photo(), "Two hives")
    assert (page.path, [alt for alt, _src in images(page)]) == (hives, ["Two hives"])
    seen = opened(site, ann, page)
    assert (seen.status_code, seen.headers["cache-control"]) == (200, "no-store")
    name = images(page)[0][1].rpartition("/")[2]
    assert site.client.get(f"/media/{name}").status_code == 404
    assert Browser(site).get(f"/manage/media/{name}", follow=False).status == 303
    site.add_user("bob")
    bob = signed_in(site, "bob")
    assert bob.get(f"/manage/media/{name}").status == 404
    assert ann.get("/manage/media/nothing.webp").status == 404
    page = add(ann, page, photo(seed=2))
    assert [alt for alt, _src in images(page)] == ["Two hives", "Picture 2, without words about it"]


def test_pictures_of_an_entry_are_described_and_removed(site: Site, ann: Browser, hives: str) -> None:
    page = add(ann, ann.get(hives), photo())
    listed = f"/api/v1/ideas/{hives.rpartition('/')[2]}/pictures"
    (made,) = site.client.get(listed, headers=site.log_in("ann")).json()["items"]
    name = f"alt.{made['id']}"
    page = ann.submit(page, "Save these words", {name: "x" * 1_001})
    assert page.status == 422
    (beside,) = [each for each in page.root.iter() if each.get("id") == f"{name}-fault"]
    assert "".join(beside.itertext()).strip()
    page = ann.submit(page, "Save these words", {name: "A hive"})
    assert [alt for alt, _src in images(page)] == ["A hive"]
    assert images(ann.submit(page, "Remove the picture")) == []
    assert site.client.get(listed, headers=site.log_in("ann")).json()["items"] == []


def test_what_is_no_picture_is_refused_beside_the_form(site: Site, ann: Browser, hives: str) -> None:
    for path in (hives, "/manage/profile"):
        page = add(ann, ann.get(path), b"no picture", "My words")
        assert (page.status, images(page)) == (422, [])
        assert "no picture that can be read" in fault(page)
        assert "My words" in [each.get("value") for each in page.root.iter("input")]
    assert add(ann, ann.get(hives), photo(), "x" * 1_001).status == 422


def test_a_picture_has_as_many_bytes_as_over_the_api(site: Site, ann: Browser, hives: str) -> None:
    for path in (hives, "/manage/profile"):
        page = add(ann, ann.get(path), b"x" * (MOST_BYTES + 1))
        assert page.status == 422
        assert "10,000,000 bytes at most" in fault(page)
        page = add(ann, ann.get(path), b"x" * (MOST_BYTES + 70_000))
        assert page.status == 413
        assert "10 MB at most" in page.words


def test_a_form_of_no_page_of_ours_adds_and_removes_nothing(site: Site, ann: Browser, hives: str) -> None:
    page = add(ann, ann.get(hives), photo())
    for button, files in (("Add the picture", chosen(photo(seed=3))), ("Remove the picture", None)):
        assert ann.submit(page, button, files=files, form_token="wrong").status == 403
        elsewhere = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
        assert ann.submit(page, button, files=files, headers=elsewhere).status == 403
    assert len(images(ann.get(hives))) == 1
