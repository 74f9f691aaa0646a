"""Export. How does a person take everything with them?

Format 1: UTF-8 JSON files. An entry's ``stored`` is its stored text exactly (``stored_base64`` where
that is not UTF-8); ``visibility`` is who may see it, whatever the text says. manifest.json names every
file with its rows, bytes and SHA-256, and says the installation's privacy_level, a bound to what strangers
saw.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection

from app import __version__, clock
from app.accounts import export as accounts
from app.accounts import privacy_settings
from app.entries import carried_rows, endpoints, own_kinds, policies, store
from app.entries.carried_rows import as_exported
from app.entries.own_kinds import VERSIONS_FILE
from app.entries.words_transfer import FILE as WORDS_FILE
from app.entries.words_transfer import exported_words
from app.errors import NotFound
from app.privacy.shipped import SHIPPED

FORMAT = 1


def export_user(
    connection: Connection,
    username: str,
    privacy_level: str,
    passphrase: str | None = None,
    *,
    is_asked_by_person: bool = False,
) -> dict[str, bytes]:
    """Return the files that hold everything of a user: path inside the export -> bytes (UTF-8 JSON).

    user.json, privacy_settings.json, privacy_rules.json, kinds.json (those of the entries, and their own;
    kind_versions.json, where there are own ones, the schemas that these have had),
    entries/<kind>.json (deleted entries too), api_keys.json, audit.json, manifest.json; where there are any,
    releases.json, revisions.json and view_changes.json. Never a password hash or a key's hash. Where there is
    a never-list also never_words.json (`words_transfer`), which is of use with a ``passphrase`` only.
    ``privacy_level`` is the installation's. ``is_asked_by_person``: without the audit, which is told
    to people otherwise (`person_archive`), and what only admins see. Raises NotFound, UsageError.
    """
    account = accounts.account_of(connection, username)
    if account is None:
        raise NotFound("There is no such person.", hint="daemon user list shows who is there.")
    user_id = account["id"]
    rows: dict[str, list[dict[str, Any]]] = {
        "user.json": [account],
        "privacy_settings.json": privacy_settings.rows_of(connection, user_id),
        "privacy_rules.json": policies.all_rules(connection),
        "kinds.json": endpoints.rows_of_entries_by(connection, user_id),
        "api_keys.json": accounts.keys_of(connection, user_id),
        "audit.json": accounts.audit_rows_of(connection, user_id),
        **_entries_by_file(connection, user_id),
        **carried_rows.rows_of(connection, user_id),
    }
    if versions := own_kinds.version_rows_of(connection, user_id):
        rows[VERSIONS_FILE] = versions
    if words := exported_words(connection, user_id, passphrase):
        rows[WORDS_FILE] = words
    about: dict[str, Any] = {"privacy_level": privacy_level}
    if is_asked_by_person:
        about["rules_left_out"] = _leave_out(account, rows)
    files = {path: _json({"format": FORMAT, "rows": found}) for path, found in rows.items()}
    manifest = {**_manifest(account, rows, files), **about}
    return {**files, "manifest.json": _json(manifest)}


def _leave_out(account: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> int:
    """Take out what a person is not told; return how many rules of the installation that were."""
    rows["audit.json"] = []
    if account["is_admin"] == 1:
        return 0
    for row in rows["kinds.json"]:
        if row["created_by_id"] != account["id"]:
            row["created_by_id"] = None
    rules = rows["privacy_rules.json"]
    rows["privacy_rules.json"] = [row for row in rules if row["pattern"] in SHIPPED]  # everyone has these
    return sum(policies.is_on(row) for row in rules if row["pattern"] not in SHIPPED)


def _entries_by_file(connection: Connection, user_id: int) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in store.everything_of(connection, user_id):
        found.setdefault(_file_of(row["kind"]), []).append(as_exported(row))
    return found


def _file_of(kind: str | None) -> str:
    """An odd name of a kind becomes a safe name of a file; the kind itself stands in every row."""
    name = quote(kind, safe="", errors="replace").replace(".", "%2E") if kind else ""
    return f"entries/{name[:100] or '%'}.json"


def _manifest(
    account: dict[str, Any], rows: dict[str, list[dict[str, Any]]], files: dict[str, bytes]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "username": account["username"],
        "exported_at": clock.rfc3339(clock.now()),
        "tool_version": __version__,
        "files": {
            path: {"rows": len(rows[path]), "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
            for path, body in files.items()
        },
    }


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, default=_odd).encode() + b"\n"


def _odd(value: object) -> object:
    """A value that JSON has no word for, in a column where no one expected one."""
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else str(value)
