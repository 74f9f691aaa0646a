"""OpenID provider (discovery, JWKS, token endpoint). What does the one that the settings name say, over HTTP?

What it says of itself is kept for an hour, its keys until one is asked for that is not among them. Nothing is
fetched but from addresses of that document, which are of https or on this machine, without redirects.
"""

from __future__ import annotations

import base64
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import quote_plus, urlencode

from app import log
from app.accounts.id_token import refused
from app.errors import NotFound, ProviderFailed
from app.settings import Settings, is_https_or_local

KEPT_SECONDS = 3600.0
KEYS_AGAIN_SECONDS = 60.0
TIMEOUT_SECONDS = 10.0
ANSWER_MOST_BYTES = 1_000_000
WELL_KNOWN = "/.well-known/openid-configuration"
_log = log.get_logger(__name__)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        """Follow none: an address that is elsewhere now is asked by no one who was not told."""


_OPENER = urllib.request.build_opener(_NoRedirects)


@dataclass(frozen=True)
class Discovered:
    """What the provider says of itself, as far as it is used."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    posts_secret: bool
    names_itself: bool  # in what comes back: RFC 9207


class OidcProvider:
    """The provider of this installation; asked when someone logs in, and not before."""

    def __init__(self, settings: Settings) -> None:
        self.issuer = settings.oidc_issuer
        self.client_id = settings.oidc_client_id
        self.redirect_uri = settings.oidc_redirect_uri
        self._client_secret = settings.oidc_client_secret
        self._lock = threading.Lock()
        self._discovered: tuple[float, Discovered] | None = None
        self._keys: dict[str | None, Mapping[str, Any]] = {}
        self._keys_at = float("-inf")

    def check_is_on(self) -> None:
        """Raise NotFound where no provider is set up."""
        if not (self.issuer and self.client_id and self.redirect_uri):
            raise NotFound("No login at a provider is set up here.", hint="POST /auth/login")

    def discovered(self) -> Discovered:
        """Return what the provider says of itself; raises ProviderFailed."""
        with self._lock:
            if self._discovered is None or time.monotonic() - self._discovered[0] > KEPT_SECONDS:
                self._discovered = (time.monotonic(), self._discover())
            return self._discovered[1]

    def key(self, key_id: str | None) -> Mapping[str, Any]:
        """Return a public key of the provider's; without an id where it has one only. Raises LookupError."""
        uri = self.discovered().jwks_uri
        with self._lock:
            if self._find(key_id) is None and time.monotonic() - self._keys_at > KEYS_AGAIN_SECONDS:
                self._keys_at = time.monotonic()
                found = _fetched(urllib.request.Request(uri))
                listed = [each for each in found.get("keys", []) if isinstance(each, dict)]
                self._keys = {each.get("kid"): each for each in listed if each.get("use", "sig") == "sig"}
            known = self._find(key_id)
        if known is None:
            raise LookupError("the provider has no such key")
        return known

    def exchange(self, code: str, verifier: str) -> str:
        """Return the ID token for a code that came back; raises NotAllowed for one that is not good."""
        found = self.discovered()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if self._client_secret and not found.posts_secret:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self._client_secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = self.client_id
            if self._client_secret:
                form["client_secret"] = self._client_secret
        body = urlencode(form).encode()
        answer = _fetched(urllib.request.Request(found.token_endpoint, body, headers), is_login=True)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise refused()
        return token

    def _find(self, key_id: str | None) -> Mapping[str, Any] | None:
        if key_id is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(key_id)

    def _discover(self) -> Discovered:
        said = _fetched(urllib.request.Request(self.issuer.rstrip("/") + WELL_KNOWN))
        methods = said.get("code_challenge_methods_supported", ["S256"])
        if said.get("issuer") != self.issuer or "S256" not in methods:
            raise _failed("it says another issuer than OIDC_ISSUER, or knows no PKCE with S256")
        ways = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return Discovered(
            _address(said, "authorization_endpoint"),
            _address(said, "token_endpoint"),
            _address(said, "jwks_uri"),
            _address(said, "end_session_endpoint") if said.get("end_session_endpoint") else None,
            posts_secret="client_secret_basic" not in ways,
            names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        )


def _address(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    if not isinstance(found, str) or not is_https_or_local(found):
        raise _failed(f"{name} is no address of https")
    return found


def _fetched(request: urllib.request.Request, *, is_login: bool = False) -> dict[str, Any]:
    """Return the JSON object that is answered; ``is_login``: a refusal is of the login, not a fault."""
    try:
        with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as answer:
            body = answer.read(ANSWER_MOST_BYTES + 1)
        found = json.loads(body) if len(body) <= ANSWER_MOST_BYTES else None
    except urllib.error.HTTPError as error:
        error.close()
        if is_login and error.code in (400, 401):
            _log.warning("The provider refused a code.", extra={"status": error.code})
            raise refused() from error
        raise _failed(f"it answers {error.code}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise _failed(type(error).__name__) from error
    if not isinstance(found, dict):
        raise _failed("its answer is no JSON object")
    return found


def _failed(why: str) -> ProviderFailed:
    _log.error("The provider of logins could not be used.", extra={"why": why})
    return ProviderFailed(
        "The provider of logins could not be asked.",
        hint="Try again, or log in with a password: POST /auth/login",
    )
