"""OpenAPI operations. What may each be asked, with which credential, and which problems may it answer?

Rows, by the operation's name; the description for programs is made of them, and real requests are held to it.
"""

from __future__ import annotations

from typing import Any

from app.entries.entry import CURSOR_FORM, LIMIT_DEFAULT, LIMIT_MOST
from app.entries.parts import REACH_OF_PAGES, SIZE_MOST
from app.privacy.levels import NAMES

LARGEST_ID = 2**63 - 1

# Whatever is asked: what the frame around the routes refuses, and what no route can help.
FRAME = (400, 408, 413, 414, 415, 431, 500, 503)
# A GET that is answered with a validator: no JSON wanted, or If-Match that does not hold.
_READ = (406, 412)
_SEEN = (401, *_READ)
_WRITTEN = (401, 403, 404)

PROBLEMS: dict[str, tuple[int, ...]] = {
    "health": (),
    "health_ready": (),
    "health_live": (),
    "root": _READ,
    "openapi": _READ,
    "problem": (404, *_READ),
    "system_info": _READ,
    "system_upgrade": (),
    "login": (401, 422, 429),
    "register": (403, 409, 422, 429),
    "me": (*_SEEN, 403),
    "keys_list": (*_SEEN, 403),
    "keys_get": (*_SEEN, 403, 404),
    "keys_create": (401, 403, 409, 422),
    "keys_change": (*_WRITTEN, 422),
    "keys_revoke": _WRITTEN,
    "claim_review": (*_SEEN, 403),
    "claim_decide": (*_WRITTEN, 409, 422),
    "admin_audit": (*_SEEN, 403, 404, 422),
    "admin_audit_old": (*_SEEN, 403, 404, 422),
    "admin_journal": (*_SEEN, 403, 422),
    "endpoints_list": (*_SEEN, 422),
    "endpoints_get": (*_SEEN, 404),
    "entries_list": (*_SEEN, 404, 422),
    "entries_list_of_user": (*_SEEN, 404, 422),
    "entries_get": (*_SEEN, 404),
    "entries_create": (*_WRITTEN, 409, 412, 422),
    "entries_replace": (*_WRITTEN, 409, 412, 422),
    "entries_change": (*_WRITTEN, 409, 412, 422),
    "entries_delete": (*_WRITTEN, 412),
}

_LOGIN: dict[str, list[str]] = {"bearer": []}
_KEY: dict[str, list[str]] = {"api_key": []}
ANYBODY = [{}, _LOGIN, _KEY]
SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "login": [{}],
    "register": [{}],
    "me": [_LOGIN],
    "keys_list": [_LOGIN],
    "keys_get": [_LOGIN],
    "keys_create": [_LOGIN],
    "keys_change": [_LOGIN],
    "keys_revoke": [_LOGIN],
    "claim_review": [_LOGIN],
    "claim_decide": [_LOGIN],
    "admin_audit": [_LOGIN],
    "admin_audit_old": [_LOGIN],
    "admin_journal": [_LOGIN],
    "entries_create": [_LOGIN, _KEY],
    "entries_replace": [_LOGIN, _KEY],
    "entries_change": [_LOGIN, _KEY],
    "entries_delete": [_LOGIN, _KEY],
}

_ID: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
_POSITION: dict[str, Any] = {"type": "string", "pattern": "^[1-9][0-9]{0,17}$"}
_LEVEL: dict[str, Any] = {"type": "string", "enum": list(NAMES)}

# The form of each parameter. In a query there is no null: what is not asked for is left out.
PARAMETERS: dict[str, dict[str, Any]] = {
    "level": _LEVEL,
    "privacy_level": _LEVEL,
    "limit": {"type": "integer", "minimum": 1, "maximum": LIMIT_MOST, "default": LIMIT_DEFAULT},
    "cursor": {"type": "string", "pattern": CURSOR_FORM},
    "page": {"type": "integer", "minimum": 1, "maximum": REACH_OF_PAGES, "default": 1},
    "size": {"type": "integer", "minimum": 1, "maximum": SIZE_MOST, "default": LIMIT_DEFAULT},
    "active_only": {"type": "boolean", "default": True},
    "user": {"type": "string", "minLength": 1},
    "action": {"type": "string", "minLength": 1},
    "since": {"type": "string", "format": "date-time"},
    "kind": {"type": "string", "minLength": 1},
    "name": {"type": "string", "minLength": 1},
    "code": {"type": "string", "minLength": 1},
    "username": {"type": "string", "minLength": 1},
    "entry_id": _ID,
    "key_id": _ID,
}
OF_OPERATION: dict[tuple[str, str], dict[str, Any]] = {
    ("keys_list", "cursor"): _POSITION,
    ("admin_audit", "cursor"): _POSITION,
    ("admin_audit_old", "cursor"): _POSITION,
    ("admin_journal", "cursor"): _POSITION,
}
DEPRECATED = frozenset({"privacy_level", "page", "size", "active_only"})
