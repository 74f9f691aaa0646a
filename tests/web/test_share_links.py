"""Share links over HTTP: is a link that is over, to the byte, one that never was?"""

from __future__ import annotations

import logging

import pytest

from tests.web.conftest import Site
from tests.web.test_entries import post
from tests.web.test_problems import check_problem


def make(site: Site, **what: object) -> dict[str, object]:
    answer = site.client.post("/api/v1/links", json=what, headers=site.log_in("ann"))
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made


def told(site: Site, url: object) -> tuple[int, list[tuple[str, str]], bytes]:
    answer = site.client.get(str(url), headers={"x-request-id": "the-same"})
    headers = [each for each in answer.headers.items() if not each[0].startswith("ratelimit")]
    token = str(url).rpartition("/")[2]
    return answer.status_code, headers, answer.content.replace(token.encode(), b"")


@pytest.fixture
def entry(site: Site) -> int:
    path = post(site, content="unlisted", meta={"visibility": "unlisted"})
    return int(path.rpartition("/")[2])


def test_a_used_up_link_answers_as_one_that_never_was(site: Site, entry: int) -> None:
    made = make(site, entries=[entry], views_most=2, label="for a friend")
    url, never = str(made["url"]), f"/api/v1/shared/{'A' * 22}"
    assert [told(site, url)[0] for _ in range(2)] == [200, 200]
    assert told(site, url) == told(site, never)
    assert told(site, url)[0] == 404
    own = site.client.get(f"/api/v1/links/{made['id']}", headers=site.log_in("ann")).json()
    assert (own["views_count"], own["is_over"], own["label"]) == (2, True, "for a friend")


def test_a_revoked_link_answers_as_one_that_never_was(site: Site, entry: int) -> None:
    made = make(site, entries=[entry])
    answer = site.client.get(str(made["url"]))
    assert [one["content"] for one in answer.json()["items"]] == ["unlisted"]
    assert answer.headers["cache-control"] == "private, no-store"
    assert "access-control-allow-origin" not in answer.headers
    headers = site.log_in("ann")
    assert site.client.delete(f"/api/v1/links/{made['id']}", headers=headers).status_code == 204
    assert told(site, made["url"]) == told(site, f"/api/v1/shared/{'A' * 22}")
    assert site.client.get("/api/v1/links", headers=headers).json()["items"] == []


def test_an_unlisted_entry_stays_unknown_by_its_id(site: Site, entry: int) -> None:
    make(site, entries=[entry])
    check_problem(site.client.get(f"/api/v1/ideas/{entry}"), 404, "not_found")
    assert site.client.get("/api/v1/ideas").json()["items"] == []


def test_no_log_has_the_text_of_a_link(site: Site, entry: int, caplog: pytest.LogCaptureFixture) -> None:
    url = str(make(site, entries=[entry], views_most=1)["url"])
    with caplog.at_level(logging.DEBUG):
        site.client.get(url)
        site.client.get(url)
    ours = "\n".join(
        one.getMessage() + str(vars(one)) for one in caplog.records if one.name.startswith("app")
    )
    assert url.rpartition("/")[2] not in ours
    assert "/api/v1/shared/..." in ours


def test_pages_of_a_link_lead_on(site: Site) -> None:
    for number in range(3):
        post(site, content=f"n{number}", meta={"visibility": "unlisted"})
    url = str(make(site, kinds=["ideas"])["url"])
    first = site.client.get(f"{url}?limit=2")
    assert first.headers["link"] == f'<?limit=2&cursor={first.json()["next"]}>; rel="next"'
    rest = site.client.get(f"{url}?cursor={first.json()['next']}").json()
    assert [one["content"] for one in (*first.json()["items"], *rest["items"])] == ["n0", "n1", "n2"]
