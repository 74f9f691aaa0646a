"""Policies of people and kinds. From which rows is each made, and when is it made anew? At a change, once.

The memory is keyed by what was read, not by when: rows are those of the snapshot of the entries that the
policy is for (`snapshot_memory`), so that a change is seen by the next request whichever process made it, and
a commit that changed nothing of them makes nothing anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from app import clock
from app.accounts import privacy_settings
from app.entries import kinds
from app.entries.endpoints import Endpoint
from app.entries.listed_fields import LATER_FIELDS
from app.entries.never_words import never_list_of
from app.entries.release_rows import releases_of
from app.ids import next_id
from app.privacy.entry_search import Words
from app.privacy.person_settings import PersonSettings, read_settings
from app.privacy.policy import Policy, make_policy
from app.privacy.released import Releases
from app.privacy.rules import Rule
from app.snapshot_memory import remembered
from app.tables import data_privacy_rules

POLICIES_KEPT = 500


class Policies:
    """The policies of one snapshot of the database. Each row is read once, when it is first needed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: dict[int, list[privacy_settings.SettingsRow]] = {}
        self._releases: dict[int | None, Releases] = {}
        self._words: dict[int, Words | None] = {}
        self._generations: dict[int, int] = {}

    def read_settings(self, user_ids: Sequence[int]) -> None:
        """Read what these people have decided, in one statement.

        What it means is worked out only when it is asked for: of someone whom the viewer may not know of it
        never is, and a name of no one's takes as long.
        """
        read = partial(privacy_settings.rows_by_person, self._connection, user_ids)
        self._rows |= remembered(self._connection, ("settings", *user_ids), read, while_writing=True)
        self._generations.clear()

    def settings_of(self, user_id: int) -> PersonSettings:
        """Return what a person has decided."""
        if user_id not in self._rows:
            self.read_settings([user_id])
        return read_settings(self._rows[user_id])

    def words_generation_of(self, user_id: int | None) -> int:
        """Return how often the never-list of a person was changed; 0 for no one."""
        if user_id is None:
            return 0
        known = self._generations.get(user_id)
        if known is not None:
            return known
        if user_id not in self._rows:
            self.read_settings([user_id])
        found = max((row["words_generation"] or 0 for row in self._rows[user_id]), default=0)
        return self._generations.setdefault(user_id, found)

    def words_of(self, user_id: int | None) -> Words | None:
        """Return what looks for the words of a person's never-list, None for who has none."""
        if user_id is None:
            return None
        if user_id not in self._words:
            read = partial(never_list_of, self._connection, user_id)
            key = ("words", user_id)
            self._words[user_id] = remembered(self._connection, key, read, while_writing=True)
        return self._words[user_id]

    def releases_of(self, owner_id: int | None) -> Releases:
        """Return what a person has released."""
        if owner_id not in self._releases:
            read, key = partial(releases_of, self._connection, owner_id), ("releases", owner_id)
            self._releases[owner_id] = remembered(self._connection, key, read, while_writing=True)
        return self._releases[owner_id]

    def policy_of(self, endpoint: Endpoint, user_id: int) -> Policy:
        """Return what strangers are shown of a person's entries of a kind."""
        make = partial(self._make_policy, endpoint, user_id)
        return remembered(self._connection, policy_name(endpoint, user_id), make, while_writing=True)

    def _make_policy(self, endpoint: Endpoint, user_id: int) -> Policy:
        read = partial(active_rules, self._connection)
        rules = remembered(self._connection, "rules", read, while_writing=True)
        settings = self.settings_of(user_id)
        has_later_fields = endpoint.is_built_in and kinds.has_later_fields(endpoint.name)
        with_added = settings.releases_shipped_rules or not has_later_fields
        with_added = with_added or any(
            one.detector == LATER_FIELDS and one.endpoint_id == endpoint.id
            for one in self.releases_of(user_id).rows
        )
        return policy_for(endpoint.name, endpoint.own_schema, settings, rules, with_added=with_added)


def policy_name(endpoint: Endpoint, user_id: int) -> tuple[str, int, int]:
    """Return under which name a policy is remembered, which is made of what `prefetch` reads alone."""
    return "policy", endpoint.id, user_id


# The keys are values that were read and typed already: 1 and 1.0 of a row mean two things, and are equal.
@lru_cache(maxsize=POLICIES_KEPT)
def policy_for(
    kind: str,
    schema_text: str | None,
    settings: PersonSettings,
    rules: tuple[Rule, ...],
    *,
    with_added: bool = True,
) -> Policy:
    """Return the policy that is made of these, once."""
    return make_policy(kind, kinds.allow_lists_of(kind, schema_text, with_added=with_added), settings, rules)


# -- the installation's rules


_RULE = data_privacy_rules.c
IS_ON = or_(_RULE.is_active.is_(None), _RULE.is_active != 0)
BINDING = (
    select(_RULE.endpoint_name, _RULE.field_path, _RULE.privacy_level, _RULE.field_name, _RULE.pattern)
    .where(IS_ON)
    .order_by(_RULE.id)
)
"""The rules that are not switched off (0 alone switches off), by id; `rule` makes one of a row."""


def active_rules(connection: Connection) -> tuple[Rule, ...]:
    """Return the rules that are not switched off (0 alone switches off), by id."""
    return tuple(rule(*row) for row in connection.execute(BINDING))


def all_rules(connection: Connection) -> list[dict[str, Any]]:
    """Return every row of data_privacy_rules, by id."""
    query = select(data_privacy_rules).order_by(_RULE.id)
    return [dict(row._mapping) for row in connection.execute(query)]


def rules_from(connection: Connection, first_id: int, most: int) -> dict[int, dict[str, Any]]:
    """Return rows of data_privacy_rules from an id on, at most so many, by their ids."""
    query = select(data_privacy_rules).where(_RULE.id >= first_id).order_by(_RULE.id).limit(most)
    return {row.id: dict(row._mapping) for row in connection.execute(query)}


def rule_of(row: Mapping[str, Any]) -> Rule:
    """Return the rule of a row, by the names of its columns; as `active_rules` has those of the database."""
    return rule(*(row.get(column.name) for column in BINDING.selected_columns))


def is_on(row: Mapping[str, Any]) -> bool:
    """Whether the rule of a row holds: 0 alone switches off."""
    return row.get("is_active") != 0


def add_rule(connection: Connection, rule: Rule, now: datetime) -> int:
    """Write a rule that holds from now on; returns its id."""
    rule_id = next_id(connection, data_privacy_rules)
    values = {**asdict(rule), "id": rule_id, "is_active": 1, "created_at": clock.stored(now)}
    connection.execute(insert(data_privacy_rules).values(values))
    return rule_id


def change_rule(connection: Connection, rule_id: int, values: Mapping[str, object]) -> None:
    """Write new values of a rule's columns."""
    if values:
        connection.execute(update(data_privacy_rules).where(_RULE.id == rule_id).values(dict(values)))


def remove_rule(connection: Connection, rule_id: int) -> None:
    """Delete a rule's row."""
    connection.execute(delete(data_privacy_rules).where(_RULE.id == rule_id))


def rule(kind: object, path: object, level: object, name: object, pattern: object) -> Rule:
    """Return the rule of a row of `BINDING`."""
    return Rule(str(kind), str(path), _text_or_none(level), _text_or_none(name), _text_or_none(pattern))


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
