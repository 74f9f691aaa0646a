"""Export of everything (rows of accounts). Which rows of this room are a person's, and what may leave?

Never a hash, a secret or a token: with those someone could come in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Row, Select, Table, or_, select

from app.row_pages import Reading, rows_in_pages
from app.tables import (
    ai_reads,
    api_keys,
    departures,
    login_identities,
    message_blocks,
    message_boxes,
    messages,
    one_time_links,
    operations,
    second_factors,
    sessions,
    user_privacy_settings,
    users,
)

Stored = dict[str, Any]
SECRETS = frozenset(
    {"hashed_password", "key_hash", "refresh_hash", "token_hash", "secret", "last_step", "token_generation"}
    | {"network_hash", "proof_hash", "value_hash"}  # keyed hashes are of no use elsewhere
    | {"created_by_id"}  # who made a link for this person is someone else
)
"""Columns that leave in no export, whichever table they are of."""


def account_rows(reading: Reading, user_id: int) -> Iterator[tuple[str, Iterator[Stored]]]:
    """Yield the name of each file, without its ending, and its rows, which are read when asked for."""
    link = one_time_links.c
    mine = {
        "account": _of(users, users.c.id == user_id),
        "privacy_settings": _of(user_privacy_settings, user_privacy_settings.c.user_id == user_id),
        "api_keys": _of(api_keys, api_keys.c.user_id == user_id),
        "sessions": _of(sessions, sessions.c.user_id == user_id),
        "second_factor": _of(second_factors, second_factors.c.user_id == user_id),
        "links_and_invitations": _of(
            one_time_links, or_(link.user_id == user_id, link.created_by_id == user_id)
        ),
        "operations": _of(operations, operations.c.user_id == user_id),
        "logins_of_providers": _of(login_identities, login_identities.c.user_id == user_id),
        "read_by_assistants": _of(ai_reads, ai_reads.c.user_id == user_id),
        "message_box": _of(message_boxes, message_boxes.c.user_id == user_id),
        "messages": _of(messages, messages.c.user_id == user_id),
        "message_blocks": _of(message_blocks, message_blocks.c.user_id == user_id),
        "departure": _of(departures, departures.c.user_id == user_id),
    }
    for name, (query, key) in mine.items():
        yield name, map(readable, rows_in_pages(reading, query, *key))


def readable(row: Row[Any]) -> Stored:
    """Return a row by the names of its columns; what is JSON in it as what it says."""
    return {name: _said(value) for name, value in row._mapping.items()}


def columns_told(table: Table) -> list[Column[Any]]:
    """Return the columns of a table that may leave in an export."""
    return [column for column in table.c if column.name not in SECRETS]


def _of(table: Table, *conditions: Any) -> tuple[Select[Any], list[Column[Any]]]:
    return select(*columns_told(table)).where(*conditions), list(table.primary_key.columns)


def _said(value: object) -> object:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
