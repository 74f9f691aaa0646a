"""What does every address answer to every kind of caller? A table; the addresses come from the application.

An address that is new needs a row in TABLE, and this test fails until it has one. A row holds a status for
each of CALLERS, in their order. A caller with one of IMPOSTORS, which are good for nothing, is refused
with 401 wherever it matters who is asking, also where a stranger would be answered. Anyone who is refused has
changed nothing, and what is private is found in no answer but its owner's and an admin's.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jwt
import pytest
from sqlalchemy import Connection, delete, insert, select, text

from app import clock, tables
from app.accounts import (
    api_keys,
    message_blocks,
    messages,
    one_time_links,
    operations,
    passwords,
    sessions,
    token_grants,
    tokens,
    users,
)
from app.accounts.api_keys import NewKey
from app.accounts.audit import COMMAND_LINE
from app.accounts.key_scope import new_scope
from app.accounts.messages import Draft, Sender
from app.accounts.one_time_links import Link
from app.accounts.people import Person
from app.accounts.token_grants import Token
from app.accounts.users import User
from app.entries import (
    endpoints,
    import_runs,
    never_words,
    own_kinds,
    pictures,
    policies,
    releases,
    share_links,
    webhooks,
    write,
)
from app.entries.import_plans import plan_of, read_for
from app.entries.pictures import Picture
from app.entries.share_links import NewLink
from app.entries.webhooks import NewHook
from app.formats.items import Choices
from app.formats.pictures import PictureSize
from app.formats.sources import read_bytes
from app.ids import new_id, next_id
from app.privacy.rules import Rule
from app.privacy.viewer import Viewer
from app.server import login
from app.settings import Settings
from app.tables import api_keys as key_table
from app.upgrade.operations.back_up import back_up
from app.web.app import create_app
from app.web.assets import stylesheet
from tests.conftest import SettingsIn
from tests.databases import Databases, outside
from tests.web.conftest import PASSWORD, Site, served_here

SECRET = "Zp0-long-enough-and-of-the-operator-alone"
PUBLISHED = ("your-super-secret-key-here-change-me", "dev_secret_key_change_in_production_12345")
OTHER_HASH = passwords.hash_password("another long sentence")
HIDDEN = "no one else may read this"
COUNT = itertools.count(1000)
HOUR = timedelta(hours=1)
OLD_KEY = "daemon_" + "k" * 43
CALLERS = ("anonymous", "owner", "other", "admin", "key that reads", "key that writes", "key of an admin")
KEYS = "key that reads", "key that writes", "key of an admin"
READERS = {"reader": "other", "key of a reader": "key of an admin"}
SEES_HIDDEN = frozenset({"owner", "admin", "old key", "key that reads", "key that writes"})


@dataclass(frozen=True)
class Row:
    """What an address answers: a status for each of CALLERS, or one for everyone whatever they send.

    ``about`` is the entry that it is asked about, public or private; ``shows`` is who finds HIDDEN in it.
    """

    answers: tuple[int, ...]
    asks_who: bool = True
    query: str = ""
    about: str = "public"
    body: object = None
    file: bytes | None = None
    form: dict[str, str] | None = None
    shows: frozenset[str] = frozenset()
    reader: int | None = None

    @property
    def writes_entries(self) -> bool:
        """Whether it is the writing of entries that is asked for: a key that reads is told apart there."""
        reads, writes = (self.answers[CALLERS.index(key)] for key in KEYS[:2])
        return reads == 403 != writes


def anybody(status: int = 200, **more: Any) -> tuple[Row, ...]:
    """An address that does not ask who is there."""
    return (Row((status,) * len(CALLERS), asks_who=False, **more),)


def row(*answers: int, **more: Any) -> Row:
    assert len(answers) == len(CALLERS)
    return Row(answers, **more)


CONTENT = {"content": "changed"}
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)  # one pixel
NEW = "another long sentence"
OWN_SCHEMA = {"type": "object", "required": ["dish"], "properties": {"dish": {"type": "string"}}}
NEW_KIND = {"name": "recipes", "schema": OWN_SCHEMA, "example": {"dish": "Soup"}}
#                      anonymous owner other admin | keys: reads writes admin's
ALL = (200, 200, 200, 200, 200, 200, 200)
MINE = (404, 200, 404, 200, 200, 200, 404)
CHANGE = (401, 200, 403, 200, 403, 200, 403)
CHANGE_HIDDEN = (401, 200, 404, 200, 403, 200, 404)
REMOVE = (401, 204, 403, 204, 403, 204, 403)
REMOVE_HIDDEN = (401, 204, 404, 204, 403, 204, 404)
LOGGED_IN = (401, 200, 200, 200, 403, 403, 403)
HISTORY = (401, 200, 404, 200, 403, 403, 403)
LOGGED_IN_OWNER = frozenset({"owner"})
LOGGED_IN_SEES = frozenset({"owner", "admin"})
FOR_ADMINS = (401, 403, 403, 200, 403, 403, 403)
FOR_ADMINS_201 = (401, 403, 403, 201, 403, 403, 403)
FOR_ADMINS_202 = (401, 403, 403, 202, 403, 403, 403)
FOR_ADMINS_404 = (401, 403, 403, 404, 403, 403, 403)
NONE_OF_MINE = (401, 404, 404, 404, 403, 403, 403)
KEY_OF_OWNER = (401, 200, 404, 404, 403, 403, 403)

TABLE: dict[str, tuple[Row, ...]] = {
    "GET /": anybody(),
    "GET /assets/{name}": anybody(),
    "GET /robots.txt": anybody(),
    "GET /.well-known/api-catalog": anybody(),
    "GET /.well-known/webfinger": anybody(query="?resource=acct:olga@daemon.example"),
    "GET /.well-known/security.txt": anybody(404),  # no one is named here: tests/web/test_well_known.py
    "GET /@{username}/card.vcf": (row(*ALL),),
    "GET /@{username}/card.svg": (row(*ALL),),
    "GET /@{username}/card.png": (row(*ALL),),
    "GET /llms.txt": anybody(),
    "GET /index.md": anybody(),
    "GET /@{username}.md": (row(*ALL),),
    "GET /@{username}/{kind}.md": (row(*ALL),),
    "GET /@{username}/{kind}/{entry_id}.md": (row(*ALL), row(*(404,) * 7, about="private")),
    "GET /sitemap.xml": anybody(),
    "GET /@{username}/sitemap.xml": (row(*ALL),),
    "GET /@{username}/{kind}/sitemap.xml": (row(*ALL),),
    "GET /feed.atom": anybody(),
    "GET /feed.json": anybody(),
    "GET /@{username}/feed.atom": (row(*ALL),),
    "GET /@{username}/feed.json": (row(*ALL),),
    "GET /@{username}/{kind}/feed.atom": (row(*ALL),),
    "GET /@{username}/{kind}/feed.json": (row(*ALL),),
    "GET /api/v1/me/page": (row(*LOGGED_IN),),
    "PUT /api/v1/me/page": (row(*LOGGED_IN, body={"theme": "ink"}),),
    "GET /api/v1/users/{username}/messages": anybody(404),  # olga allows none
    "POST /api/v1/users/{username}/messages": anybody(404, body={"text": "Hello"}),
    "POST /@{username}/messages": anybody(404, form={"text": "Hello"}),
    "GET /api/v1/me/message-box": (row(*LOGGED_IN),),
    "PUT /api/v1/me/message-box": (row(*LOGGED_IN, body={"is_open": False}),),
    "GET /api/v1/me/messages": (row(*LOGGED_IN),),
    "GET /api/v1/me/messages/{message_id}": (row(*KEY_OF_OWNER, shows=LOGGED_IN_OWNER),),
    "PATCH /api/v1/me/messages/{message_id}": (
        row(*KEY_OF_OWNER, body={"is_read": True}, shows=LOGGED_IN_OWNER),
    ),
    "DELETE /api/v1/me/messages/{message_id}": (row(401, 204, 404, 404, 403, 403, 403),),
    "POST /api/v1/me/messages/{message_id}/block": (row(401, 204, 404, 404, 403, 403, 403),),
    "GET /api/v1/me/message-blocks": (row(*LOGGED_IN),),
    "DELETE /api/v1/me/message-blocks/{block_id}": (row(401, 204, 404, 404, 403, 403, 403),),
    "GET /@{username}": (row(*ALL),),
    "GET /@{username}/{kind}": (row(*ALL),),
    "GET /@{username}/preview.png": (row(*ALL),),
    "GET /@{username}/resume.pdf": (row(*(404,) * 7),),  # ideas are in none; tests/web/test_paper.py has some
    "GET /resume.pdf": anybody(404),
    "GET /@{username}/{kind}/{entry_id}": (row(*ALL), row(*(404,) * 7, about="private")),
    "GET /media/{name}": (row(*ALL), row(404, 200, 404, 404, 404, 404, 404, about="private")),
    "GET /api/v1/me/avatar": (row(*NONE_OF_MINE),),
    "PUT /api/v1/me/avatar": (
        row(401, 422, 422, 422, 403, 403, 403, file=b"no picture", reader=403),
        row(401, 201, 201, 201, 403, 403, 403, file=PICTURE, reader=403),
    ),
    "PATCH /api/v1/me/avatar": (row(*NONE_OF_MINE, body={"alt": "Someone"}, reader=403),),
    "DELETE /api/v1/me/avatar": (row(*NONE_OF_MINE, reader=403),),
    "GET /api/v1/{kind}/{entry_id}/pictures": (row(*ALL), row(*MINE, about="private", shows=SEES_HIDDEN)),
    "POST /api/v1/{kind}/{entry_id}/pictures": (
        row(401, 201, 404, 201, 403, 403, 403, file=PICTURE, reader=403),
        row(401, 201, 404, 201, 403, 403, 403, file=PICTURE, about="private", reader=403),
    ),
    "PATCH /api/v1/{kind}/{entry_id}/pictures/{picture_id}": (
        row(*HISTORY, body={"alt": "changed"}, reader=403),
        row(*HISTORY, body={"alt": "changed"}, about="private", reader=403),
    ),
    "DELETE /api/v1/{kind}/{entry_id}/pictures/{picture_id}": (
        row(401, 204, 404, 204, 403, 403, 403, reader=403),
        row(401, 204, 404, 204, 403, 403, 403, about="private", reader=403),
    ),
    "GET /health": anybody(),
    "GET /health/ready": anybody(),
    "GET /health/live": anybody(),
    "GET /openapi.json": anybody(),
    "GET /docs": anybody(),
    "GET /problems/{code}": anybody(),
    "GET /api/v1/system/info": anybody(),
    "GET /api/v1/system/upgrade": anybody(),
    "POST /auth/login": anybody(form={"username": "olga", "password": PASSWORD}),
    "POST /auth/register": anybody(403, body={"username": "eve", "email": "e@x", "password": PASSWORD}),
    "GET /auth/me": (row(*LOGGED_IN),),
    "PATCH /auth/me": (row(*LOGGED_IN, body={"full_name": "Someone"}),),
    "POST /auth/password": (
        row(401, 403, 403, 403, 403, 403, 403, body={"current_password": "another", "new_password": NEW}),
        row(401, 200, 200, 200, 403, 403, 403, body={"current_password": PASSWORD, "new_password": NEW}),
    ),
    "GET /auth/link": anybody(),
    "POST /auth/link": anybody(body={"token": "{link}"}),
    "POST /auth/password/reset": anybody(204, body={"token": "{link}", "new_password": NEW}),
    "POST /auth/confirm": (
        row(401, 403, 403, 403, 403, 403, 403, body={"password": "another"}),
        row(401, 204, 204, 204, 403, 403, 403, body={"password": PASSWORD}),
    ),
    "POST /auth/refresh": anybody(body={"refresh_token": "{refresh_token}"}),
    "GET /auth/second-factor": (row(*LOGGED_IN),),
    "POST /auth/second-factor": (row(401, 201, 201, 201, 403, 403, 403),),
    "POST /auth/second-factor/confirm": (
        row(401, 409, 409, 409, 403, 403, 403, body={"otp": "000000"}),  # nothing was begun
    ),
    "POST /auth/second-factor/recovery-codes": (row(401, 409, 409, 409, 403, 403, 403),),
    "DELETE /auth/second-factor": (row(401, 204, 204, 204, 403, 403, 403),),
    "GET /auth/oidc": (row(*LOGGED_IN),),
    "DELETE /auth/oidc": (row(*NONE_OF_MINE),),
    "GET /auth/oidc/login": anybody(404),  # no provider is set up here: tests/web/test_oidc.py has one
    "GET /auth/oidc/callback": anybody(404, query="?state=x&code=y"),
    "POST /auth/oidc/link": (row(*NONE_OF_MINE),),
    "POST /auth/oidc/confirm": (row(*NONE_OF_MINE),),
    "POST /auth/oidc/logout": (row(*NONE_OF_MINE),),
    "POST /auth/oidc/second-factor": anybody(404, body={"otp": "000000"}),
    "POST /auth/oidc/join": anybody(404, body={"invitation": "x", "username": "eve", "email": "e@x"}),
    "GET /auth/sessions": (row(*LOGGED_IN),),
    "DELETE /auth/sessions/{session_id}": (row(401, 204, 404, 404, 403, 403, 403),),
    "POST /auth/logout": (row(401, 204, 204, 204, 403, 403, 403),),
    "POST /auth/logout-everywhere": (row(401, 204, 204, 204, 403, 403, 403),),
    "GET /auth/audit": (row(*LOGGED_IN),),
    "GET /auth/storage": (row(*LOGGED_IN),),
    "GET /api/v1/admin/users/{user_id}/storage": (row(*FOR_ADMINS),),
    "PUT /api/v1/admin/users/{user_id}/storage": (row(*FOR_ADMINS, body={"most_entries": 7}),),
    "GET /auth/keys": (row(*LOGGED_IN),),
    "POST /auth/keys": (row(401, 201, 201, 201, 403, 403, 403, body={"name": "one more"}),),
    "GET /auth/keys/{key_id}": (row(*KEY_OF_OWNER),),
    "PATCH /auth/keys/{key_id}": (row(*KEY_OF_OWNER, body={"can_write": True}),),
    "DELETE /auth/keys/{key_id}": (row(401, 204, 404, 404, 403, 403, 403),),
    "GET /api/v1/claim/review": (row(*LOGGED_IN),),
    "POST /api/v1/claim/review": (row(*LOGGED_IN, body={"publish": "all"}, reader=403),),
    "GET /api/v1/privacy/settings": (row(*LOGGED_IN),),
    "PATCH /api/v1/privacy/settings": (row(*LOGGED_IN, body={"show_location": True}),),
    "GET /api/v1/privacy/rules": (row(*LOGGED_IN),),
    "POST /api/v1/privacy/rules": (
        row(*FOR_ADMINS_201, body={"of": "installation", "path": "title"}),
        row(401, 422, 422, 422, 403, 403, 403, body={"of": "own", "kind": "ideas"}),
    ),
    "GET /api/v1/privacy/rules/{rule_id}": (row(*FOR_ADMINS),),
    "PATCH /api/v1/privacy/rules/{rule_id}": (row(*FOR_ADMINS, body={"is_active": True}),),
    "DELETE /api/v1/privacy/rules/{rule_id}": (row(401, 403, 403, 204, 403, 403, 403),),
    "GET /api/v1/privacy/never-list": (row(*LOGGED_IN),),
    "POST /api/v1/privacy/never-list": (row(401, 201, 201, 201, 403, 403, 403, body={"word": "Wren"}),),
    "DELETE /api/v1/privacy/never-list/{word_id}": (row(401, 204, 404, 404, 403, 403, 403),),
    "GET /api/v1/privacy/findings": (row(*LOGGED_IN),),
    "GET /api/v1/privacy/releases": (row(*LOGGED_IN),),
    "POST /api/v1/privacy/releases": (row(401, 201, 201, 201, 403, 403, 403, body={"detector": "mail"}),),
    "DELETE /api/v1/privacy/releases/{release_id}": (row(401, 204, 404, 404, 403, 403, 403),),
    "POST /api/v1/import": (
        row(*LOGGED_IN, body={"name": "a.vcf", "text": "BEGIN:VCARD\nFN:A\nEND:VCARD\n"}, reader=403),
        row(401, 422, 422, 422, 403, 403, 403, body={"name": "a.pdf", "text": "x"}, reader=403),
    ),
    "GET /api/v1/imports": (row(*LOGGED_IN),),
    "DELETE /api/v1/imports/{import_id}": (row(401, 204, 404, 404, 403, 403, 403, reader=403),),
    "GET /api/v1/search": (row(*ALL, query="?q=nothing"),),
    "GET /api/v1/webhooks": (row(*LOGGED_IN),),
    "POST /api/v1/webhooks": (
        row(401, 201, 201, 201, 403, 403, 403, body={"url": "https://hooks.example/in"}, reader=403),
    ),
    "GET /api/v1/webhooks/{webhook_id}": (row(*KEY_OF_OWNER),),
    "PATCH /api/v1/webhooks/{webhook_id}": (row(*KEY_OF_OWNER, body={"label": "other"}, reader=403),),
    "POST /api/v1/webhooks/{webhook_id}/secret": (row(*KEY_OF_OWNER, reader=403),),
    "DELETE /api/v1/webhooks/{webhook_id}": (row(401, 204, 404, 404, 403, 403, 403, reader=403),),
    "GET /api/v1/webhooks/{webhook_id}/deliveries": (row(*KEY_OF_OWNER),),
    "POST /api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/resend": (
        row(401, 202, 404, 404, 403, 403, 403, reader=403),
    ),
    "GET /api/v1/links": (row(*LOGGED_IN),),
    "POST /api/v1/links": (
        row(401, 422, 422, 422, 403, 403, 403, body={"kinds": []}, reader=403),
        row(401, 201, 201, 201, 403, 403, 403, body={"kinds": ["ideas"]}, reader=403),
    ),
    "GET /api/v1/links/{link_id}": (row(*KEY_OF_OWNER),),
    "DELETE /api/v1/links/{link_id}": (row(401, 204, 404, 404, 403, 403, 403, reader=403),),
    "GET /api/v1/shared/{token}": anybody(),
    "GET /api/v1/privacy/explain": (row(401, 200, 404, 404, 403, 403, 403, query="?entry=1"),),
    "GET /api/v1/privacy/audience": (row(*LOGGED_IN),),
    "GET /api/v1/privacy/audience/{name}": (row(*LOGGED_IN),),
    "POST /api/v1/privacy/settings/trial": (row(*LOGGED_IN, body={"show_location": False}),),
    "GET /api/v1/privacy/selftest": (row(*FOR_ADMINS),),
    "POST /api/v1/privacy/selftest": (row(401, 403, 403, 202, 403, 403, 403),),
    "POST /api/v1/privacy/preview": (row(*LOGGED_IN, body={"kind": "ideas", "content": CONTENT}),),
    "GET /api/v1/privacy/preview": (
        row(*LOGGED_IN, query="?kind=ideas", shows=frozenset({"owner"})),
        row(*LOGGED_IN, query="?kind=ideas&as=stranger"),
    ),
    **{
        f"{method} {at}/{place}": (one,)
        for at in ("/api/v1/admin", "/admin")
        for method, place, one in (
            ("GET", "users", row(*FOR_ADMINS)),
            ("GET", "api-keys", row(*FOR_ADMINS)),
            ("DELETE", "api-keys/{key_id}", row(401, 403, 403, 204, 403, 403, 403)),
            ("GET", "stats", row(*FOR_ADMINS)),
            ("GET", "data/stats", row(*FOR_ADMINS)),
            ("GET", "backups", row(*FOR_ADMINS)),
            ("POST", "backup", row(*FOR_ADMINS_201)),
            ("DELETE", "backup/cleanup", row(*FOR_ADMINS)),
            ("POST", "api-keys", row(*FOR_ADMINS_201, body={"name": "of an admin"})),
            ("GET", "system", row(*FOR_ADMINS)),
            ("GET", "endpoints", row(*FOR_ADMINS)),
            ("DELETE", "endpoints/{endpoint_id}", row(401, 403, 403, 204, 403, 403, 403)),
            ("GET", "rules", row(*FOR_ADMINS)),
            ("GET", "data/cleanup", row(*FOR_ADMINS)),
            ("DELETE", "data/cleanup", row(401, 403, 403, 409, 403, 403, 403)),
        )
    },
    "POST /api/v1/admin/backups": (row(*FOR_ADMINS_202),),
    "POST /api/v1/admin/backups/{backup}/prove": (row(*FOR_ADMINS_202),),
    "POST /api/v1/admin/restore/{backup}": (row(*FOR_ADMINS_404),),  # tests/web/test_going_back.py restores
    "POST /admin/restore/{backup}": (row(*FOR_ADMINS_404),),
    "POST /api/v1/admin/rollback": (row(*FOR_ADMINS_404),),
    "POST /api/v1/admin/rollback/preview": (row(*FOR_ADMINS_202),),
    "GET /api/v1/admin/rollback/preview": (row(*FOR_ADMINS_404),),
    "POST /api/v1/admin/backups/{backup}/preview": (row(*FOR_ADMINS_202),),
    "GET /api/v1/admin/backups/{backup}/preview": (row(*FOR_ADMINS_404),),
    "GET /api/v1/operations": (row(*LOGGED_IN),),
    "GET /api/v1/operations/{operation_id}": (row(*KEY_OF_OWNER),),
    "GET /api/v1/admin/users/{user_id}": (row(*FOR_ADMINS),),
    "PATCH /api/v1/admin/users/{user_id}": (row(*FOR_ADMINS, body={"is_active": False}),),
    "PATCH /api/v1/admin/endpoints/{endpoint_id}": (row(*FOR_ADMINS, body={"is_active": False}),),
    "PUT /admin/endpoints/{endpoint_id}/toggle": (row(*FOR_ADMINS),),
    "PUT /admin/users/{user_id}/admin": (row(*FOR_ADMINS),),
    "PUT /admin/users/{user_id}/toggle": (row(*FOR_ADMINS),),
    "GET /api/v1/admin/audit": (row(*FOR_ADMINS, shows=frozenset({"admin"})),),
    "GET /admin/audit": (row(*FOR_ADMINS, shows=frozenset({"admin"})),),
    "PUT /api/v1/admin/users/{user_id}/role": (row(*FOR_ADMINS, body={"role": "reader"}),),
    "POST /api/v1/admin/users/{user_id}/password-link": (row(*FOR_ADMINS_201),),
    "DELETE /api/v1/admin/users/{user_id}/second-factor": (row(401, 403, 403, 204, 403, 403, 403),),
    "GET /api/v1/admin/invitations": (row(*FOR_ADMINS),),
    "POST /api/v1/admin/invitations": (row(*FOR_ADMINS_201, body={"role": "reader"}),),
    "DELETE /api/v1/admin/invitations/{invitation_id}": (row(401, 403, 403, 204, 403, 403, 403),),
    "GET /api/v1/admin/settings": (row(*FOR_ADMINS),),
    "GET /api/v1/admin/findings": (row(*FOR_ADMINS),),
    "POST /api/v1/admin/audit/verify": (row(*FOR_ADMINS_202),),
    "POST /api/v1/admin/users/{user_id}/departure": (
        row(401, 403, 403, 422, 403, 403, 403, body={"username": "another"}),
    ),
    "GET /api/v1/admin/journal": (row(*FOR_ADMINS),),
    "GET /api/v1/endpoints": (row(*ALL),),
    "POST /api/v1/endpoints": (row(401, 201, 201, 201, 403, 403, 403, body=NEW_KIND),),
    "GET /api/v1/endpoints/{name}": (row(*ALL),),
    "PATCH /api/v1/endpoints/{name}": (row(*KEY_OF_OWNER, body={"title": "Meals"}),),
    "DELETE /api/v1/endpoints/{name}": (row(401, 204, 404, 404, 403, 403, 403),),
    "GET /api/v1/endpoints/{name}/versions": (row(*KEY_OF_OWNER),),
    "GET /api/v1/{kind}": (row(*ALL, shows=SEES_HIDDEN - {"admin"}),),  # a list of one's own
    "GET /api/v1/{kind}/users/{username}": (row(*ALL, shows=SEES_HIDDEN),),
    "GET /api/v1/{kind}/{entry_id}": (row(*ALL), row(*MINE, about="private", shows=SEES_HIDDEN)),
    "POST /api/v1/{kind}": (row(401, 201, 201, 201, 403, 201, 201, body=CONTENT),),
    "POST /api/v1/{kind}/bulk": (
        row(401, 422, 422, 422, 403, 422, 422, body=[{"content": CONTENT}, {"content": {"content": 7}}]),
        row(401, 200, 200, 200, 403, 200, 200, body=[{"content": CONTENT}]),
    ),
    "PUT /api/v1/{kind}/{entry_id}": (
        row(*CHANGE, body=CONTENT),
        row(*CHANGE_HIDDEN, body=CONTENT, about="private"),
    ),
    "PATCH /api/v1/{kind}/{entry_id}": (
        row(*CHANGE, body={"more": 1}),
        row(*CHANGE_HIDDEN, body={"more": 1}, about="private", shows=SEES_HIDDEN - {"old key", KEYS[0]}),
    ),
    "GET /api/v1/{kind}/{entry_id}/revisions": (row(*HISTORY), row(*HISTORY, about="private")),
    "GET /api/v1/{kind}/{entry_id}/revisions/{number}": (
        row(*HISTORY),
        row(*HISTORY, about="private", shows=LOGGED_IN_SEES),
    ),
    "GET /api/v1/{kind}/{entry_id}/difference": (
        row(*HISTORY, query="?from=1&to=1"),
        row(*HISTORY, about="private", query="?from=1&to=1"),
    ),
    "POST /api/v1/{kind}/{entry_id}/revisions/{number}/restore": (
        row(401, 409, 404, 409, 403, 403, 403, reader=403),
        row(401, 409, 404, 409, 403, 403, 403, about="private", reader=403),
        row(401, 200, 404, 200, 403, 403, 403, about="changed", shows=LOGGED_IN_SEES, reader=403),
    ),
    "POST /api/v1/{kind}/{entry_id}/undelete": (
        row(401, 409, 404, 409, 403, 403, 403, reader=403),
        row(401, 200, 404, 200, 403, 403, 403, about="deleted", shows=LOGGED_IN_SEES, reader=403),
    ),
    "POST /api/v1/{kind}/{entry_id}/erase": (
        row(*HISTORY, reader=403),
        row(*HISTORY, about="private", reader=403),
        row(*HISTORY, about="deleted", reader=403),
    ),
    "GET /api/v1/me/deleted": (row(*LOGGED_IN),),
    "GET /api/v1/me/entries": (row(*LOGGED_IN, shows=LOGGED_IN_OWNER),),
    "POST /api/v1/me/departure": (
        row(401, 422, 422, 422, 403, 403, 403, body={"now": "yes"}),  # whoever leaves has no keys
    ),
    "POST /auth/stay": anybody(409, body={"username": "olga", "password": PASSWORD}),  # who stays
    "POST /api/v1/me/archive": (row(*LOGGED_IN, body={}),),
    "POST /api/v1/me/export": (row(401, 202, 202, 202, 403, 403, 403),),
    "GET /api/v1/operations/{operation_id}/file": (row(401, 404, 404, 404, 403, 403, 403),),  # it has none
    "GET /api/v1/me/ai-reads": (row(*LOGGED_IN),),
    "GET /api/v1/me/erasures": (row(*LOGGED_IN),),
    "DELETE /api/v1/{kind}/{entry_id}": (row(*REMOVE), row(*REMOVE_HIDDEN, about="private")),
}


def served() -> list[str]:
    """Every address with every method that it takes, as the application has them."""
    routes: list[Any] = create_app(Settings()).addresses
    return [
        f"{method} {route.path.replace(':path', '')}" for route in routes for method in sorted(route.methods)
    ]


# -- who is asking


Headers = dict[str, str]


def bearer(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


@dataclass
class World:
    """An installation with people, and the credentials that they have, or had."""

    site: Site
    owner: User
    beside: Connection
    callers: dict[str, Headers] = field(default_factory=dict)
    impostors: dict[str, Headers] = field(default_factory=dict)
    backups: list[str] = field(default_factory=list)

    def token(self, user: User, ago: timedelta = timedelta()) -> str:
        return tokens.issue_token(SECRET, user, now=clock.now() - ago, minutes=30)

    def begin(self, user: User, *, with_refresh: bool = False) -> Token:
        with self.site.writing() as connection:
            return token_grants.begin(
                login._Process(self.site.app.server),
                connection,
                user,
                COMMAND_LINE,
                clock.now(),
                with_refresh=with_refresh,
            )

    def filled(self, body: object) -> object:
        """Return a body with what is made for each request in the place of its name."""
        if not isinstance(body, dict):
            return body
        makers: dict[str, Callable[[], object]] = {
            "{refresh_token}": lambda: self.begin(self.owner, with_refresh=True).refresh_text,
            "{link}": lambda: self.make_link(one_time_links.offer_password, self.add(f"lin{next(COUNT)}"))[1],
        }
        return {name: makers.get(str(value), lambda value=value: value)() for name, value in body.items()}

    def make_link(self, make: Callable[..., tuple[Link, str]], *wanted: object) -> tuple[Link, str]:
        with self.site.writing() as connection:
            return make(connection, *wanted, clock.now())

    def make_session(self) -> int:
        with self.site.writing() as connection:
            return sessions.begin(connection, self.owner.id, COMMAND_LINE, clock.now(), clock.now() + HOUR)

    def make_operation(self) -> int:
        with self.site.writing() as connection:
            return operations.begin(connection, self.owner.id, f"made {next(COUNT)}", clock.now()).id

    def make_backup(self) -> str:
        if not self.backups:
            self.backups.append(back_up(self.site.settings, "manual", serving=True).name)
        return self.backups[0]

    def add(self, username: str, *, is_admin: bool = False) -> User:
        return self.site.add_user(username, is_admin=is_admin)

    def write(self, change: Callable[[Connection], object]) -> None:
        with self.site.writing() as connection:
            change(connection)

    def make_key(self, user: User, *, can_write: bool = False) -> tuple[int, Headers]:
        with self.site.writing() as connection:
            made, text = api_keys.make_key(
                connection, user, NewKey("k", new_scope(can_write=can_write)), clock.now()
            )
        return made.id, {"X-API-Key": text}

    def make_release(self) -> int:
        with self.site.writing() as connection:
            return releases.release(connection, self.owner.id, detector="phone")[0].id

    def make_import(self) -> int:
        owner = Person(self.owner.id, self.owner.username, is_active=True)
        card = f"BEGIN:VCARD\nFN:Card {next(COUNT)}\nEND:VCARD\n"
        source = read_bytes("a.vcf", card.encode())
        with self.site.writing() as connection:
            plan = plan_of(connection, owner, source, read_for(connection, owner, source, Choices()))
            done = import_runs.apply(connection, owner, plan, write.FROM_COMMAND_LINE)
        assert done.id is not None
        return done.id

    def make_share(self) -> tuple[int, str]:
        owner = Viewer("person", self.owner.id, self.owner.username)
        with self.site.writing() as connection:
            new = NewLink(kinds=("ideas",))
            made, token = share_links.make(connection, owner, new, clock.now(), COMMAND_LINE)
        return made.id, token

    def make_message(self) -> int:
        mark = f"network {next(COUNT)}"
        with self.site.writing() as connection:
            messages.leave(connection, SECRET, self.owner.id, Draft(HIDDEN), Sender("api", mark), clock.now())
            query = select(tables.messages.c.id).where(tables.messages.c.network_hash == mark)
            return int(connection.execute(query).scalar_one())

    def make_webhook(self) -> int:
        with self.site.writing() as connection:
            connection.execute(delete(tables.webhooks))  # there is a bound
            new = NewHook("https://hooks.example/in")
            made, _secret = webhooks.make(connection, SECRET, self.owner.id, new, clock.now(), COMMAND_LINE)
        return int(made["id"])

    def make_delivery(self, webhook_id: int) -> int:
        with self.site.writing() as connection:
            values = {
                "id": new_id(connection, tables.webhook_deliveries),
                "webhook_id": webhook_id,
                "event": "entry.created",
                "kind": "ideas",
                "entry_id": 1,
                "state": "not_sent",
                "attempts": 0,
                "occurred_at": clock.stored(clock.now()),
                "last_fault": "restored",
            }
            connection.execute(insert(tables.webhook_deliveries).values(values))
        return int(str(values["id"]))

    def make_block(self) -> int:
        with self.site.writing() as connection:
            mark = f"network {next(COUNT)}"
            message_blocks.add(connection, self.owner.id, "network", mark, None, clock.now())
            query = select(tables.message_blocks.c.id).where(tables.message_blocks.c.value_hash == mark)
            return int(connection.execute(query).scalar_one())

    def make_picture(self, entry_id: int, alt: str) -> Picture:
        sizes = [PictureSize(name, "image/webp", 1, 1, b"RIFF") for name in ("small", "medium", "large")]
        with self.site.writing() as connection:
            return pictures.add(
                connection,
                self.owner.id,
                entry_id,
                sizes,
                COMMAND_LINE,
                clock.now(),
                most_bytes=None,
                alt=alt,
            )

    def make_word(self) -> int:
        with self.site.writing() as connection:
            return int(never_words.add_word(connection, self.owner.id, f"bird {next(COUNT)}")["id"])

    def make_rule(self) -> int:
        with self.site.writing() as connection:
            return policies.add_rule(connection, Rule(field_path="nothing.of.that.name"), clock.now())

    def make_kind(self) -> str:
        name = f"kind_{next(COUNT)}"
        said = {"schema": OWN_SCHEMA, "example": {"dish": "Soup"}}
        self.write(lambda connection: own_kinds.create_kind(connection, self.owner.id, name, said))
        return name

    def make_kind_id(self) -> int:
        name = self.make_kind()
        with self.site.writing() as connection:
            found = endpoints.find_own(connection, self.owner.id, name)
        assert found is not None
        return found.id

    def make_entry(self, about: str) -> int:
        """An entry that is public or private; or a private one that was changed, or deleted."""
        visibility = "public" if about == "public" else "private"
        content = {
            "content": HIDDEN if visibility == "private" else "shown",
            "meta": {"visibility": visibility},
        }
        viewer = Viewer("person", self.owner.id, self.owner.username)
        with self.site.writing() as connection:
            made = write.create(connection, viewer, "ideas", content).id
            if about == "changed":
                write.merge(connection, viewer, "ideas", made, {"content": "changed"})
            if about == "deleted":
                write.delete(connection, viewer, "ideas", made)
        return made

    def entries(self) -> list[Any]:
        """Every entry, as it is stored."""
        return [*self.beside.execute(text("SELECT * FROM data_entries ORDER BY id")).all()]

    def stored(self) -> str:
        """Everything that a request may change, but for the times of the last use."""
        parts = [
            self.beside.execute(text(f"SELECT * FROM {table} ORDER BY id")).all()
            for table in (
                "data_entries",
                "endpoints",
                "data_privacy_rules",
                "never_words",
                "finding_releases",
                "imports",
                "share_links",
                "webhooks",
                "messages",
                "message_blocks",
                "pictures",
            )
        ]
        for query in (
            "SELECT id, name, is_active, can_write FROM api_keys ORDER BY id",
            "SELECT id, hashed_password, is_admin, role FROM users ORDER BY id",
            "SELECT user_id, confirmed_at FROM second_factors ORDER BY user_id",
            "SELECT id, role FROM one_time_links ORDER BY id",
            "SELECT id, refresh_hash, confirmed_at FROM sessions ORDER BY id",
        ):
            parts.append(self.beside.execute(text(query)).all())
        return repr(parts)


@dataclass
class Made:
    """What a world was when it was made: a database to copy, and who is in it."""

    database: str
    at: datetime
    owner: User
    callers: dict[str, Headers]
    impostors: dict[str, Headers]


MADE: dict[str, Made] = {}  # by engine: every test has a copy
FRESH = timedelta(minutes=3)  # so long: its people have come in within sessions.CONFIRMED_FOR when they act


@pytest.fixture
def world(
    databases: Databases, serve: Callable[..., Site], settings_in: SettingsIn, tmp_path: Path
) -> Iterator[World]:
    """An installation whose admin is ann; the entries are olga's, and otto is no one special."""
    made = MADE.get(databases.name)
    if made is None or clock.now() - made.at > FRESH:
        with TemporaryDirectory() as folder:
            made = MADE[databases.name] = _make(databases, settings_in, Path(folder))
    settings = _settings_in(settings_in, tmp_path, databases.kept(made.database, tmp_path))
    site = serve(settings)
    site.app.server.jobs.stop()  # what changes is changed by requests
    with outside(settings.database_url) as beside:
        yield World(site, made.owner, beside, dict(made.callers), dict(made.impostors))


