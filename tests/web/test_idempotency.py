"""Is a POST that comes again with the same Idempotency-Key answered as before, and nothing made twice?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.accounts import api_keys
from app.accounts.key_scope import new_scope
from app.entries import idempotency, write
from app.server.idempotency_cleaning import IdempotencyCleaning
from app.settings import Settings
from app.tables import idempotency_keys
from tests.web.conftest import PASSWORD, Site

KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
WRITES = new_scope(can_write=True)
KEPT_HEADERS = ("content-type", "location", "etag", "cache-control", "vary")

# What each makes: its address, its body, and where one of it is counted.
MADE = {
    "an entry": ("/api/v1/ideas", {"content": "once"}, "/api/v1/ideas"),
    "an entry with a slug": ("/api/v1/ideas?slug=once", {"content": "once"}, "/api/v1/ideas"),
    "several entries": ("/api/v1/ideas/bulk", [{"content": {"content": "once"}}], "/api/v1/ideas"),
    "a key": ("/auth/keys", {"name": "phone"}, "/auth/keys"),
    "a key, as an admin": ("/api/v1/admin/api-keys", {"name": "phone"}, "/auth/keys"),
    "a key, at the old address": ("/admin/api-keys", {"name": "phone"}, "/auth/keys"),
    "a link": ("/api/v1/links", {"kinds": ["ideas"]}, "/api/v1/links"),
    "an import": (
        "/api/v1/import",
        {"name": "notes.md", "text": "# A\n\nfirst\n", "kind": "ideas"},
        "/api/v1/imports",
    ),
    "a kind": (
        "/api/v1/endpoints",
        {"name": "recipes", "schema": {"type": "object"}, "example": {}},
        "/api/v1/endpoints",
    ),
    "a rule": ("/api/v1/privacy/rules", {"path": "contact.phone"}, "/api/v1/privacy/rules"),
    "a word": ("/api/v1/privacy/never-list", {"word": "Rumpelstiltskin"}, "/api/v1/privacy/never-list"),
    "a release": ("/api/v1/privacy/releases", {"detector": None}, "/api/v1/privacy/releases"),
    "a webhook": ("/api/v1/webhooks", {"url": "https://hook.example/here"}, "/api/v1/webhooks"),
    "an invitation": ("/api/v1/admin/invitations", {}, "/api/v1/admin/invitations"),
}


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    """The header of the admin, who has typed her password a moment ago."""
    header = site.log_in("ann")
    assert site.client.post("/auth/confirm", json={"password": PASSWORD}, headers=header).status_code == 204
    return header


def send(site: Site, path: str, body: Any, header: dict[str, str], key: str | None = KEY) -> Any:
    keyed = {} if key is None else {"Idempotency-Key": key}
    return site.client.post(path, json=body, headers={**header, **keyed})


def count(site: Site, path: str, header: dict[str, str]) -> int:
    return len(site.client.get(path, headers=header).json()["items"])


@pytest.mark.parametrize("what", MADE)
def test_what_is_sent_again_is_made_once_and_answered_as_before(
    site: Site, ann: dict[str, str], what: str
) -> None:
    path, body, listed = MADE[what]
    before = count(site, listed, ann)
    first, again = send(site, path, body, ann), send(site, path, body, ann)
    assert first.is_success, first.text
    assert (again.status_code, again.content) == (first.status_code, first.content)
    for name in KEPT_HEADERS:
        assert again.headers.get(name) == first.headers.get(name), name
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert count(site, listed, ann) == before + 1


def test_a_password_link_is_made_once(site: Site, ann: dict[str, str]) -> None:
    ben = site.add_user("ben")
    path = f"/api/v1/admin/users/{ben.id}/password-link"
    first, again = send(site, path, None, ann), send(site, path, None, ann)
    assert first.status_code == 201
    assert again.content == first.content


def test_each_route_that_says_so_is_tried(site: Site) -> None:
    found = {
        path
        for path, methods in site.client.get("/openapi.json").json()["paths"].items()
        for operation in methods.values()
        if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", ()))
    }
    tried = {path.partition("?")[0].replace("/ideas", "/{kind}") for path, _, _ in MADE.values()}
    assert found == {*tried, "/api/v1/admin/users/{user_id}/password-link"}


def test_the_key_is_the_same_with_quotes_and_without(site: Site, ann: dict[str, str]) -> None:
    first = send(site, "/api/v1/ideas", {"content": "x"}, ann)
    assert send(site, "/api/v1/ideas", {"content": "x"}, ann, f'"{KEY}"').content == first.content


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/ideas", {"content": "another"}),
        ("/api/v1/ideas?slug=named", {"content": "x"}),
        ("/api/v1/skills", {"content": "x"}),
        ("/auth/keys", {"name": "phone"}),
    ],
)
def test_the_key_of_another_request_is_refused(
    site: Site, ann: dict[str, str], path: str, body: dict[str, Any]
) -> None:
    assert send(site, "/api/v1/ideas", {"content": "x"}, ann).status_code == 201
    refused = send(site, path, body, ann)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert count(site, "/api/v1/ideas", ann) == 1


@pytest.mark.parametrize("key", ["", '"', '""', "a b", "é".encode().decode("latin-1"), "x" * 256])
def test_what_can_be_no_key_is_refused(site: Site, ann: dict[str, str], key: str) -> None:
    headers = [*ann.items(), ("Idempotency-Key", key.encode("latin-1"))]
    answer = site.client.post("/api/v1/ideas", json={"content": "x"}, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 400, answer.text
    twice = [*ann.items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert site.client.post("/api/v1/ideas", json={"content": "x"}, headers=twice).status_code == 400
    assert count(site, "/api/v1/ideas", ann) == 0


def test_a_refusal_is_not_kept(site: Site, ann: dict[str, str]) -> None:
    assert send(site, "/api/v1/ideas", {"content": 7}, ann).status_code == 422
    assert send(site, "/api/v1/ideas", {"content": "x"}, ann).status_code == 201


def test_a_key_is_of_one_person_and_of_all_their_credentials(site: Site, ann: dict[str, str]) -> None:
    user = site.add_user("ben")
    ben = site.log_in("ben")
    with site.writing() as connection:
        text = api_keys.make_key(connection, user, api_keys.NewKey("phone", WRITES), clock.now())[1]
    first = send(site, "/api/v1/ideas", {"content": "x"}, ben)
    assert send(site, "/api/v1/ideas", {"content": "x"}, {"X-API-Key": text}).content == first.content
    assert send(site, "/api/v1/ideas", {"content": "x"}, ann).json()["id"] != first.json()["id"]


def test_the_right_is_asked_before_what_was_answered(site: Site, ann: dict[str, str]) -> None:
    assert send(site, "/api/v1/ideas", {"content": "x"}, ann).status_code == 201
    assert send(site, "/api/v1/ideas", {"content": "x"}, {}).status_code == 401
    assert send(site, "/auth/keys", {"name": "phone"}, ann, "another").status_code == 201
    with site.writing() as connection:
        user = site.user("ann")
        text = api_keys.make_key(connection, user, api_keys.NewKey("phone", WRITES), clock.now())[1]
    assert send(site, "/auth/keys", {"name": "phone"}, {"X-API-Key": text}, "another").status_code == 403


def test_of_several_at_once_one_is_carried_out(site: Site, ann: dict[str, str]) -> None:
    with ThreadPoolExecutor(6) as pool:
        sent = [pool.submit(send, site, "/api/v1/ideas", {"content": "x"}, ann) for _ in range(6)]
        answers = [each.result() for each in sent]
    made = [each for each in answers if each.status_code == 201]
    assert {each.status_code for each in answers} <= {201, 409}
    assert len({each.json()["id"] for each in made}) == 1
    assert count(site, "/api/v1/ideas", ann) == 1


def test_one_that_is_still_carried_out_is_said_to_be(
    site: Site, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    began, may_go_on = threading.Event(), threading.Event()

    def create(*given: Any, **named: Any) -> Any:
        began.set()
        assert may_go_on.wait(60)
        return create_entry(*given, **named)

    create_entry = write.create
    monkeypatch.setattr(write, "create", create)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, site, "/api/v1/ideas", {"content": "x"}, ann)
        assert began.wait(60)
        waiting = send(site, "/api/v1/ideas", {"content": "x"}, ann)
        may_go_on.set()
        assert first.result().status_code == 201
    assert (waiting.status_code, waiting.json()["code"]) == (409, "still_running")
    assert waiting.headers["retry-after"] == "1"
    assert send(site, "/api/v1/ideas", {"content": "x"}, ann).content == first.result().content


def test_what_was_made_and_its_answer_are_there_both_or_neither(
    site: Site, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("the process ends here")

    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "insert", fail)
        assert send(site, "/api/v1/ideas", {"content": "x"}, ann).status_code == 500
    assert count(site, "/api/v1/ideas", ann) == 0
    assert send(site, "/api/v1/ideas", {"content": "x"}, ann).status_code == 201


def test_another_process_answers_as_the_first_one_did(
    site: Site, ann: dict[str, str], serve: Callable[..., Site], settings: Settings
) -> None:
    other = serve(replace(settings))
    first = send(site, "/api/v1/ideas", {"content": "x"}, ann)
    again = send(other, "/api/v1/ideas", {"content": "x"}, ann)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"


# -- what is kept, and how long


def rows(site: Site) -> list[Any]:
    with site.app.server.supervisor.reading() as connection:
        return list(connection.execute(select(idempotency_keys)).all())


def test_nothing_of_an_answer_is_in_clear(site: Site, ann: dict[str, str]) -> None:
    key = send(site, "/auth/keys", {"name": "phone"}, ann).json()["key"]
    url = send(site, "/api/v1/links", {"kinds": ["ideas"]}, ann, "another").json()["url"]
    send(site, "/api/v1/ideas", {"content": "a sentence of hers"}, ann, "third")
    kept = repr(rows(site))
    assert len(rows(site)) == 3
    for secret in (key, url.rpartition("/")[2], "sentence", "phone", KEY, "another"):
        assert secret not in kept


def test_with_another_secret_it_is_not_made_again(site: Site, ann: dict[str, str]) -> None:
    send(site, "/api/v1/ideas", {"content": "x"}, ann)
    site.app.server._secret = "another secret, that someone has set"
    refused = send(site, "/api/v1/ideas", {"content": "x"}, site.log_in("ann"))
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert count(site, "/api/v1/ideas", site.log_in("ann")) == 1


def test_of_an_erased_entry_no_answer_is_left(site: Site, ann: dict[str, str]) -> None:
    made = send(site, "/api/v1/ideas", {"content": "x"}, ann).json()
    other = send(site, "/api/v1/ideas", {"content": "y"}, ann, "another")
    assert site.client.post(f"/api/v1/ideas/{made['id']}/erase", headers=ann).status_code == 200
    assert sorted(bool(row.outcome) for row in rows(site)) == [False, True]
    refused = send(site, "/api/v1/ideas", {"content": "x"}, ann)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert send(site, "/api/v1/ideas", {"content": "y"}, ann, "another").content == other.content


def test_after_a_day_a_key_is_new_again_and_its_row_goes(site: Site, ann: dict[str, str]) -> None:
    first = send(site, "/api/v1/ideas", {"content": "x"}, ann).json()
    with site.writing() as connection:
        old = clock.stored(clock.now() - timedelta(hours=24, minutes=1))
        connection.execute(idempotency_keys.update().values(created_at=old))
    assert send(site, "/api/v1/ideas", {"content": "x"}, ann).json()["id"] != first["id"]
    assert len(rows(site)) == 1
    send(site, "/api/v1/ideas", {"content": "z"}, ann, "of-today")
    with site.writing() as connection:
        is_it = idempotency_keys.c.key_hash == rows(site)[0].key_hash
        connection.execute(idempotency_keys.update().where(is_it).values(created_at=old))
    IdempotencyCleaning(site.app.server.supervisor).clear()
    assert len(rows(site)) == 1, rows(site)


def test_a_person_has_a_bounded_number_of_keys(
    site: Site, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "KEYS_MOST", 2)
    for each in ("a", "b"):
        assert send(site, "/api/v1/ideas", {"content": "x"}, ann, each).status_code == 201
    refused = send(site, "/api/v1/ideas", {"content": "x"}, ann, "c")
    assert refused.status_code == 429
    assert 86_000 < int(refused.headers["retry-after"]) <= 86_401
    assert count(site, "/api/v1/ideas", ann) == 2
    assert send(site, "/api/v1/ideas", {"content": "x"}, ann, "a").status_code == 201
