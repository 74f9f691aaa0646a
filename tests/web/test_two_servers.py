"""Two servers of one database: is what is good once good once, and what was ended ended at the other, too?"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from app import clock
from app.accounts import totp
from app.settings import Settings
from tests.web.conftest import PASSWORD, Site
from tests.web.test_links import invite, join
from tests.web.test_sessions import bearer, log_in, refresh, status_of_me

SECRET = "Zp0-long-enough-and-of-the-operator-alone"
ROUNDS = 3
Two = tuple[Site, Site]


@pytest.fixture
def two(serve: Callable[..., Site], settings: Settings) -> Two:
    """Two servers with one secret and one database, whose admin is ann; bea is a member."""
    first = serve(replace(settings, secret_key=SECRET))
    first.add_user("ann", is_admin=True)
    first.add_user("bea")
    return first, serve(replace(settings, secret_key=SECRET))


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Return the answers to calls that begin at the same moment, by their status."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return sorted(threads.map(run, calls), key=lambda answer: int(answer.status_code))


def statuses(answers: list[Any]) -> list[int]:
    return [answer.status_code for answer in answers]


def test_a_refresh_token_sent_to_both_is_used_once_and_ends_its_session(two: Two) -> None:
    first, second = two
    for _ in range(ROUNDS):
        tokens = log_in(first)
        answers = at_once(partial(refresh, first, tokens), partial(refresh, second, tokens))
        assert statuses(answers) == [200, 401]
        given = answers[0].json()
        assert [status_of_me(site, given) for site in two] == [401, 401]
        assert refresh(second, given).status_code == 401


def test_an_invitation_sent_to_both_makes_one_account(two: Two) -> None:
    first, second = two
    for number in range(ROUNDS):
        token = invite(first)["token"]
        names = f"rosa{number}", f"rita{number}"
        answers = at_once(partial(join, first, token, names[0]), partial(join, second, token, names[1]))
        assert statuses(answers) == [201, 403]
        with first.app.server.supervisor.reading() as connection:
            found = connection.exec_driver_sql("SELECT username FROM users").scalars()
            assert len({*found} & {*names}) == 1


def test_a_code_sent_to_both_lets_one_in(two: Two) -> None:
    first, _ = two
    headers = first.log_in("bea")
    secret = base64.b32decode(first.client.post("/auth/second-factor", headers=headers).json()["secret"])

    def code(steps: int) -> str:
        return totp.code_of(secret, totp.step_of(clock.now()) + steps)

    on = first.client.post("/auth/second-factor/confirm", json={"otp": code(-1)}, headers=headers)
    assert on.status_code == 200, on.text
    for steps in (0, 1):
        form = {"username": "bea", "password": PASSWORD, "otp": code(steps)}
        answers = at_once(*(partial(site.client.post, "/auth/login", data=form) for site in two))
        assert statuses(answers) == [200, 401]
        assert "used already" in answers[1].json()["detail"]


def test_of_the_last_two_admins_who_leave_at_once_one_stays(two: Two) -> None:
    first, second = two
    with first.writing() as connection:
        connection.exec_driver_sql("UPDATE users SET is_admin = 1 WHERE username = 'bea'")
    ann, bea = first.log_in("ann"), second.log_in("bea")

    def leave(site: Site, username: str, headers: dict[str, str]) -> Any:
        address = f"/api/v1/admin/users/{site.user(username).id}/role"
        return site.client.put(address, json={"role": "member"}, headers=headers)

    answers = at_once(partial(leave, first, "ann", ann), partial(leave, second, "bea", bea))
    assert statuses(answers) == [200, 409]
    assert sorted(first.user(name).is_admin for name in ("ann", "bea")) == [False, True]


def test_what_is_ended_at_one_is_ended_at_the_other_at_the_next_request(two: Two) -> None:
    first, second = two
    tokens = log_in(first)
    assert status_of_me(second, tokens) == 200
    assert (
        second.client.post("/api/v1/ideas", json={"content": "x"}, headers=bearer(tokens)).status_code == 201
    )
    address = f"/api/v1/admin/users/{first.user('bea').id}/role"
    assert first.client.put(address, json={"role": "reader"}, headers=first.log_in("ann")).status_code == 200
    assert (
        second.client.post("/api/v1/ideas", json={"content": "x"}, headers=bearer(tokens)).status_code == 403
    )
    assert first.client.post("/auth/logout", headers=bearer(tokens)).status_code == 204
    assert status_of_me(second, tokens) == 401
