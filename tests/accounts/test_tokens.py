"""Is a token what login gave, and nothing that someone made up?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from app.accounts import tokens
from app.accounts.users import User
from app.errors import NotAuthenticated

SECRET = "a secret of the operator, long enough to be one"
ANN = User(
    id=7, username="ann", full_name=None, email="a@x", stored_hash="$argon2id$x",
    is_active=True, is_admin=False, created_at=None, last_login=None,
)  # fmt: skip
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def in_minutes(minutes: float) -> int:
    return int((NOW + timedelta(minutes=minutes)).timestamp())


def signed(claims: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


def issued() -> str:
    return tokens.issue_token(SECRET, ANN, now=NOW, minutes=30)


def test_a_token_says_who_until_it_ends() -> None:
    claims = tokens.read_token(SECRET, issued(), NOW + timedelta(minutes=29))
    assert claims == tokens.Claims("ann", 7, tokens.mark_of(SECRET, ANN))
    with pytest.raises(NotAuthenticated):
        tokens.read_token(SECRET, issued(), NOW + timedelta(minutes=30))


def test_the_mark_changes_with_hash_generation_and_secret() -> None:
    others = (replace(ANN, stored_hash="$argon2id$y"), replace(ANN, token_generation=1))
    marks = {tokens.mark_of(SECRET, each) for each in (ANN, *others)} | {tokens.mark_of("another", ANN)}
    assert len(marks) == 4
    assert tokens.mark_of(SECRET, replace(ANN, stored_hash="$2b$\udc80"))


def test_an_old_token_is_taken_no_more_and_told_so() -> None:
    old = signed({"sub": "ada_v010", "exp": in_minutes(20)})
    with pytest.raises(NotAuthenticated) as caught:
        tokens.read_token(SECRET, old, NOW)
    assert "older version" in caught.value.message
    assert "Log in again, once" in caught.value.hint


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "ann"},
        {"sub": "ann", "exp": in_minutes(31)},
        {"sub": "ann", "exp": in_minutes(-1)},
        {"sub": "ann", "exp": in_minutes(20), "admin": True},
        {"sub": "ann", "exp": str(in_minutes(20))},
        {"sub": "ann", "exp": True},
        {"exp": in_minutes(20)},
        {"sub": "7", "name": "ann", "exp": in_minutes(20), "gen": "x"},
        {"sub": "seven", "name": "ann", "iat": 1, "exp": in_minutes(20), "gen": "x"},
        {"sub": "7", "name": 7, "iat": 1, "exp": in_minutes(20), "gen": "x"},
        {"sub": "9" * 19, "name": "ann", "iat": 1, "exp": in_minutes(20), "gen": "x"},
        {"sub": "9" * 30, "name": "ann", "iat": 1, "exp": in_minutes(20), "gen": "x"},
    ],
)
def test_claims_of_another_form_are_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        tokens.read_token(SECRET, signed(claims), NOW)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "..", "é.é.é", "[" * 5000, issued()[:-2], issued() + "x"])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(NotAuthenticated):
        tokens.read_token(SECRET, text, NOW)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("algorithm", ["HS512", "HS384", "none"])
def test_no_other_algorithm_is_taken(algorithm: str) -> None:
    claims = {"sub": "ann", "exp": in_minutes(20)}
    token = jwt.encode(claims, "" if algorithm == "none" else SECRET, algorithm=algorithm)
    with pytest.raises(NotAuthenticated):
        tokens.read_token(SECRET, token, NOW)


def test_another_secret_signs_nothing_here() -> None:
    token = signed({"sub": "ann", "exp": in_minutes(20)}, "dev_secret_key_change_in_production_12345")
    with pytest.raises(NotAuthenticated):
        tokens.read_token(SECRET, token, NOW)
