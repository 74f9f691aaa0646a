"""Is a login at a provider only ever that of who was linked, once, in the browser that began it?

Against a real provider on loopback (`openid_provider`), which says what an attacker would have it say.
"""

from __future__ import annotations

import base64
import http.client
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from app import clock
from app.accounts import oidc_attempts, totp
from app.accounts.oidc_attempts import Attempt
from app.settings import Settings
from tests.web import openid_provider
from tests.web.conftest import Site
from tests.web.openid_provider import CLIENT, CLIENT_SECRET, Provider, key

CALLBACK = "http://127.0.0.1:8004/auth/oidc/callback"
NOT_LINKED = "No account that may come in is linked"
REFUSED = "The login at the provider did not succeed."
Headers = dict[str, str]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with openid_provider.running() as found:
        yield found


@pytest.fixture
def here(settings: Settings, serve: Callable[..., Site], provider: Provider) -> Site:
    """An installation with that provider, and ann and ben, of whom ben is linked with person-1 there."""
    made = serve(
        replace(
            settings,
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT,
            oidc_client_secret=CLIENT_SECRET,
            oidc_redirect_uri=CALLBACK,
        )
    )
    made.add_user("ann", is_admin=True)
    made.add_user("ben")
    assert linked(made, made.log_in("ben")).json() == {"purpose": "link", "needs_code": False}
    made.client.cookies.clear()
    return made


