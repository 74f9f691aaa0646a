"""Two server processes of one database: a stolen refresh token, a lost second factor, an admin who leaves."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.accounts import claim, totp
from app.accounts.users import NewUser
from app.database import open_database
from app.settings import Settings
from app.tables import data_entries
from tests.databases import outside
from tests.web.conftest import HASH, PASSWORD, Server, wait_until

SECRET = "Zp0-long-enough-and-of-the-operator-alone"


def log_in(server: Server, username: str, **more: str) -> dict[str, Any]:
    form = {"username": username, "password": PASSWORD, "scope": "offline_access", **more}
    body = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/auth/login", body, timeout=60) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


def ask(server: Server, method: str, path: str, tokens: dict[str, Any], body: object = None) -> Any:
    who = {"Authorization": f"Bearer {tokens['access_token']}"}
    return server.ask(path, method=method, body=body, headers=who)


def entries_with(settings: Settings, text: str) -> list[int]:
    """The entries that have a text, as the database holds them."""
    with outside(settings.database_url) as connection:
        found = select(data_entries.c.id).where(data_entries.c.data.contains(text))
        return list(connection.execute(found).scalars())


def test_what_happens_at_one_process_holds_at_the_other(
    settings: Settings, start_server: Callable[..., Server]
) -> None:
    database = open_database(settings)
    with database.writing() as connection:
        for name in ("ann", "amy", "bea"):
            new = NewUser(name, f"{name}@example.org", HASH, is_admin=name != "bea")
            claim.create_account(connection, new, clock.now())
    database.close()
    first, second = (start_server(settings, SECRET_KEY=SECRET) for _ in range(2))
    for server in (first, second):
        server.wait_for("/health", 200)

    # a refresh token that was stolen is used at the one, and comes again at the other
    bea = log_in(first, "bea")
    sent = {"refresh_token": bea["refresh_token"]}
    status, by_the_thief, _ = first.ask("/auth/refresh", method="POST", body=sent)
    assert status == 200
    assert second.ask("/auth/refresh", method="POST", body=sent)[0] == 401
    for server in (first, second):
        assert [ask(server, "GET", "/auth/me", each)[0] for each in (bea, by_the_thief)] == [401, 401]

    # a second factor that was lost: a recovery code is good once, at either; an admin turns it off at one
    bea = log_in(first, "bea")
    secret = ask(first, "POST", "/auth/second-factor", bea)[1]["secret"]
    otp = totp.code_of(base64.b32decode(secret), int(time.time()) // 30)
    codes = ask(second, "POST", "/auth/second-factor/confirm", bea, {"otp": otp})[1]["recovery_codes"]
    assert log_in(first, "bea", otp=codes[0])["access_token"]
    again = {"password": PASSWORD, "otp": codes[0]}
    assert ask(second, "POST", "/auth/confirm", bea, again)[0] == 403, "it was used at the other"
    ann = log_in(first, "ann")
    bea_id = ask(second, "GET", "/auth/me", bea)[1]["id"]
    assert ask(first, "DELETE", f"/api/v1/admin/users/{bea_id}/second-factor", ann)[0] == 204
    assert log_in(second, "bea")["access_token"]

    # an admin who is one no more, or leaves, is none at the other from the next request on
    amy = log_in(second, "amy")
    assert ask(second, "GET", "/api/v1/admin/users", amy)[0] == 200
    amy_id = ask(second, "GET", "/auth/me", amy)[1]["id"]
    assert ask(first, "PUT", f"/api/v1/admin/users/{amy_id}/role", ann, {"role": "member"})[0] == 200
    assert ask(second, "GET", "/api/v1/admin/users", amy)[0] == 403
    assert ask(first, "PATCH", f"/api/v1/admin/users/{amy_id}", ann, {"is_active": False})[0] == 200
    assert ask(second, "GET", "/auth/me", amy)[0] == 401
    ann_id = ask(second, "GET", "/auth/me", ann)[1]["id"]
    last = ask(second, "PUT", f"/api/v1/admin/users/{ann_id}/role", ann, {"role": "member"})
    assert last[0] == 409, "the last one stays, whichever process is asked"

    # an admin who leaves at the one is gone at the other at once, and can stay there
    assert ask(first, "PATCH", f"/api/v1/admin/users/{amy_id}", ann, {"is_active": True})[0] == 200
    assert ask(first, "PUT", f"/api/v1/admin/users/{amy_id}/role", ann, {"role": "admin"})[0] == 200
    amy = log_in(second, "amy")
    assert ask(first, "POST", "/api/v1/ideas", amy, {"content": "zebra-of-amy"})[0] == 201
    assert "zebra-of-amy" in str(second.ask("/api/v1/ideas/users/amy")[1])
    status, left, _ = ask(second, "POST", "/api/v1/me/departure", amy, {})
    assert status == 202, left
    assert [ask(server, "GET", "/api/v1/admin/users", amy)[0] for server in (first, second)] == [401, 401]
    for server in (first, second):
        assert "zebra-of-amy" not in str(server.ask("/api/v1/ideas/users/amy")[1])
        with pytest.raises(urllib.error.HTTPError) as refused:
            log_in(server, "amy")
        assert refused.value.code == 403
        refused.value.close()
    status = ask(first, "POST", "/api/v1/me/departure", ann, {"now": True})[0]
    assert status == 409, "the admin who is left does not leave while others are there"
    stays = {"username": "amy", "password": PASSWORD}
    assert first.ask("/auth/stay", method="POST", body=stays)[0] == 204
    assert second.ask("/auth/stay", method="POST", body=stays)[0] == 409, "she stays already"
    amy = log_in(second, "amy")
    assert "zebra-of-amy" in str(second.ask("/api/v1/ideas/users/amy")[1])
    assert ask(first, "GET", "/api/v1/admin/users", amy)[0] == 200

    # and for good: nothing of hers is answered by either any more, and what is left is erased
    status, left, _ = ask(first, "POST", "/api/v1/me/departure", amy, {"now": True})
    assert status == 202, left
    for server in (first, second):
        assert ask(server, "GET", "/auth/me", amy)[0] == 401
        assert "zebra-of-amy" not in str(server.ask("/api/v1/ideas/users/amy")[1])
    wait_until(lambda: not entries_with(settings, "zebra-of-amy"), "no process erased it", seconds=60)
    assert second.ask("/auth/stay", method="POST", body=stays)[0] == 401
