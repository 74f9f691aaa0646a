"""Share links over HTTP: is a link that is over, to the byte, one that never was?"""

from __future__ import annotations

import logging

import pytest

from tests.web.conftest import Site
from tests.web.test_entries import post
from tests.web.test_pages import HTML, RESUME, check_page, hrefs
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
        post(site, content=f"thought number {number}", meta={"visibility": "unlisted"})
    url = str(make(site, kinds=["ideas"])["url"])
    first = site.client.get(f"{url}?limit=2")
    assert first.headers["link"] == f'<?limit=2&cursor={first.json()["next"]}>; rel="next"'
    rest = site.client.get(f"{url}?cursor={first.json()['next']}").json()
    assert [one["content"] for one in (*first.json()["items"], *rest["items"])] == [
        f"thought number {number}" for number in range(3)
    ]


def page(site: Site, url: object, status: int = 200) -> str:
    answer = site.client.get(str(url), headers={**HTML, "x-request-id": "the-same"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert '<meta name="robots" content="noindex' in answer.text
    return answer.text


def test_a_link_opened_in_a_browser_is_a_page_that_says_what_its_json_says(site: Site) -> None:
    content = {"title": "Swarms", "content": "They leave in May.", "email": "ann@bees.example"}
    path = post(site, **content, meta={"visibility": "unlisted"})
    url = str(make(site, entries=[int(path.rpartition("/")[2])], level="public_full")["url"])
    text = page(site, url)
    check_page(text)
    assert "<h1><bdi>Swarms</bdi></h1>" in text
    assert "They leave in May." in text
    shown = site.client.get(url, headers={"Accept": "*/*"})
    assert "text/html" not in shown.headers["content-type"]
    assert ("ann@bees.example" in text) == ("ann@bees.example" in shown.text)
    answer = site.client.get(url, headers=HTML)
    assert "Accept" in answer.headers["vary"].split(", ")
    assert "access-control-allow-origin" not in answer.headers
    assert shown.headers["etag"] != answer.headers["etag"]


def test_a_page_of_a_link_obeys_its_level_and_names_no_other_address(site: Site) -> None:
    headers = site.log_in("ann")
    resume = {**RESUME, "meta": {"visibility": "public"}}
    assert site.client.post("/api/v1/resume", json=resume, headers=headers).status_code == 201
    post(site, content="One <script>alert(1)</script>", meta={"visibility": "unlisted"})
    post(site, content="Private", meta={"visibility": "private"})
    url = str(make(site, kinds=["ideas", "resume"], level="business_card")["url"])
    text = page(site, url)
    check_page(text)
    assert "Ann Bee" in text
    program = site.client.get(url).text
    for word in ("Copperline", "Twenty years", "ann@bees.example", "+44 20 7946 0018", "90000"):
        assert (word in text) == (word in program), word
    for hidden in ("+44 20 7946 0018", "90000", "Private", "<script", "/@", url.rpartition("/")[2]):
        assert hidden not in text, hidden
    assert [one for one in hrefs(text) if not one.startswith(("#", "../../../assets/", "https://"))] == []


def test_pages_and_heads_of_a_link_count_as_its_json_does(site: Site, entry: int) -> None:
    url = str(make(site, entries=[entry], views_most=3)["url"])
    page(site, url)
    assert site.client.head(url, headers=HTML).status_code == 200
    assert site.client.get(url).status_code == 200
    never = f"/api/v1/shared/{'A' * 22}"
    assert page(site, url, 404) == page(site, never, 404)
    assert url.rpartition("/")[2] not in page(site, url, 404)
    check_problem(site.client.get(url), 404, "not_found")


def test_pages_of_a_link_speak_german_and_lead_on(site: Site) -> None:
    headers = site.log_in("ann")
    wished = site.client.put("/api/v1/me/page", json={"language": "de"}, headers=headers)
    assert wished.status_code == 200, wished.text
    for number in range(3):
        post(site, content=f"thought number {number}", meta={"visibility": "unlisted"})
    url = str(make(site, kinds=["ideas"])["url"])
    first = page(site, f"{url}?limit=2")
    assert '<html lang="de"' in first
    assert "<h1><bdi>Mit dir geteilt</bdi></h1>" in first
    assert "<h2><bdi>Ideen</bdi></h2>" in first
    (following,) = [one for one in hrefs(first) if one.startswith("?")]
    rest = page(site, url + following)
    assert [f"thought number {number}" in first for number in range(3)] == [True, True, False]
    assert [f"thought number {number}" in rest for number in range(3)] == [False, False, True]
