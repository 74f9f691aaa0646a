"""Does the filter keep its promises for entries that no one thought of?

Non-interference: what is hidden cannot be inferred. Monotony: a stricter level, setting or rule never shows
more. Canaries: nothing that is not on a kind's list ever appears.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.entries import kinds
from app.privacy.levels import NAMES, at_most
from app.privacy.masks import REDACTED
from app.privacy.paths import AllowLists, Node
from app.privacy.person_settings import COLUMNS, PersonSettings
from app.privacy.policy import make_policy
from app.privacy.rules import Rule
from tests.privacy.views import TODAY, visible_view

trying = settings(max_examples=100, deadline=None)
LEVELS = (*NAMES, "ai_safe+professional")
KINDS = (*kinds.built_in(), "recipes")
RECIPES = json.dumps(
    {"course": {"type": "string"}, "steps": {"type": "array", "items": {"properties": {"text": {}}}}}
)

LISTS: dict[str, AllowLists] = {
    kind: kinds.allow_lists_of(kind, None if kind in kinds.built_in() else RECIPES) for kind in KINDS
}
UNLISTED = [
    "phone",
    "salary",
    "manager",
    "secretPlan",
    "note_to_self",
    "zz",
    "location",
    "company",
    "content",
    "",
]


def keys_of(node: Node) -> set[str]:
    return set(node.below) | {key for child in node.below.values() for key in keys_of(child)}


KEYS = sorted({key for kind in KINDS for key in keys_of(LISTS[kind]["public_full"])} | set(UNLISTED))

texts = st.one_of(
    st.text("abc 1", min_size=1, max_size=8),
    st.sampled_from(
        [
            "Present",
            "2019-02",
            "mail ann@work.example, call 415-555-0134",
            "SSN 078-05-1120 and 12345",
            "ann@work.example",
            "9780441478125",
        ]
    ),
)
scalars = st.one_of(texts, st.integers(-5, 10**10), st.booleans(), st.none(), st.floats(-9, 9))


@st.composite
def entries(draw: st.DrawFn, kind: str, depth: int = 0) -> dict[str, Any]:
    """An entry that has much of what its kind's list shows, and much that it does not."""
    return _object_like(draw, LISTS[kind]["public_full"], depth)


def _object_like(draw: st.DrawFn, node: Node, depth: int) -> dict[str, Any]:
    known = sorted(node.below)
    names = draw(st.lists(st.sampled_from(known or KEYS), max_size=7))
    names += draw(st.lists(st.sampled_from(UNLISTED if depth < 3 else ["zz"]), max_size=3))
    return {name: _value_like(draw, node.below.get(name, Node()), depth) for name in names}


def _value_like(draw: st.DrawFn, node: Node, depth: int) -> Any:
    form = draw(st.integers(0, 5)) if depth < 4 else 0
    if form == 1:
        return [_value_like(draw, node, depth + 1) for _ in range(draw(st.integers(0, 3)))]
    if form == 2 or (node.below and form > 2):
        return _object_like(draw, node, depth + 1)
    return draw(scalars)


kinds_to_try = st.sampled_from(KINDS)
paths = st.lists(st.sampled_from([*KEYS[:60], "0", "1", "*"]), min_size=1, max_size=3).map(".".join)
custom_rules = st.lists(st.tuples(paths, st.sampled_from(["hide", "redact"])), max_size=3).map(tuple)
people = st.builds(
    PersonSettings,
    show_contact_info=st.booleans(),
    show_location=st.booleans(),
    show_current_company=st.booleans(),
    show_salary_range=st.booleans(),
    show_education_details=st.booleans(),
    show_personal_projects=st.booleans(),
    custom_rules=custom_rules,
)
rules = st.lists(
    st.builds(
        Rule,
        endpoint_name=st.sampled_from(["*", "resume", "ideas"]),
        field_path=st.one_of(st.just("*"), paths),
        privacy_level=st.sampled_from([*NAMES, None, "nonsense"]),
        field_name=st.sampled_from([None, "title", "company", "a"]),
        pattern=st.sampled_from([None, r"\d{5}", "a+", r"\w+@\w+", "([", r"b|c"]),
    ),
    max_size=3,
)


