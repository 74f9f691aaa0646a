"""Is someone who shows nothing the same as no one, and is everyone else found in any case?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from app.entries import people, policies, read
from app.entries.parts import by_cursor
from app.entries.policies import Policies
from app.entries.published import publishing_people
from app.entries.validity import ALWAYS
from app.errors import NotFound
from app.privacy.viewer import STRANGER, Viewer
from tests.entries.conftest import ANN, BEN, World

IDEA = {"content": "c"}
CEILING = "public_full"


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(world.conn.engine, "before_cursor_execute", note)
    yield seen
    event.remove(world.conn.engine, "before_cursor_execute", note)


def asked(world: World, name: str, viewer: Viewer = STRANGER, **more: Any) -> tuple[str, list[str]]:
    """What a viewer is told of a name, without the name, and by which statements."""
    with statements(world) as seen:
        try:
            told = str([view["id"] for view in world.page(viewer, "ideas", name, **more).items])
        except NotFound as error:
            told = f"{error.message} {error.hint}".replace(name, "NAME")
    return told, seen


def show_nothing(world: World) -> None:
    world.person(3, "cara")


def show_private_ones(world: World) -> None:
    world.person(3, "cara")
    for number in range(50):
        world.entry("ideas", IDEA, owner=3, visibility=("private", "unlisted", None)[number % 3])


def show_deleted_ones(world: World) -> None:
    world.person(3, "cara")
    world.entry("ideas", IDEA, owner=3, is_active=0)


def be_inactive(world: World) -> None:
    world.person(3, "cara", is_active=0)
    world.entry("ideas", IDEA, owner=3)


def show_a_closed_kind(world: World) -> None:
    world.person(3, "cara")
    world.endpoint("diary", is_public=0)
    world.entry("diary", IDEA, owner=3)


def switch_a_kind_off(world: World) -> None:
    world.person(3, "cara")
    world.settings(3, show_personal_projects=0, show_contact_info=0)
    world.entry("projects", {"name": "p"}, owner=3)
    world.entry("contact_info", {"email": "x@y.example"}, owner=3)


HIDDEN = [
    show_nothing, show_private_ones, show_deleted_ones, be_inactive, show_a_closed_kind, switch_a_kind_off
]  # fmt: skip


@pytest.mark.parametrize("hide", HIDDEN)
@pytest.mark.parametrize("viewer", [STRANGER, BEN])
@pytest.mark.parametrize(
    "more", [{}, {"level": "business_card"}, {"part": by_cursor(1)}, {"level": "ai_safe"}]
)
def test_who_shows_nothing_is_nobody(
    world: World, hide: Callable[[World], None], viewer: Viewer, more: dict[str, Any]
) -> None:
    world.entry("ideas", IDEA)
    hide(world)
    assert asked(world, "cara", viewer, **more) == asked(world, "nobody", viewer, **more)
    assert asked(world, "CARA", viewer, **more) == asked(world, "NOBODY", viewer, **more)


def test_who_shows_nothing_at_the_installation_s_level_is_nobody(world: World) -> None:
    world.entry("ideas", IDEA, owner=2)
    world.settings(2, ai_assistant_access=0)
    told, seen = asked(world, "ben", ceiling="ai_safe")
    assert (told, seen) == asked(world, "nobody", ceiling="ai_safe")
    assert asked(world, "ben")[0] != told
    assert asked(world, "ben", level="ai_safe")[0] == "[]"  # known by other levels: nothing to hide


def test_an_entry_that_an_older_server_made_private_makes_nobody_known(world: World) -> None:
    for _ in range(3):
        world.entry("ideas", {**IDEA, "meta": {"visibility": "private"}}, owner=2)
    assert asked(world, "ben")[0] == asked(world, "nobody")[0]
    shown = world.entry("ideas", IDEA, owner=2)
    assert asked(world, "ben")[0] == f"[{shown}]"


def test_who_shows_something_of_one_kind_is_known_in_all(world: World) -> None:
    world.entry("quotes", {"content": "q"}, owner=2)
    assert asked(world, "ben")[0] == "[]"


def test_what_a_hidden_person_has_decided_is_not_even_worked_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row is read for them as for no one; the work on it would tell by its time that there is one."""
    world.settings(2, show_location=0)
    world.entry("ideas", IDEA, owner=2, visibility="private")
    worked_out: list[object] = []
    monkeypatch.setattr(policies, "read_settings", worked_out.append)
    for name in ("ben", "nobody"):
        with pytest.raises(NotFound):
            world.page(STRANGER, "ideas", name)
    assert worked_out == []


