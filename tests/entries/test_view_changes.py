"""Does the time that strangers are told move with what they see, and with nothing else?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from app import clock
from app.entries import privacy_settings, review, write
from app.entries.unclaimed import take
from app.errors import NotFound
from app.privacy.levels import ANSWERED, NAMES
from app.privacy.viewer import STRANGER, Viewer
from app.tables import view_changes
from tests.entries.conftest import ANN, BEN, World

RESUME = {
    "name": "n",
    "title": "t",
    "summary": "s",
    "notes_to_self": "hidden",
    "contact": {"phone": "hidden"},
}
At = Callable[[int], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """`at(7)`: it is day 7 now."""
    return lambda day: monkeypatch.setattr(clock, "now", lambda: datetime(2026, 1, day, tzinfo=UTC))


def told(world: World, entry_id: int, level: str | None = None, kind: str = "resume") -> Any:
    """The day of the change that strangers are told, in a list and alone; None where they see no entry."""
    try:
        alone = world.item(STRANGER, kind, entry_id, level=level)
    except NotFound:
        return None
    page = world.page(STRANGER, kind, "ben", level=level)
    assert [view for view in page.items if view["id"] == entry_id] == [alone]
    return int(alone["updated_at"][8:10])


def days(world: World, entry_id: int) -> dict[str, Any]:
    return {level: told(world, entry_id, level) for level in NAMES}


def test_all_levels_at_which_anyone_is_answered() -> None:
    assert set(ANSWERED) == {*NAMES, "ai_safe+professional"}
    assert max(map(len, ANSWERED)) <= 20  # the column


def test_an_edit_of_what_is_hidden_moves_no_time(world: World, at: At) -> None:
    at(1)
    entry_id = write.create(world.conn, BEN, "resume", RESUME).id
    at(2)
    for hidden in ({"notes_to_self": "other"}, {"contact": {"phone": "415-555-0134"}}, {"zz": [1]}):
        written = write.merge(world.conn, BEN, "resume", entry_id, hidden)
        assert written.item["updated_at"][8:10] == "02"
        assert set(days(world, entry_id).values()) == {1}


def test_an_edit_moves_the_time_at_the_levels_that_show_it(world: World, at: At) -> None:
    at(1)
    entry_id = write.create(world.conn, BEN, "resume", RESUME).id
    at(2)
    write.merge(world.conn, BEN, "resume", entry_id, {"summary": "other"})
    assert days(world, entry_id) == {"business_card": 1, "professional": 2, "ai_safe": 2, "public_full": 2}
    at(3)
    write.replace(world.conn, BEN, "resume", entry_id, {**RESUME, "name": "other", "summary": "other"})
    assert set(days(world, entry_id).values()) == {3}
    at(4)
    write.replace(world.conn, BEN, "resume", entry_id, {**RESUME, "name": "other", "summary": "other"})
    assert set(days(world, entry_id).values()) == {3}


def test_where_companies_of_now_are_hidden_the_day_decides_which_edit_is_seen(world: World, at: At) -> None:
    privacy_settings.change_settings(world.conn, 2, {"show_current_company": False})

    def of_job(company: str) -> dict[str, Any]:
        job = {"company": company, "position": "P", "end_date": "2026-01-15"}
        return {**RESUME, "experience": [job]}

    at(1)
    entry_id = write.create(world.conn, BEN, "resume", of_job("Copperline")).id
    at(2)
    write.replace(world.conn, BEN, "resume", entry_id, of_job("Tinworks"))
    assert told(world, entry_id, "public_full") == 1
    at(20)
    write.replace(world.conn, BEN, "resume", entry_id, of_job("Ironhold"))
    assert told(world, entry_id, "public_full") == 20


def test_an_old_row_is_told_of_as_before_until_it_is_written(world: World, at: At) -> None:
    moments = {"created_at": "2026-01-01 00:00:00", "updated_at": "2026-01-05 00:00:00"}
    entry_id = world.entry("resume", RESUME, owner=2, **moments)
    assert set(days(world, entry_id).values()) == {5}
    at(7)
    write.merge(world.conn, BEN, "resume", entry_id, {"notes_to_self": "other"})
    assert set(days(world, entry_id).values()) == {5}
    never_changed = world.entry("resume", RESUME, owner=2, created_at="2026-01-01 00:00:00")
    write.merge(world.conn, BEN, "resume", never_changed, {"notes_to_self": "other"})
    assert set(days(world, never_changed).values()) == {1}


@pytest.mark.parametrize("edits", [(), (3,), (3, 4)])
def test_what_was_edited_while_it_was_hidden_changed_when_it_was_shown(
    world: World, at: At, edits: tuple[int, ...]
) -> None:
    at(1)
    entry_id = write.create(world.conn, BEN, "resume", {**RESUME, "visibility": "private"}).id
    for day in edits:
        at(day)
        write.merge(world.conn, BEN, "resume", entry_id, {"summary": f"s{day}"})
        assert told(world, entry_id) is None
    at(6)
    write.merge(world.conn, BEN, "resume", entry_id, {"summary": "s", "visibility": "public"})
    assert set(days(world, entry_id).values()) == {6}
    at(7)
    write.merge(world.conn, BEN, "resume", entry_id, {"visibility": "private"})
    at(8)
    write.merge(world.conn, BEN, "resume", entry_id, {"visibility": "public"})
    assert set(days(world, entry_id).values()) == {8}


def test_a_setting_moves_no_time_and_lets_no_hidden_edit_move_one(world: World, at: At) -> None:
    at(1)
    entry_id = write.create(world.conn, BEN, "resume", RESUME).id
    at(2)
    world.settings(2, custom_privacy_rules='{"title": "redact"}')
    assert set(days(world, entry_id).values()) == {1}
    at(3)
    write.merge(world.conn, BEN, "resume", entry_id, {"title": "hidden now"})
    assert set(days(world, entry_id).values()) == {1}


def test_contact_data_in_a_text_is_hidden_and_moves_no_time(world: World, at: At) -> None:
    at(1)
    entry_id = write.create(world.conn, BEN, "resume", {**RESUME, "summary": "Call +1 415-555-0134."}).id
    at(2)
    write.merge(world.conn, BEN, "resume", entry_id, {"summary": "Call +1 415-555-0199."})
    assert set(days(world, entry_id).values()) == {1}


def test_publishing_what_came_in_before_the_claim_is_a_change(world: World, at: At) -> None:
    entry_id = world.entry("resume", RESUME, owner=2, visibility="private", created_at="2026-01-01 00:00:00")
    take(world.conn, entry_id, 10, datetime(2026, 1, 1, tzinfo=UTC))
    at(5)
    review.publish(world.conn, Viewer("person", 2, "ben"), [entry_id])
    assert set(days(world, entry_id).values()) == {5}
    at(6)
    write.merge(world.conn, BEN, "resume", entry_id, {"notes_to_self": "other"})
    assert set(days(world, entry_id).values()) == {5}


def test_nothing_is_kept_of_what_no_one_saw_or_is_deleted(world: World, at: At) -> None:
    at(1)
    entry_id = write.create(world.conn, BEN, "resume", {**RESUME, "visibility": "private"}).id
    write.merge(world.conn, BEN, "resume", entry_id, {"summary": "other"})
    assert world.count(view_changes) == 0
    write.merge(world.conn, BEN, "resume", entry_id, {"visibility": "public"})
    assert world.count(view_changes) == len(ANSWERED)
    write.delete(world.conn, ANN, "resume", entry_id)
    assert world.count(view_changes) == 0
