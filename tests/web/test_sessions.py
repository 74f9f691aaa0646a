"""Do sessions work over HTTP: listed, refreshed once, ended at once, and by a token that comes again?"""

from __future__ import annotations

from typing import Any

from app import clock
from app.accounts import sessions
from app.accounts.throttle import LoginThrottle
from tests.databases import run
from tests.web.conftest import PASSWORD, Site


def log_in(site: Site, username: str = "bea", agent: str = "a phone") -> dict[str, Any]:
    form = {"username": username, "password": PASSWORD, "scope": "offline_access"}
    answer = site.client.post("/auth/login", data=form, headers={"User-Agent": agent})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def refresh(site: Site, tokens: dict[str, Any]) -> Any:
    return site.client.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})


def status_of_me(site: Site, tokens: dict[str, Any]) -> int:
    return site.client.get("/auth/me", headers=bearer(tokens)).status_code


def test_a_session_is_refreshed_and_every_token_of_it_opens_until_it_ends(site: Site) -> None:
    site.add_user("bea")
    first = log_in(site)
    assert set(first) == {"access_token", "token_type", "expires_in", "refresh_token"}
    answer = refresh(site, first)
    assert answer.headers["cache-control"] == "private, no-store"
    second = answer.json()
    assert set(second) == set(first)
    assert [status_of_me(site, each) for each in (first, second)] == [200, 200]


def test_a_stolen_refresh_token_ends_the_session_for_the_thief_and_the_owner(site: Site) -> None:
    site.add_user("bea")
    stolen, other = log_in(site), log_in(site)
    by_the_thief = refresh(site, stolen).json()
    answer = refresh(site, stolen)  # the owner, later
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert [status_of_me(site, each) for each in (stolen, by_the_thief, other)] == [401, 401, 200]
    assert refresh(site, by_the_thief).status_code == 401
    assert refresh(site, other).status_code == 200
    told = site.client.get("/api/v1/admin/audit?action=REFRESH_REUSED", headers=site.log_in("ann")).json()
    assert [each["record_id"] for each in told["items"]] == [site.user("bea").id]


def test_sessions_are_listed_and_ended_by_their_person_alone(site: Site) -> None:
    site.add_user("bea")
    phone, laptop = log_in(site), log_in(site, agent="a laptop")
    ann = site.log_in("ann")
    items = site.client.get("/auth/sessions", headers=bearer(phone)).json()["items"]
    assert sorted(each["user_agent"] for each in items) == ["a laptop", "a phone"]
    assert [each["user_agent"] for each in items if each["is_current"]] == ["a phone"]
    (lost,) = [each["id"] for each in items if not each["is_current"]]
    assert site.client.delete(f"/auth/sessions/{lost}", headers=ann).status_code == 404
    assert status_of_me(site, laptop) == 200
    assert site.client.delete(f"/auth/sessions/{lost}", headers=bearer(phone)).status_code == 204
    assert [status_of_me(site, each) for each in (phone, laptop)] == [200, 401]
    assert refresh(site, laptop).status_code == 401
    assert site.client.delete(f"/auth/sessions/{lost}", headers=bearer(phone)).status_code == 404


def test_logging_out_ends_one_session_and_logging_out_everywhere_all(site: Site) -> None:
    site.add_user("bea")
    here, there, third = log_in(site), log_in(site), log_in(site)
    assert site.client.post("/auth/logout", headers=bearer(here)).status_code == 204
    assert [status_of_me(site, each) for each in (here, there, third)] == [401, 200, 200]
    assert site.client.post("/auth/logout-everywhere", headers=bearer(there)).status_code == 204
    assert [refresh(site, each).status_code for each in (here, there, third)] == [401] * 3


def test_another_password_ends_every_session_and_the_answer_goes_on_as_the_login_did(site: Site) -> None:
    site.add_user("bea")
    other, own = log_in(site), log_in(site)
    body = {"current_password": PASSWORD, "new_password": "a longer sentence is better"}
    changed = site.client.post("/auth/password", json=body, headers=bearer(own)).json()
    assert [refresh(site, each).status_code for each in (other, own)] == [401, 401]
    assert refresh(site, changed).status_code == 200


def test_an_account_that_is_out_by_any_hand_refreshes_nothing(site: Site) -> None:
    site.add_user("bea")
    tokens = log_in(site)
    with site.writing() as connection:
        run(connection, "UPDATE users SET is_active = 0 WHERE username = ?", "bea")
    assert refresh(site, tokens).status_code == 401
    with site.writing() as connection:
        run(connection, "UPDATE users SET is_active = 1 WHERE username = ?", "bea")
    assert refresh(site, tokens).status_code == 200, (
        "nothing of hers was ended: it was not a token come again"
    )


def test_guesses_at_refresh_tokens_are_slowed_down_and_the_right_one_is_not(site: Site) -> None:
    site.app.server.throttle = LoginThrottle(lambda: 0.0)
    site.add_user("bea")
    tokens = log_in(site)
    junk = {"refresh_token": "daemon_refresh_" + "A" * 64}
    answers = [refresh(site, junk) for _ in range(12)]
    assert [each.status_code for each in answers] == [401] * 10 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 0
    assert refresh(site, tokens).status_code == 200


def test_the_password_is_asked_for_again_where_it_was_typed_long_ago(site: Site) -> None:
    site.add_user("bea")
    headers = bearer(log_in(site))
    with site.writing() as connection:
        run(connection, "UPDATE sessions SET confirmed_at = ?", "2020-01-01 00:00:00")

    def is_confirmed() -> bool:
        with site.app.server.supervisor.reading() as connection:
            (found,) = sessions.list_sessions(connection, site.user("bea").id, clock.now())
        return found.is_confirmed(clock.now())

    assert not is_confirmed()
    wrong = site.client.post("/auth/confirm", json={"password": "wrong"}, headers=headers)
    assert (wrong.status_code, is_confirmed()) == (403, False)
    right = site.client.post("/auth/confirm", json={"password": PASSWORD}, headers=headers)
    assert (right.status_code, is_confirmed()) == (204, True)


def test_a_refresh_does_not_stand_for_typing_the_password(site: Site) -> None:
    site.add_user("bea")
    tokens = log_in(site)
    with site.writing() as connection:
        run(connection, "UPDATE sessions SET confirmed_at = ?", "2020-01-01 00:00:00")
    assert refresh(site, tokens).status_code == 200
    with site.app.server.supervisor.reading() as connection:
        (found,) = sessions.list_sessions(connection, site.user("bea").id, clock.now())
    assert found.confirmed_at == "2020-01-01 00:00:00"
