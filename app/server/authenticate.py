"""Authentication. Which account does a credential belong to, and what may anyone who sent it do?

Works on plain values, which any door has: two header texts, an address. A door makes a `Client` of each
request, and asks `authenticate` who that is, in the transaction that answers.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app import clock
from app.accounts import api_keys, sessions, tokens, users
from app.accounts.api_keys import KeyUse
from app.accounts.audit import Actor
from app.accounts.key_scope import Verb
from app.accounts.sessions import Session
from app.accounts.users import User
from app.entries.entry import Origin
from app.errors import ConfirmationNeeded, Conflict, NotAllowed, NotAuthenticated, UsageError
from app.privacy.agents import ASSISTANT, agent_class
from app.privacy.viewer import LOCAL, STRANGER, Viewer, ViewerKind

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.server.state import ServerState

LOGIN_HINT = (
    "POST /auth/login with the form fields username and password, then send "
    "'Authorization: Bearer TOKEN'; an API key goes into X-API-Key."
)
CONFIRM_HINT = 'POST /auth/confirm with {"password": "..."}, then send this again within five minutes.'
_SCOPE_HINT = "Its owner can make another one: daemon key create USERNAME NAME"
CLAIM_HINT = (
    "No one has claimed this installation yet: its claim token was printed when the server started. "
    'POST /auth/register with {"username", "email", "password", "claim_token"}; then ' + LOGIN_HINT
)


@dataclass(frozen=True)
class Asked:
    """What is done with entries of which kind; for an API key that may not do everything that reads.

    ``kind`` None: of every kind that the key is for, and whoever answers sees to that.
    """

    verb: Verb
    kind: str | None


@dataclass
class Client:
    """What one request says of its sender: where it comes from, and the texts of its credentials.

    ``is_local``: it came directly from this machine (`client_address.is_local_client`).
    ``is_assistants_door``: it came through the door that is for assistants, whatever the program is called.
    ``asked``: what it
    does with entries; None is all else, which is closed to a key that is limited to some kinds or verbs.
    Filled in by `authenticate`: ``is_admin``, who hears the whole of what goes wrong from then on,
    ``person_id``, whose its credential is, and ``is_key_noted``: the use of its key is noted once a request,
    however often it is asked who that is.
    """

    origin: Origin
    authorization: str | None = None
    api_key: str | None = None
    is_local: bool = False
    is_assistants_door: bool = False
    asked: Asked | None = None
    is_admin: bool = False
    is_key_noted: bool = False
    person_id: int | None = None

    @property
    def is_assistant(self) -> bool:
        """Whether the program that asks says that it is an assistant, by its name or by its door."""
        return self.is_assistants_door or agent_class(self.origin.user_agent or "") == ASSISTANT

    @property
    def has_credential(self) -> bool:
        """Whether it says who it is, rightly or not; only who does not may be given a kept answer."""
        return self.authorization is not None or self.api_key is not None


@dataclass(frozen=True)
class Credential:
    """A token to be checked by its signature, or a key to be looked up."""

    text: str
    is_key: bool


@dataclass(frozen=True)
class Caller:
    """Who is asking: as the privacy room sees them, with their account, and where they come from.

    ``key`` is the API key that was sent, None for a token. With a key no one is an admin. ``session``: that
    of the token; None for one that was issued before there were sessions.
    """

    viewer: Viewer
    user: User | None
    origin: Origin
    key: KeyUse | None = None
    session: Session | None = None


def credential_of(client: Client) -> Credential | None:
    """Return the one credential of a request, or None; raises where there are two or an unknown scheme."""
    scheme, _, given = (client.authorization or "").partition(" ")
    if scheme.lower() == "bearer":
        if client.api_key is not None:
            raise UsageError("There are two credentials.", hint="Send Authorization or X-API-Key, not both.")
        return Credential(given.strip(), is_key=not _looks_like_token(given))
    if client.api_key is not None:
        return Credential(client.api_key.strip(), is_key=True)
    if client.authorization is not None:
        raise NotAuthenticated("Only the Bearer scheme is known here.", hint=LOGIN_HINT)
    return None


def authenticate(server: ServerState, connection: Connection, client: Client) -> Caller:
    """Return who is asking; raises NotAuthenticated for a credential that is not valid, whatever is asked."""
    credential = credential_of(client)
    if credential is not None and credential.is_key:
        return _holder_of(credential.text, server, connection, client)
    if credential is not None:
        user, session = _login_of_token(credential.text, server.secret, connection)
        client.is_admin, client.person_id = user.is_admin, user.id
        kind: ViewerKind = "admin" if user.is_admin else "person"
        viewer = Viewer(kind, user.id, user.username, is_assistant=client.is_assistant)
        return Caller(viewer, user, client.origin, session=session)
    if not server.see_claim(connection) and client.is_local:
        return Caller(LOCAL, None, client.origin)
    return Caller(stranger_of(client), None, client.origin)


def stranger_of(client: Client) -> Viewer:
    """Return the stranger who sent a request, whatever credential was sent with it."""
    return replace(STRANGER, is_assistant=client.is_assistant)


def check_writer(server: ServerState, connection: Connection, caller: Caller) -> None:
    """See to it that ``caller`` may write entries.

    Raises NotAuthenticated for strangers, and NotAllowed for readers and for a key that reads only; each says
    what to do.
    """
    if caller.key is not None and not caller.key.scope.can_write:
        raise _reads_only(caller.key)
    if caller.user is not None and caller.user.is_reader and not caller.user.is_admin:
        command = f"daemon user role {shlex.quote(caller.user.username)} member"
        raise NotAllowed("A reader's account reads entries, and does not write them.", hint=command)
    if caller.viewer.is_stranger:
        hint = LOGIN_HINT if server.see_claim(connection) else CLAIM_HINT
        raise NotAuthenticated("Writing needs an account.", hint=hint)


def check_account(caller: Caller) -> tuple[User, Actor]:
    """Return the account of who is asking for something that only a person does who has logged in.

    Raises NotAuthenticated for strangers, and NotAllowed for every API key.
    """
    if caller.user is None:
        raise NotAuthenticated("This address needs an account.", hint=LOGIN_HINT)
    if caller.key is not None:
        raise NotAllowed("An API key is for entries, and for nothing else.", hint="For this: " + LOGIN_HINT)
    origin = caller.origin
    return caller.user, Actor(caller.user.id, origin.ip_address, origin.user_agent)


def check_admin(caller: Caller) -> Actor:
    """Return which admin is asking; raises NotAuthenticated for strangers, NotAllowed for everyone else."""
    user, actor = check_account(caller)
    if not user.is_admin:
        raise NotAllowed("This address is for admins.", hint="daemon user admin NAME makes one.")
    return actor


def check_scope(caller: Caller, verb: Verb, kind: str) -> None:
    """Raise NotAllowed where the key of ``caller`` may not do this with entries of a kind."""
    if caller.key is not None:
        _check_scope(caller.key, Asked(verb, kind))


def check_session(caller: Caller) -> Session:
    """Return the session of who is asking; raises Conflict where the token is of none."""
    if caller.session is None:
        raise Conflict(
            "This token is of a login without a session, which an older version made.",
            hint="It ends by itself. Log in again: POST /auth/login",
        )
    return caller.session


def check_confirmed(caller: Caller) -> tuple[User, Actor]:
    """Return the account of who is asking for something dangerous, and has typed the password a moment ago.

    Raises ConfirmationNeeded where that is longer ago, and what `check_account` raises.
    """
    user, actor = check_account(caller)
    if caller.session is None or not caller.session.is_confirmed(clock.now()):
        raise ConfirmationNeeded("This asks for the password again.", hint=CONFIRM_HINT)
    return user, actor


def _login_of_token(token: str, secret: str, connection: Connection) -> tuple[User, Session | None]:
    """Return the active account that a token is for, and its session; raises NotAuthenticated."""
    claims = tokens.read_token(secret, token, clock.now())
    found = users.find_user_by_id(connection, claims.user_id)
    if found is None or found.username != claims.username or not found.is_active:
        raise NotAuthenticated("The account of this token cannot log in.", hint=LOGIN_HINT)
    if claims.mark != tokens.mark_of(secret, found):
        raise NotAuthenticated("The token has ended: the account was changed after it.", hint=LOGIN_HINT)
    if claims.session_id is None:
        return found, None
    session = sessions.find_session(connection, claims.session_id)
    if session is None or session.user_id != found.id:
        raise NotAuthenticated("The token has ended: its session was logged out.", hint=LOGIN_HINT)
    return found, session


def _looks_like_token(text: str) -> bool:
    return text.count(".") == 2


def _holder_of(key: str, server: ServerState, connection: Connection, client: Client) -> Caller:
    """Return the owner of an API key, as a person: what an admin may do besides, their key may not."""
    use = api_keys.use_key(connection, key, clock.now())
    client.person_id = use.user.id
    if not client.is_key_noted:  # a write looks at its credential twice
        client.is_key_noted = True
        server.pending_audit.saw_key(use, client.origin)
    viewer = Viewer("person", use.user.id, use.user.username, is_assistant=client.is_assistant)
    caller = Caller(viewer, use.user, replace(client.origin, api_key_id=use.key_id), use)
    _check_scope(use, client.asked)
    return caller


def _check_scope(use: KeyUse, asked: Asked | None) -> None:
    """Raise NotAllowed where a key is used for something that it is not for; what is there is no matter."""
    scope = use.scope
    if asked is None:
        if scope.is_whole:
            return
        raise NotAllowed("This API key is for some entries only, and not for this address.", hint=_SCOPE_HINT)
    if scope.kinds is not None and asked.kind is not None and asked.kind not in scope.kinds:
        raise NotAllowed("This API key is for other kinds of entries.", hint=_SCOPE_HINT)
    if asked.verb == "read" and "read" not in scope.verbs:
        raise NotAllowed("This API key writes, and does not read.", hint=_SCOPE_HINT)
    if asked.verb not in scope.verbs:
        if not scope.can_write:
            raise _reads_only(use)
        raise NotAllowed(_MAY_NOT[asked.verb], hint=_SCOPE_HINT)


_MAY_NOT = {
    "read": "This API key may not read entries.",
    "create": "This API key may not create entries.",
    "change": "This API key may not change entries.",
    "delete": "This API key may not delete entries.",
}


def _reads_only(use: KeyUse) -> NotAllowed:
    command = f"daemon key change {use.key_id} --write"
    return NotAllowed("This API key reads, and does not write.", hint=f"To let it write: {command}")
