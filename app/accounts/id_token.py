"""ID token (OpenID Connect Core, 3.1.3.7). Did this provider say, for us and for this login, who someone is?

Whatever is wrong is the same refusal; the log has the reason, and no claim besides.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app import clock, log
from app.errors import NotAllowed
from app.optional_imports import whole

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Those of keys that only the provider has: never none, and never one of a shared secret."""

CLOCKS_DIFFER_SECONDS = 60.0
OLDEST_SECONDS = 660.0
SUBJECT_CHARACTERS = 255
RSA_BITS_LEAST = 2048
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_log = log.get_logger(__name__)


class Unfit(Exception):
    """Why an ID token is not believed; for the log."""


@dataclass(frozen=True)
class Wanted:
    """What the token has to be: from whom, for whom, of which login."""

    issuer: str
    client_id: str
    nonce: str
    fresh_since: float | None = None  # the person typed their password there after that


Keys = Callable[[str | None], Mapping[str, Any]]
"""The provider's public key of that id, as a JWK; raises LookupError."""


def subject_of(token: str, keys: Keys, wanted: Wanted) -> str:
    """Return who someone is at the provider; raises NotAllowed for a token that does not say so to us."""
    try:
        return _subject(token, keys, wanted)
    except (Unfit, LookupError, _library().PyJWTError, ValueError, TypeError) as error:
        _log.warning("An ID token was refused.", extra={"why": str(error) or type(error).__name__})
        raise refused() from error


def refused() -> NotAllowed:
    """Return the error for a login at the provider that did not succeed, whatever the reason."""
    return NotAllowed("The login at the provider did not succeed.", hint="Begin again: GET /auth/oidc/login")


def _library() -> Any:
    """PyJWT with the algorithms of keys of two halves, which own tokens do without (`tokens`)."""
    return whole("jwt")


def _subject(token: str, keys: Keys, wanted: Wanted) -> str:
    jwt = _library()
    header = jwt.get_unverified_header(token)
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS or "crit" in header:
        raise Unfit(f"algorithm {algorithm!r}")
    claims = jwt.decode(
        token,
        _key(keys(header.get("kid")), algorithm),
        algorithms=[algorithm],
        audience=wanted.client_id,
        issuer=wanted.issuer,
        leeway=CLOCKS_DIFFER_SECONDS,
        options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
    )
    _check_party(claims, wanted.client_id)
    _check_moment(claims, wanted)
    if not hmac.compare_digest(str(claims["nonce"]).encode(), wanted.nonce.encode()):
        raise Unfit("nonce")
    return _checked_subject(claims["sub"])


def _key(found: Mapping[str, Any], algorithm: str) -> Any:
    if found.get("kty") != _KEY_TYPES[algorithm[:2]] or found.get("use", "sig") != "sig":
        raise Unfit("the key is of another type or use")
    if found.get("alg", algorithm) != algorithm:
        raise Unfit("the key is for another algorithm")
    key = _library().PyJWK.from_dict(dict(found), algorithm).key
    if getattr(key, "key_size", RSA_BITS_LEAST) < RSA_BITS_LEAST and algorithm[:2] in ("RS", "PS"):
        raise Unfit("the key is too short")
    return key


def _check_party(claims: Mapping[str, Any], client_id: str) -> None:
    """Where there are other audiences, it has to be said that the token was issued to us."""
    audiences, party = claims["aud"], claims.get("azp")
    is_for_others = isinstance(audiences, list) and len(audiences) > 1
    if (is_for_others or party is not None) and party != client_id:
        raise Unfit("azp")


def _check_moment(claims: Mapping[str, Any], wanted: Wanted) -> None:
    if clock.now().timestamp() - _seconds(claims["iat"]) > OLDEST_SECONDS:
        raise Unfit("iat")
    if wanted.fresh_since is None:
        return
    if _seconds(claims.get("auth_time")) < wanted.fresh_since - CLOCKS_DIFFER_SECONDS:
        raise Unfit("auth_time")


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit("a time is missing")
    return value


def _checked_subject(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= SUBJECT_CHARACTERS or not value.isprintable():
        raise Unfit("sub")
    return value
