"""Idempotency keys over HTTP (the Idempotency-Key header). Is a POST that comes again answered as before?

What a route makes and the answer to it are kept in one transaction. A refusal is not kept: nothing was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response

from app import clock
from app.entries import idempotency
from app.entries.idempotency import CHARACTERS_MOST, Answer, KeyedRequest
from app.errors import UsageError
from app.server.state import ServerState
from app.web.bodies import whole_body
from app.web.operation import IDEMPOTENCY_KEY as HEADER
from app.web.operation import KEY_FORM, REPLAYED

_FORM = re.compile(KEY_FORM.replace("$", r"\Z"))


@dataclass(frozen=True)
class Once:
    """One request that makes something. Without a key nothing is looked up, and nothing kept."""

    secret: str = ""
    request: KeyedRequest | None = None

    def kept(self, connection: Connection, user_id: int | None) -> Response | None:
        """Return the first answer to this request of a person; None: it has not been carried out.

        Raises KeyReused and Conflict, as `idempotency.find` does.
        """
        if self.request is None:
            return None
        found = idempotency.find(connection, self.secret, user_id, self.request, clock.now())
        if found is None:
            return None
        return Response(found.body, found.status, {**dict(found.headers), REPLAYED: "true"})

    def keep(
        self, connection: Connection, user_id: int | None, response: Response, entry_ids: Sequence[int] = ()
    ) -> Response:
        """Keep an answer in the transaction of what it tells of, and return it; raises TooMuch."""
        if self.request is not None:
            own = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers)
            headers = tuple(each for each in own if each[0] != "content-length")
            answer = Answer(response.status_code, headers, bytes(response.body))
            now = clock.now()
            idempotency.keep(connection, self.secret, user_id, self.request, answer, now, entry_ids=entry_ids)
        return response


NOT_ASKED_FOR = Once()


def is_keyed(request: Request) -> bool:
    """Return whether a request has an idempotency key."""
    return HEADER.lower() in request.headers


@contextmanager
def carried_out_once(request: Request, server: ServerState) -> Iterator[Once]:
    """Carry out a request whose body was read. Raises UsageError for a key that is none, StillRunning."""
    if not is_keyed(request):
        yield NOT_ASKED_FOR
        return
    key = _key_of(request)
    credential = (request.headers.get("authorization"), request.headers.get("x-api-key"))
    with server.running_requests.only_one(*credential, key):
        yield Once(server.secret, KeyedRequest(key, _text_of(request)))


def _key_of(request: Request) -> str:
    """Return the key, with quotes (a string of RFC 9651, as the draft has it) or without."""
    lines = request.headers.getlist(HEADER)
    if len(lines) != 1 or not _FORM.match(lines[0]):
        raise UsageError(
            f"The {HEADER} header is one word of 1 to {CHARACTERS_MOST} visible ASCII characters.",
            hint=f'A new random one for each request: {HEADER}: "8e03978e-40d5-43e8-bc93-6894a57f9324"',
        )
    return lines[0].removeprefix('"').removesuffix('"')


def _text_of(request: Request) -> bytes:
    scope = request.scope
    head = f"{scope['method']} {scope['path']}\n".encode("utf-8", "surrogateescape")
    return head + bytes(scope["query_string"]) + b"\n" + whole_body(request)
