"""One's own second factor (TOTP): begin, turn on, recovery codes, turn off. Never with a key."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app import clock
from app.accounts import second_factor
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, body_of_account, confirmed_account_of
from app.web.json_bodies import ModelBody
from app.web.models.accounts import Code, Enrolment, NewRecoveryCodes, SecondFactor
from app.web.operation import ACCOUNT, operation, read_operation, router_of

router = router_of("accounts", "/auth/second-factor")
CodeOf = Annotated[Code, Depends(ModelBody(Code, body_of_account))]


@router.get("", **read_operation("second_factor", SecondFactor, who=ACCOUNT))
def look(request: Request, server: ServerOf) -> Response:
    """Say whether one's login needs a code, and how many recovery codes are left."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = second_factor.state_of(connection, user.id)
    value = {**vars(found), "since": None if found.since is None else clock.rfc3339(found.since)}
    return reply(request, value, is_public=False)


@router.post("", **operation("second_factor_begin", Enrolment, 409, who=ACCOUNT, status=201))
def begin(request: Request, server: ServerOf) -> Response:
    """Draw a secret for an authenticator program. It is asked for once a code of it was sent."""
    with server.supervisor.writing() as connection:
        user, _actor = confirmed_account_of(request, server, connection)
        made = second_factor.begin(connection, server.secret, user, clock.now())
    return reply(request, vars(made), is_public=False, status=201)


@router.post("/confirm", **operation("second_factor_on", NewRecoveryCodes, 409, who=ACCOUNT))
def turn_on(request: Request, server: ServerOf, body: CodeOf) -> Response:
    """Turn it on, with a code of it. From now on each login needs one; the answer holds recovery codes."""
    with server.supervisor.writing() as connection:
        user, actor = confirmed_account_of(request, server, connection)
        codes = second_factor.confirm(connection, server.secret, user, body.otp, clock.now(), actor)
    return reply(request, {"recovery_codes": codes}, is_public=False)


@router.post("/recovery-codes", **operation("recovery_codes_renew", NewRecoveryCodes, 409, who=ACCOUNT))
def renew(request: Request, server: ServerOf) -> Response:
    """Put new recovery codes in the place of all earlier ones."""
    with server.supervisor.writing() as connection:
        user, actor = confirmed_account_of(request, server, connection)
        codes = second_factor.renew_codes(connection, user, clock.now(), actor)
    return reply(request, {"recovery_codes": codes}, is_public=False)


@router.delete("", **operation("second_factor_off", None, who=ACCOUNT, status=204))
def turn_off(request: Request, server: ServerOf) -> Response:
    """Ask for the password alone again."""
    with server.supervisor.writing() as connection:
        user, actor = confirmed_account_of(request, server, connection)
        second_factor.turn_off(connection, user, clock.now(), actor)
    return Response(None, 204, {"Cache-Control": "no-store"})
