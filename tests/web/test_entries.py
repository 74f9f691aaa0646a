"""Do the addresses of entries keep HTTP's promises: created, found, replaced, changed, gone?"""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from app.entries.kinds import built_in
from tests.databases import run
from tests.web.conftest import Site

IDEA = {"content": "# An idea", "meta": {"title": "An idea", "visibility": "public"}}


def post(site: Site, kind: str = "ideas", by: str = "ann", **content: Any) -> str:
    answer = site.client.post(f"/api/v1/{kind}", json={**IDEA, **content}, headers=site.log_in(by))
    assert answer.status_code == 201, answer.text
    return location_of(answer)


def location_of(answer: Any) -> str:
    """Return the path that ``Location`` leads to from the address that was asked."""
    return str(urlsplit(urljoin(str(answer.request.url), answer.headers["location"])).path)


def test_an_entry_is_created_read_replaced_changed_and_deleted(site: Site) -> None:
    ann = site.log_in("ann")
    made = site.client.post("/api/v1/ideas", json=IDEA, headers=ann)
    location = location_of(made)
    assert made.status_code == 201
    assert location == f"/api/v1/ideas/{made.json()['id']}"
    assert isinstance(made.json()["id"], int)
    assert made.json()["data"] == IDEA
    assert (made.json()["owner"], made.json()["visibility"]) == ("ann", "public")

    replaced = site.client.put(location, json={"content": "another"}, headers=ann)
    assert replaced.status_code == 200
    assert replaced.json()["data"]["content"] == "another"
    assert replaced.json()["visibility"] == "public"

    merge = {"Content-Type": "application/merge-patch+json", **ann}
    changed = site.client.patch(location, content=b'{"meta": {"visibility": "private"}}', headers=merge)
    assert changed.json()["visibility"] == "private"
    assert site.client.get(location).status_code == 404
    assert site.client.get(location, headers=ann).json()["content"] == "another"

    assert site.client.delete(location, headers=ann).status_code == 204
    for headers in (ann, {}):
        assert site.client.get(location, headers=headers).status_code == 404
    assert site.client.delete(location, headers=ann).status_code == 404
    assert site.client.get("/api/v1/ideas?active_only=false", headers=ann).json()["items"] == []


def test_a_stranger_sees_what_is_public_and_no_more_about_it(site: Site) -> None:
    post(site, content="public one")
    post(site, content="private one", meta={"visibility": "private"})
    post(site, content="unlisted one", meta={"visibility": "unlisted"})
    found = site.client.get("/api/v1/ideas").json()
    assert [each["content"] for each in found["items"]] == ["public one"]
    assert found["next"] is None
    assert "owner" not in found["items"][0]
    assert "visibility" not in found["items"][0]
    mine = site.client.get("/api/v1/ideas", headers=site.log_in("ann")).json()["items"]
    assert len(mine) == 3
    as_stranger = site.client.get("/api/v1/ideas?level=public_full", headers=site.log_in("ann")).json()[
        "items"
    ]
    assert [each["content"] for each in as_stranger] == ["public one"]


def test_only_the_owner_and_admins_change_an_entry(site: Site) -> None:
    site.add_user("ben")
    site.add_user("cyd")
    location = post(site, by="ben")
    cyd = site.log_in("cyd")
    assert site.client.put(location, json=IDEA, headers=cyd).status_code in (403, 404)
    assert site.client.delete(location, headers=cyd).status_code in (403, 404)
    assert site.client.patch(location, json={"content": "x"}, headers=cyd).status_code in (403, 404)
    assert site.client.delete(location).status_code == 401
    assert site.client.delete(location, headers=site.log_in("ann")).status_code == 204


def test_what_was_written_is_said_to_be_whatever_the_client_takes(site: Site) -> None:
    ann = {**site.log_in("ann"), "Accept": "text/html"}
    made = site.client.post("/api/v1/ideas", json=IDEA, headers=ann)
    assert made.status_code == 201
    assert site.client.put(location_of(made), json=IDEA, headers=ann).status_code == 200


def test_both_addresses_answer_with_one_person_and_with_many(site: Site) -> None:
    post(site, content="of ann")
    for _ in range(2):
        for path in ("/api/v1/ideas", "/api/v1/ideas/users/ann"):
            found = site.client.get(path)
            assert found.status_code == 200
            assert [each["content"] for each in found.json()["items"]] == ["of ann"]
        if site.client.get("/api/v1/system/info").json()["mode"] == "single_user":
            site.add_user("ben")
            post(site, by="ben", content="of ben")
    assert [e["content"] for e in site.client.get("/api/v1/ideas/users/ben").json()["items"]] == ["of ben"]


def test_a_name_with_odd_characters_has_an_address(site: Site) -> None:
    for name, encoded in (("a/b", "a%2Fb"), ("mäx ö", "m%C3%A4x%20%C3%B6"), ("..", "..%2F")):
        if name != "..":
            site.add_user(name)
            post(site, by=name)
        expected = 404 if name == ".." else 200
        assert site.client.get(f"/api/v1/ideas/users/{encoded}").status_code == expected


