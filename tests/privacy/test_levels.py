"""Is the arithmetic of levels a lattice, and does every ceiling bind?"""

from __future__ import annotations

from itertools import product

import pytest

from app.errors import UnknownLevel
from app.privacy.levels import LEVELS, NAMES, at_most, effective_level, known, meet, members


def every_meeting() -> tuple[str, ...]:
    """Return every level, and what any of them meet in."""
    found = set(NAMES)
    while more := {meet(one, other) for one, other in product(found, found)} - found:
        found |= more
    return tuple(sorted(found))


EVERY = every_meeting()
PAIRS = list(product(EVERY, EVERY))


def test_the_four_levels_of_the_old_server_are_there() -> None:
    assert set(NAMES) >= {"business_card", "professional", "public_full", "ai_safe"}
    assert "ai_safe+professional" in EVERY


def test_order_of_the_levels() -> None:
    assert at_most("business_card", "professional")
    assert at_most("professional", "public_full")
    assert at_most("business_card", "ai_safe")
    assert at_most("ai_safe", "public_full")
    assert not at_most("ai_safe", "professional")
    assert not at_most("professional", "ai_safe")
    assert not at_most("public_full", "professional")


@pytest.mark.parametrize("level", EVERY)
def test_meeting_itself_or_everything_changes_nothing(level: str) -> None:
    assert meet(level, level) == level
    assert meet(level, "public_full") == level
    assert meet(level, "business_card") == "business_card"


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_meeting_is_the_most_open_level_below_both(one: str, other: str) -> None:
    met = meet(one, other)
    assert met == meet(other, one)
    assert met in EVERY
    assert at_most(met, one)
    assert at_most(met, other)
    for level in EVERY:
        if at_most(level, one) and at_most(level, other):
            assert at_most(level, met)


@pytest.mark.parametrize(("one", "other", "third"), list(product(EVERY, EVERY, EVERY)))
def test_meetings_may_be_made_in_any_order(one: str, other: str, third: str) -> None:
    assert meet(meet(one, other), third) == meet(one, meet(other, third))


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_order_has_no_two_names_for_one_level(one: str, other: str) -> None:
    assert (at_most(one, other) and at_most(other, one)) == (one == other)


def test_a_level_that_is_below_another_shows_no_more_and_masks_no_less() -> None:
    for level in LEVELS.values():
        for above in (LEVELS[name] for name in level.below):
            assert set(level.tiers) <= set(above.tiers)
            assert set(level.without) >= set(above.without)
            assert set(level.masks) >= set(above.masks)


@pytest.mark.parametrize(
    ("asked", "ceilings", "effective"),
    [
        (None, (), "public_full"),
        (None, ("professional",), "professional"),
        ("public_full", ("professional", None), "professional"),
        ("business_card", ("public_full", "professional"), "business_card"),
        ("ai_safe", ("professional",), "ai_safe+professional"),
        ("professional", ("ai_safe",), "ai_safe+professional"),
        ("ai_safe", ("business_card",), "business_card"),
        (None, ("professional", "ai_safe"), "ai_safe+professional"),
    ],
)
def test_effective_level(asked: str | None, ceilings: tuple[str | None, ...], effective: str) -> None:
    assert effective_level(asked, *ceilings) == effective


@pytest.mark.parametrize("word", ["", "none", "PUBLIC_FULL", "public_full ", "ai_safe+professional", "nope"])
def test_nobody_can_ask_for_an_unknown_level(word: str) -> None:
    with pytest.raises(UnknownLevel) as caught:
        effective_level(word)
    assert caught.value.status == 400
    assert "business_card" in caught.value.hint


def test_a_meeting_is_answered_but_is_no_name() -> None:
    assert members("ai_safe+professional") == ("ai_safe", "professional")
    with pytest.raises(UnknownLevel):
        known("ai_safe+professional")
    with pytest.raises(UnknownLevel):
        members("ai_safe+nope")
