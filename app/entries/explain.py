"""Explanation of an entry. Why is each of its fields shown or hidden at each level, what would change it?

One named reason each, the outermost; ``also`` has the names of those that would hide it still. What is asked
is the filter itself (`privacy.explain`), so that an explanation cannot differ from the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Row

from app import clock
from app.accounts.people import Person
from app.entries import access, endpoints, policies, store
from app.entries import reasons as say
from app.entries.endpoints import Endpoint
from app.entries.json_safe import presentable, read_content
from app.entries.read import no_such_entry
from app.entries.reasons import Facts, Said
from app.entries.spans import Spans
from app.privacy.detected import kind_of
from app.privacy.explain import HIDDEN, SHOWN, Reason, Seen, hiding, probed, reasons
from app.privacy.found import Found
from app.privacy.levels import MOST_OPEN, NAMES, known
from app.privacy.person_settings import REDACT, PersonSettings
from app.privacy.policy import Policy, make_policy
from app.privacy.viewer import Viewer

REDACTED = "redacted"
Explained = dict[str, Any]
"""Of one field at one level: status (shown, masked: a part of it, redacted, hidden), reason (its name), says
(a sentence), change (what would change it, "": nothing), also (names of what would hide it still)."""


def explain(
    connection: Connection,
    person: Person,
    entry_id: int,
    *,
    level: str | None = None,
    ceiling: str = MOST_OPEN,
) -> list[dict[str, Any]]:
    """Return every text, number, true, false and null of a person's entry: pointer, and `levels` (Explained).

    ``level`` None: at each level. ``ceiling`` is the installation's. Raises NotFound, UnknownLevel.
    """
    asked = NAMES if level is None else (known(level),)
    entry = explanation_of(connection, person, entry_id, ceiling)
    at = {one: entry.explained(one) for one in asked}
    pointers = [probe.pointer for probe in entry.probed.probes]
    return [{"pointer": one, "levels": {level: at[level][one] for level in asked}} for one in pointers]


def explanation_of(connection: Connection, person: Person, entry_id: int, ceiling: str) -> Explanation:
    """Return what explains one of a person's entries; raises NotFound."""
    own = list(store.own_entries(connection, person.id, 0, 1, entry_id))
    endpoint = endpoints.find_by_id(connection, own[0].endpoint_id) if own else None
    if endpoint is None:
        raise no_such_entry()
    row = store.find_entry(connection, Viewer("person", person.id, person.username), endpoint, entry_id)
    if row is None:
        raise no_such_entry()
    spans = Spans(connection)
    policy = spans.policies.policy_of(endpoint, person.id)
    found = tuple(spans.findings.found_in(row))
    content = read_content(row.data).value
    return _Entry(
        *(connection, endpoint, policy, ceiling, content, row.id, found), person=person, row=row, spans=spans
    )


