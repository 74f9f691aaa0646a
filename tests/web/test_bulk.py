"""Over HTTP: are many entries written at once, all of them or none, with a report that names each fault?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from app import clock
from app.accounts import api_keys
from app.accounts.api_keys import NewKey
from app.accounts.key_scope import new_scope
from app.entries import bulk, bulk_items, write
from app.privacy.viewer import Viewer
from tests.web.conftest import Site

ADDRESS = "/api/v1/ideas/bulk"
LONG = "word " * 3_000  # longer than what is searched in the turn to write

Headers = dict[str, str]


@pytest.fixture
def ann(site: Site) -> Headers:
    return site.log_in("ann")


def send(site: Site, items: Any, headers: Headers, address: str = ADDRESS) -> Any:
    return site.client.post(address, json=items, headers=headers)


def idea(text: str, **more: Any) -> dict[str, Any]:
    return {"content": {"content": text}, **more}


def contents(site: Site, headers: Headers, kind: str = "ideas") -> list[str]:
    found = site.client.get(f"/api/v1/{kind}?sort=created", headers=headers).json()["items"]
    return [each["data"]["content"] for each in found]


def test_new_ones_and_those_that_are_there_in_one_request(site: Site, ann: Headers) -> None:
    first = send(site, [idea("a", slug="a"), idea("b")], ann).json()
    assert (first["created_count"], first["replaced_count"]) == (2, 0)
    b = first["items"][1]["id"]
    items = [idea("a2", slug="a"), idea("b2", id=b, slug="b"), idea("c", slug="c"), idea(LONG)]
    answer = send(site, items, ann)
    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert (report["created_count"], report["replaced_count"]) == (2, 2)
    assert [(each["index"], each["status"], each["slug"]) for each in report["items"]] == [
        (0, 200, "a"),
        (1, 200, "b"),
        (2, 201, "c"),
        (3, 201, None),
    ]
    assert [each["id"] for each in report["items"][:2]] == [each["id"] for each in first["items"]]
    assert contents(site, ann) == ["a2", "b2", "c", LONG]
    assert site.client.get("/api/v1/ideas/b", headers=ann).json()["id"] == b


def test_where_one_fails_nothing_is_written_and_every_fault_is_named(site: Site, ann: Headers) -> None:
    mine = send(site, [idea("mine", slug="mine")], ann).json()["items"][0]["id"]
    site.add_user("ben")
    ben = site.log_in("ben")
    theirs = send(site, [{"content": {"content": "x", "visibility": "private"}}], ben).json()["items"][0][
        "id"
    ]
    items = [
        idea("changed", slug="mine"),  # and this one is well
        {"content": {"content": 7, "meta": 7}},
        idea("x", slug="No Slug"),
        idea("x", slug="bulk"),
        idea("x", id=10**12),
        idea("again", id=mine),
        {"content": "x"},
        {"content": {"content": "x"}, "more": 1},
        7,
        idea("new"),
    ]
    answer = send(site, items, ann)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "bulk_refused"
    assert [(each["index"], each["status"]) for each in problem["items"]] == [
        (1, 422),
        (2, 422),
        (3, 422),
        (4, 404),
        (5, 422),
        (6, 422),
        (7, 422),
        (8, 422),
    ]
    pointers = [[one["pointer"] for one in each["errors"]] for each in problem["items"]]
    assert "/content/content" in pointers[0]
    assert pointers[1:] == [["/slug"], ["/slug"], [""], ["/id"], ["/content"], ["/more"], [""]]
    assert {"/1/content/content", "/2/slug", "/8"} <= {each["pointer"] for each in problem["errors"]}
    assert contents(site, ann) == ["mine"]
    of_others = send(site, [idea("x", id=theirs)], site.log_in("ben") | ann).json()
    assert of_others["replaced_count"] == 1  # an admin may
    assert send(site, [idea("x", id=mine)], ben).json()["items"][0]["status"] == 403
    assert contents(site, ann) == ["mine"]


def test_what_one_may_not_know_of_is_no_entry(site: Site, ann: Headers) -> None:
    made = send(site, [{"content": {"content": "x", "visibility": "private"}}], ann).json()["items"][0]["id"]
    site.add_user("ben")
    ben = site.log_in("ben")
    of_nothing, of_hers = (
        send(site, [idea("x", id=each)], ben).json()["items"] for each in (made + 10**9, made)
    )
    assert of_hers == of_nothing
    assert send(site, [idea("x", slug="hers")], ann).is_success
    assert send(site, [idea("x", slug="hers")], ben).json()["created_count"] == 1


def test_only_new_ones_where_that_is_asked_for(site: Site, ann: Headers) -> None:
    send(site, [idea("a", slug="a")], ann)
    refused = send(site, [idea("b", slug="b"), idea("a2", slug="a")], ann, f"{ADDRESS}?mode=create")
    assert [(each["index"], each["status"]) for each in refused.json()["items"]] == [(1, 409)]
    assert contents(site, ann) == ["a"]
    assert send(site, [], ann, f"{ADDRESS}?mode=all").status_code == 400


def test_what_was_changed_while_it_was_prepared_is_prepared_again(
    site: Site, ann: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = send(site, [idea("a", slug="a"), idea("b", slug="b")], ann).json()["items"][0]["id"]
    prepared: list[bool] = []
    prepare = bulk.prepare

    def while_others_write(looked: bulk.Looked) -> bulk.Prepared:
        if not prepared:
            with site.writing() as connection:
                write.replace(
                    connection, Viewer("person", site.user("ann").id), "ideas", made, {"content": "x"}
                )
        prepared.append(True)
        return prepare(looked)

    monkeypatch.setattr(bulk, "prepare", while_others_write)
    assert send(site, [idea("a2", slug="a"), idea("b2", slug="b")], ann).json()["replaced_count"] == 2
    assert len(prepared) == 2
    assert contents(site, ann) == ["a2", "b2"]
    states = site.client.get("/api/v1/ideas/a/revisions", headers=ann).json()["items"]
    assert [each["number"] for each in states] == [3, 2, 1]


def test_lines_of_json_are_taken(site: Site, ann: Headers) -> None:
    lines = "\n".join(json.dumps(each) for each in (idea("a"), idea("b"))) + "\n\n"
    for media_type in ("application/x-ndjson", "application/jsonl"):
        headers = {**ann, "Content-Type": media_type}
        answer = site.client.post(ADDRESS, content=lines, headers=headers)
        assert answer.json()["created_count"] == 2
    broken = site.client.post(ADDRESS, content=lines + '{"content"\n', headers=headers)
    assert [(each["index"], each["status"]) for each in broken.json()["items"]] == [(2, 422)]
    assert len(contents(site, ann)) == 4
    other = site.client.post(ADDRESS, content=lines, headers={**ann, "Content-Type": "text/plain"})
    assert other.status_code == 415


def test_the_number_of_items_is_bounded(site: Site, ann: Headers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_items, "ITEMS_MOST", 2)
    assert send(site, [idea("a")] * 3, ann).status_code == 413
    assert send(site, [idea("a")] * 2, ann).status_code == 200
    assert send(site, idea("a"), ann).status_code == 422
    assert send(site, [], ann).json() == {"items": [], "created_count": 0, "replaced_count": 0}


def test_it_is_carried_out_once(site: Site, ann: Headers) -> None:
    keyed = {**ann, "Idempotency-Key": "once"}
    first, again = send(site, [idea("a")], keyed), send(site, [idea("a")], keyed)
    assert first.content == again.content
    assert contents(site, ann) == ["a"]


def test_a_kind_of_ones_own_is_held_to_its_schema(site: Site, ann: Headers) -> None:
    schema = {"type": "object", "required": ["dish"], "properties": {"dish": {"type": "string"}}}
    kind = {"name": "recipes", "schema": schema, "example": {"dish": "Soup"}}
    assert site.client.post("/api/v1/endpoints", json=kind, headers=ann).status_code == 201
    address = "/api/v1/recipes/bulk"
    refused = send(site, [{"content": {"dish": "Soup"}}, {"content": {"dish": 7}}], ann, address).json()
    assert [one["pointer"] for one in refused["errors"]] == ["/1/content/dish"]
    assert send(site, [{"content": {"dish": "Soup"}}], ann, address).json()["created_count"] == 1
    assert send(site, [], ann, "/api/v1/no_such_kind/bulk").status_code == 404


def test_a_key_that_only_creates_replaces_nothing(site: Site, ann: Headers) -> None:
    send(site, [idea("a", slug="a")], ann)
    with site.writing() as connection:
        user = site.user("ann")
        new = NewKey("creates", new_scope(verbs=["create"]))
        key = {"X-API-Key": api_keys.make_key(connection, user, new, clock.now())[1]}
        changes = NewKey("changes", new_scope(verbs=["read", "change"]))
        other = {"X-API-Key": api_keys.make_key(connection, user, changes, clock.now())[1]}
    assert send(site, [idea("a2", slug="a")], key).json()["items"][0]["status"] == 403
    assert send(site, [idea("b", slug="b")], key).is_success
    assert send(site, [idea("a2", slug="a")], other).status_code == 403
    assert contents(site, ann) == ["a", "b"]


def test_what_is_hidden_before_is_hidden_in_a_bulk(site: Site, ann: Headers) -> None:
    assert site.client.post(
        "/api/v1/privacy/never-list", json={"word": "Rumpelstiltskin"}, headers=ann
    ).is_success
    send(site, [idea("It was Rumpelstiltskin."), idea(f"Rumpelstiltskin {LONG}")], ann)
    assert "Rumpelstiltskin" not in site.client.get("/api/v1/ideas").text
    assert len(site.client.get("/api/v1/ideas").json()["items"]) == 2
