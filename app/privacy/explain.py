"""Explanation of a view. Which parts of an entry does a filter show, and what hides each of the others?

The filter itself answers: a probe, a finding that hides nothing, is put into each text and number, and the
filter notes by which it comes. What hides is found in the same way: one filter for each thing that may hide,
in which nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from app.privacy.detected import NEVER_LIST, RULE
from app.privacy.filter import EntryFilter, hidden_names
from app.privacy.found import Found, FoundAt, Part, below, tokens_of, tree_of
from app.privacy.levels import MOST_OPEN
from app.privacy.paths import Node, Place, start
from app.privacy.policy import Policy
from app.privacy.rules import Rule

PROBE = f"{NEVER_LIST}:{MOST_OPEN}"  # a word that every level may show
SHOWN, MASKED, HIDDEN = "shown", "masked", "hidden"
_PLACEHOLDER = "x"  # stands for what has no text: true, false, null


class Reason(NamedTuple):
    """What hides: its name, and of several which one: a group of words, an own path, a rule."""

    name: str
    which: str = ""
    rule: Rule | None = None


class Seen(NamedTuple):
    """By JSON Pointer of a leaf: is it shown, masked in part, or hidden; and what is masked first."""

    fates: dict[str, str]
    masked: dict[str, Found]


@dataclass(frozen=True)
class _Everything(Node):
    """A place of an allow-list below which everything is on it."""

    shown: bool = True

    def child(self, key: str) -> Node:
        """Return the same again."""
        return self


@dataclass
class Probed:
    """An entry with a probe in each of its leaves: texts, numbers, true, false, null."""

    content: Any
    probes: list[Found] = field(default_factory=list)

    def seen(self, entry_filter: EntryFilter, found: FoundAt | None = None) -> Seen:
        """Return what a filter does with each leaf. ``found`` is what was found: a tree of its own."""
        shown: list[Found] = []
        masked: list[Found] = []
        entry_filter.view(self.content, _with_probes(self.probes, found, shown, masked))
        fates = dict.fromkeys((one.pointer for one in self.probes), HIDDEN)
        fates |= {one.pointer: SHOWN for one in shown if one.detector == PROBE}
        fates |= {one.pointer: MASKED for one in masked if one.detector == PROBE}
        return Seen(fates, {one.pointer: one for one in reversed(masked) if _is_finding(one)})


def _is_finding(one: Found) -> bool:
    return one.detector != PROBE and not one.detector.startswith(RULE)


def probed(content: Any) -> Probed:
    """Return an entry with its probes."""
    result = Probed(None)
    result.content = _probe(content, "", result.probes)
    return result


def _probe(value: Any, pointer: str, probes: list[Found]) -> Any:
    if isinstance(value, dict):
        return {key: _probe(child, below(pointer, key), probes) for key, child in value.items()}
    if isinstance(value, list):
        return [_probe(child, below(pointer, at), probes) for at, child in enumerate(value)]
    if value is None or isinstance(value, bool):
        value = _PLACEHOLDER
    probes.append(Found(pointer, False, PROBE, 0, len(value if isinstance(value, str) else repr(value))))
    return value


def _with_probes(
    probes: list[Found], found: FoundAt | None, shown: list[Found], masked: list[Found]
) -> FoundAt:
    root = found or FoundAt()
    _note_in(root, shown, masked)
    for one in probes:
        at = root
        for token in tokens_of(one.pointer):
            at = at.below.setdefault(token, FoundAt(shown=shown, masked=masked))
        at.parts.append(Part(one, False))
    return root


def _note_in(at: FoundAt, shown: list[Found], masked: list[Found]) -> None:
    at.shown, at.masked = shown, masked
    for child in at.below.values():
        _note_in(child, shown, masked)


def reasons(policy: Policy, level: str, today: date) -> Iterator[tuple[Reason, EntryFilter]]:
    """Yield what may hide at a level, each with a filter in which nothing else hides; the outermost first."""
    whole = policy.filter_at(level, today)
    none = replace(
        whole,
        roots=(_Everything(),),
        names=hidden_names(frozenset(), ()),
        hides_company=False,
        masks=frozenset(),
        closed=frozenset(),
        rules=(),
        meant=(),
        places=(),
    )
    if not whole.roots:
        yield Reason("setting", "kind"), replace(none, roots=())
    yield Reason("list"), replace(none, roots=whole.roots)
    for group in sorted(whole.names.groups):
        yield Reason("name", group), replace(none, names=hidden_names(frozenset({group}), ()))
    if whole.hides_company:
        yield Reason("name", "company"), replace(none, hides_company=True)
    for rule in whole.names.rules:
        yield Reason("rule", "", rule), replace(none, names=hidden_names(frozenset(), (rule,)))
    named = list(_places(policy))
    for place, action in whole.places:
        at = next(at for at, (known, _) in enumerate(named) if known == place)
        yield named.pop(at)[1], replace(none, places=((place, action),))
    for rule in whole.rules:
        yield Reason("rule", "", rule), replace(none, rules=(rule,))
    for rule in whole.meant:
        yield Reason("rule", "", rule), replace(none, meant=(rule,))
    if "mail_field" in whole.masks:
        yield Reason("mail_field"), replace(none, masks=frozenset({"mail_field"}))


def _places(policy: Policy) -> Iterator[tuple[Place | None, Reason]]:
    """Yield the places that rules name, those of the installation first, as a filter has them."""
    for rule in policy.rules:
        if rule.path is not None:
            yield start(rule.path, policy.kind), Reason("rule", "", rule)
    for path, _ in policy.settings.custom_rules:
        yield start(path, policy.kind), Reason("own_rule", path)


def hiding(
    policy: Policy,
    level: str,
    today: date,
    entry: Probed,
    fates: dict[str, str],
    findings: Iterable[Found],
) -> dict[str, list[Reason]]:
    """Return what hides each leaf that is not shown, the outermost first; findings are no reasons of here,
    but for those of the rules that Daemon ships.
    """
    of_rules = [one for one in findings if one.detector.startswith(RULE)]
    found: dict[str, list[Reason]] = {pointer: [] for pointer, fate in fates.items() if fate != SHOWN}
    if not found:
        return found
    for reason, alone in reasons(policy, level, today):
        seen = entry.seen(alone, tree_of(of_rules, lambda one: False)).fates
        for pointer, causes in found.items():
            if seen[pointer] != SHOWN:
                causes.append(reason)
    unexplained = [pointer for pointer, causes in found.items() if not causes and fates[pointer] == HIDDEN]
    if unexplained:  # a company is hidden where the end of its job is: two together
        seen = entry.seen(replace(policy.filter_at(level, today), hides_company=False)).fates
        for pointer in unexplained:
            found[pointer] += [] if seen[pointer] == HIDDEN else [Reason("name", "company")]
    return found
