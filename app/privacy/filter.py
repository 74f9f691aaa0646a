"""Privacy filter. What of an entry may a stranger see at a level? The only filter in the product.

An entry is walked along its kind's allow-list: what is not on it is not shown. Then names, rules, the
person's settings and masks take away from that; nothing adds to it. Pure: the same policy, level and entry
give the same view. A filter is made by `policy.Policy.filter_at` and by nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from app.privacy.fields import is_sensitive
from app.privacy.identifiers import Identifiers, is_isbn
from app.privacy.masks import REDACTED, hidden_name_of_mail, hidden_parts, is_mail_address, without
from app.privacy.paths import Node, Place
from app.privacy.person_settings import HIDE, REDACT
from app.privacy.rules import Rule, parts_hidden_by
from app.privacy.words import has_words, words_of

REDACTED_FIELD = "[REDACTED]"
NAMES_KEPT = 2_000
LONGEST_NAME_KEPT = 100
COMPANY = frozenset({"company"})
_PAST = re.compile(r"\s*(?:(?:\d{1,2}[./-]){0,2}\d{4}|\d{4}(?:[./-]\d{1,2}){1,2}|[^\W\d_]{3,9}\.? \d{4})\s*")


class _Hidden:
    """What stands for a value that is not shown."""


_HIDDEN: Final = _Hidden()
_Nodes = tuple[Node, ...]
Places = tuple[tuple[Place, str], ...]
"""Paths that rules name, each with what happens there: HIDE or REDACT."""


class HiddenNames:
    """Field names that are hidden, by groups of sensitive words and by rules; each is decided once.

    Bounded: keys are what people write. Any thread may ask.
    """

    def __init__(self, groups: frozenset[str], rules: tuple[Rule, ...]) -> None:
        self._groups = groups
        self._rules = rules
        self._decided: dict[str, bool] = {}

    def __contains__(self, key: str) -> bool:
        decided = self._decided.get(key)
        return self._decide(key) if decided is None else decided

    def _decide(self, key: str) -> bool:
        is_hidden = is_sensitive(key, self._groups) or any(rule.names(key) for rule in self._rules)
        if len(key) <= LONGEST_NAME_KEPT:
            if len(self._decided) >= NAMES_KEPT:
                self._decided.clear()
            self._decided[key] = is_hidden
        return is_hidden


@lru_cache(maxsize=64)
def hidden_names(groups: frozenset[str], rules: tuple[Rule, ...]) -> HiddenNames:
    """Return the names that these hide; filters that hide the same names share them."""
    return HiddenNames(groups, rules)


@dataclass(frozen=True)
class EntryFilter:
    """What strangers see of the entries of one kind and person, at one level."""

    roots: _Nodes
    names: HiddenNames
    hides_company: bool
    masks: tuple[str, ...]
    rules: tuple[Rule, ...]
    places: Places

    def view(self, data: object) -> Any:
        """Return what is shown of an entry; one that is no object is taken as the content of one."""
        if not self.roots:
            return {} if isinstance(data, dict) else None
        if isinstance(data, dict):
            shown = self._object(data, self.roots, self.places)
            return {} if isinstance(shown, _Hidden) else shown
        shown = self._object({"content": data}, self.roots, self.places)
        return None if isinstance(shown, _Hidden) else shown["content"]

    def _walk(self, value: object, nodes: _Nodes, places: Places, key: str) -> Any:
        if isinstance(value, dict):
            return self._object(value, nodes, places)
        if isinstance(value, list):
            return self._list(value, nodes, places, key)
        return self._scalar(value, key) if all(node.shown for node in nodes) else _HIDDEN

    def _object(self, value: dict[str, Any], nodes: _Nodes, places: Places) -> Any:
        shown: dict[str, Any] = {}
        for key, child in value.items():
            below = tuple(node for node in (node.child(key) for node in nodes) if node is not None)
            if len(below) == len(nodes) and key not in self.names:
                self._put(shown, key, self._followed(child, below, _at_key(places, key), key))
        if self.hides_company and not _is_past(shown.get("end_date")):
            shown = {key: child for key, child in shown.items() if not is_sensitive(key, COMPANY)}
        return shown or _HIDDEN

    def _list(self, value: list[Any], nodes: _Nodes, places: Places, key: str) -> Any:
        limits = [node.most for node in nodes if node.most is not None]
        elements = value[: min(limits)] if limits else value
        found = (
            self._followed(child, nodes, _at_index(places, at), key) for at, child in enumerate(elements)
        )
        shown = [child for child in found if child is not _HIDDEN]
        return shown if shown or all(node.shown for node in nodes) else _HIDDEN

    def _followed(self, child: object, nodes: _Nodes, places: Places, key: str) -> Any:
        """The view of a value, unless a rule's path ends here."""
        actions = {action for place, action in places if place.is_hit}
        if HIDE in actions:
            return _HIDDEN
        return REDACTED_FIELD if REDACT in actions else self._walk(child, nodes, places, key)

    @staticmethod
    def _put(shown: dict[str, Any], key: str, child: object) -> None:
        if child is not _HIDDEN:
            shown[key] = child

    def _scalar(self, value: object, key: str) -> Any:
        if isinstance(value, str):
            return self._text(value, key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        return value if self._text(repr(value), key) == repr(value) else REDACTED

    def _text(self, text: str, key: str) -> str:
        form = _form_of(key) if len(key) <= LONGEST_NAME_KEPT else _form_of.__wrapped__(key)
        if form.is_isbn and is_isbn(text):
            return text
        names = self.masks
        spans = []
        if form.is_mail and is_mail_address(text):
            spans += [hidden_name_of_mail(text)] if "mail_field" in names else []
            names = tuple(name for name in names if name != "mail")
        known = Identifiers(text)
        spans += hidden_parts(text, names, known)
        for rule in self.rules:
            spans += parts_hidden_by(rule, text, known)
        return without(text, spans) if spans else text


@dataclass(frozen=True, slots=True)
class _Form:
    """What a field's name says of the form of its text."""

    is_isbn: bool
    is_mail: bool


@lru_cache(maxsize=NAMES_KEPT)
def _form_of(key: str) -> _Form:
    return _Form("isbn" in words_of(key), has_words(key, ("email",)))


def _is_past(end_date: object) -> bool:
    """Whether a job's end, as far as it is shown, is a date: without one the job is the current one."""
    if isinstance(end_date, int) and not isinstance(end_date, bool):
        return True
    return isinstance(end_date, str) and _PAST.fullmatch(end_date) is not None


def _at_key(places: Places, key: str) -> Places:
    below = ((place.at_key(key), action) for place, action in places)
    return tuple((place, action) for place, action in below if place is not None)


def _at_index(places: Places, index: int) -> Places:
    return tuple((place.at_index(index), action) for place, action in places)
