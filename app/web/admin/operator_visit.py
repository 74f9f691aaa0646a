"""Visit of an operator (cookie). What is known of a request that comes while no account can be read?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.web.admin.cookies import is_secure
from app.web.admin.form_data import Form
from app.web.references import reference_to

if TYPE_CHECKING:
    from app.server.state import ServerState
    from app.web.admin.cookies import Transport

COOKIE = "daemon_operator"
SESSION_SECONDS = 3_600


@dataclass
class OperatorVisit:
    """One request of a browser; ``session`` is empty where it has not exchanged a token.

    ``over`` is the one that it had until the database was served, and of which it may be told how it ended.
    """

    request: Request
    server: ServerState
    transport: Transport
    session: str = ""
    over: str = ""
    form: Form = field(default_factory=Form)

    @property
    def path(self) -> str:
        """The path that was asked for, without what a proxy put before it."""
        return str(self.request.scope["path"])

    def to(self, path: str) -> str:
        """Return the reference to an address of this server."""
        return reference_to(self.request.scope, path)

    def go_to(self, path: str) -> Response:
        """Return a redirect (303)."""
        return RedirectResponse(self.to(path), 303, {"Cache-Control": "no-store"})

    def keep(self, response: Response, session: str, seconds: int) -> None:
        """Have the browser keep a session for the pages below /manage/waiting, or forget it.

        Without a path of its own the cookie is good for the folder of the address that gives it.
        """
        response.set_cookie(
            cookie_name(self.transport),
            session,
            max_age=seconds,
            path=None,
            secure=is_secure(self.transport),
            httponly=True,
            samesite="strict",
        )


def cookie_name(transport: Transport) -> str:
    """Return the name of the cookie, as the browser knows it."""
    return f"__Secure-{COOKIE}" if is_secure(transport) else COOKIE
