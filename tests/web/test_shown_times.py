"""Publication times over HTTP: does an entry come and go with the clock, in kept answers too?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from app import clock
from tests.web.conftest import Site
from tests.web.test_entries import post
from tests.web.test_problems import check_problem


def test_an_entry_comes_and_goes_at_its_time_in_kept_answers_too(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = clock.now()
    moment = begin
    monkeypatch.setattr(clock, "now", lambda: moment)
    times = {
        "publish_at": (begin + timedelta(minutes=1)).isoformat(),
        "expires_at": (begin + timedelta(minutes=2)).isoformat(),
    }
    path = post(site, content="timed", meta=times)
    lists = ("/api/v1/ideas", "/api/v1/ideas?limit=5", "/api/v1/goals/users/ann", "/api/v1/ideas?q=timed")
    told: list[list[tuple[int, int]]] = []
    for minutes in (0, 1, 2, 1, 0, 2):
        moment = begin + timedelta(minutes=minutes, seconds=1)
        for _ in range(2):  # the second time from what is kept
            answers = [site.client.get(address) for address in lists]
            items = [len(one.json().get("items", [])) for one in answers]
            told.append([*zip([one.status_code for one in answers], items, strict=True)])
            assert site.client.get(path).status_code == (200 if minutes == 1 else 404)
    hidden, shown = ([(200, 0), (200, 0), (404, 0), (200, 0)], [(200, 1), (200, 1), (200, 0), (200, 1)])
    assert told == [each for each in (hidden, shown, hidden, shown, hidden, hidden) for _ in range(2)]


def test_a_draft_is_answered_as_what_is_not_there(site: Site) -> None:
    path = post(site, content="secret plan", meta={"status": "draft"})
    own = site.client.get(path, headers=site.log_in("ann")).json()
    assert own["visibility"] == "public"
    assert own["warnings"] == []
    draft, nothing = site.client.get(path), site.client.get("/api/v1/ideas/12345")
    assert {**draft.json(), "request_id": "", "instance": ""} == {
        **nothing.json(),
        "request_id": "",
        "instance": "",
    }
    assert site.client.get("/api/v1/ideas").json()["items"] == []
    headers = site.log_in("ann")
    answer = site.client.post(
        "/api/v1/ideas", json={"content": "x", "meta": {"publish_at": "soon"}}, headers=headers
    )
    problem = check_problem(answer, 422, "invalid_content")
    assert problem["errors"][0]["pointer"] == "/meta/publish_at"


def test_what_meta_does_not_know_is_kept_and_named(site: Site) -> None:
    meta = {"title": "t", "language": "de", "mood": "good", "expires_at": "2999", "date": "2026-03"}
    path = post(site, content="x", meta=meta)
    own = site.client.get(path, headers=site.log_in("ann")).json()
    assert own["meta"] == meta
    assert [one["pointer"] for one in own["warnings"]] == ["/meta/mood"]
    assert site.client.get(path).json()["meta"] == {"title": "t", "language": "de", "date": "2026-03"}
