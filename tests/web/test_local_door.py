"""Who may write to an installation that nobody has claimed? Only whoever sits at the machine itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.settings import Settings
from app.web.origins import address_of, is_local_door, scheme_of
from tests.web.conftest import PASSWORD, Site
from tests.web.test_entries import location_of

IDEA = {"content": "# Test Idea\nThis is a test before migration"}


def scope(peer: str | None = "127.0.0.1", **headers: str) -> dict[str, Any]:
    named = {"host": "localhost:8004", **{name.replace("_", "-"): value for name, value in headers.items()}}
    sent = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
    return {"client": (peer, 1234) if peer else None, "headers": sent, "scheme": "http"}


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8004", "localhost:1", "127.0.0.1:8004", "[::1]:8004"]
)
def test_a_direct_request_from_the_machine_itself_is_let_in(peer: str, host: str) -> None:
    assert is_local_door(scope(peer, host=host))


@pytest.mark.parametrize("peer", ["192.0.2.1", "10.0.0.1", "172.17.0.1", "::2", "testclient", "", None])
def test_any_other_peer_is_not(peer: str | None) -> None:
    assert not is_local_door(scope(peer))


@pytest.mark.parametrize(
    "host",
    ["", "daemon.example", "localhost.example", "127.0.0.1.example", "localhost@evil.example",
     "evil@localhost", "localhost:x", "[::1", "0.0.0.0:8004", "127.0.0.2", "localhost:0", "localhost."],
)  # fmt: skip
def test_any_other_name_is_not(host: str) -> None:
    assert not is_local_door(scope(host=host))


@pytest.mark.parametrize(
    "header",
    ["forwarded", "x_forwarded_for", "x_forwarded_host", "x_forwarded_proto", "x_forwarded", "x_real_ip",
     "via", "cf_connecting_ip", "true_client_ip", "x_client_ip"],
)  # fmt: skip
@pytest.mark.parametrize("value", ["", "127.0.0.1"])
def test_whatever_a_proxy_adds_closes_it(header: str, value: str) -> None:
    assert not is_local_door(scope(**{header: value}))


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://evil.example",
        "http://localhost",
        "https://localhost:8004",
        "http://127.0.0.1:8004",
    ],
)
def test_a_page_of_another_origin_is_not_let_in(origin: str) -> None:
    assert not is_local_door(scope(origin=origin))


@pytest.mark.parametrize("site", ["cross-site", "same-site", ""])
def test_a_browser_that_says_it_comes_from_elsewhere_is_not_let_in(site: str) -> None:
    assert not is_local_door(scope(sec_fetch_site=site))


def test_its_own_page_and_an_address_typed_in_are() -> None:
    assert is_local_door(scope(origin="http://localhost:8004", sec_fetch_site="same-origin"))
    assert is_local_door(scope(sec_fetch_site="none"))


def test_a_proxys_word_counts_only_where_the_proxy_is_trusted() -> None:
    asked = scope(
        "10.0.0.9", x_forwarded_for="203.0.113.9, 198.51.100.7, 10.0.0.8", x_forwarded_proto="https"
    )
    assert address_of(asked, ()) == "10.0.0.9"
    assert address_of(asked, ("192.0.2.0/24",)) == "10.0.0.9"
    assert address_of(asked, ("10.0.0.0/8",)) == "198.51.100.7"
    assert scheme_of(asked, ()) == "http"
    assert scheme_of(asked, ("10.0.0.0/8",)) == "https"
    assert address_of(scope("10.0.0.9", x_forwarded_for="junk"), ("10.0.0.0/8",)) == "10.0.0.9"
    assert address_of(scope("10.0.0.9"), ("10.0.0.0/8",)) == "10.0.0.9"


# -- over HTTP


@pytest.fixture
def at_home(serve: Callable[..., Site], settings: Settings) -> Site:
    """An unclaimed installation, asked from the machine itself."""
    return serve(settings, peer="127.0.0.1", base_url="http://localhost:8004")


def test_what_is_written_there_is_read_there_and_nowhere_else(at_home: Site) -> None:
    made = at_home.client.post("/api/v1/ideas", json=IDEA)
    assert made.status_code == 201
    location = location_of(made)
    assert at_home.client.get("/api/v1/ideas").json()["items"][0]["content"] == IDEA["content"]
    assert at_home.client.get(location).status_code == 200
    for headers in (
        {"Host": "daemon.example"},
        {"X-Forwarded-For": "192.0.2.7"},
        {"Origin": "https://evil.example"},
    ):
        assert at_home.client.get("/api/v1/ideas", headers=headers).json()["items"] == []
        assert at_home.client.get(location, headers=headers).status_code == 404
        refused = at_home.client.post("/api/v1/ideas", json=IDEA, headers=headers)
        assert refused.status_code == 401
        assert "claim_token" in refused.json()["hint"]
        assert "/auth/login" in refused.json()["hint"]
        assert refused.headers["www-authenticate"].startswith("Bearer")


def test_nothing_of_an_unclaimed_installation_is_kept_by_others(at_home: Site) -> None:
    answer = at_home.client.get("/api/v1/ideas")
    assert answer.headers["cache-control"] == "private, no-store"


def test_it_ends_for_good_with_the_first_account_which_inherits(at_home: Site) -> None:
    location = location_of(at_home.client.post("/api/v1/ideas", json=IDEA))
    at_home.add_user("ann", is_admin=True)
    refused = at_home.client.post("/api/v1/ideas", json=IDEA)
    assert refused.status_code == 401
    assert "claim_token" not in refused.text
    owned = at_home.client.get(location, headers=at_home.log_in("ann")).json()
    assert owned["content"] == IDEA["content"]
    assert owned["owner"] == "ann"
    with at_home.writing() as connection:
        connection.exec_driver_sql("UPDATE data_entries SET created_by_id = NULL")
        connection.exec_driver_sql("DELETE FROM user_privacy_settings")
        connection.exec_driver_sql("UPDATE audit_logs SET user_id = NULL")
        connection.exec_driver_sql("DELETE FROM users")
    at_home.door.house.is_claimed = False  # as after a restart
    assert at_home.client.post("/api/v1/ideas", json=IDEA).status_code == 401


def test_an_installation_with_users_never_had_it(at_home: Site) -> None:
    at_home.add_user("ann", is_admin=True)
    assert at_home.client.post("/api/v1/ideas", json=IDEA).status_code == 401
    assert at_home.log_in("ann", PASSWORD)
