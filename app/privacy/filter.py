"""What of an entry may a stranger see at a level? The only filter in the product.

An entry is walked along its kind's allow-list: what is not on it is not shown. Then names, rules, the
person's settings and masks take away from that; nothing adds to it. Pure: the same arguments give the
same view.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.privacy.fields import is_sensitive
from app.privacy.identifiers import Identifiers, is_isbn
from app.privacy.levels import LEVELS, members
from app.privacy.masks import REDACTED, hidden_name_of_mail, hidden_parts, is_mail_address, without
from app.privacy.paths import AllowLists, Node, Place, start
from app.privacy.person_settings import DEFAULT, HIDE, REDACT, PersonSettings
from app.privacy.rules import Rule, parts_hidden_by
from app.privacy.words import has_words, words_of

REDACTED_FIELD = "[REDACTED]"
_COMPANY = frozenset({"company"})
_PAST = re.compile(r"\s*(?:(?:\d{1,2}[./-]){0,2}\d{4}|\d{4}(?:[./-]\d{1,2}){1,2}|[^\W\d_]{3,9}\.? \d{4})\s*")


class _Hidden:
    """What stands for a value that is not shown."""


_HIDDEN: Final = _Hidden()
_Nodes = tuple[Node, ...]
_Places = tuple[tuple[Place, str], ...]


def visible_view(
    data: object,
    *,
    kind: str,
    allowed: AllowLists,
    level: str,
    settings: PersonSettings = DEFAULT,
    rules: Sequence[Rule] = (),
) -> Any:
    """Return what a stranger sees of an entry: an object for an object, otherwise its content, or None.

    ``level`` is an effective one (levels.effective_level). ``data`` is JSON without NaN; it is not changed.
    Raises UnknownLevel.
    """
    return make_lens(kind=kind, allowed=allowed, level=level, settings=settings, rules=rules).view(data)


def is_part_of(kind: str, allowed: AllowLists, level: str, settings: PersonSettings) -> bool:
    """Whether a person's entries of a kind are there at all at a level: something of them may be shown."""
    return not settings.closes(kind) and all(allowed[name].below for name in members(level))


def make_lens(
    *,
    kind: str,
    allowed: AllowLists,
    level: str,
    settings: PersonSettings = DEFAULT,
    rules: Sequence[Rule] = (),
) -> Lens:
    """Return what looks at many entries of one kind and person in the same way; see visible_view."""
    bound = [LEVELS[name] for name in members(level)]
    active = tuple(rule for rule in rules if rule.holds(kind, level))
    groups = {"always", *settings.hidden_groups, *(group for one in bound for group in one.without)}
    masks = dict.fromkeys(name for one in bound for name in one.masks)
    masks |= {} if settings.show_contact_info else {"mail": None, "phone": None}
    actions = [(rule.path, HIDE) for rule in active if rule.path is not None] + [*settings.custom_rules]
    places = ((start(path, kind), action) for path, action in actions)
    return Lens(
        roots=() if settings.closes(kind) else tuple(allowed[one.name] for one in bound),
        groups=frozenset(groups) - _COMPANY,
        hides_company="company" in groups,
        masks=tuple(masks),
        rules=active,
        places=tuple((place, action) for place, action in places if place is not None),
    )


@dataclass(frozen=True)
class Lens:
    """How the entries of one kind and person are looked at, at one level. Made by make_lens."""

    roots: _Nodes
    groups: frozenset[str]
    hides_company: bool
    masks: tuple[str, ...]
    rules: tuple[Rule, ...]
    places: _Places
    _names: dict[str, bool] = field(default_factory=dict, compare=False)

    def view(self, data: object) -> Any:
        """Return what is shown of an entry; one that is no object is taken as the content of one."""
        if not self.roots:
            return {} if isinstance(data, dict) else None
        if isinstance(data, dict):
            shown = self._object(data, self.roots, self.places)
            return {} if isinstance(shown, _Hidden) else shown
        shown = self._object({"content": data}, self.roots, self.places)
        return None if isinstance(shown, _Hidden) else shown["content"]

    def _walk(self, value: object, nodes: _Nodes, places: _Places, key: str) -> Any:
        if isinstance(value, dict):
            return self._object(value, nodes, places)
        if isinstance(value, list):
            return self._list(value, nodes, places, key)
        return self._scalar(value, key) if all(node.shown for node in nodes) else _HIDDEN

    def _object(self, value: dict[str, Any], nodes: _Nodes, places: _Places) -> Any:
        shown: dict[str, Any] = {}
        for key, child in value.items():
            below = tuple(node for node in (node.child(key) for node in nodes) if node is not None)
            if len(below) == len(nodes) and not self._hides(key):
                self._put(shown, key, self._followed(child, below, _at_key(places, key), key))
        if self.hides_company and not _is_past(shown.get("end_date")):
            shown = {key: child for key, child in shown.items() if not is_sensitive(key, _COMPANY)}
        return shown or _HIDDEN

    def _list(self, value: list[Any], nodes: _Nodes, places: _Places, key: str) -> Any:
        limits = [node.most for node in nodes if node.most is not None]
        elements = value[: min(limits)] if limits else value
        found = (
            self._followed(child, nodes, _at_index(places, at), key) for at, child in enumerate(elements)
        )
        shown = [child for child in found if child is not _HIDDEN]
        return shown if shown or all(node.shown for node in nodes) else _HIDDEN

    def _followed(self, child: object, nodes: _Nodes, places: _Places, key: str) -> Any:
        """The view of a value, unless a rule's path ends here."""
        actions = {action for place, action in places if place.is_hit}
        if HIDE in actions:
            return _HIDDEN
        return REDACTED_FIELD if REDACT in actions else self._walk(child, nodes, places, key)

    @staticmethod
    def _put(shown: dict[str, Any], key: str, child: object) -> None:
        if child is not _HIDDEN:
            shown[key] = child

    def _hides(self, key: str) -> bool:
        if key not in self._names:
            self._names[key] = is_sensitive(key, self.groups) or any(rule.names(key) for rule in self.rules)
        return self._names[key]

    def _scalar(self, value: object, key: str) -> Any:
        if isinstance(value, str):
            return self._text(value, key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        return value if self._text(repr(value), key) == repr(value) else REDACTED

    def _text(self, text: str, key: str) -> str:
        if "isbn" in words_of(key) and is_isbn(text):
            return text
        names = self.masks
        spans = []
        if has_words(key, ("email",)) and is_mail_address(text):
            spans += [hidden_name_of_mail(text)] if "mail_field" in names else []
            names = tuple(name for name in names if name != "mail")
        known = Identifiers(text)
        spans += hidden_parts(text, names, known)
        for rule in self.rules:
            spans += parts_hidden_by(rule, text, known)
        return without(text, spans) if spans else text


def _is_past(end_date: object) -> bool:
    """Whether a job's end, as far as it is shown, is a date: without one the job is taken as the current
    one.
    """
    if isinstance(end_date, int) and not isinstance(end_date, bool):
        return True
    return isinstance(end_date, str) and _PAST.fullmatch(end_date) is not None


def _at_key(places: _Places, key: str) -> _Places:
    below = ((place.at_key(key), action) for place, action in places)
    return tuple((place, action) for place, action in below if place is not None)


def _at_index(places: _Places, index: int) -> _Places:
    return tuple((place.at_index(index), action) for place, action in places)
