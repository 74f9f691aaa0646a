"""Is a stranger shown nothing that 0.4.0 hid, of any entry, by any level, setting or rule?"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.entries import kinds
from app.privacy.levels import NAMES
from app.privacy.person_settings import PersonSettings
from app.privacy.rules import Rule
from app.privacy.shipped import SHIPPED
from tests.privacy.test_filter_properties import KINDS, RECIPES, entries, people, rules, trying
from tests.privacy.v0_4_0.covers import shown_beyond
from tests.privacy.v0_4_0.lists import shipped_kinds
from tests.privacy.v0_4_0.view import view_before
from tests.privacy.views import visible_view

SHIPPED_RULES = tuple(
    Rule(field_name=row.field_name, pattern=row.stored, privacy_level=level)
    for row in SHIPPED.values()
    for level in ("professional", "public_full")
)


# A kind that was shipped later stays the row's own where there was one (test_reserved_kinds).
KINDS_OF_BEFORE = tuple(name for name in KINDS if name == "recipes" or name in shipped_kinds())


@pytest.mark.parametrize("level", [*NAMES, "ai_safe+professional"])
@given(data=st.data())
@trying
def test_no_view_shows_more_than_before(level: str, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS_OF_BEFORE))
    entry = data.draw(entries(kind))
    who: PersonSettings = data.draw(people)
    having: list[Rule] = [*data.draw(rules), *data.draw(st.lists(st.sampled_from(SHIPPED_RULES), max_size=2))]
    schema_here = None if kind in kinds.built_in() else RECIPES
    allowed = kinds.allow_lists_of(kind, schema_here, with_added=False)  # fields of later versions wait
    after: Any = visible_view(entry, kind=kind, allowed=allowed, level=level, settings=who, rules=having)
    schema = RECIPES if kind == "recipes" else "{}"
    asked = None if "+" in level else level
    ceiling = level if "+" in level else "public_full"
    before = view_before(
        entry, kind=kind, schema=schema, asked=asked, settings=who, rules=having, ceiling=ceiling
    )
    assert list(shown_beyond(after, before[0] if before else {})) == []


@pytest.mark.parametrize(
    ("after", "before"),
    [
        ({"a": "x"}, {}),
        ({"a": "x y"}, {"a": "x ***REDACTED***"}),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}),
        ({"a": 1}, {"a": "***REDACTED***"}),
        ({"a": {"b": "x"}}, {"a": "x"}),
        ({"a": True}, {"a": 1}),
        ({"a": "ann@x.example"}, {"a": "***@x.example"}),
    ],
    ids=str,
)
def test_what_is_shown_beyond_is_found(after: Any, before: Any) -> None:
    assert list(shown_beyond(after, before)) != []
    assert list(shown_beyond(before, before)) == []


def test_the_shipped_patterns_hide_what_they_hid() -> None:
    rows = [(row.field_name, row.stored, row.instead) for row in SHIPPED.values()]
    assert sha256(repr(rows).encode()).hexdigest()[:16] == DIGEST_OF_SHIPPED


DIGEST_OF_SHIPPED = "714ca044ede2cd07"
