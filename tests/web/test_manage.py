"""Is the admin in the browser closed to whoever has no session, and are its forms sent by its pages alone?"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app import clock
from app.accounts import claim
from app.server.client_address import is_local_client
from app.settings import Settings
from app.web import assets
from app.web.admin.api import Api
from tests.web.browsing import TLS, Browser, PageSeen, signed_in
from tests.web.conftest import PASSWORD, Server, Site, environment, free_port
from tests.web.test_second_factor import turn_on

HOME = "http://192.168.1.5:8004"
LOOPBACK = ("http://localhost:8004", "http://127.0.0.1:8004", "http://[::1]:8004")


def test_signing_in_by_the_form_leads_to_today(site: Site) -> None:
    browser = Browser(site)
    page = browser.sign_in("ann")
    assert (page.status, page.path, page.title) == (200, "/manage/", "Today")
    assert list(browser.cookies) == ["__Host-daemon_session"]


def test_the_cookie_is_of_this_host_alone_and_in_no_page(site: Site) -> None:
    browser = Browser(site)
    page = browser.get("/manage/sign-in")
    sent = browser.submit(page, "Sign in", follow=False, username="ann", password=PASSWORD)
    said = sent.headers["set-cookie"]
    for each in ("Secure", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age="):
        assert each in said
    assert "Domain" not in said
    value = browser.cookies["__Host-daemon_session"]
    for path in ("/manage/", "/manage/sign-in"):
        seen = browser.get(path)
        assert value not in seen.text
        assert "Bearer TOKEN" in seen.text or path != "/manage/"


@pytest.mark.parametrize("base", LOOPBACK)
def test_this_machine_may_sign_in_without_tls(site: Site, base: str) -> None:
    browser = signed_in(site, "ann", base)
    assert list(browser.cookies) == ["__Host-daemon_session"]


SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Safari/605.1.15"
)
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


class Agent(Browser):
    """A browser that says which one it is; WebKit keeps no Secure cookie of plain HTTP, whoever sends it."""

    def __init__(self, site: Site, base: str, agent: str, **headers: str) -> None:
        super().__init__(site, base)
        self.said = {"User-Agent": agent, **headers}

    def ask(self, method: str, url: str, **more: Any) -> PageSeen:
        return super().ask(method, url, headers={**self.said, **more.pop("headers", {})}, **more)

    def _keep(self, text: str) -> None:
        is_refused = "Secure" in text and self.base.startswith("http:") and self.said["User-Agent"] == SAFARI
        if not is_refused:
            super()._keep(text)


@pytest.mark.parametrize("base", LOOPBACK)
def test_safari_keeps_the_session_on_this_machine_too(site: Site, base: str) -> None:
    browser = Agent(site, base, SAFARI)
    page = browser.sign_in("ann")
    assert (page.title, "not encrypted" in page.words) == ("Today", False)
    assert list(browser.cookies) == ["daemon_session"]
    said = browser.submit(browser.get("/manage/"), "Sign out", follow=False).headers["set-cookie"]
    assert "HttpOnly" in said
    assert "daemon_session" not in browser.cookies


@pytest.mark.parametrize(
    ("base", "agent", "headers"),
    [
        ("http://localhost:8004", CHROME, {}),
        ("http://localhost:8004", FIREFOX, {}),
        ("http://localhost:8004", "", {}),
        ("http://localhost:8004", SAFARI, {"X-Forwarded-For": "203.0.113.7"}),
        ("http://localhost:8004", SAFARI, {"Via": "1.1 proxy"}),
        (TLS, SAFARI, {}),
    ],
)
def test_no_one_else_is_sent_a_cookie_that_is_not_secure(
    site: Site, base: str, agent: str, headers: dict[str, str]
) -> None:
    browser = Agent(site, base, agent, **headers)
    page = browser.get("/manage/sign-in")
    sent = browser.submit(page, "Sign in", follow=False, username="ann", password=PASSWORD)
    said = sent.headers["set-cookie"]
    assert said.startswith("__Host-daemon_session=")
    assert "Secure" in said.split("; ")


def test_safari_from_elsewhere_over_plain_http_is_refused_as_all_are(site: Site) -> None:
    assert Agent(site, HOME, SAFARI).get("/manage/").status == 403


def test_plain_http_from_elsewhere_is_refused_with_the_way_to_tls(site: Site) -> None:
    browser = Browser(site, HOME)
    page = browser.get("/manage/")
    assert page.status == 403
    assert "ADMIN_OVER_HTTP" in page.words
    assert "ssh -L 8004" in page.words
    assert "password" not in {each.get("type") for each in page.root.iter("input")}
    sent = browser.ask(
        "POST", "/manage/sign-in", data={"username": "ann", "password": PASSWORD}, headers={"Origin": HOME}
    )
    assert (sent.status, browser.cookies) == (403, {})


def test_plain_http_that_is_allowed_has_a_banner_on_every_screen(
    serve: Callable[..., Site], settings: Settings
) -> None:
    site = serve(replace(settings, admin_over_http=True))
    site.add_user("ann", is_admin=True)
    browser = Browser(site, HOME)
    assert "not encrypted" in browser.get("/manage/sign-in").words
    assert "not encrypted" in browser.sign_in("ann").words
    assert list(browser.cookies) == ["daemon_session"]


@pytest.mark.parametrize("path", ["/manage/", "/manage/entries", "/manage/nothing-there", "/manage"])
def test_without_a_session_one_is_asked_to_sign_in(site: Site, path: str) -> None:
    page = Browser(site).get(path)
    assert (page.status, page.path) == (200, "/manage/sign-in")


def test_admin_leads_browsers_to_the_screens_and_programs_nowhere_else(site: Site) -> None:
    assert Browser(site).get("/admin", follow=False).status == 303
    assert Browser(site).get("/admin").path == "/manage/sign-in"
    assert site.client.get("/admin").status_code == 404
    assert site.client.get("/admin/users").status_code == 401


def test_one_is_led_to_where_one_was_going_and_never_elsewhere(site: Site) -> None:
    for wanted, there in (
        ("/manage/profile", "/manage/profile"),
        ("https://evil.example/", "/manage/"),
        ("//evil.example/manage/", "/manage/"),
        ("/manage/../../evil", "/manage/"),
        ("/manage//evil.example", "/manage/"),
        ("/manage/\\evil.example", "/manage/"),
    ):
        browser = Browser(site)
        page = browser.get(f"/manage/sign-in?next={wanted}")
        browser.submit(page, "Sign in", follow=False, username="ann", password=PASSWORD)
        found = browser.get(f"/manage/sign-in?next={wanted}", follow=False)
        assert found.headers["location"].endswith(there.removeprefix("/manage/"))
        assert "evil" not in found.headers["location"]


def test_a_wrong_password_is_said_and_kept_out_of_the_page(site: Site) -> None:
    browser = Browser(site)
    page = browser.submit(
        browser.get("/manage/sign-in"), "Sign in", username="ann", password="another sentence"
    )
    assert page.status == 401
    assert 'value="ann"' in page.text
    assert "another sentence" not in page.text
    assert browser.cookies == {}


def test_tries_in_the_browser_are_counted_with_all_others(site: Site) -> None:
    browser = Browser(site)
    page = browser.get("/manage/sign-in")
    statuses = set()
    site.app.server.sleep = _no_time
    for _ in range(40):
        statuses.add(browser.submit(page, "Sign in", username="ann", password="another sentence").status)
    by_api = site.client.post("/auth/login", data={"username": "ann", "password": "another sentence"})
    assert 429 in statuses
    assert by_api.status_code == 429


async def _no_time(_seconds: float) -> None:
    return None


def test_signing_out_ends_the_session(site: Site) -> None:
    browser = signed_in(site, "ann")
    stolen = Browser(site)
    stolen.cookies = dict(browser.cookies)
    assert stolen.get("/manage/").path == "/manage/"
    page = browser.submit(browser.get("/manage/"), "Sign out")
    assert (page.path, "You are signed out" in page.words) == ("/manage/sign-in", True)
    assert stolen.get("/manage/").path == "/manage/sign-in"


def test_logging_out_everywhere_ends_the_browser_too(site: Site) -> None:
    browser = signed_in(site, "ann")
    assert site.client.post("/auth/logout-everywhere", headers=site.log_in("ann")).status_code == 204
    assert browser.get("/manage/").path == "/manage/sign-in"


def test_a_session_that_is_used_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = signed_in(site, "ann")
    begun = clock.now()
    for day in (20, 40, 60):
        monkeypatch.setattr(clock, "now", lambda day=day: begun + timedelta(days=day))
        assert browser.get("/manage/").path == "/manage/"
    monkeypatch.setattr(clock, "now", lambda: begun + timedelta(days=60 + 31))
    assert browser.get("/manage/").path == "/manage/sign-in"


def test_the_sessions_of_the_api_have_the_browsers_too(site: Site) -> None:
    signed_in(site, "ann")
    found = site.client.get("/auth/sessions", headers=site.log_in("ann")).json()["items"]
    assert [each["can_refresh"] for each in found].count(True) == 1


def test_a_second_factor_is_asked_for(site: Site) -> None:
    site.add_user("bea")
    device, _codes, _header = turn_on(site, "bea")
    browser = Browser(site)
    page = browser.sign_in("bea")
    assert (page.status, "second factor" in page.words, browser.cookies) == (401, True, {})
    assert browser.sign_in("bea", otp="000000").status == 401
    assert browser.sign_in("bea", otp=device.code(site)).path == "/manage/"


# -- who has sent a form


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://daemon.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_a_form_from_elsewhere_changes_nothing(site: Site, headers: dict[str, str]) -> None:
    browser = signed_in(site, "ann")
    page = browser.submit(browser.get("/manage/"), "Sign out", headers=headers)
    assert (page.status, "nothing was changed" in page.words) == (403, True)
    assert browser.get("/manage/").path == "/manage/"


@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_a_form_without_the_token_of_its_session_changes_nothing(site: Site, token: str | None) -> None:
    browser = signed_in(site, "ann")
    page = browser.submit(browser.get("/manage/"), "Sign out", form_token=token)
    assert page.status == 403
    assert browser.get("/manage/").path == "/manage/"


def test_the_token_of_another_session_is_none(site: Site) -> None:
    site.add_user("bob")
    ann, bob = signed_in(site, "ann"), signed_in(site, "bob")
    page = bob.get("/manage/")
    assert ann.submit(page, "Sign out").status == 403
    assert ann.get("/manage/").path == "/manage/"


def test_no_one_is_signed_in_by_a_page_of_elsewhere(site: Site) -> None:
    browser = Browser(site)
    form = {"username": "ann", "password": PASSWORD}
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert browser.ask("POST", "/manage/sign-in", data=form, headers=headers).status == 403
    assert browser.cookies == {}


# -- what a page may do


def test_pages_load_nothing_from_elsewhere_and_are_kept_by_no_one(site: Site) -> None:
    page = Browser(site).get("/manage/sign-in")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    assert "<style" not in page.text
    assert " style=" not in page.text
    assert "<script>" not in page.text


def test_what_is_vendored_is_what_its_makers_published() -> None:
    assert hashlib.sha256(assets.htmx().body).hexdigest() == assets.HTMX_SHA256


def test_a_method_that_no_screen_takes_is_refused(site: Site) -> None:
    browser = signed_in(site, "ann")
    refused = browser.ask("DELETE", "/manage/sign-in")
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, POST")
    assert browser.get("/manage/nothing-there").status == 404


def test_the_language_is_the_browsers_or_the_chosen_one(site: Site) -> None:
    browser = Browser(site)
    german = browser.get("/manage/sign-in", headers={"Accept-Language": "de-AT,en;q=0.5"})
    assert german.root.get("lang") == "de"
    browser.submit(browser.get("/manage/sign-in"), "Deutsch")
    assert browser.get("/manage/sign-in").root.get("lang") == "de"


# -- claiming


def claim_link(site: Site) -> str:
    return f"/manage/claim?token={claim.claim_token(site.settings)}"


def claimed(site: Site, browser: Browser) -> object:
    page = browser.get(claim_link(site))
    return browser.submit(
        page, "Claim it", username="ann", full_name="Ann Otter", email="ann@example.org", password=PASSWORD
    )


def test_the_link_makes_the_first_account_and_signs_it_in(unclaimed: Site) -> None:
    browser = Browser(unclaimed)
    page = browser.get(claim_link(unclaimed))
    assert (page.status, page.url) == (200, f"{TLS}/manage/claim")
    done = browser.submit(
        page, "Claim it", username="ann", full_name="Ann Otter", email="ann@example.org", password=PASSWORD
    )
    assert (done.status, done.path) == (200, "/manage/")
    assert "Ann Otter" in done.words
    assert list(browser.cookies) == ["__Host-daemon_session"]
    assert unclaimed.user("ann").is_admin
    assert not unclaimed.settings.claim_path.exists()
    assert Browser(unclaimed).get("/manage/claim").path == "/manage/sign-in"


def test_the_link_is_good_once(unclaimed: Site) -> None:
    link = claim_link(unclaimed)
    first, second = Browser(unclaimed), Browser(unclaimed)
    answer = first.get(link, follow=False)
    assert answer.status == 303
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "token" not in answer.headers["location"]
    assert second.get(link).status == 403
    assert second.cookies == {}
    assert first.get("/manage/claim").status == 200


def test_what_is_wrong_is_said_beside_its_field(unclaimed: Site) -> None:
    browser = Browser(unclaimed)
    page = browser.get(claim_link(unclaimed))
    again = browser.submit(page, "Claim it", username="a b", email="nothing", password="short")
    assert again.status == 422
    assert "A mail address has one @" in again.words
    assert 'aria-describedby="email-help email-fault" aria-invalid="true"' in again.text
    assert 'value="a b"' in again.text
    assert "short" not in again.text


def test_the_token_of_the_link_is_in_no_log(unclaimed: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = claim.claim_token(unclaimed.settings)
    browser = Browser(unclaimed)
    claimed(unclaimed, browser)
    exchanged = browser.cookies.get("__Host-daemon_claim", "")
    kept = "".join(
        path.read_text(errors="replace")
        for folder in (unclaimed.settings.log_dir, unclaimed.settings.backup_dir)
        for path in Path(folder).rglob("*")
        if path.is_file() and path.suffix in (".log", ".jsonl")
    )
    logged = [each.getMessage() for each in caplog.records if not each.name.startswith("httpx")]
    said = "\n".join(logged) + kept
    assert "/manage/claim" in said
    assert token not in said
    assert not exchanged


def test_the_token_of_the_link_is_in_no_access_log(settings: Settings, tmp_path: Path) -> None:
    """uvicorn writes one where it is started by itself: the address without its query."""
    port, printed = free_port(), tmp_path / "printed.txt"
    command = [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port)]
    given = environment(settings, PORT=str(port), DATA_DIR=str(settings.data_dir))
    with printed.open("w") as file:
        process = subprocess.Popen(command, cwd=tmp_path, env=given, stdout=file, stderr=file, text=True)
    server = Server(tmp_path, port, process)
    try:
        server.wait_for("/health", 200)
        token = claim.claim_token(settings)
        request = urllib.request.Request(f"http://localhost:{port}/manage/claim?token={token}")
        with pytest.raises(urllib.error.HTTPError) as answered:
            urllib.request.build_opener(_NoRedirect).open(request, timeout=60)
        assert answered.value.code == 303
        answered.value.close()
    finally:
        process.terminate()
        process.communicate(timeout=60)
    said = printed.read_text()
    logged = [line for line in said.splitlines() if "GET /manage/claim" in line]
    assert logged
    assert not [line for line in logged if "token" in line]
    assert said.count(token) == 1  # where it is meant for the operator: in the link


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object, **_named: object) -> None:
        return None


def test_no_one_claims_over_plain_http_from_elsewhere(unclaimed: Site) -> None:
    token = claim.claim_token(unclaimed.settings)
    assert Browser(unclaimed, HOME).get(f"/manage/claim?token={token}").status == 403
    assert claim.claim_token(unclaimed.settings) == token


def test_an_unclaimed_installation_says_where_the_link_is(unclaimed: Site) -> None:
    page = Browser(unclaimed).get("/manage/")
    assert "/manage/claim?token=" in page.words


def test_no_screen_comes_in_by_the_door_of_this_machine(unclaimed: Site) -> None:
    """What a proxy or a page of elsewhere added is not passed on to the API: it must not open that door."""
    asked: list[Scope] = []

    async def api(scope: Scope, _receive: Receive, send: Send) -> None:
        asked.append(scope)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    headers = [(b"host", b"localhost:8004"), (b"via", b"1.1 proxy"), (b"sec-fetch-site", b"cross-site")]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "path": "/manage/join",
        "query_string": b"",
        "client": ("127.0.0.1", 4711),
        "headers": headers,
        "state": {"request_id": "1"},
    }
    assert not is_local_client(scope)
    asyncio.run(Api(api, unclaimed.app.server, Request(scope), None).call("GET", "/auth/link"))
    assert [is_local_client(each) for each in asked] == [False]


# -- what no browser of a person sends


FIELDS, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
ODD: dict[str, tuple[str, str, dict[str, Any]]] = {
    "join": ("GET", "/manage/join?token=%E2%82%AC", {}),
    "claim": ("GET", "/manage/claim?token=%E2%82%AC%00", {}),
    "notice": ("GET", "/manage/sign-in", {"headers": {"Cookie": b'__Host-daemon_notice="eA.\xe9"'}}),
    "session": ("GET", "/manage/", {"headers": {"Cookie": b'__Host-daemon_session="\xe9"'}}),
    "operator": ("GET", "/manage/waiting", {"headers": {"Cookie": b'__Secure-daemon_operator="1.\xe9"'}}),
    "number": ("GET", "/manage/messages/" + "9" * 5_000, {}),
    "surrogates": ("GET", "/manage/%ED%A0%80/%FF", {}),
    "next": ("GET", "/manage/sign-in?next=/manage/%E2%82%AC%0A", {}),
    "language": ("GET", "/manage/sign-in", {"headers": {"Accept-Language": "de;q=1.999,*;q=x"}}),
    "multipart": ("POST", "/manage/sign-in", {"content": b"x", "type": PARTS}),
    "multipart, cut": ("POST", "/manage/sign-in", {"content": b"--b\r\nA", "type": f"{PARTS}; boundary=b"}),
    "fields": ("POST", "/manage/sign-in", {"content": b"a=1&" * 600, "type": FIELDS}),
    "bytes": ("POST", "/manage/sign-in", {"content": b"username=\xff", "type": FIELDS}),
    "link": ("POST", "/manage/join", {"content": b"", "type": "text/plain"}),
}  # fmt: skip


@pytest.mark.parametrize("which", ODD)
def test_nothing_that_anyone_can_send_makes_the_server_fail(site: Site, which: str) -> None:
    method, path, more = ODD[which]
    sent = dict(more)
    headers = {**sent.pop("headers", {}), "Origin": TLS}
    if "type" in sent:
        headers["Content-Type"] = sent.pop("type")
    answer = site.client.request(method, f"{TLS}{path}", headers=headers, follow_redirects=False, **sent)
    assert answer.status_code < 500, answer.text[:200]
