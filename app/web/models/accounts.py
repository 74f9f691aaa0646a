"""Models: accounts, how they are made, and how one comes in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from app.accounts.account_rules import EMAIL_CHARACTERS, FULL_NAME_CHARACTERS, USERNAME_CHARACTERS
from app.accounts.passwords import LONGEST_CHARACTERS, SHORTEST_CHARACTERS
from app.web.models.base import Answer, Body, Stored, form


def _text(shortest: int, longest: int) -> Any:
    return form(type="string", minLength=shortest, maxLength=longest)


class Registration(Body):
    username: Annotated[str, _text(*USERNAME_CHARACTERS)]
    email: Annotated[str, _text(*EMAIL_CHARACTERS)]
    password: Annotated[str, _text(SHORTEST_CHARACTERS, LONGEST_CHARACTERS)] = Field(repr=False)
    full_name: Annotated[str, _text(0, FULL_NAME_CHARACTERS)] | None = None
    claim_token: str | None = Field(None, repr=False, description="Or in the header X-Claim-Token.")
    is_admin: Any = Field(None, deprecated=True, description="Taken, and without effect.")


class ChangedAccount(Body):
    """A merge patch: what is left out stays, null ends it."""

    full_name: Annotated[str, _text(0, FULL_NAME_CHARACTERS)] | None = None


class ChangedPassword(Body):
    current_password: str = Field(repr=False)
    new_password: Annotated[str, _text(SHORTEST_CHARACTERS, LONGEST_CHARACTERS)] = Field(repr=False)
    end_keys: bool = Field(False, description="End every API key of the account, too.")


class Login(Body):
    """Fields of a form; others than these are not looked at."""

    model_config = ConfigDict(extra="ignore")

    username: str
    password: str = Field(repr=False)


class Token(Answer):
    access_token: str
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds.")


class Account(Answer):
    id: int
    username: str
    full_name: str | None
    email: str
    is_active: bool
    is_admin: bool
    created_at: Stored | None
    last_login: Stored | None
