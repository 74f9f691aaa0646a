"""A person's walk over HTTP: a telephone number in the text of a resume, and what can be done about it."""

from __future__ import annotations

from typing import Any

from tests.web.conftest import Site

PRIVACY = "/api/v1/privacy"
NUMBER = "+1 415-555-0134"
RESUME = {
    "name": "Ann Bee",
    "title": "Engineer",
    "summary": f"Call me at {NUMBER}. My daughter Wrenfield likes bees.",
    "visibility": "public",
}


def seen(site: Site, entry_id: int, level: str) -> Any:
    answer = site.client.get(f"/api/v1/resume/{entry_id}?level={level}")
    assert answer.headers["cache-control"] == "public, no-cache"
    return answer.json()["data"].get("summary")


def test_a_persons_walk(site: Site) -> None:
    ann = site.log_in("ann")

    def asked(method: str, path: str, body: object = None) -> Any:
        answer = site.client.request(method, PRIVACY + path, json=body, headers=ann)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    # She publishes it, and is told at once.
    published = [site.client.post("/api/v1/resume", json=RESUME, headers=ann).json() for _ in range(2)]
    entry_id, other_id = (each["id"] for each in published)
    assert published[0]["data"]["summary"] == RESUME["summary"]
    (finding,) = published[0]["findings"]
    assert (finding["kind"], finding["pointer"]) == ("phone", "/summary")
    assert RESUME["summary"][finding["start"] : finding["end"]] == NUMBER
    assert set(finding["levels"].values()) <= {"hidden", "left out"}
    for level in ("professional", "ai_safe", "public_full"):
        assert NUMBER not in seen(site, entry_id, level)

    # She reads the findings of all her texts, and releases this one in this entry.
    found = asked("GET", "/findings")["items"]
    assert [(each["entry_id"], each["kind"]) for each in found] == [(entry_id, "phone"), (other_id, "phone")]
    (released,) = asked("POST", "/releases", finding["release"])["items"]
    assert asked("GET", "/releases")["items"] == [released]

    # She looks as a stranger and as an assistant.
    assert NUMBER in seen(site, entry_id, "public_full")
    assert NUMBER not in seen(site, other_id, "public_full")
    views = asked("GET", f"/preview?kind=resume&entry={entry_id}&as=stranger&level=public_full")["items"]
    assert NUMBER in views[0]["answer"]["data"]["summary"]
    views = asked("GET", f"/preview?kind=resume&entry={other_id}")["items"]
    assert [NUMBER in str(each["answer"]) for each in views] == [False] * 6 + [True]
    assert [each["as"] for each in views if NUMBER in str(each["answer"])] == ["key"]

    # She puts her daughter's name on the never-list: gone at the next request, also from what was kept.
    assert "Wrenfield" in seen(site, entry_id, "public_full")
    word = asked("POST", "/never-list", {"word": "wren-field"})
    for level in ("professional", "ai_safe", "public_full"):
        assert "Wrenfield" not in seen(site, entry_id, level)
    assert "Wrenfield" not in str(asked("GET", "/never-list"))

    # She asks why a field is hidden, and why another is shown.
    fields = {each["pointer"]: each["levels"] for each in asked("GET", f"/explain?entry={entry_id}")["items"]}
    assert fields["/summary"]["public_full"]["status"] == "masked"
    assert fields["/summary"]["public_full"]["reason"] == "never_list"
    assert fields["/summary"]["business_card"]["reason"] == "list"
    assert fields["/name"]["business_card"]["status"] == "shown"

    # She takes all of it back.
    asked("DELETE", f"/never-list/{word['id']}")
    asked("DELETE", f"/releases/{released['id']}")
    assert "Wrenfield" in seen(site, entry_id, "public_full")
    assert NUMBER not in seen(site, entry_id, "public_full")


def test_what_is_no_release_is_refused(site: Site) -> None:
    ann = site.log_in("ann")
    for body, status in (
        ({}, 422),
        ({"detector": "nothing"}, 400),
        ({"entry_id": 99}, 404),
        ({"detector": "secret"}, 400),
        ({"entry_id": "1"}, 422),
    ):
        answer = site.client.post(f"{PRIVACY}/releases", json=body, headers=ann)
        assert answer.status_code == status, (body, answer.text)
    assert site.client.get(f"{PRIVACY}/findings?entry=99", headers=ann).status_code == 404


def test_findings_of_many_entries_are_read_in_parts(site: Site) -> None:
    from app.entries import own_findings

    ann = site.log_in("ann")
    ids = [
        site.client.post("/api/v1/ideas", json={"content": NUMBER}, headers=ann).json()["id"]
        for _ in range(5)
    ]
    found: list[int] = []
    cursor: str | None = ""
    limit, own_findings.ENTRIES_READ = own_findings.ENTRIES_READ, 2
    try:
        while cursor is not None:
            page = site.client.get(f"{PRIVACY}/findings?{cursor}", headers=ann).json()
            found += [each["entry_id"] for each in page["items"]]
            cursor = None if page["next"] is None else f"cursor={page['next']}"
    finally:
        own_findings.ENTRIES_READ = limit
    assert found == ids
