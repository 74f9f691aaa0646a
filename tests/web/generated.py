"""What must generated requests be told that the description cannot say? Loaded by Schemathesis.

The form of each parameter is in the description; that two of them exclude each other is not, nor yet what the
content of a kind must hold; and that a cursor is one that the server gave, no form can say.
"""

from __future__ import annotations

import os
import sys
from http import HTTPStatus
from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

OLDER, NEWER = {"page", "size"}, {"limit", "cursor"}
FILTERS = {"tag", "status", "since", "until", "q", "sort", "fields"}
CURSOR_CHARACTERS = 43
OTHER_CURSOR = "The cursor is not one of this list."
CANNOT_BE_SAID = {
    "entries_create",
    "entries_replace",
    "entries_change",
    "entries_bulk",
    "keys_create",
    *("admin_key_create", "admin_key_create_old"),
    "privacy_rules_create",
    "privacy_rules_change",
    "never_list_add",
    "privacy_releases_create",
    "imports_create",
    "me_archive",
    "me_change",
    "second_factor_on",
    "shares_create",
    "search",
    *("endpoints_create", "endpoints_change"),
    *("avatar_replace", "pictures_add"),
    *("message_leave", "message_form"),
    *("invitations_create", "admin_user_remove", "privacy_settings_trial", "privacy_settings_change"),
    "webfinger",
    *("webhooks_create", "webhooks_change"),
}
"""What a kind must hold follows in its own schema, and the example of a new one has to fit that; a key ends
in the future, whenever that is read; which members a rule and a release have together depends on whose and of
what it is; of a word its letters count; what is imported has a format of its own, a passphrase eight
characters, a mail address one @; a code is of this moment; not all bytes are a picture; a message has a
letter that is seen, and a proof is of a challenge; a webhook's address is one that may be sent to; a link
names kinds and entries that are there; a line has no control character in it, whoever is removed is named;
WebFinger is asked of a resource; and a search has a word in it."""


def _only_the_server(event: str, arguments: tuple[Any, ...]) -> None:
    """Let this process connect to nothing but the server that it was started for."""
    if event == "socket.connect" and arguments[1][:2] != ("127.0.0.1", int(os.environ["GENERATED_FOR_PORT"])):
        raise PermissionError(f"This is not the server under test: {arguments[1]}.")


sys.addaudithook(_only_the_server)


@schemathesis.check
def accepts_what_is_described(ctx: Any, response: Any, case: Any) -> bool | None:
    """As Schemathesis's own check, but for what the description cannot say."""
    name = case.operation.definition.raw["operationId"]
    is_refused = response.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
    if (is_refused and name in CANNOT_BE_SAID) or not can_be_meant_together(case.query or {}):
        return None
    said = response.json() if is_refused else {}
    if said.get("code") == "idempotency_key_reused":  # the same made-up one again
        return None
    if said.get("detail") == OTHER_CURSOR and case.query.get(
        "cursor"
    ):  # of the form, and what it says is not
        return None
    result: bool | None = positive_data_acceptance(ctx, response, case)
    return result


def can_be_meant_together(query: dict[str, Any]) -> bool:
    """Whether the parameters of one request do not exclude each other, and none is a cursor of no list's."""
    if len(str(query.get("cursor", ""))) == CURSOR_CHARACTERS:  # of the form, and made up
        return False
    if (OLDER & set(query) and (NEWER | FILTERS) & set(query)) or reach_of(query) > 10_000:
        return False
    return query.get("level") in (None, query.get("privacy_level")) or "privacy_level" not in query


def reach_of(query: dict[str, Any]) -> int:
    """Return up to which entry a page asked for by its number goes."""
    try:
        return int(query.get("page", 1)) * int(query.get("size", 50))
    except (TypeError, ValueError):
        return 0
