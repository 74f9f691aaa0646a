"""Is who lets no assistant in not there for one, at every level and through every cache?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import Site

IDEA = {"content": "a public idea", "meta": {"visibility": "public"}}
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
ASSISTANT = {"User-Agent": "Mozilla/5.0 (compatible; Claude-User/1.0; +claudebot@x.example)"}
PUBLIC, PRIVATE = "public, no-cache", "private, no-store"
LEVELS = ("", "?level=public_full", "?level=professional", "?level=business_card", "?level=ai_safe")


@pytest.fixture
def site(site: Site) -> Site:
    """Ann, with an idea and a resume, is the person of addresses without a name; Ben has an idea too."""
    site.add_user("ben")
    for name in ("ann", "ben"):
        header = site.log_in(name)
        assert site.client.post("/api/v1/ideas", json=IDEA, headers=header).status_code == 201
    resume = {"name": "Ann Bee", "title": "Engineer"}
    assert site.client.post("/api/v1/resume", json=resume, headers=site.log_in("ann")).status_code == 201
    return site


def close(site: Site, name: str, *, is_open: bool = False) -> None:
    answer = site.client.patch(
        "/api/v1/privacy/settings", json={"ai_assistant_access": is_open}, headers=site.log_in(name)
    )
    assert answer.status_code == 200, answer.text


def ask(site: Site, path: str, headers: dict[str, str]) -> tuple[int, Any, str]:
    answer = site.client.get(path, headers=headers)
    body = answer.json()
    return answer.status_code, body.get("items", body.get("id")), answer.headers["cache-control"]


@pytest.mark.parametrize("level", LEVELS)
def test_an_assistant_is_answered_as_if_the_person_were_not_there(site: Site, level: str) -> None:
    close(site, "ann")
    for path in ("/api/v1/ideas", "/api/v1/resume"):
        assert ask(site, path + level, ASSISTANT) == (200, [], PRIVATE)
    for path in ("/api/v1/ideas/1", "/api/v1/resume/3"):
        nobodys = ask(site, path.rpartition("/")[0] + "/999" + level, ASSISTANT)
        assert ask(site, path + level, ASSISTANT) == nobodys
        assert nobodys[0] == 404
    by_name, unknown = (
        site.client.get(f"/api/v1/ideas/users/{name}{level}", headers=ASSISTANT) for name in ("ann", "nobody")
    )
    assert (by_name.status_code, by_name.json()["detail"]) == (404, unknown.json()["detail"])
    assert ask(site, "/api/v1/ideas/users/ben" + level, ASSISTANT)[0] in (200, 404)


@pytest.mark.parametrize("level", LEVELS[:3])
def test_everyone_else_is_answered_as_before_and_no_cache_keeps_it(site: Site, level: str) -> None:
    before = ask(site, "/api/v1/ideas" + level, BROWSER)
    assert before[2] == PUBLIC
    close(site, "ann")
    for _ in range(2):
        after = ask(site, "/api/v1/ideas" + level, BROWSER)
        assert after == (*before[:2], PRIVATE)
        assert ask(site, "/api/v1/ideas/1" + level, BROWSER)[2] == PRIVATE
    assert ask(site, "/api/v1/ideas/users/ben" + level, BROWSER)[2] == PUBLIC


def test_no_kept_answer_crosses_from_one_class_to_the_other(site: Site) -> None:
    path = "/api/v1/ideas/users/ben"
    answers = [ask(site, path, agent) for agent in (BROWSER, ASSISTANT, BROWSER, ASSISTANT)]
    assert len({str(each) for each in answers}) == 1
    kept = {address[2] for address in site.app.server.response_cache._kept}
    assert {b"", b"assistant"} <= kept
    assert not any(b"laude" in part or b"irefox" in part for address in kept for part in [address])
    close(site, "ben")
    for _ in range(2):
        assert ask(site, path, BROWSER)[0] == 200
        assert ask(site, path, ASSISTANT)[0] == 404
    close(site, "ben", is_open=True)
    assert ask(site, path, ASSISTANT)[0] == 200


def test_with_a_credential_of_its_own_an_assistant_sees_what_its_owner_gave_it(site: Site) -> None:
    close(site, "ann")
    close(site, "ben")
    owner, other = (site.log_in(name) | ASSISTANT for name in ("ann", "ben"))
    assert ask(site, "/api/v1/ideas/1", owner)[0] == 200
    assert ask(site, "/api/v1/ideas/1", other)[0] == 404
    assert ask(site, "/api/v1/ideas/1", site.log_in("ben") | BROWSER)[0] == 200
