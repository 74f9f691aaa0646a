"""Discovery: the catalogue of the API, WebFinger, whom to tell of a hole; and cards and codes of people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from app.formats.vcard_lines import read_cards
from app.settings import Settings
from tests.web.conftest import Site
from tests.web.qr_reader import read_png
from tests.web.test_page_wishes import wish
from tests.web.test_pages import HOSTILE, RESUME, page, publish

BASE = "http://daemon.example"
FINGER = "/.well-known/webfinger"
PUBLIC = {"visibility": "public"}


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    return site.log_in("ann")


def finger(site: Site, resource: str, **more: Any) -> Any:
    return site.client.get(
        FINGER, params={"resource": resource, **more}, headers={"X-Request-ID": "same-for-all"}
    )


def card(site: Site, path: str = "/@ann/card.vcf") -> dict[str, list[str]]:
    """The one card of a person, as the reader of imports takes it."""
    answer = site.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/vcard; charset=utf-8")
    for line in answer.content.split(b"\r\n"):
        assert len(line) <= 75
        assert b"\n" not in line
    (read,) = read_cards(answer.content, "card.vcf")
    found: dict[str, list[str]] = {}
    for each in read.properties:
        found.setdefault(each.name, []).append(each.value)
    return found


def test_the_catalogue_names_addresses_that_are_there(site: Site) -> None:
    root = site.client.get("/")
    links = {link["rel"]: url for url, link in ((each["url"], each) for each in root.links.values())}
    assert set(links) == {"api-catalog", "service-desc", "service-doc"}
    answer = site.client.get(links["api-catalog"])
    assert answer.headers["content-type"] == (
        'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
    )
    assert 'rel="api-catalog"' in site.client.head(links["api-catalog"]).headers["link"]
    listed, api = json.loads(answer.content)["linkset"]
    assert [each["href"] for each in listed["item"]] == [f"{BASE}/api/v1", f"{BASE}/mcp"]
    assert api["anchor"] == f"{BASE}/api/v1"
    for relation in ("service-desc", "service-doc", "status"):
        for link in api[relation]:
            found = site.client.get(link["href"])
            assert found.status_code == 200
            assert found.headers["content-type"].startswith(link["type"])


def test_webfinger_knows_who_shows_something_and_no_one_else(site: Site, ann: dict[str, str]) -> None:
    site.add_user("ben")
    publish(site, ann, "ideas", {"content": "# Bees"})
    answer = finger(site, "acct:ann@daemon.example")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jrd+json")
    assert answer.headers["access-control-allow-origin"] == "*"
    said = answer.json()
    assert (said["subject"], said["aliases"]) == ("acct:ann@daemon.example", [f"{BASE}/@ann"])
    for link in said["links"]:
        found = site.client.get(link["href"], headers={"Accept": link["type"]})
        assert found.headers["content-type"].startswith(link["type"]), link
    assert finger(site, f"{BASE}/@ann").json() == said
    only = finger(site, "acct:ann@daemon.example", rel="http://webfinger.net/rel/profile-page").json()
    assert [link["type"] for link in only["links"]] == ["text/html"]
    unknown = (
        *("acct:ben@daemon.example", "acct:zoe@daemon.example", "acct:ann@elsewhere.example", "ann"),
        *(f"{BASE}/@ben", f"{BASE}/@ann/ideas", "mailto:ann@daemon.example", "acct:@daemon.example"),
    )
    gone = {finger(site, each).content for each in unknown}
    assert len(gone) == 1
    assert {finger(site, each).status_code for each in unknown} == {404}
    assert site.client.get(FINGER).status_code == 400
    wish(site, ann, formats_off=["webfinger"])
    assert {finger(site, "acct:ann@daemon.example").content} == gone


def test_who_lets_no_assistant_in_is_not_found_by_one(site: Site, ann: dict[str, str]) -> None:
    publish(site, ann, "ideas", {"content": "# Bees"})
    closed = {"ai_assistant_access": False}
    assert site.client.patch("/api/v1/privacy/settings", json=closed, headers=ann).status_code == 200
    for path in (f"{FINGER}?resource=acct:ann@daemon.example", "/@ann/card.vcf", "/@ann/card.svg"):
        answer = site.client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
        assert site.client.get(path, headers={"User-Agent": "GPTBot/1.2"}).status_code == 404


def test_a_contact_for_security_is_there_where_the_operator_named_one(
    site: Site, settings: Settings, serve: Callable[..., Site]
) -> None:
    assert site.client.get("/.well-known/security.txt").status_code == 404
    contact = ("mailto:safe@me.example", "https://me.example/safe")
    named = serve(replace(settings, security_contact=contact, public_url="https://me.example"))
    answer = named.client.get("/.well-known/security.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    lines = [line.split(": ", 1) for line in answer.text.splitlines()]
    assert [value for name, value in lines if name == "Contact"] == list(contact)
    assert ["Canonical", "https://me.example/.well-known/security.txt"] in lines
    (expires,) = (datetime.fromisoformat(value) for name, value in lines if name == "Expires")
    assert timedelta(days=30) < expires - datetime.now(UTC) < timedelta(days=365)
    for path in ("oauth-authorization-server", "oauth-protected-resource", "openid-configuration"):
        assert named.client.get(f"/.well-known/{path}").status_code == 404


def test_a_card_says_what_the_head_says(site: Site, ann: dict[str, str]) -> None:
    publish(site, ann, "resume", json.loads(json.dumps(RESUME)))
    found = card(site)
    assert (found["FN"], found["TITLE"]) == (["Ann Bee"], ["Keeper of bees"])
    assert found["EMAIL"] == ["ann@bees.example"]
    assert found["URL"] == [f"{BASE}/@ann", "https://bees.example"]
    assert found["UID"][0].startswith("urn:uuid:")
    assert "7946" not in str(found)
    assert "NOTE" not in card(site, "/@ann/card.vcf?level=business_card")
    wish(site, ann, head_lines=["does"])
    assert not {"EMAIL", "NOTE", "ADR"} & set(card(site))
    text = page(site, "/@ann")
    assert "@ann/card.vcf" in text
    assert "@ann/card.svg" in text
    wish(site, ann, formats_off=["vcard", "qr"])
    assert "card." not in page(site, "/@ann")
    for name in ("vcf", "svg", "png"):
        assert site.client.get(f"/@ann/card.{name}").status_code == 404


def test_a_telephone_reads_the_address_of_the_page_off_the_code(
    settings: Settings, serve: Callable[..., Site]
) -> None:
    site = serve(replace(settings, public_url="https://ann.example"))
    site.add_user("ann", is_admin=True)
    publish(site, site.log_in("ann"), "ideas", {"content": "# Bees"})
    for headers in ({}, {"Host": "evil.example"}, {}):
        answer = site.client.get("/@ann/card.png", headers=headers)
        assert answer.headers["content-type"] == "image/png"
        assert read_png(answer.content) == "https://ann.example/@ann"
    drawn = site.client.get("/@ann/card.svg")
    assert drawn.headers["content-type"] == "image/svg+xml"
    tree = ElementTree.fromstring(drawn.content)
    assert tree.tag == "{http://www.w3.org/2000/svg}svg"
    assert {each.tag.partition("}")[2] for each in tree.iter()} == {"svg", "path", "g"}
    assert site.client.get("/@zoe/card.svg").status_code == 404


def test_whatever_is_written_is_no_line_of_a_card(site: Site, ann: dict[str, str]) -> None:
    about = publish(site, ann, "about", {"name": "Ann"})
    for hostile in HOSTILE.values():
        text = f"{hostile}\r\nEMAIL:evil@evil.example\u2028TEL:1\x00,;\\n"
        said = {"name": text, "title": text, "bio": text, "location": text, "website": text}
        written = site.client.put(f"/api/v1/about/{about}", json={**said, "meta": PUBLIC}, headers=ann)
        assert written.status_code == 200, written.text
        found = card(site)
        assert not {"EMAIL", "TEL"} & set(found)
        assert len(found["FN"]) == 1
        assert all(each.startswith("http") for each in found["URL"])
