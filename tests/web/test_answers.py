"""Are answers kept only where they are everyone's, thrown away with every commit, and spared where known?"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from app.settings import Settings
from app.web.bodies import is_unchanged
from tests.databases import locked_outside, outside
from tests.web.conftest import Site
from tests.web.test_entries import IDEA, post

SECURITY = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}
PUBLIC_PATHS = ["/", "/api/v1/ideas", "/api/v1/ideas/users/ann", "/api/v1/endpoints", "/api/v1/system/info"]


def test_tags_are_equal_exactly_where_bodies_are(site: Site) -> None:
    """Of lists too, whose tag is made of the hashes of what is in them, and whoever makes them."""
    queries = [f"?limit={limit}{more}" for limit in (1, 2, 3, 200) for more in ("", "&level=professional")]
    paths = [f"/api/v1/{kind}{query}" for kind in ("ideas", "goals") for query in queries]
    found: list[tuple[str, bytes]] = []
    for number in range(4):
        post(site, content=f"number {number}")
        for path in (*paths, *paths, *PUBLIC_PATHS, "/api/v1/ideas?page=1&size=2"):
            if number % 2:
                site.app.server.response_cache.forget()
            answer = site.client.get(path)
            found.append((answer.headers["etag"], answer.content))
    assert len({tag for tag, _ in found}) == len({body for _, body in found}) == len(set(found)) > 10


@pytest.mark.parametrize("path", PUBLIC_PATHS)
def test_a_strangers_answer_is_everybodys(site: Site, path: str) -> None:
    post(site)
    for _ in range(2):  # the second one is a kept one
        answer = site.client.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, no-cache"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert {"Authorization", "X-API-Key"} <= set(answer.headers["vary"].split(", "))
        assert re.fullmatch('"[0-9a-f]{32}"', answer.headers["etag"])
        assert answer.headers["content-type"] == "application/json"
        assert SECURITY.items() <= dict(answer.headers).items()
        assert "strict-transport-security" not in answer.headers
        assert "x-xss-protection" not in answer.headers
        assert answer.headers["x-request-id"]


@pytest.mark.parametrize("path", PUBLIC_PATHS)
def test_who_has_it_already_gets_304_and_no_body(site: Site, path: str) -> None:
    post(site)
    etag = site.client.get(path).headers["etag"]
    for sent in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = site.client.get(path, headers={"If-None-Match": sent})
        assert answer.status_code == 304
        assert answer.content == b""
        assert answer.headers["etag"] == etag
        assert answer.headers["cache-control"] == "public, no-cache"
        assert "vary" in answer.headers
    assert site.client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", [*PUBLIC_PATHS, "/health", "/nothing"])
def test_head_is_get_without_a_body(site: Site, path: str) -> None:
    get, head = site.client.get(path), site.client.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    ignored = {"x-request-id", "date"}
    if path not in ("/health", "/nothing"):
        assert {k: v for k, v in head.headers.items() if k not in ignored} == {
            k: v for k, v in get.headers.items() if k not in ignored
        }


def test_what_depends_on_the_caller_is_kept_by_nobody(site: Site) -> None:
    location = post(site)
    ann = site.log_in("ann")
    for path in ("/api/v1/ideas", location, "/api/v1/endpoints", "/auth/me"):
        answer = site.client.get(path, headers=ann)
        assert answer.headers["cache-control"] == "private, no-store"
        assert "access-control-allow-origin" not in answer.headers
        again = site.client.get(path, headers={**ann, "If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert again.headers["cache-control"] == "private, no-store"


def test_a_kept_answer_ends_with_the_next_commit_of_anybody(site: Site) -> None:
    location = post(site, content="first")
    assert len(site.client.get("/api/v1/ideas").json()["items"]) == 1
    post(site, content="second")
    assert len(site.client.get("/api/v1/ideas").json()["items"]) == 2
    with outside(site.settings.database_url) as beside:
        beside.execute(text("UPDATE data_entries SET visibility = 'private' WHERE data LIKE '%first%'"))
    assert [e["content"] for e in site.client.get("/api/v1/ideas").json()["items"]] == ["second"]
    assert site.client.get(location).status_code == 404
    with site.writing() as connection:
        connection.exec_driver_sql("UPDATE users SET is_active = 0")
    assert site.client.get("/api/v1/ideas").json()["items"] == []


def test_different_questions_have_different_answers(site: Site) -> None:
    post(site, kind="resume", name="Ann Bee", title="Engineer", summary="about work", content=None, meta=None)
    bodies = {
        level: site.client.get(f"/api/v1/resume?level={level}").text
        for level in ("business_card", "public_full")
    }
    assert bodies["business_card"] != bodies["public_full"]
    for level, body in bodies.items():
        assert site.client.get(f"/api/v1/resume?level={level}").text == body


def test_a_kept_answer_is_not_for_who_takes_no_json(site: Site) -> None:
    site.client.get("/api/v1/ideas")
    assert site.client.get("/api/v1/ideas", headers={"Accept": "text/html"}).status_code == 406
    assert site.client.get("/api/v1/ideas", headers={"Accept": "application/*"}).status_code == 200


def test_hsts_only_over_https(site: Site) -> None:
    for _ in range(2):
        secure = site.client.get("https://daemon.example/api/v1/ideas")
        assert secure.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in site.client.get("/api/v1/ideas").headers


def test_hsts_where_a_trusted_proxy_speaks_https(serve: Callable[..., Site], settings: Settings) -> None:
    site = serve(replace(settings, trusted_proxies=("192.0.2.0/24",)))
    forwarded = {"X-Forwarded-Proto": "https"}
    assert "strict-transport-security" in site.client.get("/", headers=forwarded).headers
    assert "strict-transport-security" not in site.client.get("/").headers


def test_a_database_that_another_program_locks_holds_up_nobody_who_does_not_need_it(site: Site) -> None:
    assert site.client.get("/api/v1/ideas").status_code == 200
    with locked_outside(site.settings.database_url):
        waiting = threading.Thread(target=lambda: site.client.get("/api/v1/ideas"))
        waiting.start()
        began = time.monotonic()
        for path in ("/health/live", "/health", "/", "/nothing"):
            assert site.client.get(path).status_code in (200, 404)
        assert time.monotonic() - began < 5
    waiting.join()


def test_what_was_written_is_there_when_the_answer_is(site: Site) -> None:
    with outside(site.settings.database_url) as beside:
        for number in range(3):
            made = site.client.post(
                "/api/v1/ideas", json={**IDEA, "content": str(number)}, headers=site.log_in("ann")
            )
            query = text("SELECT COUNT(*) FROM data_entries WHERE id = :id")
            assert beside.execute(query, {"id": made.json()["id"]}).scalar_one() == 1


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        ("", False),
        ("*", True),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ('"ab"', False),
        ("a", False),
    ],
)
def test_if_none_match_is_read_as_http_has_it(sent: str, known: bool) -> None:
    assert is_unchanged(sent, '"a"') == known


def test_a_kept_answer_is_sent_without_the_framework(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked most costs no routing, no dependency and no model."""
    site.app.server.jobs.stop()  # what they find in texts is something that views are made of
    asked: list[str] = []
    framework = site.app._middleware._app

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        await framework(scope, receive, send)

    monkeypatch.setattr(site.app._middleware, "_app", watched)
    answers = [site.client.get("/api/v1/ideas") for _ in range(3)]
    assert {answer.content for answer in answers} == {answers[0].content}
    assert asked == ["/api/v1/ideas"]
