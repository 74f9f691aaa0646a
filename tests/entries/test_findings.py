"""Is every text searched before anyone is shown it, once, and is what was found never shown unasked?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select, update

from app.entries import findings, write
from app.privacy import entry_search, patterns
from app.privacy.detectors.finding import DETECTORS_VERSION
from app.privacy.detectors.search import find
from app.privacy.levels import NAMES
from app.privacy.masks import REDACTED
from app.privacy.shipped import SHIPPED, Shipped
from app.privacy.viewer import STRANGER
from app.tables import data_entries, text_findings
from tests.entries.conftest import BEN, World

MAIL, PHONE = "ann@work.example", "+1 415 555 0134"
TEXT = f"Write to {MAIL} or call {PHONE}."
CONTENT = {"content": TEXT, "title": f"From {MAIL}", "tags": [PHONE], "meta": {"tags": ["a", PHONE]}}


def row_of(world: World, entry_id: int) -> Any:
    return world.conn.execute(select(text_findings).where(text_findings.c.entry_id == entry_id)).one()


def told(world: World, entry_id: int) -> list[Any]:
    """What is kept of an entry but for what older versions hide too."""
    found: list[Any] = json.loads(row_of(world, entry_id).found)
    return found[: found.index(0)] if 0 in found else found


def count_searches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    searched: list[str] = []

    def counting(text: str) -> Any:
        searched.append(text)
        return find(text)

    monkeypatch.setattr("app.privacy.entry_search.find", counting)
    entry_search._found_in_short.cache_clear()
    return searched


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    findings._remembered.clear()


def test_a_write_keeps_what_is_found_in_every_string(world: World) -> None:
    entry_id = write.create(world.conn, BEN, "ideas", CONTENT).id
    row = row_of(world, entry_id)
    assert row.detectors_version == DETECTORS_VERSION
    assert [(one[0], one[2], TEXT[one[3] : one[4]]) for one in told(world, entry_id)[:2]] == [
        ("/content", "mail", MAIL),
        ("/content", "phone", PHONE),
    ]
    assert [one[0] for one in told(world, entry_id)[2:]] == ["/title", "/tags/0", "/meta/tags/1"]
    kept = world.conn.execute(select(data_entries.c.data)).scalar_one()
    assert kept == json.dumps(CONTENT)


@pytest.mark.parametrize("level", [None, *NAMES])
def test_contact_data_in_texts_is_hidden_at_every_level(world: World, level: str | None) -> None:
    entry_id = write.create(world.conn, BEN, "ideas", CONTENT).id
    shown = json.dumps(world.page(STRANGER, "ideas", "ben", level=level).as_json())
    assert MAIL not in shown
    assert PHONE not in shown
    if level != "business_card":
        data = world.item(STRANGER, "ideas", entry_id, level=level)["data"]
        assert data["content"] == f"Write to {REDACTED} or call {REDACTED}."
        assert data["meta"]["tags"] == ["a", REDACTED]


def test_what_a_field_is_declared_for_is_no_free_text(world: World) -> None:
    resume = {"name": "Ben", "title": "x", "contact": {"email": MAIL, "website": f"by {MAIL}"}}
    entry_id = write.create(world.conn, BEN, "resume", resume).id
    contact = world.item(STRANGER, "resume", entry_id)["data"]["contact"]
    assert contact == {"email": MAIL, "website": f"by {REDACTED}"}
    method = {"content": "x", "contact_method": f"mail {MAIL} from 192.0.2.1", "visibility": "public"}
    entry_id = write.create(world.conn, BEN, "looking_for", method).id
    data = world.item(STRANGER, "looking_for", entry_id)["data"]
    assert data["contact_method"] == f"mail {MAIL} from {REDACTED}"


def test_reading_what_was_searched_runs_no_detector(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write.create(world.conn, BEN, "ideas", CONTENT)
    searched = count_searches(monkeypatch)
    for level in NAMES:
        world.page(STRANGER, "ideas", "ben", level=level)
    world.page(BEN, "ideas")
    assert searched == []


def test_the_rules_that_every_installation_has_are_searched_for_at_the_write_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for row in SHIPPED.values():
        world.rule(field_name=row.field_name, pattern=row.stored, privacy_level="public_full")
    content = {"content": "Since 3/12/1984; paid $212,000; 97201; (415) 555-0134", "rating": 4155550134}
    entry_id = write.create(world.conn, BEN, "ideas", content).id
    monkeypatch.setattr(Shipped, "parts", None)  # a call would fail
    shown = world.item(STRANGER, "ideas", entry_id, level="professional")["data"]
    assert shown == {
        "content": f"Since {REDACTED}; paid {REDACTED}; {REDACTED}; {REDACTED}",
        "rating": REDACTED,
    }
    kinds = [one["kind"] for one in world.item(BEN, "ideas", entry_id)["findings"]]
    assert not [kind for kind in kinds if kind.startswith("rule_")]


def test_where_patterns_cannot_be_followed_another_set_searches(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry_id = write.create(world.conn, BEN, "ideas", {"content": "x"}).id
    assert row_of(world, entry_id).detectors_version == DETECTORS_VERSION
    monkeypatch.setattr(patterns, "missing", lambda: "RE2 is missing.")
    write.merge(world.conn, BEN, "ideas", entry_id, {"title": "y"})
    assert row_of(world, entry_id).detectors_version == -DETECTORS_VERSION
    monkeypatch.undo()
    searched = count_searches(monkeypatch)
    world.item(STRANGER, "ideas", entry_id)
    assert "x" in searched


STALE: list[dict[str, Any]] = [
    {"detectors_version": DETECTORS_VERSION - 1},
    {"detectors_version": DETECTORS_VERSION + 1},
    {"words_generation": 7},
    {"content_hash": "0" * 64},
    {"found": "no JSON"},
    {"found": '[["/content", 0]]'},
    {"found": '{"a": 1}'},
]


@pytest.mark.parametrize("stale", STALE, ids=str)
def test_what_does_not_fit_the_text_is_searched_before_it_is_shown(world: World, stale: Any) -> None:
    entry_id = write.create(world.conn, BEN, "ideas", CONTENT).id
    before = world.page(STRANGER, "ideas", "ben")
    world.conn.execute(update(text_findings).values({"found": "[]", **stale}))
    assert world.page(STRANGER, "ideas", "ben") == before
    assert world.item(STRANGER, "ideas", entry_id) == before.items[0]


def test_what_sql_wrote_is_searched_before_it_is_shown_and_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry_id = write.create(world.conn, BEN, "ideas", {"content": "harmless"}).id
    world.conn.execute(update(data_entries).values(data=json.dumps(CONTENT)))
    other_id = world.entry("ideas", CONTENT, owner=2)
    searched = count_searches(monkeypatch)
    for _ in range(2):
        for one in (entry_id, other_id):
            assert MAIL not in json.dumps(world.item(STRANGER, "ideas", one))
    assert searched.count(TEXT) == 1


def test_what_older_versions_hide_too_stands_apart(world: World) -> None:
    odd = "+999 1234567"  # no number of any plan, and hidden at professional since 0.2.0
    entry_id = write.create(world.conn, BEN, "ideas", {"content": odd}).id
    assert row_of(world, entry_id).found.startswith('[0,["/content",0,"old_phone",')
    assert world.item(STRANGER, "ideas", entry_id, level="professional")["data"]["content"] == REDACTED
    write.merge(world.conn, BEN, "ideas", entry_id, {"title": MAIL})
    assert row_of(world, entry_id).found.startswith('[["/title",0,"mail",')
    findings._remembered.clear()
    assert world.item(STRANGER, "ideas", entry_id, level="professional")["data"]["content"] == REDACTED


def test_a_change_searches_the_new_text(world: World) -> None:
    entry_id = write.create(world.conn, BEN, "ideas", {"content": "harmless"}).id
    assert row_of(world, entry_id).found == "[]"
    write.replace(world.conn, BEN, "ideas", entry_id, CONTENT)
    assert len(told(world, entry_id)) == 5
    write.merge(world.conn, BEN, "ideas", entry_id, {"content": "harmless", "title": None})
    assert [one[0] for one in told(world, entry_id)] == ["/tags/0", "/meta/tags/1"]
    assert world.item(STRANGER, "ideas", entry_id)["data"]["content"] == "harmless"


def test_names_of_members_are_masked_and_those_that_collide_are_hidden(world: World) -> None:
    one, other = "ann@work.example", "ben@work.example"
    schema = json.dumps({one: {"type": "string"}, other: {"type": "string"}, "a": {"type": "string"}})
    world.endpoint("recipes", schema=schema)
    entry_id = world.entry("recipes", {one: "x", "a": "y"}, owner=2)
    assert world.item(STRANGER, "recipes", entry_id)["data"] == {REDACTED: "x", "a": "y"}
    entry_id = world.entry("recipes", {one: "x", other: "z", "a": "y"}, owner=2)
    assert world.item(STRANGER, "recipes", entry_id)["data"] == {"a": "y"}


@pytest.mark.parametrize("content", [f"just {MAIL}", [MAIL, "b"], 4111111111111111])
def test_an_entry_that_is_no_object_is_searched_too(world: World, content: Any) -> None:
    entry_id = world.entry("ideas", json.dumps(content), owner=2)
    shown = world.item(STRANGER, "ideas", entry_id)["data"]
    assert MAIL not in json.dumps(shown)
    assert "4111111111111111" not in json.dumps(shown)
    found = world.item(BEN, "ideas", entry_id)["findings"]
    assert [one["pointer"] for one in found] == ["/0" if isinstance(content, list) else ""]


def test_the_same_text_of_another_owner_is_another_text() -> None:
    assert findings.content_hash(1, '"a"') != findings.content_hash(2, '"a"')