def _settings_in(settings_in: SettingsIn, folder: Path, url: str) -> Settings:
    made = settings_in(folder, backup_enabled=False, data_dir=folder / "data", database_url=url)
    return replace(made, secret_key=SECRET)


def _make(databases: Databases, settings_in: SettingsIn, folder: Path) -> Made:
    url = databases.fresh(folder)
    at = clock.now()
    with served_here(_settings_in(settings_in, folder, url)) as site:
        admin = site.add_user("ann", is_admin=True)
        with outside(url) as beside:
            made = World(site, site.add_user("olga"), beside)
            for visibility in ("private", "public"):
                made.make_entry(visibility)
            _let_callers_in(made, admin)
            _let_key_impostors_try(made)
            _let_token_impostors_try(made)
    return Made(databases.keep(url), at, made.owner, made.callers, made.impostors)


def _let_callers_in(made: World, admin: User) -> None:
    old = {
        "id": 0,
        "name": "old",
        "key_hash": api_keys.hash_of(OLD_KEY),
        "user_id": made.owner.id,
        "is_active": 1,
    }
    made.write(lambda c: c.execute(insert(key_table).values(**(old | {"id": next_id(c, key_table)}))))
    reader = made.add("rosa")
    made.write(lambda c: users.set_role(c, reader, "reader", clock.now()))
    made.callers = {
        "anonymous": {},
        "owner": bearer(made.begin(made.owner).text),
        "other": bearer(made.begin(made.add("otto")).text),
        "admin": bearer(made.begin(admin).text),
        "reader": bearer(made.begin(reader).text),
        "key of a reader": made.make_key(reader, can_write=True)[1],
        "old key": {"X-API-Key": OLD_KEY},
        "old key as bearer": bearer(OLD_KEY),
        "key that reads": made.make_key(made.owner)[1],
        "key that writes": made.make_key(made.owner, can_write=True)[1],
        "key of an admin": made.make_key(admin, can_write=True)[1],
    }


