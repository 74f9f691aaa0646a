"""Do people come in with what they have, and no one else with anything?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bcrypt
import jwt
import pytest
from sqlalchemy import insert

from app import clock
from app.accounts import api_keys, login, users
from app.accounts.passwords import hash_password
from app.accounts.throttle import LoginThrottle
from app.settings import Settings, load_settings
from app.tables import api_keys as key_table
from tests.databases import run
from tests.web.conftest import PASSWORD, Site
from tests.web.test_entries import location_of

KEY = "daemon_" + "k" * 43
SECRET = "the secret that the operator always had"


def put_key(site: Site, username: str, **changed: Any) -> dict[str, str]:
    values = {
        "name": "k",
        "key_hash": api_keys.hash_of(KEY),
        "user_id": site.user(username).id,
        "is_active": 1,
    }
    with site.writing() as connection:
        connection.execute(insert(key_table).values(**(values | changed)))
    return {"X-API-Key": KEY}


def test_login_answers_as_the_old_server_did(site: Site) -> None:
    answer = site.client.post("/auth/login", data={"username": "ann", "password": PASSWORD})
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 1800)
    assert answer.headers["cache-control"] == "private, no-store"
    me = site.client.get("/auth/me", headers={"Authorization": f"Bearer {body['access_token']}"}).json()
    assert (me["username"], me["is_admin"], me["is_active"]) == ("ann", True, True)
    assert me["last_login"].endswith("Z")
    assert "password" not in str(me)
    assert "argon2" not in str(me)


def test_another_password_ends_every_login_but_the_one_it_answers_with(site: Site) -> None:
    new = "a longer sentence is better"
    site.add_user("bea")
    token = site.client.post("/auth/login", data={"username": "bea", "password": PASSWORD}).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    kept = site.client.post("/auth/keys", json={"name": "k"}, headers=headers).json()["key"]

    def change(current: str, wanted: str, **more: object) -> Any:
        body = {"current_password": current, "new_password": wanted, **more}
        return site.client.post("/auth/password", json=body, headers=headers)

    assert change("not this one", new).status_code == 403
    assert [each["pointer"] for each in change(PASSWORD, "bea").json()["errors"]] == ["/password"]
    assert site.client.get("/auth/me", headers=headers).status_code == 200
    changed = change(PASSWORD, new)
    assert changed.status_code == 200, changed.text
    assert site.client.get("/auth/me", headers=headers).status_code == 401
    headers = {"Authorization": f"Bearer {changed.json()['access_token']}"}
    assert site.client.get("/auth/me", headers=headers).status_code == 200
    old = site.client.post("/auth/login", data={"username": "bea", "password": PASSWORD})
    assert old.status_code == 401
    assert site.client.get("/api/v1/ideas", headers={"X-API-Key": kept}).status_code == 200
    assert change(new, PASSWORD, end_keys=True).status_code == 200
    assert site.client.get("/api/v1/ideas", headers={"X-API-Key": kept}).status_code == 401


def test_logging_out_everywhere_ends_every_login_and_no_key(site: Site) -> None:
    site.add_user("bea")
    logins = [site.client.post("/auth/login", data={"username": "bea", "password": PASSWORD}) for _ in "ab"]
    first, second = ({"Authorization": f"Bearer {each.json()['access_token']}"} for each in logins)
    key = {"X-API-Key": site.client.post("/auth/keys", json={"name": "k"}, headers=first).json()["key"]}
    assert site.client.post("/auth/logout-everywhere", headers=key).status_code == 403
    assert site.client.post("/auth/logout-everywhere", headers=first).status_code == 204
    assert [site.client.get("/auth/me", headers=each).status_code for each in (first, second)] == [401, 401]
    assert site.client.get("/api/v1/ideas", headers=key).status_code == 200
    again = site.client.post("/auth/login", data={"username": "bea", "password": PASSWORD})
    assert again.status_code == 200


def test_a_full_name_is_changed_by_its_person_and_told_in_the_audit(site: Site) -> None:
    headers = site.log_in("ann")
    changed = site.client.patch("/auth/me", json={"full_name": "Ann Other"}, headers=headers)
    assert changed.json()["full_name"] == "Ann Other"
    assert site.client.patch("/auth/me", json={}, headers=headers).json()["full_name"] == "Ann Other"
    assert (
        site.client.patch("/auth/me", json={"full_name": None}, headers=headers).json()["full_name"] is None
    )
    assert site.client.patch("/auth/me", json={"full_name": "a\tb"}, headers=headers).status_code == 422
    told = site.client.get("/api/v1/admin/audit?action=UPDATE", headers=headers).json()["items"]
    assert [each["new_values"] for each in told] == [{"full_name": None}, {"full_name": "Ann Other"}]


def test_a_form_with_files_boundary_and_utf8_is_read(site: Site) -> None:
    password = "pässwörd-ключ-🔑"
    site.add_user("bruno", stored_hash=hash_password(password))
    multipart = site.client.post(
        "/auth/login", files={"username": (None, "bruno"), "password": (None, password)}
    )
    assert multipart.status_code == 200
    raw = site.client.post(
        "/auth/login",
        content=f"username=bruno&password={password}".encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert raw.status_code == 200


@pytest.mark.parametrize(
    ("username", "password"),
    [("ann", "wrong"), ("ann", ""), ("nobody", PASSWORD), ("Ann2", PASSWORD), ("", ""), ("ann\0", PASSWORD)],
)
def test_whatever_is_wrong_is_answered_alike(site: Site, username: str, password: str) -> None:
    answer = site.client.post("/auth/login", data={"username": username, "password": password})
    known = site.client.post("/auth/login", data={"username": "ann", "password": "x"})
    assert answer.status_code == 401
    ignored = {"request_id"}
    first, second = answer.json(), known.json()
    assert {k: v for k, v in first.items() if k not in ignored} == {
        k: v for k, v in second.items() if k not in ignored
    }
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_an_old_hash_becomes_a_new_one_in_the_same_login(site: Site) -> None:
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    site.add_user("ben", stored_hash=old)
    header = site.log_in("ben")
    stored = str(site.user("ben").stored_hash)
    assert stored.startswith("$argon2id$")
    assert site.client.get("/auth/me", headers=header).status_code == 200
    site.log_in("ben")
    assert site.user("ben").stored_hash == stored


@pytest.mark.parametrize("stored", ["", "plain text", "$2b$12$broken"])
def test_a_stored_value_that_is_no_hash_opens_nothing(site: Site, stored: str) -> None:
    site.add_user("odd", stored_hash=stored)
    for password in (stored, "x"):
        answer = site.client.post("/auth/login", data={"username": "odd", "password": password})
        assert answer.status_code in (401, 422)


def test_a_deactivated_account_is_out_at_once(site: Site) -> None:
    site.add_user("ben")
    token, key = site.log_in("ben"), put_key(site, "ben")
    with site.writing() as connection:
        users.set_active(connection, "ben", False, clock.now())
    for headers in (token, key):
        for path in ("/auth/me", "/api/v1/ideas"):
            assert site.client.get(path, headers=headers).status_code == 401
    again = site.client.post("/auth/login", data={"username": "ben", "password": PASSWORD})
    assert again.status_code == 401


def test_a_new_password_ends_the_tokens_before_it(site: Site) -> None:
    before = site.log_in("ann")
    with site.writing() as connection:
        users.change_password(connection, "ann", hash_password("another long one"), clock.now())
    assert site.client.get("/auth/me", headers=before).status_code == 401
    assert site.client.get("/auth/me", headers=site.log_in("ann", "another long one")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer junk"},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic YW5uOng="},
        {"Authorization": ""},
        {"X-API-Key": "junk"},
        {"X-API-Key": ""},
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/ideas", "/api/v1/endpoints", "/auth/me", "/api/v1/ideas/1"])
def test_a_junk_credential_is_refused_also_where_none_is_needed(
    site: Site, headers: dict[str, str], path: str
) -> None:
    assert site.client.get("/api/v1/ideas").status_code == 200  # a kept answer must not help
    answer = site.client.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="daemon", error="invalid_token"'


def test_two_credentials_are_one_too_many(site: Site) -> None:
    headers = {**site.log_in("ann"), **put_key(site, "ann")}
    assert site.client.get("/auth/me", headers=headers).status_code == 400


def test_an_old_key_reads_and_does_not_write(site: Site) -> None:
    site.add_user("ben")
    key = put_key(site, "ben", expires_at="2099-01-01 00:00:00")
    own = site.client.post("/api/v1/ideas", json={"content": "mine"}, headers=site.log_in("ben"))
    place = location_of(own)
    for sent in (key, {"Authorization": f"Bearer {KEY}"}):
        assert site.client.get(place, headers=sent).json()["owner"] == "ben"
        answers = (
            site.client.post("/api/v1/ideas", json={"content": "by key"}, headers=sent),
            site.client.put(place, json={"content": "by key"}, headers=sent),
            site.client.patch(place, json={"content": "by key"}, headers=sent),
            site.client.delete(place, headers=sent),
        )
        assert [answer.status_code for answer in answers] == [403] * 4
        assert all("daemon key change 1 --write" in answer.json()["hint"] for answer in answers)
    assert site.client.get(place, headers=key).json()["content"] == "mine"
    site.app.server.pending_audit.note_uses()
    with site.writing() as connection:
        assert connection.exec_driver_sql("SELECT last_used FROM api_keys").scalar() is not None


@pytest.mark.parametrize("can_write", [None, 0, 2, pytest.param("yes", marks=pytest.mark.only_on("sqlite"))])
def test_only_the_number_one_lets_a_key_write(site: Site, can_write: object) -> None:
    key = put_key(site, "ann", can_write=can_write)
    assert site.client.post("/api/v1/ideas", json={"content": "x"}, headers=key).status_code == 403


def test_a_key_that_may_write_does_so_as_its_owner_and_the_audit_names_it(site: Site) -> None:
    site.add_user("ben")
    key = put_key(site, "ben", id=7, can_write=1)
    made = site.client.post("/api/v1/ideas", json={"content": "by key"}, headers=key)
    assert (made.status_code, made.json()["owner"]) == (201, "ben")
    place = location_of(made)
    assert site.client.patch(place, json={"content": "again"}, headers=key).status_code == 200
    assert site.client.delete(place, headers=key).status_code == 204
    site.client.post("/api/v1/ideas", json={"content": "by hand"}, headers=site.log_in("ben"))
    with site.writing() as connection:
        query = "SELECT action, api_key_id FROM audit_logs WHERE table_name = 'data_entries' ORDER BY id"
        found = [tuple(row) for row in connection.exec_driver_sql(query)]
    assert found == [("CREATE", 7), ("UPDATE", 7), ("DELETE", 7), ("CREATE", None)]


def test_an_admins_key_has_no_admins_rights(site: Site) -> None:
    site.add_user("ben")
    hidden = {"content": "mine", "meta": {"visibility": "private"}}
    place = location_of(site.client.post("/api/v1/ideas", json=hidden, headers=site.log_in("ben")))
    shown = site.client.post("/api/v1/ideas", json={"content": "x"}, headers=site.log_in("ben"))
    key = put_key(site, "ann", can_write=1)
    assert site.client.get(place, headers=site.log_in("ann")).status_code == 200
    assert site.client.get(place, headers=key).status_code == 404
    assert site.client.delete(place, headers=key).status_code == 404
    refused = site.client.delete(location_of(shown), headers=key).status_code
    assert refused in (403, 404)
    assert "owner" not in site.client.get(location_of(shown), headers=key).json()


@pytest.mark.parametrize("can_write", [0, 1])
def test_a_key_is_for_entries_and_nothing_else(site: Site, can_write: int) -> None:
    key = put_key(site, "ann", can_write=can_write)
    for method, path in (
        ("GET", "/auth/me"),
        ("GET", "/auth/keys"),
        ("POST", "/auth/keys"),
        ("GET", "/auth/keys/1"),
        ("PATCH", "/auth/keys/1"),
        ("DELETE", "/auth/keys/1"),
    ):
        answer = site.client.request(method, path, headers=key)
        assert answer.status_code == 403, (method, path)
        assert "POST /auth/login" in answer.json()["hint"]
    assert site.client.get("/api/v1/endpoints", headers=key).status_code == 200


def test_an_expired_key_is_refused(site: Site) -> None:
    key = put_key(site, "ann", expires_at="2020-01-01 00:00:00")
    assert site.client.get("/api/v1/ideas", headers=key).status_code == 401


# -- tokens of the old server


@pytest.fixture
def kept(serve: Callable[..., Site], settings: Settings) -> Site:
    """An installation whose operator kept the secret of the old server."""
    made = serve(replace(settings, secret_key=SECRET))
    made.add_user("ann", is_admin=True)
    return made


def old_token(name: str, minutes: float = 20, secret: str = SECRET) -> dict[str, str]:
    ends = int((datetime.now(UTC) + timedelta(minutes=minutes)).timestamp())
    return {"Authorization": "Bearer " + jwt.encode({"sub": name, "exp": ends}, secret, "HS256")}


@pytest.mark.parametrize("name", ["ann", "Ann", "nobody"])
def test_an_old_token_is_taken_no_more_whatever_it_names(kept: Site, name: str) -> None:
    for path in ("/auth/me", "/api/v1/ideas"):
        answer = kept.client.get(path, headers=old_token(name))
        assert answer.status_code == 401
        assert "Log in again, once" in answer.json()["hint"]
    shipped = old_token("ann", secret="your-super-secret-key-here-change-me")
    assert kept.client.get("/auth/me", headers=shipped).status_code == 401


def test_a_published_secret_opens_nothing(
    serve: Callable[..., Site], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = "your-super-secret-key-here-change-me"
    given = {"DATABASE_URL": settings.database_url, "SECRET_KEY": published, "BACKUP_ENABLED": "false"}
    monkeypatch.chdir(tmp_path)
    site = serve(load_settings(given, tmp_path / ".env"))
    site.add_user("ann", is_admin=True)
    own = site.log_in("ann")["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(own, options={"verify_signature": False})
    forged = {"Authorization": "Bearer " + jwt.encode(claims, published, "HS256")}
    for headers in (forged, old_token("ann", secret=published)):
        assert site.client.get("/auth/me", headers=headers).status_code == 401
    assert site.client.get("/auth/me", headers={"Authorization": f"Bearer {own}"}).status_code == 200


def test_a_deactivation_ends_every_token_for_good(site: Site) -> None:
    site.add_user("ben")
    before = site.log_in("ben")
    for is_active in (False, True):
        with site.writing() as connection:
            users.set_active(connection, "ben", is_active, clock.now())
        assert site.client.get("/auth/me", headers=before).status_code == 401
    after = site.log_in("ben")
    with site.writing() as connection:
        users.set_active(connection, "ben", True, clock.now())
    assert site.client.get("/auth/me", headers=after).status_code == 200


def test_a_deactivation_by_an_older_server_ends_them_at_the_activation(site: Site) -> None:
    site.add_user("ben")
    before = site.log_in("ben")
    with site.writing() as connection:
        connection.exec_driver_sql("UPDATE users SET is_active = 0 WHERE username = 'ben'")
    with site.writing() as connection:
        users.set_active(connection, "ben", True, clock.now())
    assert site.client.get("/auth/me", headers=before).status_code == 401


def test_a_token_is_of_one_account_whoever_gets_its_name_or_id(site: Site) -> None:
    ben = site.add_user("ben")
    token = site.log_in("ben")

    def is_refused() -> bool:
        return site.client.get("/auth/me", headers=token).status_code == 401

    with site.writing() as connection:
        connection.exec_driver_sql(f"UPDATE users SET username = 'x', email = 'x@x' WHERE id = {ben.id}")
    assert is_refused()
    site.add_user("ben")
    assert is_refused()
    with site.writing() as connection:
        connection.exec_driver_sql("UPDATE users SET username = 'y' WHERE username = 'ben'")
        run(
            connection,
            "UPDATE users SET username = 'ben', hashed_password = ? WHERE id = ?",
            hash_password(PASSWORD),
            ben.id,
        )
    assert is_refused()


def test_a_generated_secret_is_kept_private_and_stays(site: Site) -> None:
    site.log_in("ann")
    path = site.settings.secret_path
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().strip() == site.app.server.secret


# -- limits


def test_wrong_logins_are_slowed_down_and_told_so(site: Site) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    site.app.server.sleep = sleep
    site.app.server.throttle = LoginThrottle(lambda: 0.0)  # however busy the machine is
    for _ in range(10):
        assert site.client.post("/auth/login", data={"username": "ann", "password": "x"}).status_code == 401
    assert sum(waited) == 0
    answer = site.client.post("/auth/login", data={"username": "ann", "password": "x"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert max(waited) > 3


def test_a_refused_login_takes_its_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "REFUSAL_SECONDS", 0.3)
    for username in ("ann", "nobody"):
        began = time.monotonic()
        site.client.post("/auth/login", data={"username": username, "password": "x"})
        assert time.monotonic() - began >= 0.3