def test_pages_follow_each_other_and_never_overlap(site: Site) -> None:
    for number in range(5):
        post(site, content=f"idea {number}")
    seen, path = [], "/api/v1/ideas?limit=2"
    while path:
        answer = site.client.get(path)
        body = answer.json()
        seen += [each["content"] for each in body["items"]]
        if body["next"] is None:
            assert "link" not in answer.headers
            break
        path = urljoin(path, answer.headers["link"].partition(">")[0].removeprefix("<"))
        assert body["next"] in path
    assert seen == [f"idea {number}" for number in range(5)]


@pytest.mark.parametrize("path", ["/api/v1/endpoints", "/api/v1/endpoints/ideas", "/api/v1/system/info"])
def test_fixed_addresses_are_never_taken_for_kinds(site: Site, path: str) -> None:
    ann = site.log_in("ann")
    with site.writing() as connection:
        for kind_id, name in enumerate(("endpoints", "system", "info"), 900):
            run(
                connection,
                "INSERT INTO endpoints (id, name, schema, is_active, is_public) VALUES (?, ?, '{}', 1, 1)",
                kind_id,
                name,
            )
    before = site.client.get(path).json()
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = site.client.request(method, path, json=IDEA, headers=ann)
        assert answer.status_code in (405, 404, 422)  # no such method, no own kind, and no kind at all
        assert site.client.get("/api/v1/ideas").json()["items"] == []
    assert site.client.get(path).json() == before


def test_the_list_of_endpoints_hides_what_is_not_public(site: Site) -> None:
    with site.writing() as connection:
        connection.exec_driver_sql("UPDATE endpoints SET is_public = 0 WHERE name = 'goals'")
        connection.exec_driver_sql("UPDATE endpoints SET is_active = 0 WHERE name = 'quotes'")
    post(site, kind="goals")
    names = [each["name"] for each in site.client.get("/api/v1/endpoints").json()["items"]]
    assert "ideas" in names
    assert not {"goals", "quotes"} & set(names)
    for path in ("/api/v1/endpoints/goals", "/api/v1/goals", "/api/v1/goals/1", "/api/v1/goals/users/ann"):
        unknown = site.client.get(path.replace("goals", "nokind"))
        hidden = site.client.get(path)
        assert hidden.status_code == unknown.status_code == 404
        same = [
            {k: v for k, v in each.json().items() if k not in ("request_id", "instance")}
            for each in (hidden, unknown)
        ]
        assert str(same[0]).replace("goals", "nokind") == str(same[1])
    info = site.client.get("/api/v1/system/info").json()
    assert "goals" not in [each["name"] for each in info["endpoints"]]


def test_system_info_tells_versions_and_mode_and_no_address(site: Site) -> None:
    from app import __version__
    from app.upgrade.versions.releases import NEWEST

    answer = site.client.get("/api/v1/system/info")
    info = answer.json()
    assert (info["version"], info["database_version"], info["mode"]) == (__version__, NEWEST, "single_user")
    assert "@" not in answer.text
    assert len(info["endpoints"]) == info["total_endpoints"] == len(built_in())
    site.add_user("ben")
    assert site.client.get("/api/v1/system/info").json()["mode"] == "single_user"  # ben shows nothing
    post(site, by="ben")
    assert site.client.get("/api/v1/system/info").json()["mode"] == "multi_user"


def test_privacy_level_is_a_ceiling_for_strangers(site: Site) -> None:
    post(site, kind="resume", name="Ann Bee", title="Engineer", content=None, meta=None, summary="x")
    asked = {level: site.client.get(f"/api/v1/resume?level={level}").status_code for level in
             ("business_card", "professional", "ai_safe", "public_full")}  # fmt: skip
    assert set(asked.values()) == {200}


def test_an_address_may_have_a_slug_for_the_id(site: Site) -> None:
    owner = site.log_in("ann")
    made = site.client.post("/api/v1/ideas?slug=on-bees", json=IDEA, headers=owner)
    assert (made.status_code, made.json()["slug"]) == (201, "on-bees"), made.text
    entry_id = made.json()["id"]
    address = "/api/v1/ideas/on-bees"
    assert site.client.get(address).json() == site.client.get(f"/api/v1/ideas/{entry_id}").json()
    assert "slug" not in site.client.get(address).json()
    changed = site.client.patch(f"{address}?slug=on-wasps", json={"content": "b"}, headers=owner)
    assert (changed.status_code, changed.json()["slug"]) == (200, "on-wasps")
    again = site.client.post("/api/v1/ideas?slug=on-wasps", json=IDEA, headers=owner)
    assert again.status_code == 409
    none = site.client.get(address)
    hide = site.client.patch("/api/v1/ideas/on-wasps", json={"visibility": "private"}, headers=owner)
    hidden = site.client.get("/api/v1/ideas/on-wasps")
    assert hide.status_code == 200
    parts = [{**each.json(), "instance": "", "request_id": ""} for each in (none, hidden)]
    assert (none.status_code, hidden.status_code) == (404, 404)
    assert parts[0] == parts[1]
    assert site.client.put("/api/v1/ideas/on-wasps", json=IDEA, headers=owner).status_code == 200
    assert site.client.delete("/api/v1/ideas/on-wasps", headers=owner).status_code == 204
    assert site.client.post("/api/v1/ideas?slug=7", json=IDEA, headers=owner).status_code == 422
