"""Visibility of what is imported. Which public entries become private here, so that no one is shown more?

What was public stays public only where nothing here shows more than there: level, settings, rules, words,
kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from app.accounts import privacy_settings
from app.accounts.users import User
from app.entries import endpoints, kinds, own_kinds, policies
from app.entries.endpoints import Endpoint
from app.entries.export_folder import Exported, ExportedEntry, Stored
from app.privacy.levels import at_most
from app.privacy.person_settings import read_settings
from app.privacy.rules import Rule

CLOSED_LEVEL = "PRIVACY_LEVEL here shows more than there"
CLOSED_SETTINGS = "the privacy settings of the account here are others"
CLOSED_ACTIVE = "the account is not active there"
CLOSED_WORDS = "the words of the never-list are not imported"
CLOSED_RULES = "the rules of the installation there, which hide, are not imported"
CLOSED_KIND = "the kind {kind} shows more here than there"


def closed_entries(
    connection: Connection,
    exported: Exported,
    add: Sequence[ExportedEntry],
    target: User | None,
    privacy_level: str,
    *,
    has_words: bool,
) -> dict[int, str]:
    """Return which public entries become private here, and why: id there -> why."""
    of_all = _why_all(connection, exported, target, privacy_level)
    if exported.words is not None and not has_words:
        of_all = CLOSED_WORDS
    of_kind = {name: _why_kind(connection, row, target) for name, row in exported.kinds.items()}
    public = [each for each in add if each.visibility == "public" and each.kind is not None]
    found = {each.id: of_all or of_kind[str(each.kind)] for each in public}
    return {entry_id: why for entry_id, why in found.items() if why}


def _why_all(
    connection: Connection, exported: Exported, target: User | None, privacy_level: str
) -> str | None:
    if not at_most(privacy_level, exported.privacy_level):
        return CLOSED_LEVEL
    if exported.lacks_rules:
        return CLOSED_RULES
    if target is None:
        return None
    if exported.account.get("is_active") != 1:
        return CLOSED_ACTIVE
    settings = privacy_settings.rows_of(connection, target.id)
    return None if read_settings(settings) == read_settings(exported.settings) else CLOSED_SETTINGS


def _why_kind(connection: Connection, there: Stored, target: User | None) -> str | None:
    here = kind_here(connection, there, target)
    if here is None or not here.is_open or (_is_open(there) and _shows_the_same(here, there)):
        return None
    return CLOSED_KIND.format(kind=here.name)


def _is_open(there: Stored) -> bool:
    return there.get("is_active") == 1 and there.get("is_public") == 1


def _shows_the_same(here: Endpoint, there: Stored) -> bool:
    schema: Any = there.get("schema")
    schema_text = schema if isinstance(schema, str) else ""
    return here.is_built_in or set(kinds.declared_paths(here.schema_text)) <= set(
        kinds.declared_paths(schema_text)
    )


def missing_rules(connection: Connection, exported: Exported) -> tuple[Rule, ...]:
    """Return the rules that hold there and not here."""
    here = set(policies.active_rules(connection))
    there = dict.fromkeys(policies.rule_of(row) for row in exported.rules if policies.is_on(row))
    return tuple(rule for rule in there if rule not in here)


def kind_here(connection: Connection, there: Stored, target: User | None) -> Endpoint | None:
    """Return what is the same kind here: the account's own of one's own there, or the installation's."""
    name = str(there["name"])
    if not own_kinds.is_importable(there):
        return endpoints.find_named(connection, name)
    return None if target is None else endpoints.find_own(connection, target.id, name)
