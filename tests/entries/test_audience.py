"""Does the table of kinds and levels say what strangers are shown, and does a trial say what then happens?"""

from __future__ import annotations

from typing import Any

import pytest

from app.accounts.people import Person
from app.entries import audience, privacy_rules, privacy_settings, write
from app.errors import InvalidContent, NotFound
from app.privacy.levels import MOST_OPEN, NAMES
from app.privacy.viewer import STRANGER
from tests.entries.conftest import BEN, World
from tests.entries.test_explain import RESUME, explained, seen

PERSON = Person(2, "ben", is_active=True)


def kind_of(world: World, name: str) -> dict[str, Any]:
    return next(each for each in audience.audience(world.conn, PERSON, MOST_OPEN) if each["kind"] == name)


def fates_of(world: World, kind: str) -> dict[str, dict[str, str]]:
    return {
        each["path"]: {level: said["status"] for level, said in each["levels"].items()}
        for each in audience.fields_of(world.conn, PERSON, kind, MOST_OPEN)
    }


def test_entries_are_counted_as_strangers_find_them(world: World) -> None:
    before = kind_of(world, "ideas")
    for visibility in ("public", "public", "private", "unlisted"):
        write.create(world.conn, BEN, "ideas", {"content": "x", "visibility": visibility})
    found = kind_of(world, "ideas")
    assert (found["entries"] - before["entries"], found["public"] - before["public"]) == (4, 2)
    counts = {level: said["entries"] for level, said in found["levels"].items()}
    assert counts == {"business_card": 0, **dict.fromkeys(NAMES[1:], found["public"])}
    assert found["levels"]["business_card"]["shows"] == "nothing"
    assert (found["title"], found["is_open"]) == ("Ideas", True)


def test_no_more_are_counted_than_so_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "COUNTED_MOST", 2)
    for _ in range(3):
        write.create(world.conn, BEN, "ideas", {"content": "x"})
    assert kind_of(world, "ideas")["entries"] == 2


def test_fields_are_what_an_entry_that_has_them_is_explained_as(world: World) -> None:
    entry_id = write.create(world.conn, BEN, "resume", RESUME).id
    fates = fates_of(world, "resume")
    told = explained(world, entry_id)
    for path in ("name", "title", "contact.email", "contact.location", "contact.website"):
        said = {level: one["status"] for level, one in told["/" + path.replace(".", "/")].items()}
        assert fates[path] == said, path
    assert fates["contact.email"]["business_card"] == "masked"
    assert "notes_to_self" not in fates
    with pytest.raises(NotFound):
        audience.fields_of(world.conn, PERSON, "no_such_kind", MOST_OPEN)


def test_one_rule_is_named_for_a_field_that_it_hides(world: World) -> None:
    privacy_rules.add_own_rule(world.conn, 2, "resume.summary")
    (field,) = [
        each
        for each in audience.fields_of(world.conn, PERSON, "resume", MOST_OPEN)
        if each["path"] == "summary"
    ]
    assert field["levels"]["public_full"]["reason"] == "own_rule"
    assert field["levels"]["public_full"]["change"] == "DELETE /api/v1/privacy/rules/own:resume.summary"
    assert fates_of(world, "ideas")["summary"]["public_full"] == "shown"


@pytest.mark.parametrize(
    "patch",
    [
        {"show_location": False},
        {"ai_assistant_access": False},
        {"business_card_mode": True},
        {"privacy_level": "business_card"},
        {"custom_privacy_rules": {"resume.title": "hide"}},
        {"custom_privacy_rules": {"experience.0.company": "hide"}},
    ],
)
def test_a_trial_says_what_happens_then_and_changes_nothing(world: World, patch: dict[str, Any]) -> None:
    entry_id = write.create(world.conn, BEN, "resume", RESUME).id
    told = audience.what_would_change(world.conn, PERSON, patch, MOST_OPEN)
    before = {level: seen(world, "resume", entry_id, level) for level in NAMES}
    assert told == audience.what_would_change(world.conn, PERSON, patch, MOST_OPEN)
    privacy_settings.change_settings(world.conn, 2, patch)
    after = {level: seen(world, "resume", entry_id, level) for level in NAMES}
    named = {level for each in told if each["kind"] == "resume" for level in each["levels"]}
    assert {level for level in NAMES if before[level] != after[level]} <= named
    assert named
    assert all(one["from"] != one["to"] for each in told for one in each["levels"].values())
    assert audience.what_would_change(world.conn, PERSON, patch, MOST_OPEN) == []


def test_a_trial_of_what_would_show_more_and_of_what_is_no_setting(world: World) -> None:
    write.create(world.conn, BEN, "ideas", {"content": "x", "title": "T"})
    privacy_rules.add_own_rule(world.conn, 2, "ideas.title")
    patch = {"custom_privacy_rules": {"ideas.title": None}}
    (told,) = [
        each
        for each in audience.what_would_change(world.conn, PERSON, patch, MOST_OPEN)
        if each["kind"] == "ideas"
    ]
    assert (told["path"], told["levels"]["public_full"]) == ("title", {"from": "hidden", "to": "shown"})
    with pytest.raises(InvalidContent):
        audience.what_would_change(world.conn, PERSON, {"colour": "red"}, MOST_OPEN)


def test_a_stranger_finds_as_many_as_are_said(world: World) -> None:
    write.create(world.conn, BEN, "ideas", {"content": "x"})
    said = kind_of(world, "ideas")["levels"]["public_full"]["entries"]
    assert len(world.page(STRANGER, "ideas", owner="ben").as_json()["items"]) == said
