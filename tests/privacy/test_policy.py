"""Policy as a value: is it equal where the same is shown, and another one after any change?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.privacy import filter as privacy_filter
from app.privacy.filter import HiddenNames
from app.privacy.levels import NAMES
from app.privacy.paths import allow_list
from app.privacy.person_settings import PersonSettings
from app.privacy.policy import Policy, make_policy
from app.privacy.rules import Rule
from tests.house.sources import ROOT
from tests.privacy.conftest import lists_of
from tests.privacy.views import TODAY

ROWS = (Rule("resume", "summary"), Rule(field_name="zip_code"), Rule("ideas", "content", "professional"))
ONE = make_policy("resume", lists_of("resume"), PersonSettings(), ROWS)


def test_equal_policies_have_one_digest_and_one_hash() -> None:
    other = make_policy("resume", lists_of("resume"), PersonSettings(), list(ROWS))
    assert other == ONE
    assert other is not ONE
    assert other.digest == ONE.digest
    assert hash(other) == hash(ONE)
    assert len({other, ONE}) == 1


def test_a_policy_is_frozen() -> None:
    for name in ("kind", "settings", "rules", "allowed"):
        with pytest.raises(FrozenInstanceError):
            setattr(ONE, name, None)
    with pytest.raises(TypeError):
        ONE.allowed["public_full"].below["zz"] = allow_list(["zz"])  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        ONE.allowed["public_full"].shown = True  # type: ignore[misc]


def _changes() -> list[Policy]:
    """Each input of the filter changed once."""
    opposite: dict[str, Any] = {
        each.name: not getattr(ONE.settings, each.name) for each in fields(ONE.settings)
    }
    opposite |= {"privacy_level": "professional", "custom_rules": (("title", "hide"),)}
    people = [replace(ONE.settings, **{name: value}) for name, value in opposite.items()]
    people += [replace(ONE.settings, custom_rules=(("title", "redact"),))]
    rules = [
        replace(ROWS[0], **{each.name: "professional"})
        for each in fields(Rule)
        if each.name != "endpoint_name"
    ]
    lists = [{**ONE.allowed, level: allow_list(["title"])} for level in NAMES]
    lists += [{**ONE.allowed, "public_full": allow_list(["title"], {"title": most})} for most in (1, 2)]
    lists += [{**ONE.allowed, "public_full": allow_list(["title.a"])}]
    return [
        make_policy("ideas", ONE.allowed, ONE.settings, ONE.rules),
        *(make_policy("resume", ONE.allowed, one, ROWS) for one in people),
        *(make_policy("resume", ONE.allowed, ONE.settings, (one, *ROWS[1:])) for one in rules),
        make_policy("resume", ONE.allowed, ONE.settings, ROWS[1:]),
        make_policy("resume", ONE.allowed, ONE.settings, (*ROWS, Rule(pattern="x"))),
        *(make_policy("resume", one, ONE.settings, ROWS) for one in lists),
    ]


def test_every_change_is_another_policy_and_another_digest() -> None:
    changed = [ONE, *_changes()]
    assert len({one.digest for one in changed}) == len(changed)
    assert all(one != other for at, one in enumerate(changed) for other in changed[:at])


def test_a_rule_for_another_kind_changes_nothing() -> None:
    more = make_policy("resume", ONE.allowed, ONE.settings, (*ROWS, Rule("goals", "notes")))
    assert more == ONE
    assert more.digest == ONE.digest


def test_the_digest_is_the_same_in_every_process() -> None:
    code = "from tests.privacy.test_policy import ONE; print(ONE.digest)"  # hashes of text are salted in each
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert told == {ONE.digest}


@pytest.mark.parametrize("odd", ["\ud800", "\0", "\N{SNOWMAN}", "a" * 10_000])
def test_odd_rows_have_a_digest_too(odd: str) -> None:
    people = PersonSettings(privacy_level=odd, custom_rules=((odd, "hide"),))
    made = make_policy(odd, {"public_full": allow_list([(odd,)])}, people, [Rule("*", odd, odd, odd, odd)])
    assert len(made.digest) == 64


def test_a_filter_is_made_once_for_each_level() -> None:
    assert ONE.filter_at("professional", TODAY) is ONE.filter_at("professional", TODAY)
    assert ONE.filter_at("professional", TODAY) != ONE.filter_at("business_card", TODAY)


KEYS = ["phone", "title", "zipCode", "authored", "token", "", "a" * 200, "company", "Straße"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(KEYS), max_size=30), st.sampled_from(["always", "company", "contact"]))
def test_a_name_that_was_decided_before_is_decided_the_same(keys: list[str], group: str) -> None:
    names = HiddenNames(frozenset({group}), (Rule(field_name="zip_code"),))
    for key in keys:
        assert (key in names) == (key in HiddenNames(frozenset({group}), (Rule(field_name="zip_code"),)))


def test_what_is_remembered_of_names_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy_filter, "NAMES_KEPT", 5)
    names = HiddenNames(frozenset({"always"}), ())
    for at in range(50):
        assert f"name{at}" not in names
        assert "x" * 1_000 + str(at) not in names
        assert "phone" in names
    kept = json.dumps(vars(names), default=str)
    assert len(kept) < 1_000
