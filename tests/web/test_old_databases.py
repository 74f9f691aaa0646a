"""Once an old database is upgraded: who comes in, which keys answer, and what does a stranger get?"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest

from app.accounts.throttle import LoginThrottle
from app.entries import read
from app.entries.json_safe import presentable, read_content
from app.entries.policies import Policies, active_rules
from app.entries.question import Question
from app.errors import NotFound
from app.privacy.levels import NAMES as NAMES_OF_LEVELS
from app.settings import Settings
from app.upgrade.move.move import run_move
from app.upgrade.operations.upgrade import run_upgrade
from tests.conftest import SettingsIn
from tests.databases import PostgreSQLDatabases
from tests.privacy.v0_4_0.covers import shown_beyond
from tests.privacy.v0_4_0.view import view_before
from tests.upgrade.old_databases import NAMES, build
from tests.upgrade.old_databases.genuine import public_of
from tests.web.conftest import Site

# people who show less than the visibility of their entries allows: some kinds have nothing at their level
pytestmark = pytest.mark.sweep

WITHDRAWN = """SELECT u.username FROM users u JOIN user_privacy_settings s ON s.user_id = u.id
    WHERE coalesce(s.business_card_mode, 1) <> 0 OR s.privacy_level IS NOT NULL"""

Serve = Callable[..., Site]


@pytest.fixture
def place(tmp_path: Path, settings_in: SettingsIn) -> Settings:
    """Settings of an installation without a database."""
    made = settings_in(tmp_path, backup_enabled=False)
    made.data_dir.mkdir()
    return made


def comes_in(site: Site, username: str, password: str) -> bool:
    answer = site.client.post("/auth/login", data={"username": username, "password": password})
    assert answer.status_code in (200, 401), answer.text
    if answer.status_code == 401:
        return False
    header = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert site.client.get("/auth/me", headers=header).json()["username"] == username
    return True


def old_token_answers(site: Site, username: str, secret: str) -> bool:
    ends = int(time.time()) + 600
    token = jwt.encode({"sub": username, "exp": ends}, secret, "HS256")
    status = site.client.get("/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code
    assert status in (200, 401)
    return status == 200


def key_answers(site: Site, key: str) -> bool:
    """Whether the key reads. In no case does it write: none of the old server's did."""
    status = site.client.get("/api/v1/ideas", headers={"X-API-Key": key}).status_code
    assert status in (200, 401)
    written = site.client.post("/api/v1/ideas", json={"content": "x"}, headers={"X-API-Key": key})
    assert written.status_code == (403 if status == 200 else 401)
    return status == 200


def ids_of(answer: Any) -> frozenset[int]:
    assert answer.status_code in (200, 404), answer.text
    return frozenset(each["id"] for each in answer.json().get("items", []))


def shown_beyond_what_was(site: Site) -> list[tuple[int, str | None, str]]:
    """Entry, level and place of whatever a stranger is shown that the version before had hidden."""
    found: list[tuple[int, str | None, str]] = []
    with site.app.server.supervisor.reading() as connection:
        policies, rules = Policies(connection), active_rules(connection)
        for row in connection.exec_driver_sql(ENTRIES).all():
            for level in (None, *NAMES_OF_LEVELS):
                try:
                    asked = Question(row.kind, level=level, entry_id=row.id)
                    after = read.item(connection, asked).view["data"]
                except NotFound:
                    continue
                before = view_before(
                    presentable(read_content(row.data).value),
                    kind=row.kind,
                    schema=row.schema,
                    asked=level,
                    settings=policies.settings_of(row.created_by_id),
                    rules=rules,
                )
                beyond = shown_beyond(after, before[0]) if before else ["the whole entry"]
                found += [(row.id, level, place) for place in beyond]
    return found


ENTRIES = """SELECT d.id, d.data, d.created_by_id, e.name AS kind, e.schema
    FROM data_entries d JOIN endpoints e ON e.id = d.endpoint_id"""


def every_row(site: Site, query: str) -> list[Any]:
    with site.app.server.supervisor.reading() as connection:
        return [row[0] for row in connection.exec_driver_sql(query)]


