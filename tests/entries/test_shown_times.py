"""Publication times: does an entry come and go at its time, for everyone alike, whatever is kept?"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from app import clock
from app.entries import read, view_memory, write
from app.entries.question import Question
from app.entries.shown_times import NOT_YET, ShownTimes, shown_times, time_between
from app.errors import DaemonError, InvalidContent
from app.privacy.viewer import STRANGER
from tests.databases import Databases
from tests.entries.conftest import ANN, BEN, World, made_world

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(clock, "now", made)
    return made


def at(minutes: int) -> str:
    return (NOON + timedelta(minutes=minutes)).isoformat()


def said(title: str, **meta: Any) -> dict[str, Any]:
    return {"content": title, "meta": {"title": title, **meta}}


def shown(world: World, **more: Any) -> list[str]:
    return [one["data"]["content"] for one in world.page(STRANGER, "ideas", **more).items]


@pytest.mark.parametrize(
    ("meta", "times"),
    [
        ({}, ShownTimes()),
        ({"status": "published"}, ShownTimes()),
        ({"status": "Draft "}, ShownTimes(NOT_YET)),
        ({"publish_at": "2027-01-02"}, ShownTimes("2027-01-02 00:00:00")),
        ({"publish_at": "2027-01"}, ShownTimes("2027-01-01 00:00:00")),
        ({"publish_at": "2027-01-02T03:04:05.5+02:00"}, ShownTimes("2027-01-02 01:04:06")),
        ({"expires_at": "2027-01-02T03:04:05.5Z"}, ShownTimes(None, "2027-01-02 03:04:05")),
        ({"expires_at": None, "publish_at": None}, ShownTimes()),
        ({"status": "draft", "publish_at": "2020-01-01"}, ShownTimes(NOT_YET)),
    ],
)
def test_meta_says_from_when_until_when(meta: dict[str, Any], times: ShownTimes) -> None:
    assert shown_times({"content": "x", "meta": meta}) == times


@pytest.mark.parametrize(
    ("meta", "pointer"),
    [
        ({"publish_at": "soon"}, "/meta/publish_at"),
        ({"publish_at": 2027}, "/meta/publish_at"),
        ({"publish_at": True}, "/meta/publish_at"),
        ({"publish_at": ""}, "/meta/publish_at"),
        ({"publish_at": "2027-01-02T03:04:05"}, "/meta/publish_at"),
        ({"expires_at": ["2027"]}, "/meta/expires_at"),
        ({"publish_at": "2027", "expires_at": "2026"}, "/meta/expires_at"),
    ],
)
def test_what_is_no_time_is_refused(meta: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidContent) as refused:
        shown_times({"meta": meta})
    errors: Any = refused.value.details["errors"]
    assert [error["pointer"] for error in errors] == [pointer]


def test_a_status_of_the_kinds_own_is_no_draft() -> None:
    assert shown_times({"content": "x", "status": "draft"}) == ShownTimes()
    assert shown_times({"content": "x", "meta": ["draft"]}) == ShownTimes()


def test_a_draft_is_for_its_owner_until_it_is_none(world: World) -> None:
    draft = write.create(world.conn, ANN, "ideas", said("draft", status="draft")).id
    assert shown(world) == []
    assert [one["data"]["content"] for one in world.page(ANN, "ideas").items] == ["draft"]
    for viewer in (STRANGER, BEN):
        with pytest.raises(DaemonError) as refused:
            world.item(viewer, "ideas", draft)
        with pytest.raises(DaemonError) as unknown:
            world.item(viewer, "ideas", draft + 1)
        assert refused.value.message == unknown.value.message
    with pytest.raises(DaemonError, match="no such person"):
        world.page(STRANGER, "ideas", "ann")
    write.merge(world.conn, ANN, "ideas", draft, {"content": "still"})
    assert shown(world) == []
    write.merge(world.conn, ANN, "ideas", draft, {"meta": {"status": None}})
    assert shown(world) == ["still"]
    write.replace(world.conn, ANN, "ideas", draft, said("again", status="DRAFT"))
    assert shown(world) == []


def test_what_was_stored_before_there_were_times_is_shown_as_it_was(world: World) -> None:
    old = world.entry("ideas", said("old", status="draft", publish_at="tomorrow", expires_at="2001-01-01"))
    assert shown(world) == ["old"]
    write.merge(world.conn, ANN, "ideas", old, {"content": "changed elsewhere"})
    assert shown(world) == ["changed elsewhere"]
    with pytest.raises(InvalidContent):
        write.merge(world.conn, ANN, "ideas", old, {"meta": {"publish_at": "next week"}})
    write.merge(world.conn, ANN, "ideas", old, {"meta": {"publish_at": None, "expires_at": None}})
    assert shown(world) == []


def test_strangers_are_told_the_time_of_showing_as_that_of_the_change(world: World, moved: Clock) -> None:
    entry = write.create(world.conn, ANN, "ideas", said("later", publish_at=at(60))).id
    moved.now = NOON + timedelta(minutes=20)
    write.merge(world.conn, ANN, "ideas", entry, {"content": "rewritten"})
    moved.now = NOON + timedelta(minutes=61)
    assert world.item(STRANGER, "ideas", entry)["updated_at"] == "2026-11-26T13:00:00Z"
    assert world.item(ANN, "ideas", entry)["updated_at"] == "2026-11-26T12:20:00Z"


def test_an_explanation_names_the_time(world: World, moved: Clock) -> None:
    from app.accounts.people import Person
    from app.entries.explain import explain

    for meta, reason in (
        ({"status": "draft"}, "draft"),
        ({"publish_at": at(5)}, "publish_at"),
        ({"expires_at": at(-5)}, "expires_at"),
    ):
        entry = write.create(world.conn, ANN, "ideas", said("x", **meta)).id
        fields = explain(world.conn, Person(1, "ann", is_active=True), entry)
        reasons = {one["levels"][level]["reason"] for one in fields for level in one["levels"]}
        assert reasons == {reason}


MINUTES = st.none() | st.integers(-3, 6)
ENTRIES = st.lists(st.tuples(MINUTES, MINUTES, st.booleans()), min_size=1, max_size=5)


@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=ENTRIES, walk=st.lists(st.integers(-4, 8), min_size=2, max_size=8))
def test_at_every_moment_everyone_sees_what_would_be_made_then(
    databases: Databases, moved: Clock, entries: list[Any], walk: list[int]
) -> None:
    moved.now = NOON
    memory = view_memory.ViewMemory(1_000_000)
    with made_world(databases) as world:
        for number, (begin, end, is_draft) in enumerate(entries):
            meta: dict[str, Any] = {} if begin is None else {"publish_at": at(begin)}
            if end is not None and (begin is None or end > begin):
                meta["expires_at"] = at(end)
            if is_draft:
                meta["status"] = "draft"
            write.create(world.conn, ANN, "ideas", said(f"n{number}", **meta))
        kept: list[Any] = []
        for minute in walk:
            moved.now = NOON + timedelta(minutes=minute)
            question = Question("ideas", STRANGER)
            page = read.page(world.conn, question, memory=memory)
            assert [json.loads(each)["content"] for each in page.bodies] == expected(entries, minute)
            for other in kept:
                if other.validity.holds_at(moved.now):
                    assert other.bodies == page.bodies, "an answer said that it holds, and did not"
            assert page.validity.holds_at(moved.now)
            kept.append(page)
            between = time_between(world.conn)
            assert between.holds_at(moved.now)


def expected(entries: list[Any], minute: int) -> list[str]:
    found = []
    for number, (begin, end, is_draft) in enumerate(entries):
        has_end = end is not None and (begin is None or end > begin)
        if not is_draft and (begin is None or begin <= minute) and not (has_end and end <= minute):
            found.append(f"n{number}")
    return found
