"""Privacy filter. What of an entry may a stranger see at a level? The only filter in the product.

An entry is walked along its kind's allow-list: what is not on it is not shown. Then names, rules, the
person's settings and what was found in its texts (`found`) take away from that; nothing adds to it. Pure: the
same policy, level, entry and findings give the same view. A filter is made by `policy.Policy.filter_at` and
by nothing else.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, Final

from app.privacy.declared import Form, form_of
from app.privacy.detected import NEVER_LIST, OLD, RULE, mask_of
from app.privacy.detectors.catalogue import detectors_for_shipped_rule
from app.privacy.fields import is_sensitive
from app.privacy.found import FoundAt, Part
from app.privacy.identifiers import is_isbn
from app.privacy.job_end import days_alike, is_over
from app.privacy.levels import CONTACT_MASKS
from app.privacy.masks import REDACTED, Span, hidden_name_of_mail, without
from app.privacy.never_list import is_hidden as is_word_hidden
from app.privacy.paths import Node, Place
from app.privacy.person_settings import HIDE, REDACT
from app.privacy.rules import Rule, parts_hidden_by
from app.privacy.shipped import SHIPPED, Shipped

REDACTED_FIELD = "[REDACTED]"
CHOSEN = "chosen"
NAMES_KEPT = 2_000
LONGEST_NAME_KEPT = 100
COMPANY = frozenset({"company"})
_MAIL_MASKS = frozenset({"mail", "mail_field", "home_mail"})


class _Hidden:
    """What stands for a value that is not shown."""


_HIDDEN: Final = _Hidden()
_CONTAINERS = (dict, list)  # `dict | list` would be made at each look
_Nodes = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """A place of the allow-lists of one filter: what is decided there before any entry is looked at.

    ``below`` has the members that may be shown, and no others. ``is_mail``: a text there may be an address
    that is hidden in its field. ``is_company``: it tells an employer.
    """

    key: str
    is_shown: bool
    below: dict[str, _Step]
    most: int | None
    is_mail: bool
    is_company: bool


Places = tuple[tuple[Place, str], ...]
"""Paths that rules name, each with what happens there: HIDE or REDACT; CHOSEN is the way to write."""


class HiddenNames:
    """Field names that are hidden, by groups of sensitive words and by rules; each is decided once.

    Bounded: keys are what people write. Any thread may ask.
    """

    def __init__(self, groups: frozenset[str], rules: tuple[Rule, ...]) -> None:
        self.groups = groups
        self.rules = rules
        self._decided: dict[str, bool] = {}

    def __contains__(self, key: str) -> bool:
        decided = self._decided.get(key)
        return self._decide(key) if decided is None else decided

    def _decide(self, key: str) -> bool:
        is_hidden = is_sensitive(key, self.groups) or any(rule.names(key) for rule in self.rules)
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
    """What strangers see of the entries of one kind and person, at one level.

    ``masks`` hide at the level, in declared fields too; those in ``closed`` because the person says so,
    whatever they released. ``rules`` are those with a pattern; ``meant`` are shipped ones that hide only what
    the text around says is meant. Jobs whose end ``today`` is not past yet are
    current ones. ``chosen`` is the way to write that the person chose, where it is given as it stands in the
    entry. ``policy`` is the digest of the policy that it is of.
    """

    level: str
    today: date
    roots: _Nodes
    names: HiddenNames
    hides_company: bool
    masks: frozenset[str]
    closed: frozenset[str]
    rules: tuple[Rule, ...]
    meant: tuple[Rule, ...]
    places: Places
    chosen: str | None = None
    policy: str = ""

    @cached_property
    def has_own_rules(self) -> bool:
        """Whether there is a pattern that is searched for at each reading: of a rule that no one shipped."""
        return any(rule.pattern not in SHIPPED for rule in self.rules)

    def view(self, data: object, found: FoundAt | None) -> Any:
        """Return what is shown of an entry; one that is no object is taken as the content of one.

        ``found`` is all that the search of the entry found (`entry_search`), None where that was nothing.
        """
        if not self.roots:
            return {} if isinstance(data, dict) else None
        if isinstance(data, dict):
            if found is None and self._is_decided:
                shown = self._decided_object(data, self._first_step)
            else:
                shown = self._object(data, self.roots, self.places, found)
            return {} if isinstance(shown, _Hidden) else shown
        inside = None if found is None else FoundAt(below={"content": found})
        shown = self._object({"content": data}, self.roots, self.places, inside)
        return None if isinstance(shown, _Hidden) else shown["content"]

    def days_alike(self, data: object) -> tuple[date, date | None]:
        """Return from which day on, and before which other one, the view of an entry is what it is today."""
        return days_alike(data, self.today) if self.hides_company else (date.min, None)

    # -- an entry in which nothing was found, where no rule asks for its place or its texts: that is most

    @cached_property
    def _is_decided(self) -> bool:
        """Whether allow-lists and names alone decide of such an entry: at each place the same for all."""
        return not self.places and not self.has_own_rules

    @cached_property
    def _first_step(self) -> _Step:
        return self._step("", self.roots, is_company=False)

    def _step(self, key: str, nodes: _Nodes, *, is_company: bool) -> _Step:
        below = {name: _below(nodes, name) for name in nodes[0].below if name not in self.names}
        limits = [node.most for node in nodes if node.most is not None]
        return _Step(
            key,
            is_shown=all(node.shown for node in nodes),
            below={
                name: self._step(name, places, is_company=self._is_company(name, nodes, None))
                for name, places in below.items()
                if places
            },
            most=min(limits, default=None),
            is_mail="mail_field" in self.masks and form_of(key).is_mail,
            is_company=is_company,
        )

    def _decided_object(self, value: dict[str, Any], step: _Step) -> Any:
        """What `_object` returns."""
        shown: dict[str, Any] = {}
        steps = step.below
        for key, child in value.items():
            below = steps.get(key)
            if below is None:
                continue
            if isinstance(child, _CONTAINERS) or below.is_mail:
                view = self._decided_value(child, below)
                if view is not _HIDDEN:
                    shown[key] = view
            elif below.is_shown:
                shown[key] = child
        if self.hides_company and not is_over(shown, self.today):
            shown = {key: child for key, child in shown.items() if not steps[key].is_company}
        return shown or _HIDDEN

    def _decided_list(self, value: list[Any], step: _Step) -> Any:
        """What `_list` returns."""
        views = (self._decided_value(child, step) for child in value[: step.most])
        shown = [child for child in views if child is not _HIDDEN]
        return shown if shown or step.is_shown else _HIDDEN

    def _decided_value(self, value: object, step: _Step) -> Any:
        """What `_walk` returns."""
        if isinstance(value, dict):
            return self._decided_object(value, step)
        if isinstance(value, list):
            return self._decided_list(value, step)
        if not step.is_shown:
            return _HIDDEN
        return self._text(value, step.key, None) if step.is_mail and isinstance(value, str) else value

    # -- any entry

    def _walk(self, value: object, nodes: _Nodes, places: Places, key: str, found: FoundAt | None) -> Any:
        if isinstance(value, dict):
            return self._object(value, nodes, places, found)
        if isinstance(value, list):
            return self._list(value, nodes, places, key, found)
        is_shown = nodes[0].shown if len(nodes) == 1 else all(node.shown for node in nodes)
        return self._scalar(value, key, found) if is_shown else _HIDDEN

    def _object(self, value: dict[str, Any], nodes: _Nodes, places: Places, found: FoundAt | None) -> Any:
        shown: dict[str, Any] = {}
        renamed = False
        for key, child in value.items():
            below = _below(nodes, key)
            if below and key not in self.names:
                here = None if found is None else found.at(key)
                renamed = renamed or (here is not None and bool(here.in_key))
                if places:
                    view = self._followed(child, below, _at_key(places, key), key, here)
                else:  # of most entries no rule names a place
                    view = self._walk(child, below, places, key, here)
                if view is not _HIDDEN:
                    shown[key] = view
        if self.hides_company and not is_over(shown, self.today):
            shown = {key: child for key, child in shown.items() if not self._is_company(key, nodes, found)}
        if renamed and found is not None:
            shown = self._renamed(shown, found)
        return shown or _HIDDEN

    def _list(self, value: list[Any], nodes: _Nodes, places: Places, key: str, found: FoundAt | None) -> Any:
        limits = [node.most for node in nodes if node.most is not None]
        elements = value[: min(limits)] if limits else value
        views = (
            self._followed(child, nodes, _at_index(places, at), key, None if found is None else found.at(at))
            for at, child in enumerate(elements)
        )
        shown = [child for child in views if child is not _HIDDEN]
        return shown if shown or all(node.shown for node in nodes) else _HIDDEN

    def _followed(self, child: object, nodes: _Nodes, places: Places, key: str, found: FoundAt | None) -> Any:
        """The view of a value, unless a rule's path ends here."""
        if not places:
            return self._walk(child, nodes, places, key, found)
        actions = {action for place, action in places if place.is_hit}
        if HIDE in actions:
            return _HIDDEN
        own = self._as_chosen() if CHOSEN in actions else self
        view = own._walk(child, nodes, places, key, found)
        if view is _HIDDEN or REDACT not in actions:
            return view  # where nothing is shown, a rule must not show that there is a member
        if found is not None:
            found.leave_out()
        return REDACTED_FIELD

    def _as_chosen(self) -> EntryFilter:
        """The filter for the way to write that the person chose: a mail address is shown whole."""
        return replace(self, masks=self.masks - (_MAIL_MASKS - self.closed))

    @staticmethod
    def _is_company(key: str, nodes: _Nodes, found: FoundAt | None) -> bool:
        places = (node.child(key) for node in nodes)
        is_company = is_sensitive(key, COMPANY) or any(place and place.is_employer for place in places)
        here = found.at(key) if is_company and found is not None else None
        if here is not None:
            here.leave_out()
        return is_company

    def _renamed(self, shown: dict[str, Any], found: FoundAt) -> dict[str, Any]:
        """The members by their names as far as these are shown; of those with one name none."""
        names = {key: self._name(key, found.at(key)) for key in shown}
        times = Counter(names.values())
        return {names[key]: child for key, child in shown.items() if times[names[key]] == 1}

    def _name(self, key: str, found: FoundAt | None) -> str:
        if found is None or not found.in_key:
            return key
        spans = self._hidden_parts(found.in_key, frozenset(), self.masks)
        found.note(found.in_key, spans)
        return without(key, spans)

    def _scalar(self, value: object, key: str, found: FoundAt | None) -> Any:
        if isinstance(value, str):
            return self._text(value, key, found)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        return value if self._text(repr(value), key, found) == repr(value) else REDACTED

    def _text(self, text: str, key: str, found: FoundAt | None) -> str:
        if found is None and not self.has_own_rules and "mail_field" not in self.masks:
            return text
        spans = self._hidden_in_text(text, form_of(key), [] if found is None else found.parts)
        if found is not None:
            found.note(found.parts, spans)
        return without(text, spans) if spans else text

    def _hidden_in_text(self, text: str, form: Form, parts: list[Part]) -> list[Span]:
        if form.is_isbn and is_isbn(text):
            parts = [part for part in parts if part.found.detector.startswith(NEVER_LIST)]
            return self._hidden_parts(parts, form.contact, self.masks)
        spans, masks = [], self.masks
        if text == self.chosen:
            masks -= _MAIL_MASKS - self.closed
        elif form.holds_one_mail(text):
            spans += [hidden_name_of_mail(text)] if "mail_field" in masks else []
            masks -= {"mail"}
        for rule in self.rules:
            shipped = SHIPPED.get(rule.pattern or "")
            spans += self._hidden_by(shipped, parts) if shipped else parts_hidden_by(rule, text)
        for rule in self.meant:
            shipped = SHIPPED[rule.pattern or ""]
            found = parts_found_by(shipped, parts)
            spans += [span for span in found if shipped.is_said(text, span.start, span.end)]
        return spans + self._hidden_parts(parts, form.contact, masks)

    def _hidden_by(self, shipped: Shipped, parts: list[Part]) -> list[Span]:
        """The parts that a rule which Daemon ships hides: it leaves alone what its owner has released."""
        spans = parts_found_by(shipped, parts)
        kinds = detectors_for_shipped_rule(shipped.field_name) if spans else frozenset()
        open_to_all = [
            part.found for part in parts if part.found.detector in kinds and self._is_released(part)
        ]
        return [
            span
            for span in spans
            if not any(one.start <= span.start and span.end <= one.end for one in open_to_all)
        ]

    def _hidden_parts(self, parts: list[Part], contact: frozenset[str], masks: frozenset[str]) -> list[Span]:
        """The parts of what was found that are hidden; ``contact`` is what the field is declared for."""
        found = (part for part in parts if not part.found.detector.startswith(RULE))
        hidden = (part.found for part in found if self._is_hidden(part, contact, masks))
        return [Span(one.start, one.end) for one in hidden]

    def _is_hidden(self, part: Part, contact: frozenset[str], masks: frozenset[str]) -> bool:
        detector = part.found.detector
        if detector.startswith(NEVER_LIST):
            return is_word_hidden(detector, self.level)
        if self._is_released(part):
            return False
        mask = mask_of(detector)
        is_free_text = mask in CONTACT_MASKS and mask not in contact and not detector.startswith(OLD)
        return is_free_text or mask in masks

    def _is_released(self, part: Part) -> bool:
        return part.is_released and mask_of(part.found.detector) not in self.closed


def parts_found_by(shipped: Shipped, parts: list[Part]) -> list[Span]:
    """Return what the pattern of a rule that Daemon ships found when the text was searched."""
    name = RULE + shipped.field_name
    return [Span(part.found.start, part.found.end) for part in parts if part.found.detector == name]


def _below(nodes: _Nodes, key: str) -> _Nodes:
    """The places below a key on each of several lists; none where one of them has none."""
    if len(nodes) == 1:  # that is nearly always so
        node = nodes[0].child(key)
        return () if node is None else (node,)
    below = tuple(node for node in (node.child(key) for node in nodes) if node is not None)
    return below if len(below) == len(nodes) else ()


def _at_key(places: Places, key: str) -> Places:
    below = ((place.at_key(key), action) for place, action in places)
    return tuple((place, action) for place, action in below if place is not None)


def _at_index(places: Places, index: int) -> Places:
    return tuple((place.at_index(index), action) for place, action in places)
