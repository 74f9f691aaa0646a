"""Prefetch: is what one statement reads what each of the others would?"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, update

from app import snapshot_memory
from app.accounts.people import find_default_person
from app.entries import prefetch
from app.entries.endpoints import find_endpoint
from app.entries.policies import Policies, active_rules
from app.entries.release_rows import releases_of
from app.entries.shown_times import time_between
from app.privacy.viewer import STRANGER
from app.tables import finding_releases, users
from tests.entries.conftest import World

STATES = itertools.count(10**12)


def ann_has_no_row(world: World) -> None:
    """As it is."""


def ann_has_decided(world: World) -> None:
    world.settings(1, show_location=0, words_generation=3, custom_privacy_rules='{"name": "hide"}')
    world.settings(2)
    world.rule(field_name="title")
    world.rule(field_path="meta.title", is_active=0)
    world.rule(endpoint_name="ideas", pattern="x+", is_active=None)
    for number, owner in ((3, 1), (2, 1), (1, 2)):
        row = {"id": number, "user_id": owner, "detector": "phone", "created_at": "2026-01-01 00:00:00"}
        world.conn.execute(insert(finding_releases).values(row))


def entries_come_and_go(world: World) -> None:
    for begin, end in (("2020-01-01 00:00:00", None), ("2999-01-01 00:00:00", "2999-02-01 00:00:00")):
        world.entry("skills", {"content": "c"}, shown_from=begin, shown_until=end)


def ann_is_off(world: World) -> None:
    ann_has_decided(world)
    world.conn.execute(update(users).where(users.c.id == 1).values(is_active=0))


def no_one_is_active(world: World) -> None:
    world.conn.execute(update(users).values(is_active=None))


def the_kind_is_closed(world: World) -> None:
    ann_has_decided(world)
    world.change_endpoint("ideas", is_public=0)


@pytest.mark.parametrize(
    "made",
    [ann_has_no_row, ann_has_decided, entries_come_and_go, ann_is_off, no_one_is_active, the_kind_is_closed],
)
@pytest.mark.parametrize("kind", ["ideas", "resume", "nothing"])
def test_what_is_read_together_is_what_is_read_alone(world: World, made: Any, kind: str) -> None:
    entry_id = world.entry("ideas", {"content": "c"}, owner=2)
    hidden_id = world.entry("ideas", {"content": "c"}, owner=2, visibility="private")
    made(world)
    alone: dict[Any, Any] = {
        ("kind", STRANGER, kind): find_endpoint(world.conn, STRANGER, kind),
        "rules": active_rules(world.conn),
        "time_between": time_between(world.conn),
        "default person": find_default_person(world.conn),
        **{("releases", owner): releases_of(world.conn, owner) for owner in (1, 2)},
    }
    policies = Policies(world.conn)
    policies.read_settings([1, 2])
    alone |= {("settings", owner): {owner: policies._rows[owner]} for owner in (1, 2)}
    reads: dict[str, Callable[[], None]] = {
        "list": lambda: prefetch.of_default_person(world.conn, STRANGER, kind),
        "entry": lambda: prefetch.of_owner(world.conn, STRANGER, kind, entry_id),
        "hidden entry": lambda: prefetch.of_owner(world.conn, STRANGER, kind, hidden_id),
        "no entry": lambda: prefetch.of_owner(world.conn, STRANGER, kind, 99),
        "person": lambda: prefetch.of_person(world.conn, STRANGER, kind, 2),
    }
    known: dict[str, set[Any]] = {}
    for name, read in reads.items():
        world.conn.info[snapshot_memory.STATE] = next(STATES)
        read()
        found: dict[Any, Any] = snapshot_memory._values_of(world.conn) or {}
        assert {key: alone[key] for key in found} == found
        known[name] = {each[1] for each in found if each[0] == "settings"}
        assert "rules" in found
        world.conn.info[snapshot_memory.STATE] = None
    if alone["kind", STRANGER, kind] is not None:
        assert known["entry"] == known["person"] == {2}
        assert known["hidden entry"] == known["no entry"] == set()
        assert known["list"] == ({alone["default person"].id} if alone["default person"] else set())


CHANGES: dict[str, Callable[[World], None]] = {
    "decisions": ann_has_decided,
    "one decision": lambda world: world.settings(1, show_location=0),
    "when an entry comes": entries_come_and_go,
    "a person": ann_is_off,
    "everyone": no_one_is_active,
    "a kind": lambda world: world.change_endpoint("ideas", is_public=0),
    "a release": lambda world: add_release(world, 7),
    "a rule": lambda world: world.rule(field_name="title"),
    "nothing": ann_has_no_row,
}


def add_release(world: World, number: int) -> None:
    row = {"id": number, "user_id": 1, "detector": "phone", "created_at": "2026-01-01 00:00:00"}
    world.conn.execute(insert(finding_releases).values(row))


def read_in_a_new_state(world: World) -> dict[Any, Any]:
    """What is remembered after a question in a state of which nothing is known, its policy too."""
    world.conn.info[snapshot_memory.STATE] = next(STATES)
    prefetch.of_default_person(world.conn, STRANGER, "ideas")
    endpoint = find_endpoint(world.conn, STRANGER, "ideas")
    if endpoint is not None and (person := find_default_person(world.conn)) is not None:
        Policies(world.conn).policy_of(endpoint, person.id)
    found = dict(snapshot_memory._values_of(world.conn) or {})
    world.conn.info[snapshot_memory.STATE] = None
    return found


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_carried_over_from_another_state_is_what_would_be_read(
    world: World, change: Callable[[World], None]
) -> None:
    before = read_in_a_new_state(world)
    change(world)
    after = read_in_a_new_state(world)
    again = read_in_a_new_state(world)
    prefetch._carried.clear()
    assert repr(read_in_a_new_state(world)) == repr(after) == repr(again)
    is_carried = [after[name] is before[name] for name in after.keys() & before.keys()]
    assert all(is_carried) if change is ann_has_no_row else not all(is_carried)
    assert [again[name] is after[name] for name in after] == [True] * len(again)


def test_rows_are_alike_where_their_values_are_of_one_type_too() -> None:
    text = "a text that stands in two places"
    rows = [(1, text, text, None), (2, "é", b"x", 1.5)]
    assert prefetch._as_bytes(rows) == prefetch._as_bytes([(1, text, text[:1] + text[1:], None), rows[1]])
    for other in (1.0, True, "1", b"1", None, 2):
        assert prefetch._as_bytes([(1, 2)]) != prefetch._as_bytes([(other, 2)])


def test_of_a_state_that_is_not_known_nothing_is_read(world: World) -> None:
    prefetch.of_default_person(world.conn, STRANGER, "ideas")
    assert snapshot_memory._values_of(world.conn) is None