@pytest.mark.parametrize("name", NAMES)
def test_a_generated_one(place: Settings, serve: Serve, name: str) -> None:
    facts = build(name, place.database_path)
    if not facts.upgrades:
        site = serve(place)
        assert site.client.get("/health").status_code == 503
        assert site.client.get("/api/v1/ideas").status_code == 503
        return
    outcome = run_upgrade(place)
    assert outcome.exit_code == 0, outcome
    site = serve(place)
    assert shown_beyond_what_was(site) == []
    for account in facts.accounts:
        assert comes_in(site, account.username, account.password) == account.is_active, account
        site.app.server.throttle = LoginThrottle(time.monotonic)  # many tries are the test's own doing
    if facts.accounts:
        first = facts.accounts[0]
        assert not comes_in(site, first.username, first.password[:-1])
    for key in facts.api_keys:
        assert key_answers(site, key.text) == key.works, key

    kinds = every_row(site, "SELECT name FROM endpoints")
    usernames = every_row(site, "SELECT username FROM users")
    public = {
        (username, kind): found
        for username in usernames
        for kind in kinds
        if (found := ids_of(site.client.get(f"/api/v1/{kind}/users/{username}?limit=200")))
    }
    expected = {
        place: ids for place, ids in facts.public_ids.items() if place[1]
    }  # no address names a kind ""
    withdrawn = set(every_row(site, WITHDRAWN))
    assert {p: ids for p, ids in public.items() if p[0] not in withdrawn} == {
        p: ids for p, ids in expected.items() if p[0] not in withdrawn
    }
    assert all(ids <= expected.get(p, frozenset()) for p, ids in public.items())
    shown = {
        (kind, entry_id)
        for entry_id, kind in _entries(site)
        if site.client.get(f"/api/v1/{kind}/{entry_id}").status_code == 200
    }
    assert shown == {(kind, entry_id) for (_user, kind), ids in public.items() for entry_id in ids}


def _entries(site: Site) -> list[tuple[int, str]]:
    query = "SELECT d.id, e.name FROM data_entries d JOIN endpoints e ON e.id = d.endpoint_id"
    with site.app.server.supervisor.reading() as connection:
        return [(row[0], row[1]) for row in connection.exec_driver_sql(query)]


def test_a_genuine_one(place: Settings, serve: Serve, legacy_database: Path) -> None:
    upgraded(place, legacy_database)
    assert_the_same_as_ever(place, serve, legacy_database)


@pytest.mark.needs("postgresql")
def test_a_genuine_one_that_was_moved_to_a_server(
    place: Settings, serve: Serve, legacy_database: Path, postgresql_databases: PostgreSQLDatabases
) -> None:
    postgresql_databases.begin_test()
    upgraded(place, legacy_database)
    there = replace(place, database_url=postgresql_databases.place(place.data_dir))
    run_move(place, there)
    assert_the_same_as_ever(there, serve, legacy_database)


def upgraded(place: Settings, legacy_database: Path) -> None:
    shutil.copyfile(legacy_database, place.database_path)
    outcome = run_upgrade(place)
    assert outcome.exit_code == 0, outcome


def assert_the_same_as_ever(place: Settings, serve: Serve, legacy_database: Path) -> None:
    origin = json.loads(legacy_database.with_suffix(".json").read_text(encoding="utf-8"))["origin"]
    secret = origin.get("secret_key")
    site = serve(replace(place, secret_key=secret))
    assert shown_beyond_what_was(site) == []
    present = set(every_row(site, "SELECT username FROM users"))
    for account in origin.get("users", []):
        if account["username"] in present:
            expected = account.get("is_active", True)
            assert comes_in(site, account["username"], account["password"]) == expected, account
            assert not old_token_answers(site, account["username"], secret), account
    hashes = set(every_row(site, "SELECT key_hash FROM api_keys"))
    for key in origin.get("api_keys", []):
        from app.accounts.api_keys import hash_of

        if hash_of(key["key"]) in hashes:
            expires_at = key["expires_at"]
            assert key_answers(site, key["key"]) == (expires_at is None or expires_at > "2027"), key
    for kind in every_row(site, "SELECT name FROM endpoints WHERE name <> ''"):
        assert site.client.get(f"/api/v1/{kind}").status_code in (200, 404)
    assert site.client.get("/api/v1/system/info").status_code == 200
    by_hand = public_of(legacy_database.stem)
    withdrawn = set(every_row(site, WITHDRAWN))
    for user_id, username in enumerate(every_row(site, "SELECT username FROM users ORDER BY id"), start=1):
        for kind in every_row(site, "SELECT name FROM endpoints"):
            found = ids_of(site.client.get(f"/api/v1/{kind}/users/{username}?limit=200"))
            expected = by_hand.get((user_id, kind), frozenset())
            assert found <= expected if username in withdrawn else found == expected, (username, kind)
