"""An OpenID provider on loopback: discovery, keys, authorization code with PKCE, tokens signed by PyJWT.

It refuses what a provider has to refuse (a code twice, another verifier, client or address), and says what a
test tells it to say wrongly.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa

from app.optional_imports import whole

CLIENT, CLIENT_SECRET = "daemon", "known to both: of $+ letters, and long enough for any signature"


@cache
def key(which: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024 if which == "short" else 2048)


@dataclass
class Provider:
    """What it is, and what it says wrongly."""

    issuer: str
    subject: str = "person-1"
    claims: dict[str, Any] = field(default_factory=dict)  # None: left out
    headers: dict[str, Any] = field(default_factory=dict)
    signer: Any = None
    algorithm: str = "RS256"
    key_id: str = "1"
    published: str = "first"
    document: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    token_calls: int = 0

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/logout",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **self.document,
        }

    def jwks(self) -> dict[str, Any]:
        found = json.loads(whole("jwt").algorithms.RSAAlgorithm.to_jwk(key(self.published).public_key()))
        return {"keys": [{**found, "kid": self.key_id, "use": "sig"}]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Log the person in; return where their browser goes."""
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert (asked["client_id"], asked["scope"]) == (CLIENT, "openid")
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**asked, "auth_time": str(int(time.time()))}
        back = {"code": code, "state": asked["state"], "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Return what a code is worth, once; None for one that is worth nothing."""
        self.token_calls += 1
        client = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":", 1)
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or [unquote_plus(each) for each in client] != [CLIENT, CLIENT_SECRET]:
            return None
        if challenge != asked["code_challenge"] or form.get("redirect_uri") != asked["redirect_uri"]:
            return None
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.id_token(asked)}

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT,
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            "auth_time": int(asked["auth_time"]),
            **self.claims,
        }
        kept = {name: value for name, value in said.items() if value is not None}
        signer = key("first") if self.signer is None else self.signer
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it may sign with what no provider should
            return str(
                whole("jwt").encode(kept, signer, self.algorithm, headers={"kid": "1", **self.headers})
            )


@contextmanager
def running() -> Iterator[Provider]:
    """A provider on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(dict(parse_qsl(parts.query))))
                self.end_headers()
                return
            pages = {"/.well-known/openid-configuration": provider.discovery, "/jwks": provider.jwks}
            self.answer(200, pages[parts.path]())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            found = provider.token(form, self.headers.get("Authorization", ""))
            self.answer(200 if found else 400, found or {"error": "invalid_grant"})

        def answer(self, status: int, value: dict[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
