"""Do the rules that every installation begins with hide what they were meant to, and nothing else?"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.privacy.masks import without
from app.privacy.patterns import Pattern
from app.privacy.rules import Rule, parts_hidden_by
from app.privacy.shipped import SHIPPED, Shipped

ADDRESS = next(row for row in SHIPPED.values() if row.field_name == "address")


def seen(row: Shipped, text: str) -> str:
    return without(text, parts_hidden_by(Rule(field_name=row.field_name, pattern=row.stored), text))


def test_every_shipped_rule_has_a_row_byte_by_byte(root: Path) -> None:
    step = root / "app/upgrade/versions/migrations/versions/0002_v0_2_0_add_privacy.py"
    spec = importlib.util.spec_from_file_location("step", step)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert set(module.RULES) == {(row.field_name, row.stored, row.privacy_level) for row in SHIPPED.values()}


@pytest.mark.parametrize("row", SHIPPED.values(), ids=lambda row: row.field_name)
def test_each_row_has_texts_that_vanish_and_texts_that_stay(row: Shipped) -> None:
    for text in row.vanishes:
        assert seen(row, text) != text
    for text in row.stays:
        assert seen(row, text) == text


numbers = st.one_of(st.integers(1, 99999).map(str), st.sampled_from(["12A", "221b"]))
names = st.lists(
    st.sampled_from(
        [
            "Harbour",
            "Old",
            "Mill",
            "42nd",
            "5th",
            "N",
            "E.",
            "St.",
            "Mt.",
            "Martin",
            "Luther",
            "King",
            "St",
            "Élan",
            "N.W.",
            "Saint-Denis",
        ]
    ),
    min_size=1,
    max_size=4,
).map(" ".join)
kinds = st.sampled_from(["Street", "St", "Avenue", "Ave", "Road", "Rd", "Drive", "Dr", "Lane", "Ln"])
after = st.sampled_from(["", ".", ", Portland", " NW", "\n", " 97201", ")", " and more"])
before = st.sampled_from(["", "at ", "Home: ", "(", "I live at ", "2019\n", "- ", "Apt 4, ", "for 3 years. "])


@settings(max_examples=500, deadline=None)
@given(before, numbers, names, kinds, after)
def test_a_street_with_its_number_vanishes(lead: str, number: str, name: str, kind: str, tail: str) -> None:
    address = f"{number} {name} {kind}"
    left = seen(ADDRESS, f"{lead}{address}{tail}")
    assert address not in left
    assert name.split()[0] not in left.replace("St", "") or name.split()[0] in lead + tail


@settings(max_examples=300, deadline=None)
@given(numbers, names, kinds, st.sampled_from(["at ", "I live at ", "address: "]), st.data())
def test_an_address_that_is_wrapped_vanishes(
    number: str, name: str, kind: str, lead: str, data: st.DataObject
) -> None:
    words = [number, *name.split(), kind]
    at = data.draw(st.integers(1, len(words) - 1))
    text = lead + " ".join(words[:at]) + "\n" + " ".join(words[at:])
    assert seen(ADDRESS, text) != text


@pytest.mark.parametrize(
    "text",
    [
        "12 engineers across the United States and 3 in Dresden",
        "In 2019 I moved to Portland and opened a shop on Main Street",
        "Led 12 people.\n\nThe Road to Wigan Pier",
        "10 km from St Petersburg",
        "for 5 years with Dr. Ortiz at the lab",
        "2 books by St Augustine",
        "12 people, 3 dogs and a Drive",
        "Ran 12 races\nLives near Oak Street",
        "version 3 of the Roadmap, 4 of the Streetcar Stories",
    ],
)
def test_sentences_stay(text: str) -> None:
    assert seen(ADDRESS, text) == text
    assert Pattern(ADDRESS.stored).parts("12 engineers across the United States")  # what the row is for


def test_only_the_very_text_is_answered_so() -> None:
    text = "12 engineers across the United States"
    assert parts_hidden_by(Rule(pattern=ADDRESS.stored), text) == []
    assert parts_hidden_by(Rule(pattern=ADDRESS.stored + "(a)?"), text)
