"""Feeds: what a reader of feeds gets of them, and what moves nothing in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import feedparser
import html5lib
import pytest

from app.settings import Settings
from tests.web.conftest import Site
from tests.web.test_page_wishes import wish
from tests.web.test_pages import HOSTILE, HTML, RESUME, page, publish

FORMS = ("feed.atom", "feed.json")
BASE = "http://daemon.example"


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    return site.log_in("ann")


def atom(site: Site, path: str, headers: dict[str, str] | None = None) -> Any:
    """A feed as feedparser reads it, which it must without a complaint."""
    answer = site.client.get(path, headers=headers or {})
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "application/atom+xml; charset=utf-8",
    )
    read = feedparser.parse(answer.content, response_headers={"content-type": answer.headers["content-type"]})
    assert not read.bozo, read.get("bozo_exception")
    assert read.version == "atom10"
    assert read.feed.id.startswith("urn:uuid:")
    assert read.feed.updated_parsed
    assert all(one.id.startswith("urn:uuid:") and one.updated_parsed and one.title for one in read.entries)
    assert len({one.id for one in read.entries}) == len(read.entries)
    return read


def as_json(site: Site, path: str) -> dict[str, Any]:
    """A JSON Feed, held to what version 1.1 demands."""
    answer = site.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/feed+json")
    read: dict[str, Any] = answer.json()
    assert read["version"] == "https://jsonfeed.org/version/1.1"
    assert isinstance(read["title"], str)
    for one in read["items"]:
        assert isinstance(one["id"], str)
        assert "content_html" in one or "content_text" in one
        for name in ("date_published", "date_modified"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", one[name])
    return read


def test_a_person_has_a_feed_of_all_and_one_of_each_kind(site: Site, ann: dict[str, str]) -> None:
    publish(site, ann, "resume", json.loads(json.dumps(RESUME)))
    idea = publish(
        site, ann, "ideas",
        {"content": "# On bees\n\nKeep *some*.", "meta": {"tags": ["bees"], "language": "en-GB"}},
    )  # fmt: skip
    publish(site, ann, "goals", {"content": "Mine", "meta": {"visibility": "private"}})
    read = atom(site, "/@ann/feed.atom")
    assert (read.feed.title, read.feed.author_detail.name) == ("Ann Bee", "Ann Bee")
    assert {(one.rel, one.href) for one in read.feed.links} == {
        ("self", f"{BASE}/@ann/feed.atom"),
        ("alternate", f"{BASE}/@ann"),
    }
    newest = read.entries[0]
    assert (newest.title, newest.link) == ("On bees", f"{BASE}/@ann/ideas/{idea}")
    assert [each.term for each in newest.tags] == ["bees"]
    assert "<em>some</em>" in newest.content[0].value
    assert newest.content[0].type == "text/html"
    assert [one.title for one in read.entries] == ["On bees", "Keeper of bees"]
    of_kind = atom(site, "/@ann/ideas/feed.atom")
    assert [one.id for one in of_kind.entries] == [newest.id]
    assert of_kind.feed.id != read.feed.id
    assert of_kind.feed.title == "Ideas – ann"
    told = as_json(site, "/@ann/feed.json")
    assert (told["home_page_url"], told["feed_url"]) == (f"{BASE}/@ann", f"{BASE}/@ann/feed.json")
    assert [one["id"] for one in told["items"]] == [one.id for one in read.entries]
    assert told["items"][0]["language"] == "en-GB"
    assert as_json(site, "/feed.json")["items"] == told["items"]
    assert [one.id for one in atom(site, "/feed.atom").entries] == [one.id for one in read.entries]


def test_a_page_leads_to_its_feeds(site: Site, ann: dict[str, str]) -> None:
    publish(site, ann, "ideas", {"content": "# On bees"})
    for path in ("/", "/@ann", "/@ann/ideas"):
        tree = html5lib.parse(page(site, path), namespaceHTMLElements=False)
        links = [each for each in tree.iter("link") if each.get("rel") == "alternate"]
        found = {each.get("type"): each.get("href") or "" for each in links}
        for media_type in ("application/atom+xml", "application/feed+json"):
            target = str(site.client.build_request("GET", path).url.join(found[media_type]))
            answer = site.client.get(target)
            assert answer.headers["content-type"].partition(";")[0] == media_type, (path, target)


def test_the_time_is_that_of_what_is_shown_and_ids_stay(
    site: Site, ann: dict[str, str], serve: Callable[..., Site]
) -> None:
    idea = publish(site, ann, "ideas", {"content": "# On bees", "secret_member": "of mine"})
    before = {form: site.client.get(f"/@ann/{form}") for form in FORMS}
    hidden = site.client.patch(f"/api/v1/ideas/{idea}", json={"secret_member": "another"}, headers=ann)
    assert hidden.status_code == 200
    for form in FORMS:
        again = site.client.get(f"/@ann/{form}")
        assert again.content == before[form].content
        tag = {"If-None-Match": before[form].headers["etag"]}
        assert site.client.get(f"/@ann/{form}", headers=tag).status_code == 304
    first = atom(site, "/@ann/feed.atom")
    shown = site.client.patch(f"/api/v1/ideas/{idea}", json={"content": "# On wasps"}, headers=ann)
    assert shown.status_code == 200
    second = atom(site, "/@ann/feed.atom")
    assert second.entries[0].title == "On wasps"
    assert second.entries[0].id == first.entries[0].id
    assert second.entries[0].published == first.entries[0].published
    assert second.feed.id == first.feed.id
    elsewhere = site.client.get("/@ann/feed.json", headers={"Host": "elsewhere.example"}).json()
    assert elsewhere["feed_url"] == "http://elsewhere.example/@ann/feed.json"
    assert elsewhere["items"][0]["id"] == first.entries[0].id


def test_who_shows_nothing_has_no_feed_and_neither_has_who_wants_none(
    site: Site, ann: dict[str, str]
) -> None:
    site.add_user("ben")
    named = {"X-Request-ID": "the-same-for-all"}
    publish(site, ann, "ideas", {"content": "Mine", "meta": {"visibility": "private"}})
    for form in FORMS:
        asked = {name: site.client.get(f"/@{name}/{form}", headers=named) for name in ("ann", "ben", "zoe")}
        gone = {each.content.replace(f"/@{name}/".encode(), b"") for name, each in asked.items()}
        assert len(gone) == 1
        assert site.client.get(f"/{form}").status_code == 404
        assert site.client.get(f"/@ann/ideas/{form}").status_code == 404
    publish(site, ann, "ideas", {"content": "# Bees"})
    wish(site, ann, formats_off=["feeds"])
    assert "feed" not in page(site, "/@ann")
    for path in ("", "/@ann", "/@ann/ideas"):
        for form in FORMS:
            assert site.client.get(f"{path}/{form}").status_code == 404


def test_an_assistant_gets_the_feed_at_its_level_or_none(site: Site, ann: dict[str, str]) -> None:
    assistant = {"User-Agent": "GPTBot/1.2"}
    publish(site, ann, "ideas", {"content": "# Bees"})
    assert atom(site, "/@ann/feed.atom", assistant).entries
    settings = {"ai_assistant_access": False}
    assert site.client.patch("/api/v1/privacy/settings", json=settings, headers=ann).status_code == 200
    for path in ("/@ann/feed.atom", "/@ann/ideas/feed.json", "/feed.atom"):
        assert "no-store" in site.client.get(path).headers["cache-control"]
        assert site.client.get(path, headers=assistant).status_code == 404


def test_whatever_is_written_does_nothing(site: Site, ann: dict[str, str]) -> None:
    for hostile in HOSTILE.values():
        text = hostile + "\x01\x0b\ufffe ]]> &lt; <![CDATA["
        publish(
            site, ann, "about", {"name": text, "title": text, "content": text, "bio": text, "website": text}
        )
        idea = {
            "content": f"# {text}\n\n{text}",
            "description": text,
            "meta": {"title": text, "tags": [text]},
        }
        publish(site, ann, "ideas", idea)
    answer = site.client.get("/@ann/feed.atom")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    read = atom(site, "/@ann/feed.atom")
    assert len(read.entries) == 2 * len(HOSTILE)
    contents = [one["content_html"] for one in as_json(site, "/@ann/feed.json")["items"]]
    parsed = feedparser.parse(answer.content, sanitize_html=False)
    for content in (*contents, *(one.content[0].value for one in parsed.entries)):
        tree = html5lib.parseFragment(content, namespaceHTMLElements=False)
        for each in tree.iter():
            assert each.tag not in ("script", "style", "img", "svg", "base", "meta", "iframe"), each.tag
            assert not [at for at in each.attrib if at.startswith("on") or at == "style"]
            assert not (each.get("href") or "").lower().startswith(("javascript:", "data:"))


def test_a_huge_entry_is_a_feed_soon(site: Site, ann: dict[str, str]) -> None:
    for _ in range(3):
        publish(site, ann, "ideas", {"content": "[" * 200_000 + " end", "meta": {"title": "w" * 5_000}})
    assert len(site.client.get("/@ann/feed.atom").content) < 1_000_000
    assert len(atom(site, "/@ann/feed.atom").entries) >= 2  # a list is cut where it is large


def test_the_public_address_is_the_operators_and_never_a_header_in_what_is_kept(
    settings: Settings, serve: Callable[..., Site]
) -> None:
    site = serve(replace(settings, public_url="https://me.example/daemon"))
    site.add_user("ann", is_admin=True)
    idea = publish(site, site.log_in("ann"), "ideas", {"content": "# Bees"})
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    for _ in range(2):
        for headers in (forged, {}):
            read = atom(site, "/@ann/feed.atom", headers)
            assert read.entries[0].link == f"https://me.example/daemon/@ann/ideas/{idea}"
            text = site.client.get("/@ann", headers={**HTML, **headers}).text
            assert '<link rel="canonical" href="https://me.example/daemon/@ann">' in text
    assert len(site.app.server.response_cache) >= 2


def test_without_a_public_address_each_gets_their_own_host_and_none_is_kept(
    site: Site, ann: dict[str, str]
) -> None:
    publish(site, ann, "ideas", {"content": "# Bees"})
    for host in ("one.example", "evil.example", "one.example:8004", "[::1]:8004"):
        headers = {"Host": host, "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
        links = [one.link for one in atom(site, "/@ann/feed.atom", headers).entries]
        assert all(link.startswith(f"http://{host}/@ann/ideas/") for link in links)
        assert host not in page(site, "/@ann", headers=headers)
    assert site.client.get("/@ann/feed.atom", headers={"Host": "a b"}).status_code == 400
    assert not [each for each in site.app.server.response_cache._kept if b"feed" in each.path]


def test_a_list_of_the_api_is_atom_too_with_the_same_ids(site: Site, ann: dict[str, str]) -> None:
    idea = publish(site, ann, "ideas", {"content": "Keep some.", "meta": {"title": "On bees"}})
    hidden = publish(site, ann, "ideas", {"content": "Mine", "meta": {"visibility": "private"}})
    (entry,) = atom(site, "/@ann/ideas/feed.atom").entries
    for path in ("ideas.atom", "ideas/users/ann.atom", f"ideas/{idea}.atom"):
        (found,) = atom_of_api(site, f"/api/v1/{path}").entries
        assert (found.id, found.title, found.content[0].value) == (entry.id, "On bees", "Keep some.")
    assert len(atom_of_api(site, "/api/v1/ideas.atom", ann).entries) == 2
    assert site.client.get(f"/api/v1/ideas/{hidden}.atom").status_code == 404
    asked = site.client.get("/api/v1/ideas", headers={"Accept": "application/atom+xml"})
    assert asked.headers["content-type"] == "application/atom+xml"


def atom_of_api(site: Site, path: str, headers: dict[str, str] | None = None) -> Any:
    answer = site.client.get(path, headers=headers or {})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/atom+xml")
    read = feedparser.parse(answer.content, response_headers=dict(answer.headers))
    assert not read.bozo, read.get("bozo_exception")
    return read