def view(kind: str, data: object, level: str, who: PersonSettings, having: list[Rule]) -> Any:
    return visible_view(data, kind=kind, allowed=LISTS[kind], level=level, settings=who, rules=having)


# -- canaries


def all_paths(node: Node, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found = {above} if node.shown else set()
    for key, child in node.below.items():
        found |= all_paths(child, (*above, key))
    return found


def canaries(node: Node, above: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object with a marker at every listed place, and around each place markers that are not listed."""
    found: dict[str, Any] = {}
    for key, child in node.below.items():
        here = (*above, key)
        inside = [canaries(child, here)] if child.below else []
        found[key] = ["shown:" + ".".join(here), {"zz": "canary"}, *inside] if child.shown else inside
    for key in UNLISTED:
        if key not in node.below:
            found[key] = ["canary", {"title": "canary", "content": "canary", "zz": ["canary"]}]
    return found


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_on_the_list_never_appears_and_what_is_does(kind: str, level: str) -> None:
    everything = canaries(LISTS[kind]["public_full"])
    shown = json.dumps(view(kind, everything, level, PersonSettings(), []))
    assert "canary" not in shown
    lists = [LISTS[kind][name] for name in level.split("+")]
    listed = set.intersection(*(all_paths(node) for node in lists))
    assert {
        path for path in all_paths(LISTS[kind]["public_full"]) if f'"shown:{".".join(path)}"' in shown
    } == listed


@trying
@given(st.data())
def test_what_is_decided_of_all_entries_is_what_is_decided_of_each(data: st.DataObject) -> None:
    """Where nothing was found and no rule asks, allow-lists and names are looked up once for all entries."""
    kind, level = data.draw(kinds_to_try), data.draw(st.sampled_from(LEVELS))
    who = replace(data.draw(people), custom_rules=())
    having = [each for each in data.draw(rules) if each.pattern is None and not each.is_for(kind)]
    made = make_policy(kind, LISTS[kind], who, having).filter_at(level, TODAY)
    assert made._is_decided
    usual = replace(made)
    vars(usual)["_is_decided"] = False
    for value in (data.draw(entries(kind)), canaries(LISTS[kind]["public_full"]), {}):
        assert json.dumps(made.view(value, None)) == json.dumps(usual.view(value, None))


@trying
@given(st.data())
def test_markers_at_unlisted_places_never_appear(data: st.DataObject) -> None:
    kind = data.draw(kinds_to_try)
    entry = data.draw(entries(kind))
    marked = _marked(entry, LISTS[kind]["public_full"])
    level = data.draw(st.sampled_from(LEVELS))
    assert "canary" not in json.dumps(view(kind, marked, level, data.draw(people), data.draw(rules)))


def _marked(value: Any, node: Node | None) -> Any:
    """The same value with every scalar at a place that is not on the list made a canary."""
    if isinstance(value, dict):
        return {key: _marked(child, node.child(key) if node else None) for key, child in value.items()}
    if isinstance(value, list):
        return [_marked(child, node) for child in value]
    return value if node is not None and node.shown else "canary"


# -- non-interference


def _numbered(value: Any, counter: list[int]) -> Any:
    """The same shape with a text of its own in place of every text and number that no rule looks into."""
    if isinstance(value, dict):
        return {key: _numbered(child, counter) for key, child in value.items()}
    if isinstance(value, list):
        return [_numbered(child, counter) for child in value]
    if value in ("Present", "2019-02") or value is None or isinstance(value, bool):
        return value
    counter[0] += 1
    return f"<{counter[0]}>"


def _with_hidden_changed(value: Any, shown: str) -> Any:
    if isinstance(value, dict):
        return {key: _with_hidden_changed(child, shown) for key, child in value.items()}
    if isinstance(value, list):
        return [_with_hidden_changed(child, shown) for child in value]
    if isinstance(value, str) and value.startswith("<"):
        return value if json.dumps(value)[1:-1] in shown else ["another", 4, None][len(value) % 3]
    return value


@trying
@given(st.data())
def test_entries_that_differ_in_hidden_values_look_the_same(data: st.DataObject) -> None:
    kind = data.draw(kinds_to_try)
    entry = _numbered(data.draw(entries(kind)), [0])
    level, who, having = data.draw(st.sampled_from(LEVELS)), data.draw(people), data.draw(rules)
    shown = json.dumps(view(kind, entry, level, who, having))
    other = _with_hidden_changed(entry, shown)
    assert json.dumps(view(kind, other, level, who, having)) == shown


@trying
@given(st.sampled_from([name for name in LEVELS if name != "public_full"]), st.integers(1000, 9999))
def test_texts_that_differ_in_masked_parts_look_the_same(level: str, digits: int) -> None:
    texts_alike = [
        f"Call 415-555-{number} or mail a{number}@work.example; SSN 078-05-{number}; sk_live_{number}abcdef"
        for number in (digits, 1111)
    ]
    one, other = (view("ideas", {"content": text}, level, PersonSettings(), []) for text in texts_alike)
    assert one == other


# -- monotony


def shows_at_most(less: Any, more: Any) -> bool:
    """Whether one view shows nothing that the other does not show."""
    if less == more or less in ("[REDACTED]", REDACTED):
        return True
    if isinstance(less, dict) and isinstance(more, dict):
        return all(key in more and shows_at_most(child, more[key]) for key, child in less.items())
    if isinstance(less, list) and isinstance(more, list):
        rest = iter(more)
        return all(any(shows_at_most(child, other) for other in rest) for child in less)
    return isinstance(less, str) and isinstance(more, str) and _is_text_at_most(less, more)


def _is_text_at_most(less: str, more: str) -> bool:
    at = 0
    for piece in less.replace(REDACTED, "\0").replace("***", "\0").split("\0"):
        at = more.find(piece, at) + len(piece)
        if at < len(piece):
            return False
    return True


@trying
@given(st.data())
def test_a_stricter_level_never_shows_more(data: st.DataObject) -> None:
    kind = data.draw(kinds_to_try)
    entry, who, having = data.draw(entries(kind)), data.draw(people), data.draw(rules)
    one, other = data.draw(st.sampled_from(LEVELS)), data.draw(st.sampled_from(LEVELS))
    if at_most(one, other):
        assert shows_at_most(view(kind, entry, one, who, having), view(kind, entry, other, who, having))


@trying
@given(st.data())
def test_a_rule_only_ever_hides_more(data: st.DataObject) -> None:
    kind = data.draw(kinds_to_try)
    entry, level, who = data.draw(entries(kind)), data.draw(st.sampled_from(LEVELS)), data.draw(people)
    some, added = data.draw(rules), data.draw(rules)
    assert shows_at_most(view(kind, entry, level, who, some + added), view(kind, entry, level, who, some))


@trying
@given(st.data())
def test_a_stricter_setting_never_shows_more(data: st.DataObject) -> None:
    kind = data.draw(kinds_to_try)
    entry, level, having = data.draw(entries(kind)), data.draw(st.sampled_from(LEVELS)), data.draw(rules)
    one, other = data.draw(people), data.draw(people)
    shows = {name: getattr(one, name) and getattr(other, name) for name in COLUMNS[:6]}
    both = replace(one, custom_rules=one.custom_rules + other.custom_rules, **shows)
    assert shows_at_most(view(kind, entry, level, both, having), view(kind, entry, level, one, having))


@trying
@given(st.data())
def test_looking_changes_nothing(data: st.DataObject) -> None:
    kind = data.draw(kinds_to_try)
    entry = data.draw(entries(kind))
    before = json.dumps(entry)
    view(kind, entry, data.draw(st.sampled_from(LEVELS)), data.draw(people), data.draw(rules))
    assert json.dumps(entry) == before
