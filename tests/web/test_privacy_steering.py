"""Does a person steer over HTTP what strangers see, at the next request, through the kept answers?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import Site

SETTINGS = "/api/v1/privacy/settings"
RULES = "/api/v1/privacy/rules"
RESUME = {
    "name": "Ann Bee",
    "title": "Engineer",
    "contact": {"email": "ann@work.example", "location": "Portland", "website": "https://example.org"},
}


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    """The credential of ann, who has published a resume."""
    headers = site.log_in("ann")
    assert site.client.post("/api/v1/resume", json=RESUME, headers=headers).status_code == 201
    return headers


def seen(site: Site, level: str = "public_full") -> Any:
    """What a stranger is answered, asked twice so that the second may be a kept answer."""
    first, second = (site.client.get(f"/api/v1/resume?level={level}") for _ in range(2))
    assert first.content == second.content
    return [each["data"] for each in first.json()["items"]]


def test_settings_are_those_of_a_new_account_at_first(site: Site, ann: dict[str, str]) -> None:
    found = site.client.get(SETTINGS, headers=ann).json()
    assert found.pop("created_at")
    assert found == {
        "show_contact_info": True,
        "show_location": True,
        "show_current_company": True,
        "show_salary_range": False,
        "show_education_details": True,
        "show_personal_projects": True,
        "business_card_mode": False,
        "ai_assistant_access": True,
        "releases_shipped_rules": True,
        "privacy_level": None,
        "preferred_contact": None,
        "custom_privacy_rules": {},
        "unreadable": [],
        "updated_at": None,
    }


def test_a_change_of_settings_holds_at_the_next_request(site: Site, ann: dict[str, str]) -> None:
    assert seen(site)[0]["contact"]["location"] == "Portland"
    changed = site.client.patch(SETTINGS, json={"show_location": False}, headers=ann)
    assert (changed.status_code, changed.json()["show_location"]) == (200, False)
    assert changed.json()["updated_at"] is not None
    assert "location" not in seen(site)[0]["contact"]
    site.client.patch(SETTINGS, json={"privacy_level": "business_card"}, headers=ann)
    before = seen(site)
    assert before == seen(site, "business_card")
    site.client.patch(SETTINGS, json={"privacy_level": None, "show_location": True}, headers=ann)
    assert seen(site)[0]["contact"]["location"] == "Portland"


def test_a_cache_that_asks_by_its_etag_shows_nothing_that_is_hidden_now(
    site: Site, ann: dict[str, str]
) -> None:
    first = site.client.get("/api/v1/resume")
    assert first.headers["cache-control"] == "public, no-cache"
    known = {"If-None-Match": first.headers["etag"]}
    assert [site.client.get("/api/v1/resume", headers=known).status_code for _ in range(2)] == [304, 304]
    site.client.patch(SETTINGS, json={"show_location": False}, headers=ann)
    later = site.client.get("/api/v1/resume", headers=known)
    assert (later.status_code, "Portland" in later.text) == (200, False)


def test_without_a_row_there_is_one_after_the_first_change(site: Site, ann: dict[str, str]) -> None:
    with site.writing() as connection:
        connection.exec_driver_sql("DELETE FROM user_privacy_settings")
    assert site.client.get(SETTINGS, headers=ann).json()["created_at"] is None
    found = site.client.patch(SETTINGS, json={"preferred_contact": "email"}, headers=ann).json()
    assert (found["preferred_contact"], found["show_location"]) == ("email", True)


def test_rules_of_settings_are_merged(site: Site, ann: dict[str, str]) -> None:
    def patch(rules: object) -> Any:
        return site.client.patch(SETTINGS, json={"custom_privacy_rules": rules}, headers=ann)

    assert patch({"title": "redact"}).json()["custom_privacy_rules"] == {"title": "redact"}
    assert patch({"contact.email": "hide"}).json()["custom_privacy_rules"] == {
        "title": "redact",
        "contact.email": "hide",
    }
    assert seen(site)[0]["title"] == "[REDACTED]"
    assert patch({"title": None}).json()["custom_privacy_rules"] == {"contact.email": "hide"}
    assert patch(None).json()["custom_privacy_rules"] == {}
    assert seen(site)[0]["contact"]["email"] == "ann@work.example"
    for wrong in (
        {"title": "show"},
        {"": "hide"},
        {"x" * 201: "hide"},
        ["title"],
        {f"a{n}": "hide" for n in range(201)},
    ):
        assert patch(wrong).status_code == 422, wrong


@pytest.mark.parametrize(
    "patch",
    [
        {"show_location": "yes"},
        {"show_location": None},
        {"privacy_level": "everything"},
        {"preferred_contact": ""},
        {"preferred_contact": "a\nb"},
        {"user_id": 2},
        {"words_generation": 0},
        {"updated_at": None},
    ],
)
def test_what_is_no_setting_is_refused_and_changes_nothing(
    site: Site, ann: dict[str, str], patch: object
) -> None:
    before = site.client.get(SETTINGS, headers=ann).content
    assert site.client.patch(SETTINGS, json=patch, headers=ann).status_code == 422
    assert site.client.get(SETTINGS, headers=ann).content == before


def test_what_cannot_be_read_is_named(site: Site, ann: dict[str, str]) -> None:
    with site.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE user_privacy_settings SET custom_privacy_rules = '{', show_location = 7"
        )
    found = site.client.get(SETTINGS, headers=ann).json()
    assert found["unreadable"] == ["custom_privacy_rules"]
    assert (found["business_card_mode"], found["show_location"]) == (True, False)
    changed = site.client.patch(SETTINGS, json={"custom_privacy_rules": {}}, headers=ann).json()
    assert (changed["unreadable"], changed["business_card_mode"]) == ([], False)


def test_own_rules_from_making_to_taking_away(site: Site, ann: dict[str, str]) -> None:
    made = site.client.post(RULES, json={"path": "contact.website"}, headers=ann)
    assert (made.status_code, made.headers["location"]) == (201, "rules/own%3Acontact.website")
    rule = {"id": "own:contact.website", "of": "own", "path": "contact.website", "action": "hide"}
    assert made.json() == rule
    assert "website" not in seen(site)[0]["contact"]
    assert site.client.post(RULES, json={"path": "contact.website"}, headers=ann).status_code == 409
    one = f"{RULES}/own:contact.website"
    assert site.client.get(one, headers=ann).json() == rule
    assert site.client.patch(one, json={"action": "redact"}, headers=ann).json()["action"] == "redact"
    assert seen(site)[0]["contact"]["website"] == "[REDACTED]"
    assert site.client.patch(one, json={"kind": "resume"}, headers=ann).status_code == 422
    assert site.client.patch(one, json={"path": "title"}, headers=ann).status_code == 422
    assert site.client.get(f"{RULES}?of=own", headers=ann).json()["items"] == [{**rule, "action": "redact"}]
    assert site.client.delete(one, headers=ann).status_code == 204
    assert site.client.delete(one, headers=ann).status_code == 404
    assert seen(site)[0]["contact"]["website"] == "https://example.org"


def test_rules_of_the_installation_are_for_admins(site: Site, ann: dict[str, str]) -> None:
    site.add_user("ben")
    ben = site.log_in("ben")
    wanted = {"of": "installation", "kind": "resume", "field_name": "website", "privacy_level": "public_full"}
    assert site.client.post(RULES, json=wanted, headers=ben).status_code == 403
    assert site.client.get(f"{RULES}?of=installation", headers=ben).status_code == 403
    assert site.client.get(RULES, headers=ben).json() == {"items": [], "next": None}
    made = site.client.post(RULES, json=wanted, headers=ann)
    assert made.status_code == 201
    assert "website" not in seen(site)[0]["contact"]
    one = f"{RULES}/{made.json()['id']}"
    assert site.client.get(one, headers=ben).status_code == 403
    assert site.client.delete(one, headers=ben).status_code == 403
    assert site.client.patch(one, json={"is_active": False}, headers=ann).json()["is_active"] is False
    assert seen(site)[0]["contact"]["website"] == "https://example.org"
    changed = site.client.patch(one, json={"is_active": True, "field_name": "title"}, headers=ann).json()
    assert (changed["field_name"], changed["kind"]) == ("title", "resume")
    assert "title" not in seen(site)[0]
    assert site.client.delete(one, headers=ann).status_code == 204
    assert "title" in seen(site)[0]
    assert site.client.get(one, headers=ann).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"kind": "nothing"},
        {"path": "title", "privacy_level": "x"},
        {"pattern": "("},
        {"pattern": r"(?=a)b"},
        {"field_name": "x" * 51},
        {"path": "title", "action": "hide"},
        {"path": None},
    ],
)
def test_a_rule_that_would_not_mean_what_it_says_is_refused(
    site: Site, ann: dict[str, str], wrong: dict[str, Any]
) -> None:
    before = site.client.get(RULES, headers=ann).content
    answer = site.client.post(RULES, json={"of": "installation", **wrong}, headers=ann)
    assert answer.status_code == 422, answer.text
    assert site.client.get(RULES, headers=ann).content == before


def test_the_rules_that_are_shipped_can_be_switched_off_and_on(site: Site, ann: dict[str, str]) -> None:
    items = site.client.get(f"{RULES}?of=installation", headers=ann).json()["items"]
    assert len(items) == 14
    for rule in items:
        answer = site.client.patch(f"{RULES}/{rule['id']}", json={"is_active": False}, headers=ann)
        assert answer.json() == {**rule, "is_active": False}


def test_each_change_is_in_the_audit(site: Site, ann: dict[str, str]) -> None:
    site.client.patch(SETTINGS, json={"show_location": False}, headers=ann)
    made = site.client.post(RULES, json={"of": "installation", "path": "title"}, headers=ann).json()
    site.client.delete(f"{RULES}/{made['id']}", headers=ann)
    rows = site.client.get("/api/v1/admin/audit?limit=3", headers=ann).json()["items"]
    assert [(row["action"], row["table_name"], row["user_id"]) for row in reversed(rows)] == [
        ("UPDATE", "user_privacy_settings", 1),
        ("CREATE", "data_privacy_rules", 1),
        ("DELETE", "data_privacy_rules", 1),
    ]
    assert rows[2]["old_values"] == {"show_location": True}
    assert rows[2]["new_values"] == {"show_location": False}
    assert rows[0]["old_values"] == made


def test_a_preview_is_what_the_audience_is_answered(site: Site, ann: dict[str, str]) -> None:
    site.client.post("/api/v1/resume", json={**RESUME, "meta": {"visibility": "private"}}, headers=ann)
    site.client.patch(SETTINGS, json={"custom_privacy_rules": {"title": "redact"}}, headers=ann)
    site.add_user("ben")
    ben = site.log_in("ben")
    key = {"X-API-Key": site.client.post("/auth/keys", json={"name": "k"}, headers=ann).json()["key"]}
    asking = {"stranger": {}, "assistant": {"User-Agent": "GPTBot/1.2"}, "person": ben, "key": key}
    for address, query in (
        ("/api/v1/resume/users/ann", ""),
        ("/api/v1/resume/1", "&entry=1"),
        ("/api/v1/resume/2", "&entry=2"),
    ):
        found = site.client.get(f"/api/v1/privacy/preview?kind=resume{query}", headers=ann).json()["items"]
        assert [each["as"] for each in found] == [*["stranger"] * 4, "assistant", "person", "key"]
        for each in found:
            level = f"?level={each['level']}" if each["level"] else ""
            answer = site.client.get(address + level, headers=asking[each["as"]])
            assert answer.status_code == each["status"], each
            assert (answer.json() if each["status"] == 200 else None) == each["answer"]
            assert each["status"] == 200 or answer.json()["detail"] == each["detail"]
    assert {each["status"] for each in found} == {200, 404}


def test_a_preview_as_one_audience_at_one_level(site: Site, ann: dict[str, str]) -> None:
    address = "/api/v1/privacy/preview?kind=resume&as=stranger&level=business_card"
    (found,) = site.client.get(address, headers=ann).json()["items"]
    assert (found["as"], found["level"], found["status"]) == ("stranger", "business_card", 200)
    assert site.client.get(address.replace("as=stranger", "as=him"), headers=ann).status_code == 400
    assert site.client.get(address.replace("level=b", "level=x"), headers=ann).status_code == 400
    assert site.client.get("/api/v1/privacy/preview?kind=resume&entry=x", headers=ann).status_code == 404


def test_a_preview_as_an_assistant_is_what_one_is_answered_at_any_level(
    site: Site, ann: dict[str, str]
) -> None:
    site.client.patch(SETTINGS, json={"ai_assistant_access": False}, headers=ann)
    for level in ("public_full", "professional", "ai_safe"):
        address = f"/api/v1/privacy/preview?kind=resume&as=assistant&level={level}"
        (found,) = site.client.get(address, headers=ann).json()["items"]
        agent = {"User-Agent": "Claude-User/1.0"}
        answer = site.client.get(f"/api/v1/resume/users/ann?level={level}", headers=agent)
        assert (found["status"], found["answer"]) == (answer.status_code, None) == (404, None)


def test_a_preview_as_an_assistant_obeys_who_lets_none_in(site: Site, ann: dict[str, str]) -> None:
    site.client.patch(SETTINGS, json={"ai_assistant_access": False}, headers=ann)
    address = "/api/v1/privacy/preview?kind=resume&entry=1&level=professional&as="
    statuses = {
        audience: site.client.get(address + audience, headers=ann).json()["items"][0]["status"]
        for audience in ("stranger", "assistant")
    }
    assert statuses == {"stranger": 200, "assistant": 404}
