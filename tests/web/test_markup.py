"""What programs read in a page: microformats (mf2py), structured data (a processor of JSON-LD), links."""

from __future__ import annotations

import json
import re
from typing import Any

import mf2py
import pytest
from pyld import jsonld

from tests.web.conftest import Site
from tests.web.test_pages import HOSTILE, RESUME, page, publish

BASE = "http://daemon.example"
SCHEMA = "https://schema.org/"
TERMS = {
    "ProfilePage": {"mainEntity", "dateModified"},
    "Person": {
        *(
            "name",
            "alternateName",
            "jobTitle",
            "homeLocation",
            "description",
            "email",
            "sameAs",
            "image",
            "url",
        ),
    },
    "Place": {"name"},
    "ImageObject": {"contentUrl", "width", "height", "url"},
}
"""The words of schema.org that a page may use, by type: https://schema.org/docs/schemas.html."""


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    return site.log_in("ann")


def offline(url: str, _options: Any) -> dict[str, Any]:
    """The context of schema.org, as far as it matters: every word is one of it; nothing else is loaded."""
    assert url == SCHEMA.rstrip("/"), url
    context = {"@vocab": SCHEMA, "sameAs": {"@type": "@id"}, "dateModified": {"@type": f"{SCHEMA}Date"}}
    document = {"@context": context}
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": url,
        "document": document,
    }


def structured(text: str) -> dict[str, Any]:
    """The structured data of a page, expanded by a processor and held to the vocabulary."""
    block = re.search(r'<script type="application/ld\+json">(.+?)</script>', text)
    assert block is not None
    (found,) = jsonld.expand(json.loads(block[1]), {"documentLoader": offline})
    check_terms(found)
    return dict(found)


def check_terms(node: dict[str, Any]) -> None:
    (kind,) = (each.removeprefix(SCHEMA) for each in node["@type"])
    for name, values in node.items():
        if not name.startswith("@"):
            assert name.removeprefix(SCHEMA) in TERMS[kind], (kind, name)
            for value in values:
                if "@type" in value and "@value" not in value:
                    check_terms(value)


def items(site: Site, path: str) -> dict[str, list[dict[str, Any]]]:
    """The microformats of a page, by type, wherever they are."""
    found: dict[str, list[dict[str, Any]]] = {}
    pending = list(mf2py.parse(doc=page(site, path), url=f"{BASE}{path}")["items"])
    while pending:
        one = pending.pop(0)
        found.setdefault(one["type"][0], []).append(one)
        pending += one.get("children", [])
        for values in one["properties"].values():
            pending += [each for each in values if isinstance(each, dict) and "type" in each]
    return found


def test_a_processor_of_json_ld_reads_who_this_is(site: Site, ann: dict[str, str]) -> None:
    publish(site, ann, "resume", json.loads(json.dumps(RESUME)))
    found = structured(page(site, "/@ann"))
    (person,) = found[f"{SCHEMA}mainEntity"]
    assert found["@type"] == [f"{SCHEMA}ProfilePage"]
    assert person["@type"] == [f"{SCHEMA}Person"]
    assert person[f"{SCHEMA}name"] == [{"@value": "Ann Bee"}]
    assert person[f"{SCHEMA}sameAs"] == [{"@id": "https://bees.example"}]
    assert "7946" not in json.dumps(found)


def test_a_reader_of_microformats_finds_card_resume_and_entries(site: Site, ann: dict[str, str]) -> None:
    resume = publish(site, ann, "resume", json.loads(json.dumps(RESUME)))
    idea = publish(site, ann, "ideas", {"content": "# On bees\n\nKeep some.", "meta": {"tags": ["bees"]}})
    found = items(site, "/@ann")
    (card,) = found["h-card"]
    assert card["properties"]["name"] == ["Ann Bee"]
    assert card["properties"]["url"][0] == card["properties"]["uid"][0] == f"{BASE}/@ann"
    assert card["properties"]["email"] == ["mailto:ann@bees.example"]
    assert card["properties"]["job-title"] == ["Keeper of bees"]
    (entry,) = found["h-entry"]
    assert entry["properties"]["name"] == ["On bees"]
    assert entry["properties"]["url"] == [f"{BASE}/@ann/ideas/{idea}"]
    assert entry["properties"]["category"] == ["bees"]
    assert "Keep some." in entry["properties"]["content"][0]["value"]
    for path in ("/@ann", "/@ann/resume", f"/@ann/resume/{resume}"):
        (one,) = items(site, path)["h-resume"]
        jobs = [each["properties"] for each in one["properties"]["experience"]]
        assert [job["name"] for job in jobs] == [["Engineer"], ["Apprentice"]]
        assert (jobs[0]["start"], jobs[0]["end"]) == (["2019-01"], ["2021"])
        assert one["properties"]["skill"] == ["Honey", "Wax"]
    whole = mf2py.parse(doc=page(site, "/@ann"), url=f"{BASE}/@ann")
    assert set(whole["rels"]["me"]) == {"mailto:ann@bees.example", "https://bees.example"}
    assert whole["rels"]["canonical"] == [f"{BASE}/@ann"]
    (feed,) = items(site, "/@ann/ideas")["h-feed"]
    assert feed["properties"]["name"] == ["Ideas"]


def test_whatever_is_written_stays_a_word(site: Site, ann: dict[str, str]) -> None:
    resume = publish(site, ann, "resume", json.loads(json.dumps(RESUME)))
    for text in HOSTILE.values():
        jobs = [{"position": text, "company": text}]
        said = {
            "name": text,
            "title": text,
            "summary": text,
            "contact": {"website": text},
            "experience": jobs,
        }
        public = {**said, "meta": {"visibility": "public"}}
        written = site.client.put(f"/api/v1/resume/{resume}", json=public, headers=ann)
        assert written.status_code == 200, written.text
        (person,) = structured(page(site, "/@ann"))[f"{SCHEMA}mainEntity"]
        assert f"{SCHEMA}sameAs" not in person
        for one in items(site, "/@ann")["h-card"]:
            assert all(not each.lower().startswith("javascript:") for each in one["properties"]["url"])