@dataclass
class Explanation:
    """Of a content of a kind, as a policy shows it. What is around an entry is said by `_Entry` alone."""

    connection: Connection
    endpoint: Endpoint
    policy: Policy
    ceiling: str
    content: Any
    entry_id: int = 0
    found: tuple[Found, ...] = ()

    def __post_init__(self) -> None:
        self.today = clock.now().date()
        self.probed = probed(presentable(self.content))

    def explained(self, level: str) -> dict[str, Explained]:
        """Return what is said of each field at a level, by its pointer."""
        facts = Facts(self.endpoint, self.entry_id, level, self.policy.settings)
        outside = self._hidden_whole(facts)
        effective = self.policy.level_for(level, self.ceiling)
        if outside is None and effective is None:
            outside = self._hidden_at_level(facts)
        if outside is not None or effective is None:
            assert outside is not None, "what is not there at a level is said to be not there"
            return {one.pointer: _said(HIDDEN, [outside]) for one in self.probed.probes}
        seen = self._seen(effective)
        causes = hiding(self.policy, effective, self.today, self.probed, seen.fates, self.found)
        more_open = self._seen(level).fates if effective != level else seen.fates
        return {
            pointer: self._one(facts, pointer, seen, causes.get(pointer, []), more_open[pointer])
            for pointer in seen.fates
        }

    def fates(self, level: str) -> dict[str, str]:
        """Return what becomes of each field at a level, by its pointer: shown, masked or hidden."""
        facts = Facts(self.endpoint, self.entry_id, level, self.policy.settings)
        effective = self.policy.level_for(level, self.ceiling)
        if effective is None or self._hidden_whole(facts) is not None:
            return dict.fromkeys((probe.pointer for probe in self.probed.probes), HIDDEN)
        return self._seen(effective).fates

    def with_settings(self, settings: PersonSettings) -> Explanation:
        """Return what explains the same where the person had decided otherwise."""
        policy = make_policy(self.policy.kind, self.policy.allowed, settings, self.policy.rules)
        return replace(self, policy=policy)

    def _one(
        self, facts: Facts, pointer: str, seen: Seen, causes: list[Reason], fate_at_level: str
    ) -> Explained:
        fate = seen.fates[pointer]
        if fate == SHOWN:
            return _said(SHOWN, [say.shown(facts, pointer)])
        said = [self._cause(facts, pointer, cause) for cause in causes]
        if fate_at_level == SHOWN:
            said.insert(0, self._ceiling(facts))
        found = seen.masked.get(pointer)
        if found is not None:
            said.append(say.found(facts, kind_of(found.detector), found.value_hash))
        if fate == HIDDEN and causes and self._is_redacted(causes[0]):
            fate = REDACTED
        return _said(fate, said or [say.combined()])

    def _hidden_whole(self, facts: Facts) -> Said | None:
        """Why strangers know nothing of it, at whatever level."""
        return None if self.endpoint.is_open else say.kind_not_open(facts)

    def _hidden_at_level(self, facts: Facts) -> Said:
        nothing = self.policy.settings.level_for(facts.level, self.ceiling) is None
        return say.no_assistants() if nothing else say.nothing_at_level(facts)

    def _ceiling(self, facts: Facts) -> Said:
        """Which ceiling keeps strangers below a level."""
        settings = facts.settings
        if settings.business_card_mode:
            return say.ceiling(facts, "business_card_mode")
        is_own = settings.privacy_level is not None and (
            settings.level_for(facts.level, MOST_OPEN) != facts.level
        )
        return say.ceiling(facts, "privacy_level" if is_own else "PRIVACY_LEVEL")

    def _cause(self, facts: Facts, pointer: str, cause: Reason) -> Said:
        if cause.rule is not None:
            return say.installation_rule(self._rule_ids.get(cause.rule))
        if cause.name == "own_rule":
            return say.own_rule(cause.which)
        if cause.name == "name":
            return say.name_hidden(cause.which)
        if cause.name == "mail_field":
            return say.mail_on_card(facts)
        if cause.name == "setting":
            return say.nothing_at_level(facts)
        return say.not_on_list(facts, [one for one in NAMES if self._lists[one][pointer] == SHOWN])

    def _is_redacted(self, cause: Reason) -> bool:
        actions = dict(self.policy.settings.custom_rules)
        return cause.name == "own_rule" and actions.get(cause.which) == REDACT

    def _seen(self, level: str) -> Seen:
        return self.probed.seen(self.policy.filter_at(level, self.today))

    @cached_property
    def _lists(self) -> dict[str, dict[str, str]]:
        """By level, what its list alone does with each field."""
        alone = {
            level: {reason.name: one for reason, one in reasons(self.policy, level, self.today)}
            for level in NAMES
        }
        return {level: self.probed.seen(alone[level]["list"]).fates for level in NAMES}

    @cached_property
    def _rule_ids(self) -> dict[Any, object]:
        rows = [row for row in policies.all_rules(self.connection) if policies.is_on(row)]
        return {policies.rule_of(row): row["id"] for row in reversed(rows)}


@dataclass
class _Entry(Explanation):
    """Of an entry: its visibility and time, and what was found in it."""

    person: Person = field(kw_only=True)
    row: Row[Any] = field(kw_only=True)
    spans: Spans = field(kw_only=True)

    def _hidden_whole(self, facts: Facts) -> Said | None:
        if access.is_shown_to_strangers(self.row, self.content):
            return None
        if not self.endpoint.is_open:
            return say.kind_not_open(facts)
        if not self.person.is_active:
            return say.not_active()
        if self.row.visibility == "public" and access.is_text_public(self.content):
            return say.not_its_time(facts, self.row.shown_from, self.row.shown_until)
        visibility = self.row.visibility if self.row.visibility == "unlisted" else "private"
        return say.not_public(facts, visibility)

    def _seen(self, level: str) -> Seen:
        tree = self.spans.noted_tree_of(self.row, self.found, None, None)
        return self.probed.seen(self.policy.filter_at(level, self.today), tree)


def _said(status: str, said: list[Said]) -> Explained:
    first, *others = dict.fromkeys(said)
    also = list(dict.fromkeys(each.reason for each in others))
    return {"status": status, **first._asdict(), "also": also}
