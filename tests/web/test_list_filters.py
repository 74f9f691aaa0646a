"""Filtered lists over HTTP: which addresses take a filter, how do pages lead on, who may keep an answer?"""

from __future__ import annotations

from urllib.parse import urljoin

import pytest

from tests.web.conftest import Site
from tests.web.test_entries import post
from tests.web.test_problems import check_problem

ADDRESSES = ("/api/v1/ideas", "/api/v1/ideas/users/ann")


@pytest.fixture
def filled(site: Site) -> Site:
    for title, tags in (("Bees", ["garden"]), ("Apples", ["garden", "fruit"]), ("Stars", [])):
        post(site, content=f"# {title}", meta={"title": title, "tags": tags})
    post(site, content="x", meta={"title": "Mine", "tags": ["garden", "secret"], "visibility": "private"})
    return site


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_list_is_filtered_sorted_and_cut_to_fields(filled: Site, address: str) -> None:
    asked = {"tag": "garden", "sort": "title", "fields": "meta.title"}
    answer = filled.client.get(address, params=asked)
    assert [one["data"] for one in answer.json()["items"]] == [
        {"meta": {"title": "Apples"}},
        {"meta": {"title": "Bees"}},
    ]
    assert filled.client.get(address, params={"tag": "secret"}).json()["items"] == []
    own = filled.client.get(address, params={"tag": "secret"}, headers=filled.log_in("ann")).json()["items"]
    assert [one["meta"]["title"] for one in own] == ["Mine"]


@pytest.mark.parametrize("headers", [{}, {"X": "own"}])
def test_links_lead_through_a_filtered_list(filled: Site, headers: dict[str, str]) -> None:
    sent = filled.log_in("ann") if headers else {}
    address, found = "/api/v1/ideas?sort=-title&limit=1&utm_source=letter&tag=garden", []
    while address:
        answer = filled.client.get(address, headers=sent)
        found += [one["meta"]["title"] for one in answer.json()["items"]]
        link = answer.headers.get("link", "")
        assert "utm_source" not in link
        address = urljoin(address, link[1 : link.index(">")]) if link else ""
    assert found == (["Mine", "Bees", "Apples"] if headers else ["Bees", "Apples"])


def test_a_filtered_answer_is_kept_by_who_asks_and_not_here(filled: Site) -> None:
    kept = len(filled.app.server.response_cache)
    answer = filled.client.get("/api/v1/ideas?q=bees")
    assert answer.headers["cache-control"] == "public, no-cache"
    assert len(filled.app.server.response_cache) == kept
    tag = answer.headers["etag"]
    assert filled.client.get("/api/v1/ideas?q=bees", headers={"If-None-Match": tag}).status_code == 304
    hidden = post(filled, content="bees", meta={"visibility": "private"})
    assert hidden
    assert filled.client.get("/api/v1/ideas?q=bees", headers={"If-None-Match": tag}).status_code == 304
    shown = filled.client.get("/api/v1/ideas?q=bees", headers={"If-None-Match": tag})
    assert shown.status_code == 304
    post(filled, content="more bees")
    assert filled.client.get("/api/v1/ideas?q=bees", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "sort=phone",
        "since=soon",
        "q=-x",
        "q=",
        "tag=",
        "fields=,",
        "tag=a&page=1&size=2",
        "sort=title&cursor=x",
    ],
)
def test_what_cannot_be_asked_is_a_problem(filled: Site, query: str) -> None:
    problem = check_problem(filled.client.get(f"/api/v1/ideas?{query}"), 400, "usage")
    assert problem["detail"]


def test_a_filter_of_a_large_list_is_asked_in_a_worker_too(filled: Site) -> None:
    for number in range(40):
        post(filled, content=f"{number} {'call 030 1234567 ' * 60}", meta={"title": f"t{number}"})
    filled.app.server.views.forget()
    answer = filled.client.get("/api/v1/ideas?q=t&sort=-title&limit=2")
    assert [one["meta"]["title"] for one in answer.json()["items"]] == ["t9", "t8"]
