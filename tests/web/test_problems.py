"""Is every error a problem document, with a request id, and never a stack trace?"""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from app.entries import read
from tests.web.conftest import Site, wait_until

JSON = {"Content-Type": "application/json"}
MEMBERS = {"type", "title", "status", "detail", "instance", "code", "hint", "request_id", "errors"}


def check_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) == MEMBERS
    assert (body["status"], body["code"]) == (status, code)
    assert urlsplit(urljoin(str(answer.request.url), body["type"])).path == f"/problems/{code}"
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["detail"]
    assert answer.headers["cache-control"] == "no-store"
    assert "Traceback" not in answer.text
    return body


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "code"),
    [
        ("GET", "/nothing", {}, 404, "not_found"),
        ("GET", "/api/v1/ideas/", {}, 404, "not_found"),
        ("GET", "/.well-known/oauth-authorization-server", {}, 404, "not_found"),
        ("GET", "/docs/", {}, 404, "not_found"),
        ("GET", "/api/v1/nothing_of_that_name", {}, 404, "not_found"),
        ("GET", "/api/v1/ideas/1", {}, 404, "not_found"),
        ("GET", "/api/v1/ideas/0", {}, 404, "not_found"),
        ("GET", "/api/v1/ideas/99999999999999999999999", {}, 404, "not_found"),
        ("GET", "/api/v1/ideas/users/no one", {}, 404, "not_found"),
        ("GET", "/api/v1/endpoints/nothing", {}, 404, "not_found"),
        ("GET", "/problems/nothing", {}, 404, "not_found"),
        ("DELETE", "/health", {}, 405, "method_not_allowed"),
        ("PUT", "/api/v1/ideas", {}, 405, "method_not_allowed"),
        ("PUT", "/api/v1/endpoints", {"json": {}}, 405, "method_not_allowed"),
        ("PUT", "/api/v1/endpoints/ideas", {}, 405, "method_not_allowed"),
        ("POST", "/api/v1/system/info", {"json": {}}, 405, "method_not_allowed"),
        ("OPTIONS", "/api/v1/ideas", {}, 405, "method_not_allowed"),
        ("GET", "/api/v1/ideas?level=everything", {}, 400, "unknown_level"),
        ("GET", "/api/v1/ideas?level=", {}, 400, "unknown_level"),
        ("GET", "/api/v1/ideas?level=ai_safe&privacy_level=professional", {}, 400, "usage"),
        ("GET", "/api/v1/ideas?limit=0", {}, 400, "usage"),
        ("GET", "/api/v1/ideas?limit=many", {}, 422, "invalid_request"),
        ("GET", "/api/v1/ideas?cursor=junk", {}, 400, "usage"),
        ("GET", "/api/v1/ideas", {"headers": {"Accept": "text/html"}}, 406, "not_acceptable"),
        ("GET", "/api/v1/ideas?" + "x" * 9000, {}, 414, "too_long"),
        ("GET", "/", {"headers": {f"X-Many-{number}": "x" for number in range(120)}}, 431, "headers_refused"),
        ("GET", "/", {"headers": {"Authorization": "Bearer " + "x" * 9000}}, 431, "headers_refused"),
        ("POST", "/api/v1/ideas", {"json": {"content": "x"}}, 401, "not_authenticated"),
        ("GET", "/auth/me", {}, 401, "not_authenticated"),
        ("POST", "/auth/login", {"json": {"username": "ann"}}, 415, "unsupported_media_type"),
        ("POST", "/auth/login", {"data": {"username": "ann"}}, 422, "invalid_content"),
        ("POST", "/auth/login", {"data": {"username": "ann", "password": "wrong"}}, 401, "not_authenticated"),
        ("POST", "/auth/register", {"json": {"username": "eve"}}, 403, "not_allowed"),
        ("POST", "/auth/register", {"content": b"{", "headers": JSON}, 422, "invalid_content"),
        ("POST", "/auth/register", {"data": {"username": "eve"}}, 415, "unsupported_media_type"),
    ],
)  # fmt: skip
def test_every_refusal_is_a_problem(
    site: Site, method: str, path: str, sent: dict[str, Any], status: int, code: str
) -> None:
    check_problem(site.client.request(method, path, **sent), status, code)


@pytest.mark.parametrize(
    ("body", "media_type", "status", "code"),
    [
        (b"", "application/json", 422, "invalid_content"),
        (b"{", "application/json", 422, "invalid_content"),
        (b'{"content": NaN}', "application/json", 422, "invalid_content"),
        (b'{"content": 1e999}', "application/json", 422, "invalid_content"),
        (b'{"content": "a", "content": "b"}', "application/json", 422, "invalid_content"),
        (b"\xff\xfe", "application/json", 422, "invalid_content"),
        (b"[" * 100_000, "application/json", 422, "invalid_content"),
        (b'{"content":' + b"[" * 40 + b"]" * 40 + b"}", "application/json", 422, "invalid_content"),
        (b'{"content":' + b"9" * 5000 + b"}", "application/json", 422, "invalid_content"),
        (b"[]", "application/json", 422, "invalid_content"),
        (b'{"content": "x"}', "text/plain", 415, "unsupported_media_type"),
        (b'{"content": "x"}', "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b'{"content": "x"}', "", 415, "unsupported_media_type"),
    ],
    ids=str,
)
def test_a_body_that_cannot_be_kept_is_a_problem(
    site: Site, body: bytes, media_type: str, status: int, code: str
) -> None:
    headers = {**site.log_in("ann"), "Content-Type": media_type}
    problem = check_problem(site.client.post("/api/v1/ideas", content=body, headers=headers), status, code)
    if code == "invalid_content":
        assert all(set(each) == {"pointer", "detail"} for each in problem["errors"])


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/health", "GET, HEAD"),
        ("/auth/login", "POST"),
        ("/api/v1/ideas", "GET, HEAD, POST"),
        ("/api/v1/ideas/7", "DELETE, GET, HEAD, PATCH, PUT"),
        ("/api/v1/endpoints", "GET, HEAD, POST"),
    ],
)
def test_a_refused_method_names_those_that_are_taken(site: Site, path: str, allowed: str) -> None:
    answer = site.client.request("TRACE", path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed


def test_an_error_without_a_name_is_a_problem_and_in_the_log(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> object:
        raise ZeroDivisionError("the secret detail")

    monkeypatch.setattr(read, "page", fail)
    answer = site.client.get("/api/v1/ideas")
    problem = check_problem(answer, 500, "internal")
    assert "secret detail" not in answer.text
    log = site.settings.log_dir / "server.log"  # written once the answer is on its way
    wait_until(lambda: "the secret detail" in log.read_text(), "it was never written down")
    assert problem["request_id"] in log.read_text()


def test_what_a_problem_means_can_be_looked_up(site: Site) -> None:
    for path in ("/nothing", "/api/v1/ideas?level=x"):
        found = site.client.get(urljoin(path, site.client.get(path).json()["type"]))
        assert found.status_code == 200
        assert found.json()["meaning"]


def test_a_request_id_of_the_client_is_used_when_it_is_harmless(site: Site) -> None:
    assert (
        site.client.get("/nothing", headers={"X-Request-ID": "mine-1234"}).json()["request_id"] == "mine-1234"
    )
    for odd in ("short", "x" * 65, "with blank 1234", "<script>alert</script>"):
        assert site.client.get("/nothing", headers={"X-Request-ID": odd}).json()["request_id"] != odd
