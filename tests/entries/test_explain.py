"""Is an explanation what is answered, with one reason for each field, and does what it says change it?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import update

from app.accounts.people import Person
from app.entries import explain, kinds, privacy_rules, privacy_settings, releases, write
from app.errors import NotFound
from app.privacy.levels import NAMES
from app.privacy.viewer import STRANGER
from app.tables import data_entries
from tests.entries.conftest import BEN, World

PERSON = Person(2, "ben", is_active=True)
SETTING = {"setting", "ai_assistant_access"}
JOB = {"company": "Copperline", "position": "P", "salary": "1", "end_date": "Present", "location": "Portland"}
RESUME: dict[str, Any] = {
    "name": "Ben",
    "title": "Engineer",
    "summary": "Call me at +1 415-555-0134.",
    "contact": {
        "email": "ben@work.example",
        "phone": "1",
        "location": "Portland",
        "website": "https://x.example",
    },
    "experience": [JOB, {**JOB, "end_date": "2019-02"}],
    "skills": {"technical": ["a", "b"]},
    "education": [{"institution": "I", "degree": "D", "gpa": "4.0", "year": 2012}],
    "notes_to_self": ["x", {"deep": True, "nothing": None}],
}


def explained(world: World, entry_id: int, **more: Any) -> dict[str, dict[str, Any]]:
    found = explain.explain(world.conn, PERSON, entry_id, **more)
    return {field["pointer"]: field["levels"] for field in found}


def leaves(value: Any, pointer: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        children = {key.replace("~", "~0").replace("/", "~1"): child for key, child in value.items()}
    elif isinstance(value, list):
        children = {str(at): child for at, child in enumerate(value)}
    else:
        return {pointer: value}
    return {k: v for name, child in children.items() for k, v in leaves(child, f"{pointer}/{name}").items()}


def seen(world: World, kind: str, entry_id: int, level: str) -> list[Any]:
    try:
        return list(leaves(world.item(STRANGER, kind, entry_id, level=level)["data"]).values())
    except NotFound:
        return []


def check_agreement(world: World, kind: str, entry_id: int, content: Any) -> None:
    """What is said to be shown is what is answered, in its order, and nothing else is."""
    told, stored = explained(world, entry_id), leaves(content)
    assert set(told) == set(stored)
    for level in NAMES:
        shown = [(pointer, said[level]["status"]) for pointer, said in told.items()]
        answered = [one for one in seen(world, kind, entry_id, level) if one != []]
        expected = [(pointer, status) for pointer, status in shown if status in ("shown", "masked")]
        redacted = sum(status == "redacted" for _, status in shown)
        assert len(answered) - redacted == len(expected) or redacted, (level, answered, expected)
        if not redacted:
            for value, (pointer, status) in zip(answered, expected, strict=True):
                assert (value == stored[pointer]) == (status == "shown"), (level, pointer, value)


def test_it_agrees_with_what_is_answered(world: World) -> None:
    entry_id = write.create(world.conn, BEN, "resume", RESUME).id
    check_agreement(world, "resume", entry_id, RESUME)
    told = explained(world, entry_id)
    assert told["/notes_to_self/1/deep"]["public_full"]["reason"] == "list"
    assert told["/contact/phone"]["public_full"]["status"] == "hidden"
    assert told["/summary"]["public_full"]["status"] == "masked"
    assert told["/summary"]["public_full"]["reason"] == "finding"
    assert told["/name"]["business_card"]["status"] == "shown"


@pytest.mark.parametrize("kind", sorted(kinds.built_in()))
def test_it_agrees_for_the_example_of_every_kind(world: World, kind: str) -> None:
    example = {**kinds.built_in()[kind].example, "visibility": "public"}
    entry_id = world.entry(kind, example, owner=2)
    check_agreement(world, kind, entry_id, example)
    for said in explained(world, entry_id).values():
        for one in said.values():
            assert all((one["reason"], one["says"])), one


@pytest.mark.parametrize(
    "patch",
    [
        {"show_location": False},
        {"show_current_company": False},
        {"show_education_details": False},
        {"show_contact_info": False},
        {"business_card_mode": True},
        {"privacy_level": "business_card"},
        {"custom_privacy_rules": {"title": "hide", "experience.0": "hide", "resume.contact": "hide"}},
        {"ai_assistant_access": False},
    ],
)
def test_a_setting_is_named_where_it_hides_and_changing_it_shows(world: World, patch: dict[str, Any]) -> None:
    entry_id = write.create(world.conn, BEN, "resume", RESUME).id
    before = explained(world, entry_id)
    privacy_settings.change_settings(world.conn, 2, patch)
    check_agreement(world, "resume", entry_id, RESUME)
    changed = 0
    for pointer, levels in explained(world, entry_id).items():
        for level, said in levels.items():
            was = before[pointer][level]
            if said["status"] != was["status"]:
                changed += 1
                assert said["reason"] in {*SETTING, "own_rule", "list", "level"}, (pointer, level, said)
                if said["reason"] in SETTING:
                    assert said["change"].startswith("PATCH /api/v1/privacy/settings"), said
                    assert set(json.loads(said["change"].split(" ", 2)[2])) == set(patch)
    assert changed


def test_each_own_rule_and_each_of_the_installation_is_named_and_can_be_taken_away(world: World) -> None:
    content = {"content": "The word is xyzzy.", "meta": {"title": "T", "tags": ["a"]}}
    entry_id = write.create(world.conn, BEN, "ideas", content).id
    privacy_rules.add_own_rule(world.conn, 2, "meta.title")
    privacy_rules.add_own_rule(world.conn, 2, "meta.tags", "redact")
    made = privacy_rules.add_installation_rule(world.conn, privacy_rules.WantedRule(pattern="xyz+y"))
    both = privacy_rules.add_installation_rule(
        world.conn, privacy_rules.WantedRule(kind="ideas", path="meta.title")
    )
    told = {pointer: said["public_full"] for pointer, said in explained(world, entry_id).items()}
    assert (told["/content"]["status"], told["/content"]["reason"]) == ("masked", "rule")
    assert f"rules/{made['id']} " in told["/content"]["change"]
    assert (told["/meta/title"]["reason"], told["/meta/title"]["also"]) == ("rule", ["own_rule"])
    assert f"rules/{both['id']} " in told["/meta/title"]["change"]
    assert told["/meta/tags/0"]["status"] == "redacted"
    assert told["/meta/tags/0"]["change"] == "DELETE /api/v1/privacy/rules/own:meta.tags"
    for rule in (made, both):
        privacy_rules.change_installation_rule(world.conn, int(rule["id"]), {"is_active": False})
    privacy_rules.remove_own_rule(world.conn, 2, "meta.title")
    privacy_rules.remove_own_rule(world.conn, 2, "meta.tags")
    assert {s["public_full"]["status"] for s in explained(world, entry_id).values()} == {"shown"}


def test_a_finding_is_named_and_the_release_that_is_named_shows_it(world: World) -> None:
    entry_id = write.create(world.conn, BEN, "resume", RESUME).id
    said = explained(world, entry_id)["/summary"]["public_full"]
    body = json.loads(said["change"].removeprefix("POST /api/v1/privacy/releases "))
    releases.release(world.conn, 2, **body)
    assert explained(world, entry_id)["/summary"]["public_full"]["status"] == "shown"


def test_an_entry_that_is_not_public_says_so(world: World) -> None:
    entry_id = write.create(world.conn, BEN, "ideas", {"content": "c", "visibility": "unlisted"}).id
    said = explained(world, entry_id)["/content"]["public_full"]
    assert (said["status"], said["reason"]) == ("hidden", "visibility")
    assert said["change"] == f'PATCH /api/v1/ideas/{entry_id} {{"visibility": "public"}}'
    write.merge(world.conn, BEN, "ideas", entry_id, {"visibility": "public"})
    assert explained(world, entry_id)["/content"]["public_full"]["status"] == "shown"
    world.change_endpoint("ideas", is_public=0)
    assert explained(world, entry_id)["/content"]["public_full"]["reason"] == "kind"


def test_the_ceiling_of_the_installation_is_named(world: World) -> None:
    entry_id = write.create(world.conn, BEN, "resume", RESUME).id
    told = explained(world, entry_id, ceiling="business_card")
    assert told["/experience/1/position"]["professional"]["reason"] == "ceiling"
    assert told["/name"]["professional"]["status"] == "shown"


def test_of_what_is_not_ones_own_nothing_is_explained(world: World) -> None:
    for entry_id in (world.entry("ideas", {"content": "c"}, owner=1), 99):
        with pytest.raises(NotFound):
            explained(world, entry_id)
    deleted = world.entry("ideas", {"content": "c"}, owner=2)
    world.conn.execute(update(data_entries).where(data_entries.c.id == deleted).values(is_active=0))
    with pytest.raises(NotFound):
        explained(world, deleted)
