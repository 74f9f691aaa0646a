"""Dependencies of routes. Who is asking? HTTP translated for `server.authenticate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from app.accounts.audit import Actor
from app.accounts.users import User
from app.entries.entry import Origin
from app.server.authenticate import (
    Caller,
    Client,
    authenticate,
    check_account,
    check_admin,
    check_confirmed,
    check_writer,
)
from app.server.body_budget import Intake
from app.server.client_address import address_of, is_local_client
from app.server.state import ServerState
from app.web.bodies import body_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    Check = Callable[[Request, ServerState, Connection], object]


async def server_of(request: Request) -> ServerState:
    """Return the state of the server that got ``request``."""
    server = request.app.state.server
    assert isinstance(server, ServerState)
    return server


_OF_CLIENT = frozenset({b"user-agent", b"authorization", b"x-api-key"})

ServerOf = Annotated[ServerState, Depends(server_of)]


def client_of(request: Request, server: ServerState) -> Client:
    """Return what ``request`` says of its sender; the same value for as long as it is answered."""
    known = getattr(request.state, "client", None)
    if known is not None:
        assert isinstance(known, Client)
        return known
    said: dict[bytes, str] = {}
    for name, value in request.scope["headers"]:
        if name in _OF_CLIENT:
            said.setdefault(name, value.decode("latin-1"))  # the first of them counts
    address = address_of(request.scope, server.settings.trusted_proxies)
    made = Client(
        Origin(address, said.get(b"user-agent")),
        said.get(b"authorization"),
        said.get(b"x-api-key"),
        is_local=not server.is_claimed and is_local_client(request.scope),
    )
    request.state.client = made
    return made


def caller_of(request: Request, server: ServerState, connection: Connection) -> Caller:
    """Return who is asking; raises what `authenticate` raises."""
    return authenticate(server, connection, client_of(request, server))


def writer_of(request: Request, server: ServerState, connection: Connection) -> Caller:
    """Return who is asking to write entries; raises what `check_writer` raises."""
    caller = caller_of(request, server, connection)
    check_writer(server, connection, caller)
    return caller


def account_of(request: Request, server: ServerState, connection: Connection) -> tuple[User, Actor]:
    """Return the account of who is asking, logged in as a person; raises what `check_account` raises."""
    return check_account(caller_of(request, server, connection))


def admin_of(request: Request, server: ServerState, connection: Connection) -> Actor:
    """Return which admin is asking; raises what `check_admin` raises."""
    return check_admin(caller_of(request, server, connection))


def author_of(request: Request, server: ServerState, connection: Connection) -> tuple[User, Actor]:
    """Return the account of who asks, logged in as a person, for writing entries; not a reader's."""
    caller = caller_of(request, server, connection)
    account = check_account(caller)
    check_writer(server, connection, caller)
    return account


def confirmed_account_of(request: Request, server: ServerState, connection: Connection) -> tuple[User, Actor]:
    """Return the account of who asks for something dangerous; raises what `check_confirmed` raises."""
    return check_confirmed(caller_of(request, server, connection))


def confirmed_admin_of(request: Request, server: ServerState, connection: Connection) -> Actor:
    """The same for what only admins do; raises what `check_admin` raises first."""
    caller = caller_of(request, server, connection)
    check_admin(caller)
    return check_confirmed(caller)[1]


def confirmed_admin_account_of(request: Request, server: ServerState, connection: Connection) -> User:
    """The same; returns the account."""
    caller = caller_of(request, server, connection)
    check_admin(caller)
    return check_confirmed(caller)[0]


async def body_of_writer(request: Request, server: ServerState) -> bytes:
    """Return the whole body of someone who may write; anyone who may not is told before a byte of it is read.

    Who writes is asked again in the transaction that writes: a credential may end while a body comes in. So
    someone who was accepted a moment ago is not asked here. Raises what ``writer_of`` and ``body_of`` raise.
    """
    client = client_of(request, server)
    if server.known_writers.knows(client.authorization, client.api_key):
        return await _body_of_known(request)
    body = await _body_after(writer_of, request, server)
    server.known_writers.accepted(client.authorization, client.api_key)
    return body


async def body_of_account(request: Request, server: ServerState) -> bytes:
    """Return the whole body of someone who has logged in, as ``body_of_writer`` does."""
    return await _body_after(account_of, request, server)


async def body_of_author(request: Request, server: ServerState) -> bytes:
    """Return the whole body of someone who has logged in and may write entries."""
    return await _body_after(author_of, request, server)


async def body_of_confirmed_admin(request: Request, server: ServerState) -> bytes:
    """Return the whole body of an admin who has typed the password a moment ago."""
    return await _body_after(confirmed_admin_of, request, server)


async def body_of_admin(request: Request, server: ServerState) -> bytes:
    """Return the whole body of an admin, as ``body_of_writer`` does."""
    return await _body_after(admin_of, request, server)


async def _body_after(check: Check, request: Request, server: ServerState) -> bytes:
    await run_in_threadpool(_run_check, check, request, server)
    return await _body_of_known(request)


async def _body_of_known(request: Request) -> bytes:
    intake_of(request).has_known_sender()
    return await body_of(request)


def intake_of(request: Request) -> Intake:
    """Return what is counted of the body of ``request``."""
    intake = request.scope["state"]["intake"]
    assert isinstance(intake, Intake)
    return intake


def _run_check(check: Check, request: Request, server: ServerState) -> None:
    with server.supervisor.reading() as connection:
        check(request, server, connection)
