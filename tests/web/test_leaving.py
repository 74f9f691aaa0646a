"""Leaving: is one gone at once, can it be undone, and is nothing left in the end, after a restore too?"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from app import clock
from app.accounts import audit_verify, departures, second_factor, totp, users
from app.accounts.audit import COMMAND_LINE
from app.entries import leaving
from app.server import departing
from app.server.departing import Departing
from app.tables import metadata
from app.upgrade.operations.back_up import back_up
from app.upgrade.operations.restore import restore_and_hold
from tests.databases import outside
from tests.web.conftest import PASSWORD, Site, wait_until

LEAVE, STAY = "/api/v1/me/departure", "/auth/stay"
SECRETS = ("Benedict", "ben@example.org", "zebra-of-ben", "198.51.100.99")


@pytest.fixture
def ben(site: Site) -> dict[str, str]:
    """Benedict, who has written something public, logged in a moment ago."""
    site.add_user("ben")
    headers = site.log_in("ben") | {"User-Agent": "Browser of Benedict"}
    for visibility in ("public", "private"):
        body = {"content": f"zebra-of-ben {visibility}", "meta": {"visibility": visibility}}
        assert site.client.post("/api/v1/ideas", json=body, headers=headers).status_code == 201
    assert site.client.patch("/auth/me", json={"full_name": "Benedict"}, headers=headers).status_code == 200
    word = {"word": "Benedict"}
    assert site.client.post("/api/v1/privacy/never-list", json=word, headers=headers).status_code == 201
    return headers


def log_in(site: Site, password: str = PASSWORD, **more: str) -> Any:
    return site.client.post("/auth/login", data={"username": "ben", "password": password, **more})


def shown(site: Site) -> bool:
    answer = site.client.get("/api/v1/ideas/users/ben")
    return answer.status_code == 200 and "zebra-of-ben" in answer.text


def erase(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the job do all of it, as it would in a few minutes."""
    monkeypatch.setattr(departures, "LAST_LOOK_AFTER", timedelta())
    wait_until(lambda: not rows(site, "departures"), "the job never ended")


def rows(site: Site, *tables: str) -> list[Any]:
    with outside(site.settings.database_url) as connection:
        return [row for name in tables for row in connection.execute(select(metadata.tables[name])).all()]


def test_one_is_gone_at_once_and_can_stay_after_all(site: Site, ben: dict[str, str]) -> None:
    key = site.client.post("/auth/keys", json={"name": "k"}, headers=ben).json()["key"]
    assert shown(site)
    answer = site.client.post(LEAVE, json={}, headers=ben)
    assert answer.status_code == 202, answer.text
    told = answer.json()
    days = clock.parse_stored(told["final_at"]) - clock.parse_stored(told["asked_at"])  # type: ignore[operator]
    assert (days, told["backups"]) == (timedelta(days=7), [])
    assert STAY in told["undo"]
    assert not shown(site)
    assert site.client.get("/auth/me", headers=ben).status_code == 401
    assert site.client.get("/api/v1/ideas", headers={"X-API-Key": key}).status_code == 401
    refused = log_in(site)
    assert (refused.status_code, refused.json()["code"]) == (403, "account_leaving")
    assert told["final_at"] in refused.json()["detail"]
    assert log_in(site, "another one").status_code == 401
    site.app.server.departing.look()  # its time has not come
    assert site.client.post(STAY, json={"username": "ben", "password": "another"}).status_code == 401
    assert site.client.post(STAY, json={"username": "ben", "password": PASSWORD}).status_code == 204
    assert shown(site)
    assert site.client.get("/auth/me", headers=ben).status_code == 401  # its logins ended
    assert log_in(site).status_code == 200
    assert site.client.post(STAY, json={"username": "ben", "password": PASSWORD}).status_code == 409
    own = site.client.get("/auth/audit", headers=site.log_in("ben")).json()["items"]
    assert {"LEAVE", "STAY"} <= {row["action"] for row in own}


def test_the_password_and_the_second_factor_are_asked_for(site: Site, ben: dict[str, str]) -> None:
    with site.writing() as connection:
        connection.execute(text("UPDATE sessions SET confirmed_at = '2020-01-01 00:00:00'"))
    refused = site.client.post(LEAVE, json={}, headers=ben)
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_needed")
    assert site.client.post("/auth/confirm", json={"password": PASSWORD}, headers=ben).status_code == 204
    with site.writing() as connection:
        user, now = users.get_user(connection, "ben"), clock.now()
        made = second_factor.begin(connection, site.app.server.secret, user, now)
        code = totp.code_of(base64.b32decode(made.secret.replace(" ", "")), totp.step_of(now))
        codes = second_factor.confirm(connection, site.app.server.secret, user, code, now, COMMAND_LINE)
    assert site.client.post(LEAVE, json={}, headers=ben).status_code == 202
    sent = {"username": "ben", "password": PASSWORD}
    needed = site.client.post(STAY, json=sent)
    assert (needed.status_code, needed.json()["code"]) == (401, "second_factor_needed")
    assert log_in(site).json()["code"] == "second_factor_needed"
    assert site.client.post(STAY, json=sent | {"otp": codes[0]}).status_code == 204


