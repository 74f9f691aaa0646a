"""Settings as admins see them. What is each, where is that said, what may it be? Never a secret."""

from __future__ import annotations

from typing import Any

from app import database_urls
from app.settings import DEFAULT, ROWS, Row, Settings

_WITH_PASSWORDS = frozenset({"DATABASE_URL", "DATABASE_REPLICA_URLS"})


def shown_settings(settings: Settings) -> list[dict[str, Any]]:
    """Return every setting as this process has it: its name, value (None: not told), source."""
    sources = dict(settings.sources)
    return [
        {
            "name": name,
            "value": _shown(name, row, getattr(settings, name.lower())),
            "source": sources.get(name, DEFAULT),
            "default": row.shown_default,
            "unit": row.unit,
            "allowed": row.allowed,
            "help": row.help,
            "is_secret": row.is_secret,
        }
        for name, row in ROWS.items()
    ]


def _shown(name: str, row: Row, value: object) -> str | None:
    if row.is_secret or value is None:
        return None
    if isinstance(value, tuple):
        return ",".join(_without_password(name, str(each)) for each in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _without_password(name, str(value))


def _without_password(name: str, text: str) -> str:
    return database_urls.without_password(text) if name in _WITH_PASSWORDS else text
