"""How does a person take everything with them?"""

from __future__ import annotations

from sqlalchemy import Connection


def export_user(conn: Connection, username: str) -> dict[str, bytes]:
    """Return the files that hold everything of a user: path inside the export -> bytes (UTF-8 JSON).

    user.json, privacy_settings.json, privacy_rules.json, entries/<kind>.json (stored text exact), api_keys.json,
    audit.json, manifest.json. Never a password hash or a key's hash. Raises NotFound.
    """
    raise NotImplementedError
