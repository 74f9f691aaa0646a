"""Is every query parameter obeyed, refused by name, or known as what a tracker added?"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

import pytest

from app.nearest import edits, nearest
from app.web.parameters import TRACKERS, is_tracker
from tests.web.conftest import Site
from tests.web.test_entries import IDEA, post
from tests.web.test_problems import check_problem

LISTS = ["/api/v1/ideas", "/api/v1/ideas/users/ann"]
FILTER = {"tag", "status", "since", "until", "q", "sort", "fields"}
KNOWN = {"level", "privacy_level", "limit", "cursor", "page", "size", "active_only"} | FILTER


@pytest.mark.parametrize(
    ("path", "name", "meant"),
    [
        ("/api/v1/ideas", "pgae", "page"),
        ("/api/v1/ideas", "Limit", "limit"),
        ("/api/v1/ideas", "offset", None),
        ("/api/v1/ideas", "tags", "tag"),
        ("/api/v1/ideas", "sortt", "sort"),
        ("/api/v1/ideas", "page[size]", None),
        ("/api/v1/ideas/users/ann", "privacylevel", "privacy_level"),
        ("/api/v1/ideas/1", "levl", "level"),
        ("/api/v1/ideas/1", "page", None),
        ("/api/v1/endpoints", "activeonly", "active_only"),
        ("/api/v1/endpoints/ideas", "level", None),
        ("/api/v1/system/info", "verbose", None),
    ],
)
def test_an_unknown_parameter_is_refused_with_the_nearest_name(
    site: Site, path: str, name: str, meant: str | None
) -> None:
    problem = check_problem(site.client.get(path, params={name: "1"}), 400, "unknown_parameter")
    assert repr(name) in problem["detail"]
    assert problem["errors"][0]["pointer"] == f"/query/{name}"
    assert problem["hint"]
    if meant:
        assert f"Did you mean {meant!r}?" in problem["hint"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_does_not_ignore_one_either(site: Site, method: str) -> None:
    path = post(site)
    address = ("/api/v1/ideas" if method == "POST" else path) + "?dry_run=true"
    sent: dict[str, Any] = {} if method == "DELETE" else {"json": IDEA}
    answer = site.client.request(method, address, headers=site.log_in("ann"), **sent)
    check_problem(answer, 400, "unknown_parameter")
    assert len(site.client.get("/api/v1/ideas").json()["items"]) == 1


def test_every_address_below_api_v1_refuses_what_it_does_not_know(site: Site) -> None:
    described = site.client.get("/openapi.json").json()["paths"]
    ann = site.log_in("ann")
    asked = [(path, method) for path, operations in described.items() for method in operations]
    below = [each for each in asked if each[0].startswith("/api/v1/")]
    assert len(below) > 10
    for path, method in below:
        address = re.sub(r"\{[^}]*\}", "1", path)
        sent: dict[str, Any] = {} if method in ("get", "delete") else {"json": {}}
        answer = site.client.request(method, f"{address}?no_such_thing=1", headers=ann, **sent)
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter"), (method, path)
    assert site.client.get("/health?no_such_thing=1").status_code == 200


@pytest.mark.parametrize("query", ["%ff=1", "a=1&%00=2", "a%0d%0ab", "&&x&&", "=1", "%F0%9F%98%80=1"])
def test_an_odd_name_is_refused_like_any_other(site: Site, query: str) -> None:
    assert site.client.get(f"/api/v1/ideas?{query}").status_code == 400


def test_a_parameter_that_is_there_twice_is_refused(site: Site) -> None:
    assert site.client.get("/api/v1/ideas?limit=1&limit=2").status_code == 400


@pytest.mark.parametrize(
    "query",
    ["utm_source=x&utm_medium=y", "fbclid=1", "GCLID=1", "_ga=1&_gl=2", "mc_eid=", "utm_new_thing=1"],
)
def test_what_a_tracker_adds_changes_nothing(site: Site, query: str) -> None:
    for number in range(2):
        post(site, content=str(number))
    plain = site.client.get("/api/v1/ideas?limit=1")
    for path in (f"/api/v1/ideas?{query}&limit=1", f"/api/v1/ideas?limit=1&{query}"):
        tracked = site.client.get(path)
        assert tracked.content == plain.content
        assert tracked.headers["link"] == plain.headers["link"]
    assert len(site.app.server.response_cache) == 1


def test_no_parameter_of_ours_is_taken_for_a_tracker(site: Site) -> None:
    described = site.client.get("/openapi.json").json()
    names = {
        each["name"]
        for operations in described["paths"].values()
        for operation in operations.values()
        for each in operation.get("parameters", [])
        if each["in"] == "query"
    }
    assert names >= KNOWN
    assert not any(is_tracker(name) for name in names)
    assert all(name == name.lower() for name in TRACKERS)


# -- the earlier server's


@pytest.mark.parametrize("path", LISTS)
def test_the_earlier_pages_are_all_of_it_once_and_then_empty(site: Site, path: str) -> None:
    for number in range(5):
        post(site, content=str(number))
    pages = [site.client.get(f"{path}?page={number}&size=2").json()["items"] for number in range(1, 5)]
    assert [[each["content"] for each in page] for page in pages] == [["0", "1"], ["2", "3"], ["4"], []]
    assert len(site.client.get(f"{path}?page=1&active_only=true").json()["items"]) == 5
    assert len(site.client.get(f"{path}?size=3").json()["items"]) == 3


def test_the_link_of_a_page_leads_to_the_next_one_and_next_works_as_a_cursor(site: Site) -> None:
    for number in range(3):
        post(site, content=str(number))
    first = site.client.get("/api/v1/ideas?page=1&size=2")
    link = first.headers["link"].partition(">")[0].removeprefix("<")
    assert site.client.get(urljoin("/api/v1/ideas", link)).json()["items"][0]["content"] == "2"
    by_cursor = site.client.get("/api/v1/ideas", params={"cursor": first.json()["next"]})
    assert by_cursor.json()["items"][0]["content"] == "2"
    assert "link" not in site.client.get("/api/v1/ideas?page=2&size=2").headers


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("page=0", 400),
        ("page=-1", 400),
        ("size=0", 400),
        ("size=101", 400),
        ("page=100&size=100", 200),
        ("page=101&size=100", 400),
        ("page=99999999999999999999", 400),
        ("page=one", 422),
        ("page=1&limit=5", 400),
        ("size=1&cursor=abc", 400),
        ("active_only=maybe", 422),
        ("active_only=false", 200),
        ("active_only=0&page=1", 200),
    ],
)
def test_pages_have_bounds(site: Site, query: str, status: int) -> None:
    assert site.client.get(f"/api/v1/ideas?{query}").status_code == status


def test_what_is_deleted_nobody_is_shown_whatever_is_asked(site: Site) -> None:
    path, ann = post(site), site.log_in("ann")
    site.client.delete(path, headers=ann)
    for sent in ({}, ann):
        assert site.client.get("/api/v1/ideas?active_only=false", headers=sent).json()["items"] == []


def test_the_nearest_word_takes_the_fewest_edits() -> None:
    assert (edits("kitten", "sitting"), edits("", "abc"), edits("abc", "abc")) == (3, 3, 0)
    assert nearest("LIMIT", sorted(KNOWN)) == "limit"
    assert nearest("x" * 100_000, ("a", "b")) == "a"
