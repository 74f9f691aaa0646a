"""What did 0.4.0 show strangers of an entry?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.privacy.identifiers import Identifiers, is_isbn
from app.privacy.levels import effective_level, members
from app.privacy.masks import MASKS as MASK_ROWS
from app.privacy.masks import Span, hidden_name_of_mail, is_mail_address, without
from app.privacy.paths import Node, Place, start
from app.privacy.pattern_syntax import Unbounded
from app.privacy.patterns import pattern
from app.privacy.person_settings import PersonSettings
from app.privacy.rules import Rule
from app.privacy.shipped import SHIPPED
from app.privacy.words import has_words, words_of
from tests.privacy.v0_4_0.lists import MASKS, WITHOUT_PERSONAL, is_sensitive, lists_of

_NOTHING = object()
_PAST = re.compile(r"\s*(?:(?:\d{1,2}[./-]){0,2}\d{4}|\d{4}(?:[./-]\d{1,2}){1,2}|[^\W\d_]{3,9}\.? \d{4})\s*")
_GROUPS = {
    "show_contact_info": "contact",
    "show_location": "location",
    "show_current_company": "company",
    "show_education_details": "education",
    "show_personal_projects": "projects",
}
Places = tuple[tuple[Place, str], ...]


def level_for(settings: PersonSettings, asked: str | None, ceiling: str) -> str | None:
    own = settings.privacy_level
    if own is not None and any(name not in MASKS for name in own.split("+")):
        own = "business_card"
    card = "business_card" if settings.business_card_mode else None
    level = effective_level(asked, ceiling, own, card)
    for_assistants = "ai_safe" in (asked, *members(ceiling), *members(own or ceiling))
    return None if for_assistants and not settings.ai_assistant_access else level


def view_before(
    data: object,
    *,
    kind: str,
    schema: str,
    asked: str | None,
    settings: PersonSettings,
    rules: Iterable[Rule] = (),
    ceiling: str = "public_full",
) -> tuple[Any] | None:
    """The view in a tuple; None where there was no such entry for strangers at the level."""
    level = level_for(settings, asked, ceiling)
    closed = {"contact_info": settings.show_contact_info, "projects": settings.show_personal_projects}
    lists = lists_of(kind, schema)
    if level is None or not closed.get(kind, True) or not all(lists[name].below for name in members(level)):
        return None
    return (_Before(kind, level, settings, tuple(rules)).view(data, lists),)


@dataclass(frozen=True)
class _Before:
    kind: str
    level: str
    settings: PersonSettings
    all_rules: tuple[Rule, ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.all_rules if rule.holds(self.kind, self.level))

    @property
    def groups(self) -> frozenset[str]:
        off = {group for name, group in _GROUPS.items() if not getattr(self.settings, name)}
        personal = {"personal"} if set(members(self.level)) & set(WITHOUT_PERSONAL) else set()
        return frozenset({"always", *off, *personal})

    @property
    def masks(self) -> frozenset[str]:
        closed = () if self.settings.show_contact_info else ("mail", "phone")
        return frozenset({name for one in members(self.level) for name in MASKS[one]}.union(closed))

    def view(self, data: object, lists: Any) -> Any:
        roots = tuple(lists[name] for name in members(self.level))
        said = [(rule.path, "hide") for rule in self.rules if rule.path is not None]
        found = ((start(path, self.kind), action) for path, action in (*said, *self.settings.custom_rules))
        places = tuple((place, action) for place, action in found if place is not None)
        whole = data if isinstance(data, dict) else {"content": data}
        shown = self._object(whole, roots, places)
        if isinstance(data, dict):
            return {} if shown is _NOTHING else shown
        return None if shown is _NOTHING else shown["content"]

    def _walk(self, value: Any, nodes: tuple[Node, ...], places: Places, key: str) -> Any:
        if isinstance(value, dict):
            return self._object(value, nodes, places)
        if isinstance(value, list):
            return self._list(value, nodes, places, key)
        return self._scalar(value, key) if all(node.shown for node in nodes) else _NOTHING

    def _object(self, value: dict[str, Any], nodes: tuple[Node, ...], places: Places) -> Any:
        shown: dict[str, Any] = {}
        for key, child in value.items():
            below = tuple(node for node in (node.child(key) for node in nodes) if node is not None)
            is_named = any(rule.names(key) for rule in self.rules if rule.field_name is not None)
            if len(below) < len(nodes) or is_named or is_sensitive(key, self.groups - {"company"}):
                continue
            inner = ((place.at_key(key), action) for place, action in places)
            followed = self._followed(
                child, below, tuple((place, action) for place, action in inner if place is not None), key
            )
            if followed is not _NOTHING:
                shown[key] = followed
        if "company" in self.groups and not _is_past(shown.get("end_date")):
            company = frozenset({"company"})
            shown = {key: child for key, child in shown.items() if not is_sensitive(key, company)}
        return shown or _NOTHING

    def _list(self, value: list[Any], nodes: tuple[Node, ...], places: Places, key: str) -> Any:
        limits = [node.most for node in nodes if node.most is not None]
        shown = []
        for at, child in enumerate(value[: min(limits)] if limits else value):
            inner = tuple((place.at_index(at), action) for place, action in places)
            followed = self._followed(child, nodes, inner, key)
            shown += [] if followed is _NOTHING else [followed]
        return shown if shown or all(node.shown for node in nodes) else _NOTHING

    def _followed(self, child: Any, nodes: tuple[Node, ...], places: Places, key: str) -> Any:
        actions = {action for place, action in places if place.is_hit}
        if "hide" in actions:
            return _NOTHING
        return "[REDACTED]" if "redact" in actions else self._walk(child, nodes, places, key)

    def _scalar(self, value: Any, key: str) -> Any:
        if isinstance(value, str):
            return self._text(value, key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        return value if self._text(repr(value), key) == repr(value) else "***REDACTED***"

    def _text(self, text: str, key: str) -> str:
        if "isbn" in words_of(key) and is_isbn(text):
            return text
        masks, spans = self.masks, []
        if has_words(key, ("email",)) and is_mail_address(text):
            spans += [hidden_name_of_mail(text)] if "mail_field" in masks else []
            masks -= {"mail"}
        known = Identifiers(text)
        for mask in (row for name in sorted(masks) for row in MASK_ROWS.get(name, ())):
            spans += [Span(*part) for part in mask.parts(text) if not (mask.spares and known.holds(*part))]
        for rule in self.rules:
            spans += _hidden_by(rule, text, known)
        return without(text, spans)


def _hidden_by(rule: Rule, text: str, known: Identifiers) -> list[Span]:
    if not rule.pattern or not text:
        return []
    try:
        shipped = SHIPPED.get(rule.pattern)
        if shipped:
            return [Span(*part) for part in shipped.parts(text) if not known.holds(*part)]
        found = pattern(rule.pattern)
        return [Span(*part) for part in found.parts(text)] if found else [Span(0, len(text))]
    except Unbounded:
        return [Span(0, len(text))]


def _is_past(end_date: object) -> bool:
    if isinstance(end_date, int) and not isinstance(end_date, bool):
        return True
    return isinstance(end_date, str) and _PAST.fullmatch(end_date) is not None
