"""Rows of the audit's chain. Which link is a stored row, and what does the chain come to with it?"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from app import audit_chain
from app.accounts import audit
from app.audit_chain import Hashes, Link


def is_chained(row: Row[Any]) -> bool:
    """Whether a row is a link; those from before 0.7.0, and of an older server, are none."""
    return row.changes_hash is not None


def hashes_with(before: Hashes, row: Row[Any]) -> Hashes:
    """Return what both chains come to with a row that stands after ``before``."""
    link = Link(row.action, row.table_name, row.record_id, row.created_at, row.api_key_id)
    return audit.next_hashes(before, link, values_digest_of(row), actor_digest_of(row))


def values_digest_of(row: Row[Any]) -> str:
    """Return the digest of a row's values: of those in it, or the one that was kept of erased ones."""
    if row.values_digest is not None:
        return str(row.values_digest)
    return audit_chain.values_digest(row.salt or "", row.old_values, row.new_values)


def actor_digest_of(row: Row[Any]) -> str:
    """Return the digest of who did it, likewise."""
    if row.actor_digest is not None:
        return str(row.actor_digest)
    return audit_chain.actor_digest(row.salt or "", row.user_id, row.ip_address, row.user_agent)
