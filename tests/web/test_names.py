"""Can a stranger find out who has an account and shows nothing? By no route, answer, header or statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event

from app import clock
from app.accounts import users
from tests.web.conftest import PASSWORD, Site
from tests.web.test_entries import post

NAMED = ("cara", "zora")  # cara has an account, zora is no one; as long as each other
QUERIES = (
    "",
    "?level=business_card",
    "?level=ai_safe",
    "?limit=1",
    "?cursor=MQ",
    "?level=nonsense",
    "?limit=0",
)


def have_nothing(site: Site) -> None:
    site.add_user("cara")


def have_private_ones(site: Site) -> None:
    site.add_user("cara")
    for word in ("private", "unlisted"):
        post(site, by="cara", content="x" * 1000, meta={"visibility": word})


def have_deleted(site: Site) -> None:
    site.add_user("cara")
    site.client.delete(post(site, by="cara"), headers=site.log_in("cara"))


def be_out(site: Site) -> None:
    site.add_user("cara")
    post(site, by="cara")
    with site.writing() as connection:
        users.set_active(connection, "cara", False, clock.now())


HIDDEN = [have_nothing, have_private_ones, have_deleted, be_out]


def addresses(site: Site) -> list[str]:
    """Every address of the API that has a name in it, whatever the routes are."""
    paths = {route.path for route in site.app.addresses}
    named = [path for path in paths if "{username" in path]
    assert named
    filled = [
        path.replace("{kind}", kind).replace("{username:path}", "NAME").replace("{username}", "NAME")
        for path in named
        for kind in ("ideas", "contact_info", "nokind")
    ]
    return [path + query for path in dict.fromkeys(filled) for query in QUERIES]


def told(site: Site, method: str, path: str, name: str, headers: dict[str, str]) -> tuple[Any, ...]:
    answer = site.client.request(method, path.replace("NAME", name), headers=headers)
    kept = {key: value for key, value in answer.headers.items() if key not in ("x-request-id", "date")}
    request_id = answer.headers["x-request-id"]
    body = answer.text.replace(name, "NAME").replace(request_id, "ID")
    kept["content-length"] = str(len(body))  # the id of a request is as long as it happens to be
    return answer.status_code, kept, body


@pytest.mark.parametrize("hide", HIDDEN)
@pytest.mark.parametrize("by", [None, "ben"])
def test_who_shows_nothing_is_answered_as_nobody(
    site: Site, hide: Callable[[Site], None], by: str | None
) -> None:
    site.add_user("ben")
    post(site, by="ann")
    hide(site)
    headers = site.log_in(by) if by else {}
    for path in addresses(site):
        for method in ("GET",) if "?" in path else ("GET", "HEAD", "POST", "OPTIONS"):
            sent = {**headers, "If-None-Match": '"x"'}
            somebody, nobody = (told(site, method, path, name, sent) for name in NAMED)
            assert somebody == nobody, (method, path)


@pytest.mark.parametrize("hide", HIDDEN)
def test_no_answer_changes_with_an_account_that_shows_nothing(
    site: Site, hide: Callable[[Site], None]
) -> None:
    post(site, by="ann")
    paths = ("/", "/api/v1/system/info", "/api/v1/endpoints", "/api/v1/ideas", "/openapi.json", "/auth/me")
    before = [told(site, "GET", path, "zora", {}) for path in paths]
    hide(site)
    assert [told(site, "GET", path, "zora", {}) for path in paths] == before


def test_a_name_costs_the_same_statements_whoever_has_it(site: Site) -> None:
    site.add_user("cara")
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    site.client.get("/api/v1/ideas")  # what is asked once after a start
    counted: dict[str, list[str]] = {}
    event.listen(Engine, "before_cursor_execute", note)  # whichever connection: of lists, of writers too
    for name in (*NAMED, *NAMED):  # the first time, some of it is remembered from before
        seen.clear()
        assert site.client.get("/api/v1/ideas?limit=7").status_code == 200
        assert site.client.get(f"/api/v1/ideas/users/{name}").status_code == 404
        site.client.post("/auth/login", data={"username": name, "password": "x"})
        counted[name] = list(seen)
        post(site, by="ann")  # and for the next name nothing of this state of the database is known
    event.remove(Engine, "before_cursor_execute", note)
    assert counted["cara"] == counted["zora"]
    assert len(counted["cara"]) > 3


def test_a_login_says_nothing_of_who_there_is(site: Site) -> None:
    be_out(site)
    answers = [
        told_of_login(site, name, password)
        for name, password in (("cara", PASSWORD), ("cara", "x"), ("CARA", PASSWORD), ("zora", PASSWORD))
    ]
    assert all(answer == answers[0] for answer in answers)


def told_of_login(site: Site, name: str, password: str) -> tuple[int, str]:
    answer = site.client.post("/auth/login", data={"username": name, "password": password})
    return answer.status_code, answer.text.replace(answer.headers["x-request-id"], "ID")


def test_a_name_that_an_older_server_wrote_is_found_in_any_case_after_a_start(
    serve: Callable[..., Site], site: Site
) -> None:
    site.add_user("Dora")
    with site.writing() as connection:
        connection.exec_driver_sql("UPDATE users SET username_key = NULL")
    answer = site.client.post("/auth/login", data={"username": "DORA", "password": PASSWORD})
    assert answer.status_code == 401
    assert serve(site.settings).log_in("DORA")


def test_a_login_takes_a_name_in_any_case(site: Site) -> None:
    site.add_user("Jürgen")
    for typed in ("Jürgen", "JÜRGEN", "jürgen"):
        assert site.log_in(typed)
    site.add_user("Émile")
    with site.writing() as connection:  # twins as an older server made them
        connection.exec_driver_sql(
            "UPDATE users SET username = 'JÜRGEN', username_key = 'jürgen' WHERE username = 'Émile'"
        )
    assert site.log_in("JÜRGEN")
    assert site.log_in("Jürgen")
    answer = site.client.post("/auth/login", data={"username": "jürgen", "password": PASSWORD})
    assert answer.status_code == 401


NUL_PATHS = (
    "/api/v1/ide%00as",
    "/api/v1/ideas/users/a%00n",
    "/api/v1/endpoints/a%00",
    "/api/v1/privacy/explain?kind=a%00",
    "/admin/audit?action=%00",
    "/admin/audit?username=%00",
)
NUL_BODIES = {
    "/auth/register": {"username": "a\x00b", "email": "a@example.org", "password": PASSWORD},
    "/api/v1/privacy/never-list": {"word": "se\x00cret"},
    "/api/v1/privacy/rules": {"endpoint_name": "a\x00", "field_path": "\x00", "privacy_level": "public_full"},
    "/keys": {"name": "a\x00"},
}


@pytest.mark.parametrize("path", NUL_PATHS)
def test_a_null_character_is_part_of_no_name(site: Site, path: str) -> None:
    """PostgreSQL takes no text with one, not even to look whether it is there."""
    ann = site.log_in("ann")
    for headers in ({}, ann):
        assert site.client.get(path, headers=headers).status_code < 500


def test_what_is_sent_with_a_null_character_is_no_fault_of_the_server(site: Site) -> None:
    ann = site.log_in("ann")
    for body in ({"content": "a\x00b"}, {"content": "x", "meta": {"tags": ["\x00"]}}, {"co\x00": 1}):
        assert site.client.post("/api/v1/ideas", json=body, headers=ann).status_code < 500
    for path, sent in NUL_BODIES.items():
        assert site.client.post(path, json=sent, headers=ann).status_code < 500, path
    assert site.client.get("/api/v1/ideas").status_code == 200