def at_provider(address: str) -> dict[str, str]:
    """Log in there; return what the browser is sent back with."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    back = answer.getheader("Location", "")
    connection.close()
    assert (answer.status, back.partition("?")[0]) == (302, CALLBACK)
    return dict(parse_qsl(urlsplit(back).query))


def begun(site: Site, query: str = "") -> str:
    answer = site.client.get(f"/auth/oidc/login{query}", follow_redirects=False)
    assert answer.status_code == 302
    return str(answer.headers["location"])


def come_back(site: Site, back: dict[str, str]) -> Any:
    return site.client.get(f"/auth/oidc/callback?{urlencode(back)}")


def logged_in(site: Site, query: str = "") -> Any:
    return come_back(site, at_provider(begun(site, query)))


def linked(site: Site, who: Headers, address: str = "link") -> Any:
    answer = site.client.post(f"/auth/oidc/{address}", headers=who)
    assert answer.status_code == 200, answer.text
    return come_back(site, at_provider(answer.json()["authorization_url"]))


def is_refused(answer: Any, why: str = REFUSED) -> bool:
    assert "access_token" not in answer.text
    return answer.status_code == 403 and why in answer.json()["detail"]


def actions(site: Site) -> list[str]:
    items = site.client.get("/auth/audit", headers=site.log_in("ben")).json()["items"]
    return [each["action"] for each in items]


def test_who_is_linked_comes_in_and_the_audit_names_the_provider(here: Site, provider: Provider) -> None:
    found = logged_in(here, "?scope=offline_access").json()
    me = here.client.get("/auth/me", headers={"Authorization": f"Bearer {found['access_token']}"})
    assert me.json()["username"] == "ben"
    refreshed = here.client.post("/auth/refresh", json={"refresh_token": found["refresh_token"]})
    assert refreshed.status_code == 200
    lines = here.client.get("/auth/audit", headers=here.log_in("ben")).json()["items"]
    assert [(each["action"], each["details"]) for each in lines if "issuer" in each["details"]] == [
        ("LOGIN", {"issuer": provider.issuer}),
        ("LOGIN_LINK", {"issuer": provider.issuer}),
    ]


def test_a_mail_address_links_no_one(here: Site, provider: Provider) -> None:
    provider.subject = "person-2"
    provider.claims = {"email": "ben@example.org", "email_verified": True, "preferred_username": "ben"}
    assert is_refused(logged_in(here), NOT_LINKED)


NOW = int(time.time())
LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"claims": {"nonce": "of another login"}},
    "no nonce": {"claims": {"nonce": None}},
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "another audience": {"claims": {"aud": "someone else"}},
    "several audiences and no azp": {"claims": {"aud": [CLIENT, "someone else"]}},
    "issued to someone else": {"claims": {"aud": [CLIENT, "someone else"], "azp": "someone else"}},
    "expired": {"claims": {"exp": NOW - 120, "iat": NOW - 400}},
    "never ends": {"claims": {"exp": None}},
    "made long ago": {"claims": {"iat": NOW - 3600, "exp": NOW + 3600}},
    "no subject": {"claims": {"sub": ""}},
    "a subject that is no text": {"claims": {"sub": 1}},
    "alg none": {"algorithm": "none", "signer": ""},
    "signed with what both know": {"algorithm": "HS256", "signer": CLIENT_SECRET},
    "another key of the same name": {"signer": key("second")},
    "a key that is not published": {"headers": {"kid": "2"}},
    "a header that must be understood": {"headers": {"crit": ["exp"]}},
    "a short key": {
        "signer": key("short"),
        "published": "short",
        "key_id": "short",
        "headers": {"kid": "short"},
    },
}


@pytest.mark.parametrize("lie", LIES)
def test_an_id_token_that_is_not_for_this_login_lets_no_one_in(
    here: Site, provider: Provider, lie: str
) -> None:
    for name, value in LIES[lie].items():
        setattr(provider, name, value)
    here.app.server.oidc._keys_at = float("-inf")
    assert is_refused(logged_in(here))
    assert actions(here).count("LOGIN") == 2, "the one that linked, and the one that looks"


def test_several_audiences_are_believed_where_it_is_said_that_it_was_issued_to_us(
    here: Site, provider: Provider
) -> None:
    provider.claims = {"aud": [CLIENT, "someone else"], "azp": CLIENT}
    assert logged_in(here).status_code == 200


def test_what_came_back_is_good_once(here: Site, provider: Provider) -> None:
    back = at_provider(begun(here))
    cookie = dict(here.client.cookies)
    asked = dict(provider.codes[back["code"]])
    assert come_back(here, back).status_code == 200
    assert is_refused(come_back(here, back)), "the cookie is gone"
    here.client.cookies.update(cookie)
    assert is_refused(come_back(here, back)), "the provider knows the code no more"
    provider.codes[back["code"]] = asked
    here.client.cookies.update(cookie)
    assert is_refused(come_back(here, back)), "and if it did, the state is used up"


def test_it_belongs_to_the_browser_that_began_it(here: Site, provider: Provider) -> None:
    mine = at_provider(begun(here))
    here.client.cookies.clear()
    assert is_refused(come_back(here, mine)), "a browser that began nothing"
    theirs = at_provider(begun(here))
    calls = provider.token_calls
    assert is_refused(come_back(here, mine)), "a browser that began another login"
    assert provider.token_calls == calls, "and the provider is not asked"
    swapped = {**theirs, "code": mine["code"]}
    assert is_refused(come_back(here, swapped)), "someone else's code (PKCE)"


@pytest.mark.parametrize("issuer", [None, "https://evil.example", ""])
def test_the_answer_of_another_provider_is_not_taken_for_ours(
    here: Site, provider: Provider, issuer: str | None
) -> None:
    back = at_provider(begun(here))
    calls = provider.token_calls
    changed = {name: value for name, value in {**back, "iss": issuer}.items() if value is not None}
    assert is_refused(come_back(here, changed))
    assert provider.token_calls == calls, "our code is sent to no one"


def test_a_cookie_that_is_old_or_made_up_opens_nothing(here: Site) -> None:
    back = at_provider(begun(here))
    secret, name = here.app.server.secret, "daemon_login"
    old = Attempt("login", clock.now().timestamp() - 601, state=back["state"])
    for_code = Attempt("code", clock.now().timestamp(), state=back["state"], subject="person-1", then="login")
    for value in (
        oidc_attempts.seal(secret, old),
        oidc_attempts.seal(secret, for_code),
        oidc_attempts.seal("another secret", Attempt("login", clock.now().timestamp(), state=back["state"])),
        "x" * 200,
    ):
        here.client.cookies.clear()
        here.client.cookies.set(name, value)
        assert is_refused(come_back(here, back))


def test_who_is_kept_out_or_unlinked_does_not_come_in(here: Site) -> None:
    ben = here.log_in("ben")
    with here.writing() as connection:
        connection.exec_driver_sql("UPDATE users SET is_active = 0 WHERE username = 'ben'")
    assert is_refused(logged_in(here), NOT_LINKED)
    with here.writing() as connection:
        connection.exec_driver_sql("UPDATE users SET is_active = 1 WHERE username = 'ben'")
    assert here.client.delete("/auth/oidc", headers=ben).status_code == 204
    assert is_refused(logged_in(here), NOT_LINKED)
    assert here.client.delete("/auth/oidc", headers=ben).status_code == 404


def test_a_login_is_linked_with_one_account_by_who_is_logged_in_there(here: Site, provider: Provider) -> None:
    ann = here.log_in("ann")
    assert linked(here, ann).status_code == 409, "it is ben's"
    provider.subject = "person-2"
    assert linked(here, here.log_in("ben")).status_code == 409, "ben has one"
    answer = here.client.post("/auth/oidc/link", headers=ann)
    back = at_provider(answer.json()["authorization_url"])
    here.client.post("/auth/logout", headers=ann)
    assert is_refused(come_back(here, back)), "she logged out meanwhile"
    with here.writing() as connection:
        connection.exec_driver_sql("UPDATE sessions SET confirmed_at = '2020-01-01 00:00:00'")
    refused = here.client.post("/auth/oidc/link", headers=here.log_in("ann") | {})
    assert refused.status_code == 200, "a login has just typed the password"
    ben = here.log_in("ben")
    with here.writing() as connection:
        connection.exec_driver_sql("UPDATE sessions SET confirmed_at = '2020-01-01 00:00:00'")
    for method, address in (("POST", "/auth/oidc/link"), ("DELETE", "/auth/oidc")):
        assert here.client.request(method, address, headers=ben).json()["code"] == "confirmation_needed"


def test_the_second_factor_of_here_is_asked_for_too(here: Site) -> None:
    ben = here.log_in("ben")
    secret = here.client.post("/auth/second-factor", headers=ben).json()["secret"]
    step = int(time.time()) // 30
    on = here.client.post("/auth/second-factor/confirm", json={"otp": code_of(secret, step - 1)}, headers=ben)
    assert on.status_code == 200, on.text
    waiting = logged_in(here)
    assert waiting.json() == {"purpose": "login", "needs_code": True}
    wrong = here.client.post("/auth/oidc/second-factor", json={"otp": "000000"})
    assert (wrong.status_code, "access_token" in wrong.text) == (401, False)
    cookie = dict(here.client.cookies)
    right = here.client.post("/auth/oidc/second-factor", json={"otp": code_of(secret, step)})
    assert "access_token" in right.json()
    here.client.cookies.clear()
    here.client.cookies.update(cookie)
    recovery = on.json()["recovery_codes"][0]
    again = here.client.post("/auth/oidc/second-factor", json={"otp": recovery})
    assert is_refused(again), "what it waited for is used up"


def code_of(secret: str, step: int) -> str:
    return totp.code_of(base64.b32decode(secret), step)


def test_a_login_at_the_provider_types_no_password_but_a_fresh_one_does(
    here: Site, provider: Provider
) -> None:
    ben = {"Authorization": f"Bearer {logged_in(here).json()['access_token']}"}
    dangerous = ("POST", "/auth/second-factor")
    assert here.client.request(*dangerous, headers=ben).json()["code"] == "confirmation_needed"
    provider.claims = {"auth_time": int(time.time()) - 900}
    assert is_refused(linked(here, ben, "confirm")), "logged in there long ago"
    provider.claims = {"auth_time": None}
    assert is_refused(linked(here, ben, "confirm"))
    provider.claims = {}
    provider.subject = "person-2"
    assert is_refused(linked(here, ben, "confirm")), "as someone else"
    provider.subject = "person-1"
    assert linked(here, ben, "confirm").json() == {"purpose": "confirm", "needs_code": False}
    assert here.client.request(*dangerous, headers=ben).status_code == 201


def test_who_is_invited_joins_by_way_of_the_provider(here: Site, provider: Provider) -> None:
    ann = here.log_in("ann")
    invitation = here.client.post("/api/v1/admin/invitations", json={"role": "reader"}, headers=ann).json()
    wanted = {"invitation": invitation["token"], "username": "rosa", "email": "rosa@example.org"}
    provider.subject = "person-3"
    answer = here.client.post("/auth/oidc/join", json=wanted)
    joined = come_back(here, at_provider(answer.json()["authorization_url"])).json()
    me = here.client.get("/auth/me", headers={"Authorization": f"Bearer {joined['access_token']}"}).json()
    assert (me["username"], me["role"]) == ("rosa", "reader")
    assert here.client.post("/auth/oidc/join", json=wanted).status_code == 403, "the invitation is used up"
    made_up = {**wanted, "invitation": "daemon_link_made_up"}
    assert here.client.post("/auth/oidc/join", json=made_up).status_code == 403


def test_one_logs_out_here_and_is_told_where_there(here: Site, provider: Provider) -> None:
    ben = {"Authorization": f"Bearer {logged_in(here).json()['access_token']}"}
    found = here.client.post("/auth/oidc/logout", headers=ben).json()
    assert found["end_session_url"].startswith(f"{provider.issuer}/logout?")
    assert here.client.get("/auth/me", headers=ben).status_code == 401


def test_a_provider_that_is_another_one_or_gone_is_a_fault_of_its_own(here: Site, provider: Provider) -> None:
    for document in ({"issuer": "https://evil.example"}, {"token_endpoint": "http://192.0.2.1/token"}):
        provider.document = document
        here.app.server.oidc._discovered = None
        answer = here.client.get("/auth/oidc/login", follow_redirects=False)
        assert (answer.status_code, answer.json()["code"]) == (502, "provider_failed")


def test_without_a_provider_there_is_no_such_door(site: Site) -> None:
    assert site.client.get("/auth/oidc/login", follow_redirects=False).status_code == 404
    assert site.client.get("/auth/oidc/callback?state=x&code=y").status_code == 404
    found = site.client.get("/auth/oidc", headers=site.log_in("ann")).json()
    assert found == {"issuer": None, "items": []}


def test_refusals_are_counted(here: Site) -> None:
    statuses = [come_back(here, {"state": "x", "code": "y"}).status_code for _ in range(12)]
    assert statuses[0] == 403
    assert statuses[-1] == 429
