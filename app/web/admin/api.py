"""API calls in process. How does a screen ask for what any client may ask for, as its person, and show it?"""

from __future__ import annotations

import asyncio
import json as json_text
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.reserved_names import RESERVED
from app.server.body_budget import Intake
from app.server.client_address import FORWARDED_BY

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.server.browser_sessions import SignedIn
    from app.server.state import ServerState

SECRET_MEMBERS = frozenset(
    {
        "password",
        "current_password",
        "new_password",
        "otp",
        "token",
        "word",
        "claim_token",
        "passphrase",
        "invitation",
    }
)
HIDDEN = "..."
# Not all are passed on, such as a proxy's Via. So that their absence does not open the door that an unclaimed
# installation has for this machine (`is_local_client`), each call has one header of its own that closes it.
_KEPT_HEADERS = frozenset({b"host", b"user-agent", b"accept-language", *FORWARDED_BY})


class Answer(NamedTuple):
    """What the API answered; ``body`` is the JSON value, or the bytes of what is none."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def is_ok(self) -> bool:
        """Whether it did what was asked for."""
        return self.status < 400


@dataclass(frozen=True)
class Call:
    """One call as it is shown: what anyone could type to have the same."""

    method: str
    path: str
    curl: str
    status: int


class Api:
    """Daemon's own API as the person of this request, whose credential exists in memory only."""

    def __init__(
        self, app: ASGIApp, server: ServerState, request: Request, signed_in: SignedIn | None
    ) -> None:
        self._app = app
        self._server = server
        self._request = request
        self._signed_in = signed_in
        self._authorization: bytes | None = None
        self.calls: list[Call] = []

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Ask, and return the answer, a refusal too. ``query`` without what is None.

        ``body`` is sent as it is, with the Content-Type in ``headers``; ``json`` as JSON, a PATCH as a merge
        patch. Raises nothing that the API answers with a problem.
        """
        scope, sent = self._asked(method, path, json, query, headers or {}, body)
        got = _Collected()
        await self._app(scope, _receive_once(sent), got)
        found = Answer(got.status, got.value(), got.headers())
        self._note(scope, json, found.status, has_file=bool(body))
        return found

    def pass_on(self, path: str, query: Mapping[str, Any] | None = None) -> Response:
        """Return an answer that is the API's own, byte by byte as it comes: for files."""
        scope, _sent = self._asked("GET", path, None, query, {}, None)
        return _PassedOn(self._app, scope)

    def _asked(
        self,
        method: str,
        path: str,
        json: Any,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> tuple[Scope, bytes]:
        sent = body if body is not None else b"" if json is None else as_json(json)
        outer = self._request.scope
        said = [each for each in outer["headers"] if each[0] in _KEPT_HEADERS]
        said += [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        said.append((b"content-length", b"%d" % len(sent)))
        said.append((b"x-asked-by", b"screen"))  # a header that no client of this machine sends: see below
        if json is not None:
            kind = b"application/merge-patch+json" if method == "PATCH" else b"application/json"
            said.append((b"content-type", kind))
        if self._signed_in is not None:
            said.append((b"authorization", self._credential(self._signed_in)))
        pairs = [(name, value) for name, value in (query or {}).items() if value is not None]
        scope = {
            **outer,
            "method": method,
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": urlencode(pairs, doseq=True).encode(),
            "headers": said,
            "state": {
                "request_id": outer["state"]["request_id"],
                "intake": Intake(self._server.bodies, self._server.settings.max_body_bytes),
            },
        }
        for name in ("app", "router", "route", "endpoint", "path_params"):
            scope.pop(name, None)
        return scope, sent

    def _credential(self, signed_in: SignedIn) -> bytes:
        if self._authorization is None:
            self._authorization = f"Bearer {signed_in.access_token(self._server)}".encode()
        return self._authorization

    def _note(self, scope: Scope, json: Any, status: int, *, has_file: bool) -> None:
        method, query = scope["method"], scope["query_string"].decode()
        address = scope["raw_path"].decode() + (f"?{query}" if query else "")
        words = ["curl"] + (["-X", method] if method != "GET" else [])
        if self._signed_in is not None:
            words += ["-H", "Authorization: Bearer TOKEN"]
        if json is not None:
            said = json_text.dumps(without_secrets(json), ensure_ascii=False)
            words += ["-H", "Content-Type: application/json", "-d", said if len(said) < 2_000 else "@FILE"]
        if has_file:
            words += ["-H", "Content-Type: application/octet-stream", "--data-binary", "@FILE"]
        words.append(f"{str(self._request.base_url).rstrip('/')}{address}")
        self.calls.append(Call(method, address, shlex.join(words), status))


def path_of(*parts: object) -> str:
    """Return an address of the API made of parts, each of which is quoted."""
    return "/" + "/".join(quote(str(part), safe="@~") for part in parts)


def path_of_kind(kind: str, *below: object) -> str:
    """Return the address of a kind, or of what is below it; an old one of a reserved name has a tilde."""
    return path_of("api", "v1", f"~{kind}" if kind in RESERVED else kind, *below)


def without_secrets(value: Any) -> Any:
    """Return a JSON value like this one without what no one else should read on a screen."""
    if isinstance(value, dict):
        return {
            name: HIDDEN if name in SECRET_MEMBERS else without_secrets(member)
            for name, member in value.items()
        }
    return [without_secrets(each) for each in value] if isinstance(value, list) else value


def as_json(value: Any) -> bytes:
    """Return JSON as small as it can be: a text is not too large for what its letters are."""
    try:
        return json_text.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a character, as JSON can say it
        return json_text.dumps(value).encode()


class _Collected:
    """What an application sends, as one whole."""

    def __init__(self) -> None:
        self.status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self._headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._pieces.append(message.get("body", b""))

    def headers(self) -> dict[str, str]:
        return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self._headers}

    def value(self) -> Any:
        body = b"".join(self._pieces)
        is_json = "json" in self.headers().get("content-type", "")
        return json_text.loads(body) if is_json and body else body


class _PassedOn(Response):
    """An answer of the application itself."""

    def __init__(self, app: ASGIApp, scope: Scope) -> None:
        super().__init__()
        self._app = app
        self._scope = scope

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(self._scope, receive, send)


def _receive_once(body: bytes) -> Receive:
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if not parts:
            await asyncio.Event().wait()  # it stays: an answer that comes in pieces ends where its asker goes
        return parts.pop()

    return receive
