"""OpenID Connect at a provider that others wrote (oidc-provider-mock, on Authlib): does a login succeed?

It runs as a process of its own, registers the client, checks its secret and its address, and signs with its
own key. It looks at no PKCE verifier: that a wrong one is refused is asked of the provider of `test_oidc`.
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from app.errors import NotAllowed
from app.settings import Settings
from tests.web.conftest import DEADLINE_SECONDS, PASSWORD, Site
from tests.web.test_oidc import CALLBACK, NOT_LINKED, begun, code_of, come_back, is_refused

COMMAND = ("-m", "oidc_provider_mock", "--port", "0", "--require-registration", "--require-nonce")
DISCOVERY = "GET /.well-known/openid-configuration"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Independent:
    """That process, by its address and by what it logs."""

    issuer: str
    log: Path

    def post(self, address: str, body: str, media_type: str = FORM) -> tuple[int, str, bytes]:
        """Return status, Location and body of what it answers."""
        parts = urlsplit(address)
        connection = http.client.HTTPConnection(urlsplit(self.issuer).netloc)
        connection.request("POST", f"{parts.path}?{parts.query}", body, {"Content-Type": media_type})
        answer = connection.getresponse()
        found = answer.status, answer.getheader("Location", ""), answer.read()
        connection.close()
        return found

    def registered(self) -> dict[str, Any]:
        """A client of which it knows the address that a browser is sent back to."""
        wanted = json.dumps({"redirect_uris": [CALLBACK]})
        status, _, body = self.post("/oauth2/clients", wanted, "application/json")
        assert status == 201, body
        made: dict[str, Any] = json.loads(body)
        return made

    def log_in(self, address: str, subject: str) -> dict[str, str]:
        """Log in there; return what the browser is sent back with."""
        assert address.startswith(f"{self.issuer}/")
        status, location, body = self.post(address, urlencode({"sub": subject}))
        assert (status, location.partition("?")[0]) == (302, CALLBACK), body
        return dict(parse_qsl(urlsplit(location).query))

    def asked(self) -> list[str]:
        """The requests that it has answered with 200 so far, as METHOD /path."""
        return re.findall(r'"(\w+ /\S*) HTTP/1\.1" 200', self.log.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def independent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Independent]:
    log = tmp_path_factory.mktemp("provider") / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen([sys.executable, *COMMAND], stdout=stream, stderr=stream)
    try:
        yield Independent(_address_in(log, process), log)
    finally:
        process.terminate()
        process.wait(DEADLINE_SECONDS)


def _address_in(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"the provider does not serve: {log.read_text(encoding='utf-8')}")


@pytest.fixture
def settings_there(settings: Settings, independent: Independent) -> Settings:
    client = independent.registered()
    return replace(
        settings,
        oidc_issuer=independent.issuer,
        oidc_client_id=client["client_id"],
        oidc_client_secret=client["client_secret"],
        oidc_redirect_uri=CALLBACK,
    )


def test_linked_logged_out_and_in_with_the_second_factor_and_unlinked(
    settings_there: Settings, serve: Callable[..., Site], independent: Independent
) -> None:
    site = serve(settings_there)
    site.add_user("ben")
    ben, post, before = site.log_in("ben"), site.client.post, len(independent.asked())
    to_link = post("/auth/oidc/link", headers=ben).json()["authorization_url"]
    linked = come_back(site, independent.log_in(to_link, "ben's number there"))
    assert linked.json() == {"purpose": "link", "needs_code": False}
    assert independent.asked()[before:] == [DISCOVERY, "POST /oauth2/token", "GET /jwks"]
    secret, step = post("/auth/second-factor", headers=ben).json()["secret"], int(time.time()) // 30
    on = post("/auth/second-factor/confirm", json={"otp": code_of(secret, step - 1)}, headers=ben)
    assert on.status_code == 200, on.text
    assert post("/auth/logout", headers=ben).is_success
    assert site.client.get("/auth/me", headers=ben).status_code == 401

    waiting = come_back(site, independent.log_in(begun(site), "ben's number there"))
    assert waiting.json() == {"purpose": "login", "needs_code": True}
    token = post("/auth/oidc/second-factor", json={"otp": code_of(secret, step)}).json()["access_token"]
    again = {"Authorization": f"Bearer {token}"}
    assert site.client.get("/auth/me", headers=again).json()["username"] == "ben"
    links = site.client.get("/auth/oidc", headers=again).json()
    assert (links["issuer"], len(links["items"])) == (independent.issuer, 1)

    assert is_refused(come_back(site, independent.log_in(begun(site), "someone else")), NOT_LINKED)
    assert site.client.delete("/auth/oidc", headers=again).json()["code"] == "confirmation_needed"
    typed = {"password": PASSWORD, "otp": code_of(secret, step + 1)}
    assert post("/auth/confirm", json=typed, headers=again).status_code == 204
    assert site.client.delete("/auth/oidc", headers=again).status_code == 204
    assert is_refused(come_back(site, independent.log_in(begun(site), "ben's number there")), NOT_LINKED)


def test_a_code_is_good_once_there(
    settings_there: Settings, serve: Callable[..., Site], independent: Independent
) -> None:
    site = serve(settings_there)
    back = independent.log_in(begun(site), "ben's number there")
    assert is_refused(come_back(site, back), NOT_LINKED), "the code was exchanged"
    with pytest.raises(NotAllowed):
        site.app.server.oidc.exchange(back["code"], "it looks at none")


def test_a_client_that_does_not_know_the_secret_is_refused(
    settings_there: Settings, serve: Callable[..., Site], independent: Independent
) -> None:
    site = serve(replace(settings_there, oidc_client_secret="another one"))
    assert is_refused(come_back(site, independent.log_in(begun(site), "ben's number there")))
