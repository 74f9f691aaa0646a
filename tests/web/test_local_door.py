"""Who may write to an installation that no one has claimed? Only anyone who sits at the machine itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.entries import unclaimed
from app.settings import Settings
from tests.web.conftest import PASSWORD, Site
from tests.web.test_entries import location_of

IDEA = {"content": "# Test Idea\nThis is a test before migration"}


def path_of(answer: Any) -> str:
    """The address of an idea that was just written."""
    return f"/api/v1/ideas/{answer.json()['id']}"


@pytest.fixture
def at_home(serve: Callable[..., Site], settings: Settings) -> Site:
    """An unclaimed installation, asked from the machine itself."""
    return serve(settings, peer="127.0.0.1", base_url="http://localhost:8004")


def test_what_is_written_there_is_read_there_and_nowhere_else(at_home: Site) -> None:
    made = at_home.client.post("/api/v1/ideas", json=IDEA)
    assert made.status_code == 201
    location = location_of(made)
    assert at_home.client.get("/api/v1/ideas").json()["items"][0]["content"] == IDEA["content"]
    assert at_home.client.get(location).status_code == 200
    for headers in (
        {"Host": "daemon.example"},
        {"X-Forwarded-For": "192.0.2.7"},
        {"Origin": "https://evil.example"},
    ):
        assert at_home.client.get("/api/v1/ideas", headers=headers).json()["items"] == []
        assert at_home.client.get(location, headers=headers).status_code == 404
        refused = at_home.client.post("/api/v1/ideas", json=IDEA, headers=headers)
        assert refused.status_code == 401
        assert "claim_token" in refused.json()["hint"]
        assert "/auth/login" in refused.json()["hint"]
        assert refused.headers["www-authenticate"].startswith("Bearer")


def test_nothing_of_an_unclaimed_installation_is_kept_by_others(at_home: Site) -> None:
    answer = at_home.client.get("/api/v1/ideas")
    assert answer.headers["cache-control"] == "private, no-store"


def test_all_that_came_in_is_private_whatever_it_says_and_goes_to_the_first_account(at_home: Site) -> None:
    made = at_home.client.post("/api/v1/ideas", json={**IDEA, "visibility": "public"})
    assert made.json()["visibility"] == "private"
    location = path_of(made)
    assert at_home.client.patch(location, json={"visibility": "public"}).json()["visibility"] == "private"
    at_home.add_user("ann", is_admin=True)
    assert at_home.client.get("/api/v1/ideas").json()["items"] == []
    assert at_home.client.get(location).status_code == 404
    assert at_home.client.get(location, headers=at_home.log_in("ann")).json()["visibility"] == "private"


def test_the_door_takes_a_bounded_number_of_entries_and_says_what_to_do(
    at_home: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unclaimed, "MOST_ENTRIES", 3)
    answers = [at_home.client.post("/api/v1/ideas", json=IDEA) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 409, 409]
    assert answers[-1].json()["hint"] == "Claim it first: daemon user create NAME --admin"
    assert at_home.client.delete(path_of(answers[0])).status_code == 204
    assert at_home.client.post("/api/v1/ideas", json=IDEA).status_code == 409
    assert len(at_home.client.get("/api/v1/ideas").json()["items"]) == 2
    with at_home.writing() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM data_entries").scalar() == 3
    at_home.add_user("ann", is_admin=True)
    headers = at_home.log_in("ann")
    assert at_home.client.post("/api/v1/ideas", json=IDEA, headers=headers).status_code == 201


@pytest.mark.only_on("sqlite")  # looks at the size of the file
def test_the_door_takes_a_bounded_number_of_bytes_changes_included(at_home: Site) -> None:
    location = path_of(at_home.client.post("/api/v1/ideas", json={"content": "x" * 100_000}))
    changed = 0
    while at_home.client.put(location, json={"content": str(changed) * 100_000}).status_code == 200:
        changed += 1
        assert changed < 50
    assert changed > 5
    assert at_home.client.post("/api/v1/ideas", json={"content": "y" * 200_000}).status_code == 409
    assert at_home.settings.database_path.stat().st_size < 2 * unclaimed.MOST_BYTES
    assert len(at_home.client.get("/api/v1/ideas").json()["items"]) == 1


# -- afterwards

REVIEW = "/api/v1/claim/review"
Waiting = tuple[Site, list[int], dict[str, str]]


@pytest.fixture
def waiting(at_home: Site) -> Waiting:
    """A claimed installation with four entries that wait, their ids, and the header of their owner."""
    bodies = (
        {"content": "a"},
        {"content": "b", "visibility": "unlisted"},
        {"content": "c"},
        {"content": "d"},
    )
    ids = [at_home.client.post("/api/v1/ideas", json=body).json()["id"] for body in bodies]
    at_home.add_user("ann", is_admin=True)
    at_home.add_user("bob")
    return at_home, ids, at_home.log_in("ann")


def test_the_owner_lists_publishes_and_deletes_over_http(waiting: Waiting) -> None:
    site, ids, ann = waiting
    items = site.client.get(REVIEW, headers=ann).json()["items"]
    said = ["public", "unlisted", "public", "public"]
    assert [(each["id"], each["publishes_as"]) for each in items] == list(zip(ids, said, strict=True))
    assert all(each["kind"] == "ideas" and each["received_at"] and each["size_bytes"] for each in items)
    answer = site.client.post(REVIEW, json={"publish": ids[:2], "delete": [ids[3]]}, headers=ann)
    assert answer.status_code == 200
    assert [each["id"] for each in answer.json()["published"]] == ids[:2]
    assert (answer.json()["deleted"], answer.json()["left"]) == ([ids[3]], 1)
    assert [each["content"] for each in site.client.get("/api/v1/ideas").json()["items"]] == ["a"]
    assert [each["id"] for each in site.client.get(REVIEW, headers=ann).json()["items"]] == [ids[2]]
    assert site.client.get(f"/api/v1/ideas/{ids[3]}", headers=ann).status_code == 404
    assert site.client.post(REVIEW, json={"publish": "all"}, headers=ann).json()["left"] == 0
    assert [each["content"] for each in site.client.get("/api/v1/ideas").json()["items"]] == ["a", "c"]


def test_nobody_else_hears_of_it_or_decides(waiting: Waiting) -> None:
    site, ids, ann = waiting
    bob = site.log_in("bob")
    key = site.client.post("/auth/keys", json={"name": "phone", "can_write": True}, headers=ann).json()["key"]
    assert site.client.get(REVIEW, headers={"X-API-Key": key}).status_code == 403
    refused = site.client.post(REVIEW, json={"publish": "all"}, headers={"X-API-Key": key})
    assert refused.status_code == 403
    assert site.client.get(REVIEW).status_code == 401
    assert site.client.post(REVIEW, json={"publish": "all"}).status_code == 401
    assert site.client.get(REVIEW, headers=bob).json()["items"] == []
    for decision in ({"publish": [ids[0]]}, {"delete": [ids[0]]}):
        assert site.client.post(REVIEW, json=decision, headers=bob).status_code == 404
    assert site.client.post(REVIEW, json={"publish": "all"}, headers=bob).json()["published"] == []
    assert len(site.client.get(REVIEW, headers=ann).json()["items"]) == len(ids)


@pytest.mark.parametrize(
    "body", [{}, {"publish": "some"}, {"publish": [0]}, {"publish": [True]}, {"delete": "all"}, {"x": 1}]
)
def test_a_decision_that_is_none_is_refused(waiting: Waiting, body: dict[str, Any]) -> None:
    site, ids, ann = waiting
    assert site.client.post(REVIEW, json=body, headers=ann).status_code == 422
    both = {"publish": [ids[0], 4711], "delete": [ids[1]]}
    assert site.client.post(REVIEW, json=both, headers=ann).status_code == 404
    assert len(site.client.get(REVIEW, headers=ann).json()["items"]) == len(ids)


def test_a_word_of_its_owner_decides_too(waiting: Waiting) -> None:
    site, ids, ann = waiting
    path = f"/api/v1/ideas/{ids[0]}"
    assert site.client.patch(path, json={"content": "A"}, headers=ann).json()["visibility"] == "private"
    assert len(site.client.get(REVIEW, headers=ann).json()["items"]) == 4
    site.client.patch(path, json={"visibility": "public"}, headers=ann)
    site.client.delete(f"/api/v1/ideas/{ids[1]}", headers=ann)
    assert [each["id"] for each in site.client.get(REVIEW, headers=ann).json()["items"]] == ids[2:]
    assert site.client.get(path).json()["content"] == "A"


def test_nothing_is_decided_over_http_before_there_is_an_owner(at_home: Site) -> None:
    at_home.client.post("/api/v1/ideas", json=IDEA)
    assert at_home.client.get(REVIEW).status_code == 401
    assert at_home.client.post(REVIEW, json={"publish": "all"}).status_code == 401


def test_what_the_door_of_0_3_0_took_stays_readable_there_and_as_it_was_stored(at_home: Site) -> None:
    location = path_of(at_home.client.post("/api/v1/ideas", json=IDEA))
    with at_home.writing() as connection:  # as 0.3.0 left it: in the audit, and nowhere else
        connection.exec_driver_sql("DELETE FROM unclaimed_entries")
        connection.exec_driver_sql("UPDATE data_entries SET visibility = 'public'")
    assert at_home.client.get(location).json()["visibility"] == "public"
    assert len(at_home.client.get("/api/v1/ideas").json()["items"]) == 1
    at_home.add_user("ann", is_admin=True)
    headers = at_home.log_in("ann")
    assert at_home.client.get(REVIEW, headers=headers).json()["items"] == []
    assert at_home.client.get(location).json()["content"] == IDEA["content"]


def test_what_the_door_changes_of_those_waits_for_its_review(at_home: Site) -> None:
    location = path_of(at_home.client.post("/api/v1/ideas", json=IDEA))
    with at_home.writing() as connection:
        connection.exec_driver_sql("DELETE FROM unclaimed_entries")
        connection.exec_driver_sql("UPDATE data_entries SET visibility = 'public'")
    assert at_home.client.put(location, json={"content": "by whom?"}).json()["visibility"] == "private"
    at_home.add_user("ann", is_admin=True)
    assert at_home.client.get(location).status_code == 404
    assert len(at_home.client.get(REVIEW, headers=at_home.log_in("ann")).json()["items"]) == 1


def test_it_ends_for_good_with_the_first_account_which_inherits(at_home: Site) -> None:
    location = location_of(at_home.client.post("/api/v1/ideas", json=IDEA))
    at_home.add_user("ann", is_admin=True)
    refused = at_home.client.post("/api/v1/ideas", json=IDEA)
    assert refused.status_code == 401
    assert "claim_token" not in refused.text
    owned = at_home.client.get(location, headers=at_home.log_in("ann")).json()
    assert owned["content"] == IDEA["content"]
    assert owned["owner"] == "ann"
    with at_home.writing() as connection:
        connection.exec_driver_sql("UPDATE data_entries SET created_by_id = NULL")
        connection.exec_driver_sql("DELETE FROM user_privacy_settings")
        connection.exec_driver_sql("UPDATE audit_logs SET user_id = NULL")
        connection.exec_driver_sql("DELETE FROM users")
    at_home.app.server.is_claimed = False  # as after a restart
    assert at_home.client.post("/api/v1/ideas", json=IDEA).status_code == 401


def test_an_installation_with_users_never_had_it(at_home: Site) -> None:
    at_home.add_user("ann", is_admin=True)
    assert at_home.client.post("/api/v1/ideas", json=IDEA).status_code == 401
    assert at_home.log_in("ann", PASSWORD)