def test_an_entry_that_is_hidden_costs_what_no_entry_costs(world: World) -> None:
    hidden = world.entry("ideas", {"content": "x" * 100_000}, owner=2, visibility="private")
    public = world.entry("ideas", IDEA, owner=2)
    with statements(world) as seen:
        for entry_id in (hidden, 10**9):
            with pytest.raises(NotFound, match="no such entry"):
                world.item(STRANGER, "ideas", entry_id)
    assert seen[: len(seen) // 2] == seen[len(seen) // 2 :]
    assert world.item(STRANGER, "ideas", public)["id"] == public
    assert world.item(BEN, "ideas", hidden)["id"] == hidden


# -- one person or several


@pytest.mark.parametrize("hide", HIDDEN)
def test_who_shows_nothing_does_not_make_it_several(world: World, hide: Callable[[World], None]) -> None:
    assert read.is_single(world.conn, CEILING)
    world.entry("ideas", IDEA)
    hide(world)
    assert read.is_single(world.conn, CEILING)
    world.entry("ideas", IDEA, owner=2)
    assert not read.is_single(world.conn, CEILING)


def test_several_are_several_whoever_is_the_default_person(world: World) -> None:
    world.entry("ideas", IDEA, owner=2)
    assert not read.is_single(
        world.conn, CEILING
    )  # an address without a name would show ann, who shows nothing
    world.conn.exec_driver_sql("UPDATE users SET is_active = 0 WHERE id = 1")
    assert read.is_single(world.conn, CEILING)


def test_finding_out_visits_few_of_many(world: World) -> None:
    for user_id in range(10, 200):
        world.person(user_id, f"p{user_id}")
        world.entry("ideas", IDEA, owner=user_id, visibility="private")
    world.entry("ideas", IDEA, owner=199)
    assert publishing_people(world.conn, 1) == [199]
    with statements(world) as seen:
        read.is_single(world.conn, CEILING)
    assert len(seen) < 8


@pytest.mark.only_on("sqlite")  # whose plan does not depend on how many rows there are
def test_every_look_goes_through_an_index(world: World) -> None:
    with statements(world) as seen:
        people.find_person(world.conn, STRANGER, "ben", CEILING, Policies(world.conn), ALWAYS)
        read.is_single(world.conn, CEILING)
    for statement in seen:
        count = statement.count("?")
        plan = world.conn.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, (1,) * count).all()
        scans = [row[-1] for row in plan if row[-1].startswith("SCAN") and "endpoints" not in row[-1]]
        grown = [each for each in scans if "users" in each or "data_entries" in each]
        assert not grown or (grown == ["SCAN users"] and "LIMIT" in statement), (
            statement,
            plan,
        )  # until the first


# -- in any case


def test_a_person_is_found_in_any_case(world: World) -> None:
    world.person(3, "Élise", username_key="élise")
    shown = world.entry("ideas", IDEA, owner=3)
    for typed in ("Élise", "élise", "ÉLISE"):
        assert asked(world, typed)[0] == f"[{shown}]"
    mine = world.entry("ideas", IDEA, owner=2, visibility="private")
    assert asked(world, "BEN", BEN)[0] == asked(world, "Ben", ANN)[0] == f"[{mine}]"


def test_of_two_that_differ_in_case_each_is_found_exactly(world: World) -> None:
    world.person(3, "Ben", username_key="ben")
    first, second = world.entry("ideas", IDEA, owner=2), world.entry("ideas", IDEA, owner=3)
    assert asked(world, "ben")[0] == f"[{first}]"
    assert asked(world, "Ben")[0] == f"[{second}]"
    assert asked(world, "BEN")[0] == asked(world, "NOBODY")[0]


@pytest.mark.parametrize("is_active", [0, 1])
def test_who_shows_nothing_makes_no_name_ambiguous(world: World, is_active: int) -> None:
    shown = world.entry("ideas", IDEA, owner=2)
    world.person(3, "Ben", username_key="ben", is_active=is_active)
    for typed in ("ben", "Ben", "BEN"):
        assert asked(world, typed)[0] == f"[{shown}]"


def test_a_name_that_an_older_server_wrote_is_found_exactly(world: World) -> None:
    world.person(3, "Dora", username_key=None)
    shown = world.entry("ideas", IDEA, owner=3)
    assert asked(world, "Dora")[0] == f"[{shown}]"
    assert asked(world, "dora")[0] == asked(world, "nobody")[0]
