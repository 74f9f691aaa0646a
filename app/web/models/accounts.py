"""Models: accounts, how they are made, and how one comes in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from app.accounts.account_rules import EMAIL_CHARACTERS, FULL_NAME_CHARACTERS, USERNAME_CHARACTERS
from app.accounts.one_time_links import INVITATION_DAYS, LABEL_CHARACTERS, LONGEST_DAYS, Purpose
from app.accounts.passwords import LONGEST_CHARACTERS, SHORTEST_CHARACTERS
from app.accounts.users import ROLES, Role
from app.web.models.base import Answer, Body, MayBeMissing, Moment, PageOf, Stored, Whole, form


def _text(shortest: int, longest: int) -> Any:
    return form(type="string", minLength=shortest, maxLength=longest)


SentRole = Annotated[str, form(type="string", enum=list(ROLES))]
Otp = Annotated[
    str, Field(repr=False, description="Where the second factor is on: a code of it, or a recovery code.")
]


class Registration(Body):
    username: Annotated[str, _text(*USERNAME_CHARACTERS)]
    email: Annotated[str, _text(*EMAIL_CHARACTERS)]
    password: Annotated[str, _text(SHORTEST_CHARACTERS, LONGEST_CHARACTERS)] = Field(repr=False)
    full_name: Annotated[str, _text(0, FULL_NAME_CHARACTERS)] | None = None
    claim_token: str | None = Field(None, repr=False, description="Or in the header X-Claim-Token.")
    invitation: str | None = Field(None, repr=False, description="Of an admin's; used up.")
    is_admin: Any = Field(None, deprecated=True, description="Taken, and without effect.")


class ChangedAccount(Body):
    """A merge patch: what is left out stays, null ends it."""

    full_name: Annotated[str, _text(0, FULL_NAME_CHARACTERS)] | None = None
    email: MayBeMissing[Annotated[str, _text(*EMAIL_CHARACTERS)]] = None


class ChangedPassword(Body):
    current_password: str = Field(repr=False)
    otp: Otp = ""
    new_password: Annotated[str, _text(SHORTEST_CHARACTERS, LONGEST_CHARACTERS)] = Field(repr=False)
    end_keys: bool = Field(False, description="End every API key of the account, too.")


class Login(Body):
    """Fields of a form; others than these are not looked at."""

    model_config = ConfigDict(extra="ignore")

    username: str
    password: str = Field(repr=False)
    otp: Otp = ""
    scope: str = Field("", description="`offline_access`: the answer holds a refresh token, too.")


class Token(Answer):
    access_token: str
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds.")
    refresh_token: MayBeMissing[str] = Field(None, description="Good for one use.")


class Account(Answer):
    id: int
    username: str
    full_name: str | None
    email: str
    is_active: bool
    is_admin: bool
    role: Role
    created_at: Stored | None
    last_login: Stored | None


class SentLink(Body):
    token: str = Field(repr=False)


class ResetPassword(Body):
    token: str = Field(repr=False)
    new_password: Annotated[str, _text(SHORTEST_CHARACTERS, LONGEST_CHARACTERS)] = Field(repr=False)


class OpenedLink(Answer):
    purpose: Purpose
    role: Role | None = Field(description="Of who is invited; null: it is no invitation.")
    username: str | None = Field(description="Whose password it is for; null: it is an invitation.")
    expires_at: Stored


class LinkHelp(Answer):
    detail: str


class NewInvitation(Body):
    role: SentRole = "member"
    days: Annotated[Whole, form(type="integer", minimum=1, maximum=LONGEST_DAYS)] = INVITATION_DAYS
    label: Annotated[str, form(type="string", minLength=1, maxLength=LABEL_CHARACTERS)] | None = None


class Invitation(Answer):
    id: int
    role: Role
    label: str | None
    created_by_id: int | None = Field(description="Null: the command line.")
    created_at: Stored
    expires_at: Stored


class MadeInvitation(Invitation):
    token: str = Field(description="Told this once.")
    link: str = Field(description="With the token; relative to the address of the request.")


class InvitationPage(PageOf[Invitation]):
    pass


class PasswordLink(Answer):
    username: str
    expires_at: Stored
    token: str = Field(description="Told this once.")
    link: str = Field(description="With the token; relative to the address of the request.")


class ChangedRole(Body):
    role: SentRole


class Refresh(Body):
    refresh_token: str = Field(repr=False)


class Confirmation(Body):
    password: str = Field(repr=False)
    otp: Otp = ""


class Stay(Body):
    username: str
    password: str = Field(repr=False)
    otp: Otp = ""


class Leave(Body):
    now: bool = Field(False, description="Be erased at once; else it can be undone for seven days.")


class Remove(Body):
    username: str = Field(description="Of whom it is meant: the name again.")
    now: bool = Field(False, description="Erase at once; else the command line can undo it for seven days.")


class BackupThatHolds(Answer):
    name: str
    made_at: Moment
    until: Moment | None = Field(description="So long it is kept; null: no one can tell.")
    note: str


class Leaving(Answer):
    asked_at: Moment
    final_at: Moment = Field(description="From then on it cannot be undone.")
    undo: str | None = Field(description="How to stay; null: it is too late.")
    backups: list[BackupThatHolds] = Field(description="They hold something, and are never changed.")


class Code(Body):
    otp: Annotated[str, Field(repr=False, description="A code of the authenticator program.")]


class SecondFactor(Answer):
    is_on: bool
    since: Stored | None
    recovery_codes_left: int


class Enrolment(Answer):
    secret: str = Field(description="For the authenticator program; told this once.")
    uri: str = Field(description="The same as `otpauth:`, for a QR code.")


class NewRecoveryCodes(Answer):
    recovery_codes: list[str] = Field(description="Good for one use each; told this once.")


class Session(Answer):
    id: int
    is_current: bool = Field(description="It is the session of this request.")
    can_refresh: bool
    created_at: Stored
    last_used_at: Stored = Field(description="When it began or was refreshed last.")
    expires_at: Stored
    ip_address: str | None
    user_agent: str | None


class SessionPage(PageOf[Session]):
    pass
