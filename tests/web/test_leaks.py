"""Does anything hidden get out, in any body or header? A marker is in every hidden place."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from app import clock
from app.accounts import users
from tests.databases import run
from tests.web.conftest import Site

CANARY = "CANARY7351"
LEVELS = ("", "business_card", "professional", "ai_safe", "public_full")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SHOWN = "everyone may read this"

IDEA_WITH_HIDDEN_FIELDS = {
    "content": SHOWN,
    "meta": {"title": "t", "visibility": "public", "unknown": CANARY, "nested": {"deep": [CANARY]}},
    "unknown_field": CANARY,
    "password": CANARY,
    "api_key": CANARY,
    "ssn": CANARY,
    "list": [CANARY, {"x": CANARY}],
}
RESUME_WITH_HIDDEN_FIELDS = {
    "name": "Ann Bee",
    "title": SHOWN,
    "summary": "a person",
    "contact": {"email": "ann@work.example", "phone": CANARY, "address": CANARY, "emergency_contact": CANARY},
    "experience": [
        {"company": "Copperline", "position": "x", "salary": CANARY, "manager": {"phone": CANARY}}
    ],
    "unknown_field": CANARY,
}


class Filler:
    """Puts rows where no address puts them."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def run(self, statement: str, *values: object) -> None:
        with self.site.writing() as connection:
            run(connection, statement, *values)

    def entry(
        self, kind: str, data: object, owner: int | None, visibility: str = "public", active: int = 1
    ) -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        self.run(
            "INSERT INTO data_entries (endpoint_id, data, created_by_id, visibility, is_active)"
            " VALUES ((SELECT id FROM endpoints WHERE name = ?), ?, ?, ?, ?)",
            kind, text, owner, visibility, active,
        )  # fmt: skip


@pytest.fixture
def filled(site: Site) -> Site:
    """An installation with one public idea and resume of ann, and a marker in every hidden place."""
    site.add_user("ben")
    site.add_user(f"{CANARY}-gone")
    ann, ben, gone = (site.user(name).id for name in ("ann", "ben", f"{CANARY}-gone"))
    fill = Filler(site)
    fill.run("UPDATE users SET email = id || ?, full_name = ?", f"{CANARY}@x", CANARY)
    hidden = {"content": CANARY, "meta": {"title": CANARY, "tags": [CANARY]}}
    for kind, (owner, visibility, active) in itertools.product(
        ("ideas", "resume", "contacts"),
        [(ann, "private", 1), (ann, "unlisted", 1), (ann, "public", 0), (gone, "public", 1),
         (None, "public", 1), (None, "private", 1), (ben, "private", 1), (ann, "Public", 1), (ann, "", 1)],
    ):  # fmt: skip
        fill.entry(kind, hidden, owner, visibility, active)
    fill.entry("ideas", IDEA_WITH_HIDDEN_FIELDS, ann)
    fill.entry("resume", RESUME_WITH_HIDDEN_FIELDS, ann)
    fill.entry("ideas", f'{{"content": NaN, "odd": "{CANARY}"}}', ann)
    hidden_kinds = ((900, f"secret_{CANARY}", 0, 1), (901, f"closed_{CANARY}", 1, 0))
    for kind_id, name, is_public, is_active in hidden_kinds:
        fill.run(
            "INSERT INTO endpoints (id, name, description, schema, is_public, is_active)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            kind_id, name, CANARY, json.dumps({"x": CANARY}), is_public, is_active,
        )  # fmt: skip
        fill.entry(name, {"content": CANARY}, ann)
    fill.run("UPDATE endpoints SET is_public = 0, description = ? WHERE name = 'goals'", CANARY)
    fill.entry("goals", {"content": CANARY}, ann)
    fill.run("UPDATE user_privacy_settings SET custom_privacy_rules = ?", json.dumps({f"x.{CANARY}": "hide"}))
    fill.run(
        "INSERT INTO api_keys (name, key_hash, user_id, is_active) VALUES (?, ?, ?, 1)", CANARY, CANARY, ann
    )
    fill.run(
        "INSERT INTO audit_logs (action, table_name, record_id, old_values, new_values, user_agent)"
        " VALUES ('UPDATE', 'data_entries', 1, ?, ?, ?)", f'"{CANARY}"', f'"{CANARY}"', CANARY,
    )  # fmt: skip
    fill.run(
        "INSERT INTO kept_values (table_name, row_key, column_name, value) VALUES (?, ?, ?, ?)", *[CANARY] * 4
    )
    fill.run("INSERT INTO database_versions (version, description, is_claim) VALUES ('9.9', ?, 1)", CANARY)
    with site.writing() as connection:
        users.set_active(connection, f"{CANARY}-gone", False, clock.now())
    return site


