"""Site map and robots.txt: which pages search engines and assistants are told of, and when they changed."""

from __future__ import annotations

from datetime import timedelta
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import pytest

from app import clock
from tests.web.conftest import Site
from tests.web.test_page_wishes import wish
from tests.web.test_pages import HOSTILE, publish

BASE = "http://daemon.example"
NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    return site.log_in("ann")


def mapped(site: Site, path: str, root: str = "urlset") -> dict[str, str]:
    """The addresses in a part of the map, each with its time."""
    answer = site.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml; charset=utf-8")
    tree = ElementTree.fromstring(answer.content)
    assert tree.tag == f"{NAMESPACE}{root}"
    return {each.findtext(f"{NAMESPACE}loc", ""): each.findtext(f"{NAMESPACE}lastmod", "") for each in tree}


def everything(site: Site) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in mapped(site, "/sitemap.xml", "sitemapindex"):
        found |= mapped(site, part)
    return found


def robots(site: Site) -> RobotFileParser:
    answer = site.client.get("/robots.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    parser = RobotFileParser()
    parser.parse(answer.text.splitlines())
    return parser


def test_what_strangers_see_is_in_the_map_and_nothing_else(
    site: Site, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    idea = publish(site, ann, "ideas", {"content": "# Bees", "secret_member": "of mine"})
    publish(site, ann, "goals", {"content": "Mine", "meta": {"visibility": "private"}})
    unlisted = publish(site, ann, "ideas", {"content": "By link", "meta": {"visibility": "unlisted"}})
    site.add_user("ben")
    found = everything(site)
    assert set(found) == {f"{BASE}/@ann", f"{BASE}/@ann/ideas", f"{BASE}/@ann/ideas/{idea}"}
    assert str(unlisted) not in str(set(found) - {f"{BASE}/@ann/ideas/{idea}"})
    for address in found:
        assert site.client.get(address, headers={"Accept": "text/html"}).status_code == 200
    hidden = site.client.patch(f"/api/v1/ideas/{idea}", json={"secret_member": "another"}, headers=ann)
    assert hidden.status_code == 200
    assert everything(site) == found
    later_by_seconds = clock.now() + timedelta(seconds=5)
    monkeypatch.setattr(clock, "now", lambda: later_by_seconds)
    assert site.client.patch(f"/api/v1/ideas/{idea}", json={"content": "# B"}, headers=ann).status_code == 200
    later = everything(site)
    assert all(later[address] > found[address] for address in found)
    wish(site, ann, kinds_left_out=["ideas"])
    assert set(everything(site)) == {f"{BASE}/@ann"}
    assert site.client.get("/@ben/sitemap.xml").status_code == 404
    assert site.client.get("/@ann/goals/sitemap.xml").status_code == 404


def test_more_entries_than_one_list_has_are_in_the_map(site: Site, ann: dict[str, str]) -> None:
    items = [{"content": {"content": f"# {n}", "meta": {"visibility": "public"}}} for n in range(230)]
    made = site.client.post("/api/v1/ideas/bulk", json=items, headers=ann)
    assert made.status_code < 300, made.text
    found = mapped(site, "/@ann/ideas/sitemap.xml")
    assert len(found) == 230
    assert mapped(site, "/@ANN/ideas/sitemap.xml") == found


def test_no_one_is_told_of_nothing(site: Site) -> None:
    assert mapped(site, "/sitemap.xml", "sitemapindex") == {}
    assert robots(site).can_fetch("GPTBot", "/@ann")
    assert robots(site).site_maps() == [f"{BASE}/sitemap.xml"]


def test_assistants_are_asked_to_leave_who_lets_none_in_and_no_one_else(
    site: Site, ann: dict[str, str]
) -> None:
    site.add_user("anna")
    publish(site, ann, "ideas", {"content": "# Of ann"})
    publish(site, site.log_in("anna"), "ideas", {"content": "# Of anna"})
    assert robots(site).can_fetch("GPTBot", "/@ann/ideas")
    closed = {"ai_assistant_access": False}
    assert site.client.patch("/api/v1/privacy/settings", json=closed, headers=ann).status_code == 200
    found, text = robots(site), site.client.get("/robots.txt").text
    for path in ("/@ann", "/@ann/ideas", "/@ann/ideas/7"):
        assert not found.can_fetch("GPTBot", path), path
        assert not found.can_fetch("ClaudeBot", path), path
        assert found.can_fetch("Googlebot", path), path
        assert found.can_fetch("GPTBot", path.replace("ann", "anna")), path
    assert not found.can_fetch("Googlebot", "/api/v1/ideas")
    usages = [line.removeprefix("Content-Usage: ") for line in text.splitlines() if "Content-Usage" in line]
    assert usages == ["/@ann$ train-ai=n", "/@ann/ train-ai=n", "/@ann. train-ai=n"]
    assert text.index("Content-Usage") < text.index("User-agent: GPTBot")
    assistant = {"User-Agent": "GPTBot/1.2"}
    assert "@ann/" not in site.client.get("/sitemap.xml", headers=assistant).text
    assert site.client.get("/@ann/sitemap.xml", headers=assistant).status_code == 404
    assert site.client.get("/robots.txt", headers=assistant).text == text


def test_a_hostile_name_of_a_host_is_in_no_map(site: Site, ann: dict[str, str]) -> None:
    publish(site, ann, "ideas", {"content": HOSTILE["a script"]})
    for host in ('"><script>', "a\tb", "x/../y", "user@evil.example"):
        for path in ("/sitemap.xml", "/robots.txt", "/@ann/sitemap.xml"):
            assert site.client.get(path, headers={"Host": host}).status_code == 400, (host, path)
