"""Share links: does a link show what it names as its level shows it, and nothing once it is over?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app import clock
from app.accounts.audit import COMMAND_LINE
from app.entries import share_links, shared
from app.entries.parts import by_cursor
from app.entries.share_links import NewLink
from app.errors import InvalidContent, NotFound, UsageError
from app.privacy.levels import MOST_OPEN
from app.privacy.viewer import STRANGER, Viewer
from app.tables import share_links as links_table
from app.tables import share_targets, users
from tests.entries.conftest import World

OWNER = Viewer("person", 1, "ann")


def make(world: World, **what: Any) -> tuple[share_links.Link, str]:
    return share_links.make(world.conn, OWNER, NewLink(**what), clock.now(), COMMAND_LINE)


def seen(
    world: World, token: str, viewer: Viewer = STRANGER, limit: int = 50, cursor: str | None = None
) -> Any:
    link = shared.open_link(world.conn, token, clock.now())
    return shared.page(world.conn, viewer, link, by_cursor(limit, cursor), MOST_OPEN)


def contents(world: World, token: str, **more: Any) -> list[str]:
    return [one["data"]["content"] for one in seen(world, token, **more).items]


def note(text: str, **meta: Any) -> dict[str, Any]:
    return {"content": text, "meta": meta}


def test_an_unlisted_entry_is_reached_by_its_link_alone(world: World) -> None:
    entry = world.entry("ideas", note("unlisted", phone="030 1234567"), visibility="unlisted")
    _, token = make(world, entries=(entry,))
    (one,) = seen(world, token).items
    assert (one["kind"], one["data"]) == ("ideas", {"content": "unlisted"})
    assert set(one) == {"kind", "id", "content", "data", "created_at", "updated_at"}
    assert world.page(STRANGER, "ideas").items == ()
    with pytest.raises(NotFound):
        world.item(STRANGER, "ideas", entry)


def test_a_link_is_stored_as_a_hash_of_128_random_bits(world: World) -> None:
    tokens = {make(world, kinds=("ideas",))[1] for _ in range(20)}
    assert len(tokens) == 20
    assert {len(token) for token in tokens} == {22}
    stored = repr(world.conn.execute(select(links_table)).all())
    assert not [token for token in tokens if token in stored]


def test_of_a_kind_a_link_shows_what_is_public_or_unlisted_and_nothing_else(world: World) -> None:
    for visibility in ("public", "unlisted", "private", None, "Public"):
        world.entry("ideas", note(str(visibility)), visibility=visibility)
    world.entry("ideas", note("deleted"), is_active=0)
    world.entry("ideas", note("ben's"), owner=2, visibility="unlisted")
    world.entry("ideas", note("says private", visibility="private"), visibility="unlisted")
    world.entry("ideas", note("draft"), visibility="unlisted", shown_from="9999-12-31 23:59:59")
    world.entry("ideas", note("over"), visibility="unlisted", shown_until="2020-01-01 00:00:00")
    world.entry("goals", note("another kind"), visibility="unlisted")
    _, token = make(world, kinds=("ideas",))
    assert contents(world, token) == ["public", "unlisted"]
    later = world.entry("ideas", note("later"), visibility="unlisted")
    assert contents(world, token) == ["public", "unlisted", "later"]
    world.change_endpoint("ideas", is_public=0)
    assert contents(world, token) == []
    assert later


def test_the_level_of_a_link_and_both_ceilings_hold(world: World) -> None:
    entry = world.entry("resume", {"name": "Ann", "title": "t", "summary": "long"}, visibility="unlisted")
    _, card = make(world, entries=(entry,), level="business_card")
    _, full = make(world, entries=(entry,), level="public_full")
    assert "summary" not in seen(world, card).items[0]["data"]
    assert seen(world, full).items[0]["data"]["summary"] == "long"
    link = shared.open_link(world.conn, full, clock.now())
    under = shared.page(world.conn, STRANGER, link, by_cursor(), "business_card")
    assert "summary" not in under.items[0]["data"]
    world.settings(1, privacy_level="business_card")
    assert "summary" not in seen(world, full).items[0]["data"]


def test_assistants_who_are_not_let_in_see_nothing(world: World) -> None:
    entry = world.entry("ideas", note("x"), visibility="unlisted")
    _, token = make(world, entries=(entry,))
    world.settings(1, ai_assistant_access=0)
    assert contents(world, token, viewer=Viewer(is_assistant=True)) == []
    assert contents(world, token) == ["x"]


def test_pages_go_through_kinds_one_after_the_other(world: World) -> None:
    for number in range(3):
        world.entry("ideas", note(f"i{number}"), visibility="unlisted")
        world.entry("goals", note(f"g{number}"), visibility="unlisted")
    _, token = make(world, kinds=("ideas", "goals"))
    whole = contents(world, token)
    assert sorted(whole) == ["g0", "g1", "g2", "i0", "i1", "i2"]
    found, cursor = [], None
    for _ in range(7):
        page = seen(world, token, limit=2, cursor=cursor)
        found += [one["data"]["content"] for one in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert found == whole
    with pytest.raises(UsageError):
        seen(world, token, cursor="A" * 43)


@pytest.mark.parametrize("how", ["expired", "used up", "revoked", "its owner is deactivated"])
def test_what_is_over_is_what_never_was(world: World, how: str) -> None:
    entry = world.entry("ideas", note("x"), visibility="unlisted")
    ends = clock.now() + timedelta(seconds=2) if how == "expired" else None
    made, token = make(world, entries=(entry,), views_most=1, expires_at=ends)
    link = shared.open_link(world.conn, token, clock.now())
    then = clock.now()
    if how == "expired":
        then += timedelta(seconds=3)
    elif how == "used up":
        assert share_links.count_view(world.conn, link, then)
    elif how == "revoked":
        share_links.revoke(world.conn, 1, made.id, then, COMMAND_LINE)
    else:
        world.conn.execute(update(users).where(users.c.id == 1).values(is_active=0))
    told = []
    for text in (token, f"{token[:-2]}AA", "nonsense", ""):
        with pytest.raises(NotFound) as refused:
            shared.open_link(world.conn, text, then)
        told.append((refused.value.message, refused.value.hint, refused.value.details))
    assert len({repr(each) for each in told}) == 1
    assert not share_links.count_view(world.conn, link, then) or how.startswith("its owner")


def test_of_two_who_come_at_once_one_has_the_last_view(world: World) -> None:
    _, token = make(world, kinds=("ideas",), views_most=2)
    link = shared.open_link(world.conn, token, clock.now())
    assert [share_links.count_view(world.conn, link, clock.now()) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("what", "pointer"),
    [
        ({}, ""),
        ({"kinds": ("nothing",)}, "/kinds/0"),
        ({"entries": (1, 999)}, "/entries/1"),
        ({"entries": (2,)}, "/entries/0"),
        ({"entries": (3,)}, "/entries/0"),
        ({"kinds": ("ideas",), "expires_at": clock.now() - timedelta(days=1)}, "/expires_at"),
    ],
)
def test_what_no_link_can_show_is_refused(world: World, what: dict[str, Any], pointer: str) -> None:
    world.entry("ideas", note("mine"), visibility="unlisted")
    world.entry("ideas", note("private"), visibility="private")
    world.entry("ideas", note("ben's"), owner=2)
    with pytest.raises(InvalidContent) as refused:
        make(world, **what)
    errors: Any = refused.value.details["errors"]
    assert [one["pointer"] for one in errors] == [pointer]
    assert world.count(links_table) == 0


def test_links_are_their_owners(world: World) -> None:
    made, _ = make(world, kinds=("ideas",), label="for a friend")
    assert [one.label for one in share_links.list_links(world.conn, 1, clock.now())] == ["for a friend"]
    assert share_links.list_links(world.conn, 2, clock.now()) == []
    with pytest.raises(NotFound):
        share_links.revoke(world.conn, 2, made.id, clock.now(), COMMAND_LINE)
    share_links.revoke(world.conn, 1, made.id, clock.now(), COMMAND_LINE)
    assert world.count(links_table) == world.count(share_targets) == 0