def addresses(site: Site) -> Iterator[str]:
    with site.app.server.supervisor.reading() as connection:
        kinds = [row[0] for row in connection.exec_driver_sql("SELECT name FROM endpoints")]
        ids = [row[0] for row in connection.exec_driver_sql("SELECT id FROM data_entries")]
    yield from ("/", "/health", "/health/ready", "/health/live", "/openapi.json", "/api/v1/system/info")
    yield from ("/api/v1/endpoints", "/auth/me", "/docs", "/metrics", "/api/v1/users", "/admin/users")
    for kind in kinds:
        yield f"/api/v1/endpoints/{kind}"
        yield f"/api/v1/{kind}?active_only=false"
        yield f"/api/v1/{kind}/{ids[0]}"
        yield f"/api/v1/{kind}/users/{CANARY}-gone"
    for kind in ("ideas", "resume", "contacts", "goals"):
        for level in LEVELS:
            query = f"?limit=200&level={level}" if level else ""
            yield f"/api/v1/{kind}{query}"
            yield from (f"/api/v1/{kind}/users/{name}{query}" for name in ("ann", "ben"))
            if level in ("", "public_full"):
                yield from (f"/api/v1/{kind}/{entry_id}{query}" for entry_id in ids)


def without_what_was_asked(answer: Any, path: str) -> str:
    """Return head and body of an answer without its echo of the address that was asked for."""
    text = f"{dict(answer.headers)} {answer.text}"
    for part in path.partition("?")[0].split("/"):
        text = text.replace(part, "") if CANARY in part else text
    return text


def test_nothing_hidden_reaches_a_stranger(filled: Site) -> None:
    seen_public = 0
    for path in addresses(filled):
        for method in (
            ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") if "?" not in path else ("GET", "GET")
        ):
            answer = filled.client.request(method, path)
            assert answer.status_code < 500, (method, path, answer.text)
            assert CANARY not in without_what_was_asked(answer, path), (method, path)
            seen_public += SHOWN in answer.text
            if answer.status_code < 300 and method not in ("GET", "HEAD"):
                pytest.fail(f"a stranger may {method} {path}")
    assert seen_public > 10


def test_nothing_hidden_reaches_another_person(filled: Site) -> None:
    ben = filled.log_in("ben")
    with filled.writing() as connection:  # what is ben's own may well be seen by ben
        connection.exec_driver_sql(
            "DELETE FROM data_entries WHERE created_by_id = (SELECT id FROM users WHERE username = 'ben')"
        )
        connection.exec_driver_sql("UPDATE users SET email = 'b@x', full_name = NULL WHERE username = 'ben'")
        # a kind that everyone may write to is known to everyone who may write
        connection.exec_driver_sql("UPDATE endpoints SET description = '' WHERE name = 'goals'")
    for path in addresses(filled):
        answer = filled.client.get(path, headers=ben)
        assert answer.status_code < 500, (path, answer.text)
        assert CANARY not in without_what_was_asked(answer, path), path


def test_no_secret_of_the_installation_is_in_any_answer(filled: Site) -> None:
    filled.log_in("ann")
    secret = filled.app.server.secret
    for path in ("/", "/health", "/openapi.json", "/api/v1/system/info", "/nothing"):
        text = filled.client.get(path).text
        assert secret not in text
        assert "argon2" not in text