def _let_key_impostors_try(made: World) -> None:
    expired_id, expired = made.make_key(made.owner, can_write=True)
    revoked_id, revoked = made.make_key(made.owner, can_write=True)
    out = made.add("dora")
    key_of_out = made.make_key(out, can_write=True)[1]
    token_of_out = bearer(made.token(out))
    past = f"UPDATE api_keys SET expires_at = '2020-01-01 00:00:00' WHERE id = {expired_id}"
    made.write(lambda c: c.exec_driver_sql(past))
    made.write(lambda c: api_keys.revoke_key(c, api_keys.get_key(c, revoked_id), clock.now()))
    made.write(lambda c: users.set_active(c, "dora", False, clock.now()))
    made.impostors |= {
        "expired key": expired,
        "revoked key": revoked,
        "key of a deactivated account": key_of_out,
        "token of a deactivated account": token_of_out,
        "junk key": {"X-API-Key": "junk"},
        "no key": {"X-API-Key": ""},
        "key hash": {"X-API-Key": api_keys.hash_of(OLD_KEY)},
    }


def _let_token_impostors_try(made: World) -> None:
    own = made.callers["admin"]["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(own, SECRET, algorithms=["HS256"])
    old_form = {"sub": "ann", "exp": claims["exp"]}
    changed, back, out = made.add("pia"), made.add("rita"), made.add("lou")
    made.impostors |= {
        "junk token": bearer("a.b.c"),
        "no token": bearer(""),
        "another scheme": {"Authorization": "Basic YW5uOng="},
        "expired token": bearer(made.token(made.owner, timedelta(minutes=31))),
        "alg none": bearer(jwt.encode(claims, "", "none")),
        "old form": bearer(jwt.encode(old_form, SECRET, "HS256")),
        "old form of another": bearer(jwt.encode({**old_form, "sub": "olga"}, SECRET, "HS256")),
        "old form, published secret": bearer(jwt.encode(old_form, PUBLISHED[0], "HS256")),
        **{f"published secret {n}": bearer(jwt.encode(claims, s, "HS256")) for n, s in enumerate(PUBLISHED)},
        "before a new password": bearer(made.token(changed)),
        "before a deactivation": bearer(made.token(back)),
        "of a session that was logged out": bearer(made.begin(out).text),
        **_of_accounts_that_are_gone(made),
    }
    made.write(lambda c: users.change_password(c, "pia", OTHER_HASH, clock.now()))
    made.write(lambda c: users.set_active(c, "rita", False, clock.now()))
    made.write(lambda c: users.set_active(c, "rita", True, clock.now()))
    made.write(lambda c: sessions.end_all(c, out.id))


def _of_accounts_that_are_gone(made: World) -> dict[str, Headers]:
    name, number, both = made.add("nina"), made.add("ida"), made.add("bea")
    found = {
        "of an account whose name came back": bearer(made.token(name)),
        "of an account whose id came back": bearer(made.token(number)),
        "of an account whose name and id came back": bearer(made.token(both)),
    }
    with outside(made.site.settings.database_url) as connection:  # as an old server would have
        rows = [(name.id + 100, "nina"), (number.id, "ivan"), (both.id, "bea")]
        gone = [name.id, number.id, both.id]
        for table in (tables.audit_logs, tables.user_privacy_settings):
            connection.execute(delete(table).where(table.c.user_id.in_(gone)))
        connection.execute(delete(tables.users).where(tables.users.c.id.in_(gone)))
        of_each = {"hashed_password": OTHER_HASH, "is_active": 1, "is_admin": 1}
        connection.execute(
            insert(tables.users),
            [
                {"id": user_id, "username": username, "email": f"{username}@x", **of_each}
                for user_id, username in rows
            ],
        )
    return found


# -- the matrix


def asked(world: World, address: str, one: Row, headers: Headers) -> Any:
    """Ask an address, about an entry and a key that no one has asked about yet."""
    method, _, path = address.partition(" ")
    if "{name}" in path and (method != "GET" or path.endswith("/versions")):
        path = path.replace("{name}", world.make_kind())
    path = path.replace("/assets/{name}", stylesheet().path)
    if "/media/{name}" in path:
        path = world.make_picture(world.make_entry(one.about), "").sizes[0].path
    path = path.replace("{kind}", "ideas").replace("{name}", "ideas").replace("{code}", "not_found")
    path = path.replace("{username}", "olga").replace("{number}", "1")
    if "{entry_id}" in path:
        entry_id = world.make_entry(one.about)
        path = path.replace("{entry_id}", str(entry_id))
        if "/pictures" in path and method != "POST":
            picture = world.make_picture(entry_id, HIDDEN if one.about == "private" else "shown")
            path = path.replace("{picture_id}", str(picture.id))
    if "{rule_id}" in path:
        path = path.replace("{rule_id}", str(world.make_rule()))
    if "{release_id}" in path:
        path = path.replace("{release_id}", str(world.make_release()))
    if "{import_id}" in path:
        path = path.replace("{import_id}", str(world.make_import()))
    if "{link_id}" in path:
        path = path.replace("{link_id}", str(world.make_share()[0]))
    if "{token}" in path:
        path = path.replace("{token}", world.make_share()[1])
    if "{message_id}" in path:
        path = path.replace("{message_id}", str(world.make_message()))
    if "{webhook_id}" in path:
        webhook_id = world.make_webhook()
        path = path.replace("{webhook_id}", str(webhook_id))
        if "{delivery_id}" in path:
            path = path.replace("{delivery_id}", f"msg_{world.make_delivery(webhook_id)}")
    if "{block_id}" in path:
        path = path.replace("{block_id}", str(world.make_block()))
    if "{word_id}" in path:
        path = path.replace("{word_id}", str(world.make_word()))
    if "{invitation_id}" in path:
        made, _ = world.make_link(one_time_links.invite, "member", 1, None)
        path = path.replace("{invitation_id}", str(made.id))
    if "{user_id}" in path:
        path = path.replace("{user_id}", str(world.add(f"zed{next(COUNT)}").id))
    if "{session_id}" in path:
        path = path.replace("{session_id}", str(world.make_session()))
    if "{endpoint_id}" in path:
        path = path.replace("{endpoint_id}", str(world.make_kind_id()))
    if "{operation_id}" in path:
        path = path.replace("{operation_id}", str(world.make_operation()))
    if "{backup}" in path:
        path = path.replace(
            "{backup}", world.make_backup() if path.endswith(("/prove", "/preview")) else "nothing.db"
        )
    if "{key_id}" in path:
        path = path.replace("{key_id}", str(world.make_key(world.owner)[0]))
    assert "{" not in path, f"say in asked() what stands for {path}"
    path += one.query
    body = world.filled(one.body)
    before, entries = world.stored(), world.entries()
    sent: dict[str, Any] = {"content": one.file} if one.file else {"json": body, "data": one.form}
    said = {"Content-Type": "image/png"} if one.file else {}
    answer = world.site.client.request(method, path, headers={**said, **headers}, **sent)
    if answer.status_code >= 400 or method == "GET":
        assert world.stored() == before, f"{address} changed something and answered {answer.status_code}"
    if any(headers is world.callers[reader] for reader in READERS):
        assert world.entries() == entries, f"{address} let a reader write entries"
    if method == "GET" and one.body is None:
        head = world.site.client.request("HEAD", path, headers=headers)
        assert (head.status_code, head.content) == (answer.status_code, b"")
    return answer


def expected_of(one: Row, caller: str) -> int:
    """What a caller of CALLERS is answered; a reader as someone else is, and never to writing entries."""
    if caller in READERS and (one.writes_entries or one.reader is not None):
        return one.reader or 403
    known = READERS.get(caller, "key that reads" if caller.startswith("old key") else caller)
    return one.answers[CALLERS.index(known)]


def test_every_address_has_a_row() -> None:
    missing = set(served()) - set(TABLE)
    assert missing == set(), (
        f"add one to TABLE in tests/web/test_matrix.py, with what it answers to each of {', '.join(CALLERS)}"
    )


@pytest.mark.sweep
@pytest.mark.parametrize("address", served())
def test_every_address_answers_every_caller_as_the_table_says(world: World, address: str) -> None:
    wrong: list[object] = []
    for one in TABLE[address]:
        for caller, headers in world.callers.items():
            answer = asked(world, address, one, headers)
            if answer.status_code != expected_of(one, caller):
                wrong.append((one.about, caller, answer.status_code, expected_of(one, caller)))
            shown = caller.removesuffix(" as bearer") in one.shows
            if (HIDDEN in answer.text) != shown:
                wrong.append((one.about, caller, answer.text, f"must {'' if shown else 'not '}show it"))
    assert wrong == []


@pytest.mark.sweep
@pytest.mark.parametrize("address", served())
def test_a_credential_that_is_good_for_nothing_opens_no_address(world: World, address: str) -> None:
    wrong = []
    for one in TABLE.get(address, ()):
        for impostor, headers in world.impostors.items():
            answer = asked(world, address, one, headers)
            expected = 401 if one.asks_who else one.answers[0]
            if answer.status_code != expected or HIDDEN in answer.text:
                wrong.append((one.about, impostor, answer.status_code, answer.text))
            if answer.status_code == 401:
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert "no-store" in answer.headers["cache-control"]
    assert wrong == []


def test_the_table_has_no_address_that_is_not_served() -> None:
    assert sorted(set(TABLE) - set(served())) == []


def test_a_key_that_may_not_write_is_told_the_command_that_lets_it(world: World) -> None:
    for address, rows in TABLE.items():
        if "/{kind}" in address and rows[0].writes_entries:
            for caller in ("old key", "key that reads"):
                answer = asked(world, address, rows[0], world.callers[caller])
                assert "daemon key change " in answer.json()["hint"], address


def test_what_the_impostors_sign_is_well_formed(world: World) -> None:
    """With the right secret and mark it opens: it is not refused for its form."""
    zoe = world.add("zoe")
    claims = jwt.decode(world.token(zoe), SECRET, algorithms=["HS256"])
    assert (
        world.site.client.get("/auth/me", headers=bearer(jwt.encode(claims, SECRET, "HS256"))).json()[
            "username"
        ]
        == "zoe"
    )
    for changed in ({"gen": "0" * 16}, {"name": "ann"}, {"sub": str(world.owner.id)}):
        forged = bearer(jwt.encode({**claims, **changed}, SECRET, "HS256"))
        assert world.site.client.get("/auth/me", headers=forged).status_code == 401
