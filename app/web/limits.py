"""Limits of one request. How large may its head and its body be?"""

from __future__ import annotations

from starlette.types import Message, Receive, Scope

from app.formats.pictures import MOST_BYTES as MOST_PICTURE_BYTES
from app.server.body_budget import (
    MOST_AUTH_BYTES,
    MOST_PICTURE_FORM_BYTES,
    Intake,
    most_of_an_entry_form,
)

LONGEST_TARGET_BYTES = 8_192
MOST_HEADERS_COUNT = 100
LONGEST_CREDENTIAL_BYTES = 8_192
ONLY_ONCE = frozenset(
    {
        b"host",
        b"authorization",
        b"x-api-key",
        b"content-length",
        b"content-type",
        b"x-claim-token",
        b"origin",
        b"sec-fetch-site",
    }
)


def fault_of_headers(scope: Scope) -> tuple[int, str, str] | None:
    """Return status, code and sentence for a request head that is refused, or None."""
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_TARGET_BYTES:
        return 414, "too_long", f"The address is longer than {LONGEST_TARGET_BYTES} bytes."
    headers = scope["headers"]
    if len(headers) > MOST_HEADERS_COUNT:
        return 431, "headers_refused", f"There are more than {MOST_HEADERS_COUNT} headers."
    seen: set[bytes] = set()
    for name, value in headers:
        if name == b"content-encoding" and value.strip().lower() not in (b"identity", b""):
            return 415, "unsupported_media_type", "A body is taken as it is: send no Content-Encoding."
        if name not in ONLY_ONCE:
            continue
        if name in seen:
            return 400, "headers_refused", f"The header {name.decode()} occurs twice."
        if len(value) > LONGEST_CREDENTIAL_BYTES:
            return 431, "headers_refused", f"The header {name.decode()} is too long."
        seen.add(name)
    return None


def body_is_announced_too_large(scope: Scope, most_bytes: int) -> bool:
    """Return whether Content-Length itself says that the body is larger than ``most_bytes``."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return not value.isdigit() or len(value) > 15 or int(value) > most_bytes
    return False


_BY_ANYBODY = frozenset(
    f"/manage/{each}" for each in ("sign-in", "claim", "join", "language", "waiting/token")
)
"""Addresses of forms that are sent without a session."""


def is_sent_by_anybody(path: str) -> bool:
    """Whether anyone may send a body to an address: small ones, since it is read before all else."""
    is_message = path.endswith("/messages") and path.startswith(("/@", "/api/v1/users/"))
    return path.startswith("/auth/") or path in _BY_ANYBODY or is_message


def is_entry_form(path: str) -> bool:
    """Whether forms with an entry are sent to an address."""
    return path.startswith("/manage/entries/") and not path.endswith("/pictures")


def most_bytes_at(path: str, most_bytes: int) -> int:
    """Return how large a body may be at ``path`` where the setting says ``most_bytes``."""
    if is_sent_by_anybody(path):
        return min(most_bytes, MOST_AUTH_BYTES)
    if path.startswith("/manage/") and path.endswith(("/profile/avatar", "/pictures")):
        return MOST_PICTURE_FORM_BYTES
    if is_entry_form(path):
        return most_of_an_entry_form(most_bytes)
    is_picture = path.startswith("/api/v1/") and path.endswith(("/me/avatar", "/pictures"))
    return max(most_bytes, MOST_PICTURE_BYTES) if is_picture else most_bytes


def counted(receive: Receive, intake: Intake) -> Receive:
    """Return a ``receive`` that counts what comes in; it raises what ``Intake.take`` does."""

    async def receive_counted() -> Message:
        message = await receive()
        if message.get("body"):
            intake.take(message["body"])
        return message

    return receive_counted
