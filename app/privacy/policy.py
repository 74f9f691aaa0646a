"""Privacy policy. What are strangers shown of one person's entries of one kind, at each level?

A policy is a value: the kind's allow-lists, the person's settings and those rules of the installation that
are for the kind. Nothing else decides what the filter shows, so that equal policies give equal views, and a
view may be kept by the policy's `digest`; beyond a release by the version too, since masks, levels and groups
of words are code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field
from datetime import date
from functools import cached_property, reduce

from app.privacy.filter import CHOSEN, COMPANY, EntryFilter, hidden_names
from app.privacy.levels import LEVELS, MOST_OPEN, STRICTEST, members
from app.privacy.paths import AllowLists, Node, start
from app.privacy.person_settings import DEFAULT, HIDE, PersonSettings
from app.privacy.rules import Rule, masks_for

_CONTACT_HEADS = ("contact", "basics")  # one's own form of a resume, and JSON Resume's


@dataclass(frozen=True)
class Policy:
    """Made by `make_policy`. ``rules`` are those that are for the kind, in the order of their rows."""

    kind: str
    allowed: AllowLists
    settings: PersonSettings
    rules: tuple[Rule, ...]
    _filters: dict[str, EntryFilter] = field(default_factory=dict, init=False, compare=False, repr=False)
    _levels: dict[tuple[str | None, str, bool], str | None] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def __hash__(self) -> int:
        return hash(self.digest)

    @cached_property
    def digest(self) -> str:
        """64 hexadecimal digits: in every process the same for equal policies, and for no others."""
        allowed = {level: node.as_json() for level, node in sorted(self.allowed.items())}
        value = [self.kind, allowed, astuple(self.settings), [astuple(rule) for rule in self.rules]]
        return hashlib.sha256(json.dumps(value).encode()).hexdigest()

    def level_for(self, asked: str | None, ceiling: str, *, is_assistant: bool = False) -> str | None:
        """Return the level at which strangers are answered; None where nothing of the kind is there for them.

        ``asked`` None: as much as there is. ``ceiling`` is the installation's. Raises UnknownLevel.
        """
        question = asked, ceiling, is_assistant
        try:
            return self._levels[question]
        except KeyError:  # what raises is not kept: there are a few levels, and a few that meet
            level = level_shown(
                self.kind, self.allowed, self.settings, asked, ceiling, is_assistant=is_assistant
            )
        return self._levels.setdefault(question, level)

    def filter_at(self, level: str, today: date) -> EntryFilter:
        """Return the filter of a level and a day, made once a day.

        ``level`` is an effective one; raises UnknownLevel.
        """
        found = self._filters.get(level)
        if found is None or found.today != today:
            found = self._filters[level] = self._make_filter(level, today)
        return found

    def _make_filter(self, level: str, today: date) -> EntryFilter:
        bound = [LEVELS[name] for name in members(level)]
        holding = [rule for rule in self.rules if rule.holds(self.kind, level)]
        meant = [rule for rule in holding if self.settings.releases_shipped_rules and rule.is_shipped]
        active = tuple(rule for rule in holding if rule not in meant)
        groups = {"always", *self.settings.hidden_groups, *(group for one in bound for group in one.without)}
        closed = () if self.settings.show_contact_info else ("mail", "phone")
        masks = {name for one in bound for name in one.masks}
        masks |= {mask for rule in meant for mask in masks_for(rule)}
        actions = [(rule.path, HIDE) for rule in active if rule.path is not None]
        actions += self.settings.custom_rules
        chosen = self._chosen_contact() if STRICTEST in members(level) else ()
        actions += ((".".join(path), CHOSEN) for path in chosen)
        places = ((start(path, self.kind), action) for path, action in actions)
        roots = (reduce(Node.showing, chosen, self.allowed[one.name]) for one in bound)
        return EntryFilter(
            roots=() if self.settings.closes(self.kind) else tuple(roots),
            today=today,
            names=hidden_names(frozenset(groups) - COMPANY, _naming(active)),
            hides_company="company" in groups,
            level=level,
            masks=frozenset((*masks, *closed)),
            closed=frozenset(closed),
            rules=tuple(rule for rule in active if rule.pattern),
            chosen=self.settings.preferred_contact if STRICTEST in members(level) else None,
            meant=tuple(rule for rule in meant if not any(masks_for(rule))),
            places=tuple((place, action) for place, action in places if place is not None),
            policy=self.digest,
        )

    def _chosen_contact(self) -> tuple[tuple[str, ...], ...]:
        """The paths of the way to write that the person chose, as far as it is on the most open list."""
        chosen = tuple((self.settings.preferred_contact or "").split("."))
        rest = chosen[1:] if chosen[0] in _CONTACT_HEADS else chosen
        places = {chosen: None, **dict.fromkeys((head, *rest) for head in _CONTACT_HEADS)}
        return tuple(path for path in places if rest and self.allowed[MOST_OPEN].shows(path))


def make_policy(
    kind: str, allowed: AllowLists, settings: PersonSettings = DEFAULT, rules: Iterable[Rule] = ()
) -> Policy:
    """Return the policy for a kind and a person; of ``rules`` those that are for the kind count."""
    return Policy(kind, allowed, settings, tuple(rule for rule in rules if rule.is_for(kind)))


def level_shown(
    kind: str,
    allowed: AllowLists,
    settings: PersonSettings,
    asked: str | None,
    ceiling: str,
    *,
    is_assistant: bool = False,
) -> str | None:
    """Return what `Policy.level_for` does, for anyone who has no need of the rules."""
    level = settings.level_for(asked, ceiling, is_assistant=is_assistant)
    if level is None or settings.closes(kind):
        return None
    return level if all(allowed[name].below for name in members(level)) else None


def _naming(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules if rule.field_name is not None)