def test_the_only_admin_cannot_leave_while_others_are_there(site: Site, ben: dict[str, str]) -> None:
    refused = site.client.post(LEAVE, json={"now": True}, headers=site.log_in("ann"))
    assert refused.status_code == 409
    assert "daemon user admin" in refused.json()["hint"]
    assert site.user("ann").is_active


def test_an_admin_cannot_let_in_who_leaves(site: Site, ben: dict[str, str]) -> None:
    site.client.post(LEAVE, json={}, headers=ben)
    ann, place = site.log_in("ann"), f"/api/v1/admin/users/{site.user('ben').id}"
    assert site.client.patch(place, json={"is_active": True}, headers=ann).status_code == 409
    assert site.client.patch(place, json={"is_active": False}, headers=ann).status_code == 200
    refused = log_in(site)  # deactivated by an admin: it is the admin's to decide now
    assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")


def test_now_nothing_is_left_but_a_line_in_the_ledger(
    site: Site, ben: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = site.user("ben").id
    answer = site.client.post(LEAVE, json={"now": True}, headers=ben)
    assert (answer.status_code, answer.json()["undo"]) == (202, None)
    assert site.client.post(STAY, json={"username": "ben", "password": PASSWORD}).status_code in (401, 409)
    erase(site, monkeypatch)
    assert_is_gone(site)
    assert [line.record_id for line in rows(site, "erasures") if line.table_name == "users"] == [user_id]
    with site.app.server.supervisor.reading() as connection:
        assert audit_verify.verify(connection).is_whole
    assert log_in(site).status_code == 401
    ann = site.log_in("ann")
    assert [
        each["username"] for each in site.client.get("/api/v1/admin/users", headers=ann).json()["items"]
    ] == ["ann"]
    assert site.client.get("/api/v1/ideas/users/ben", headers=ann).status_code == 404


@pytest.mark.only_on("sqlite")
def test_no_byte_of_it_is_in_the_files(
    site: Site, ben: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = site.settings.database_path.parent
    files = [path for path in folder.iterdir() if path.name.startswith(site.settings.database_path.name)]
    assert any(b"zebra-of-ben" in path.read_bytes() for path in files)
    site.client.post(LEAVE, json={"now": True}, headers=ben)
    erase(site, monkeypatch)
    site.app.server.scrubbing.scrub()
    for path in folder.iterdir():
        if path.is_file() and path.name.startswith(site.settings.database_path.name):
            content = path.read_bytes()
            assert not [word for word in SECRETS if word.encode() in content], path.name


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 7])
def test_whoever_goes_on_after_a_kill_ends_it(
    site: Site, ben: dict[str, str], monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    class Killed(BaseException):
        pass

    monkeypatch.setattr(site.app.server.departing, "look", lambda: None)
    monkeypatch.setattr(departing, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(departures, "LAST_LOOK_AFTER", timedelta())
    site.client.post(LEAVE, json={"now": True}, headers=ben)
    done, one = [0], leaving.erase_step

    def step(*args: Any) -> bool:
        found = one(*args)
        done[0] += 1
        if done[0] == steps:
            raise Killed  # the transaction of this step is lost, too
        return found

    monkeypatch.setattr(leaving, "erase_step", step)
    server = site.app.server

    def look(times: int = 100) -> None:
        for _ in range(times):
            Departing(server.supervisor, server.scrubbing).look()

    with pytest.raises(Killed):
        look()
    look()
    assert rows(site, "departures") == []
    assert_is_gone(site)


def test_a_restore_of_an_older_backup_brings_no_one_back(
    site: Site, ben: dict[str, str], monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Site]
) -> None:
    older = back_up(site.settings, "manual", serving=True)
    answer = site.client.post(LEAVE, json={"now": True}, headers=ben)
    assert [each["name"] for each in answer.json()["backups"]] == [older.name]
    erase(site, monkeypatch)
    newer = back_up(site.settings, "manual", serving=True)
    assert newer.manifest is not None
    assert "users" in {line.table_name for line in newer.manifest.erased}
    site.client.__exit__(None, None, None)
    restore_and_hold(site.settings, older.name)
    if site.settings.database_url.startswith("sqlite"):
        content = site.settings.database_path.read_bytes()
        assert not [word for word in SECRETS if word.encode() in content]
    again = serve(site.settings)
    assert_is_gone(again)
    assert log_in(again).status_code == 401


@pytest.mark.only_on("sqlite")
def test_an_older_file_put_into_the_place_by_hand_loses_who_left_since(
    site: Site, ben: dict[str, str], monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Site]
) -> None:
    older = back_up(site.settings, "manual", serving=True)
    site.client.post(LEAVE, json={"now": True}, headers=ben)
    erase(site, monkeypatch)
    back_up(site.settings, "manual", serving=True)  # whose manifest tells it
    site.client.__exit__(None, None, None)
    site.settings.database_path.write_bytes(older.path.read_bytes())
    again = serve(site.settings)
    again.app.server.scrubbing.look()
    assert log_in(again).status_code == 401  # at once, before the steps
    wait_until(lambda: not rows(again, "departures"), "the job never ended")
    assert_is_gone(again)


def assert_is_gone(site: Site) -> None:
    whole = repr(rows(site, *metadata.tables)).casefold()
    assert not [word for word in (*SECRETS, "'ben'") if word.casefold() in whole]
