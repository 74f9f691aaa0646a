"""Who sees which entries, and what does no one but their owner ever learn of?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import event

from app.accounts.people import find_default_person
from app.entries import read
from app.entries.kinds import built_in
from app.entries.parts import by_cursor
from app.errors import NotFound, UnknownLevel, UsageError
from app.privacy.viewer import LOCAL, STRANGER, Viewer
from tests.entries.conftest import ANN, BEN, World

IDEA = {"content": "c", "meta": {"visibility": "public"}}


def ids(
    world: World, viewer: Viewer, kind: str = "ideas", owner: str | None = None, **more: Any
) -> list[int]:
    return [view["id"] for view in world.page(viewer, kind, owner, **more).items]


def test_strangers_see_public_entries_and_only_those(world: World) -> None:
    shown = world.entry("ideas", IDEA)
    for hidden in ("unlisted", "private", None, "Public", "nonsense", ""):
        world.entry("ideas", IDEA, visibility=hidden)
    for is_active in (0, None, 2):
        world.entry("ideas", IDEA, is_active=is_active)
    world.entry("ideas", IDEA, owner=None)
    world.entry("ideas", IDEA, owner=99)
    assert ids(world, STRANGER) == ids(world, STRANGER, owner="ann") == [shown]
    with pytest.raises(NotFound, match="no such person"):
        ids(world, STRANGER, owner="ben")
    everything = world.conn.exec_driver_sql("SELECT id FROM data_entries").scalars().all()
    for entry_id in everything:
        if entry_id != shown:
            with pytest.raises(NotFound, match="no such entry"):
                world.item(STRANGER, "ideas", entry_id)
    assert world.item(STRANGER, "ideas", shown)["content"] == "c"


def default_person(world: World) -> tuple[int, str] | None:
    found = find_default_person(world.conn)
    return (found.id, found.username) if found else None


@pytest.mark.parametrize(
    "words", [{"meta": {"visibility": "private"}}, {"visibility": "unlisted"}, {"meta": {"visibility": None}}]
)
def test_an_entry_that_an_old_server_made_private_is_believed(world: World, words: dict[str, Any]) -> None:
    # It knows nothing of the stored visibility, which therefore still says public.
    before = world.entry("ideas", IDEA)
    stale = world.entry("ideas", {"content": "not for you", **words}, visibility="public")
    after = world.entry("ideas", IDEA)
    assert ids(world, STRANGER) == [before, after]
    with pytest.raises(NotFound, match="no such entry"):
        world.item(STRANGER, "ideas", stale)
    first = world.page(STRANGER, "ideas", part=by_cursor(2))
    second = world.page(STRANGER, "ideas", part=by_cursor(2, first.next))
    assert [view["id"] for page in (first, second) for view in page.items] == [before, after]
    assert stale in ids(world, ANN)


def test_a_stranger_gets_content_meta_data_and_times(world: World) -> None:
    entry_id = world.entry("ideas", {**IDEA, "secret": 1}, created_at="2026-01-02 03:04:05")
    assert world.item(STRANGER, "ideas", entry_id) == {
        "id": entry_id,
        "content": "c",
        "meta": {"visibility": "public"},
        "data": IDEA,
        "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-02T03:04:05Z",
    }


def test_the_owner_sees_everything_unfiltered(world: World) -> None:
    data = {"content": "c", "secret": "s", "phone": "1"}
    mine = [world.entry("ideas", data, owner=2, visibility=word) for word in ("public", "private", None)]
    world.entry("ideas", data, owner=2, is_active=0)
    world.entry("ideas", data, owner=1)
    assert ids(world, BEN) == ids(world, BEN, owner="ben") == mine
    view = world.item(BEN, "ideas", mine[2])
    assert view["data"] == data
    assert (view["visibility"], view["owner"]) == ("private", "ben")


def test_of_others_a_person_sees_what_strangers_see(world: World) -> None:
    shown = world.entry("ideas", {**IDEA, "secret": 1})
    hidden = world.entry("ideas", IDEA, visibility="private")
    assert ids(world, BEN, owner="ann") == [shown]
    assert "secret" not in world.item(BEN, "ideas", shown)["data"]
    with pytest.raises(NotFound):
        world.item(BEN, "ideas", hidden)


def test_an_admin_sees_everybody_s_the_ownerless_and_the_orphans(world: World) -> None:
    world.person(3, "gone", is_active=0)
    mine, ownerless, orphan = (world.entry("ideas", IDEA, owner=owner) for owner in (1, None, 99))
    theirs = world.entry("ideas", IDEA, owner=3, visibility="private")
    assert ids(world, ANN) == [mine, ownerless, orphan]
    assert ids(world, ANN, owner="gone") == [theirs]
    for entry_id in (mine, ownerless, orphan, theirs):
        assert world.item(ANN, "ideas", entry_id)["id"] == entry_id
    assert world.item(ANN, "ideas", orphan)["owner"] is None


def test_a_level_gives_owners_and_admins_the_stranger_s_view(world: World) -> None:
    shown = world.entry("ideas", {**IDEA, "secret": 1})
    world.entry("ideas", IDEA, visibility="private")
    assert ids(world, ANN, level="public_full") == [shown]
    assert world.item(ANN, "ideas", shown, level="public_full")["data"] == IDEA
    assert ids(world, ANN, level="business_card") == []


def test_inactive_people_are_not_there(world: World) -> None:
    for user_id, is_active in ((3, 0), (4, None), (5, 2)):
        world.person(user_id, f"p{user_id}", is_active=is_active)
        entry_id = world.entry("ideas", IDEA, owner=user_id)
        for username in (f"p{user_id}", "nobody"):
            with pytest.raises(NotFound, match="no such person"):
                world.page(STRANGER, "ideas", username)
        with pytest.raises(NotFound, match="no such entry"):
            world.item(STRANGER, "ideas", entry_id)


def test_without_a_name_the_oldest_active_admin_is_meant(world: World) -> None:
    assert default_person(world) == (1, "ann")
    world.conn.exec_driver_sql("UPDATE users SET is_active = 0 WHERE id = 1")
    assert default_person(world) == (2, "ben")
    world.person(3, "admin", is_admin=1)
    assert default_person(world) == (3, "admin")
    world.conn.exec_driver_sql("UPDATE users SET is_active = 0")
    assert default_person(world) is None
    assert ids(world, STRANGER) == []


# -- kinds


@pytest.mark.parametrize(
    "values", [{"is_public": 0}, {"is_public": None}, {"is_active": 0}, {"is_active": None}]
)
@pytest.mark.parametrize("kind", ["ideas", "recipes"])
def test_a_kind_that_is_not_open_is_not_there_for_strangers(
    world: World, kind: str, values: dict[str, Any]
) -> None:
    if kind == "recipes":
        world.endpoint(kind)
    entry_id = world.entry(kind, IDEA)
    world.change_endpoint(kind, **values)
    for viewer, level in ((STRANGER, None), (STRANGER, "public_full"), (ANN, "public_full")):
        with pytest.raises(NotFound) as hidden:
            world.page(viewer, kind, level=level)
        with pytest.raises(NotFound):
            world.item(viewer, kind, entry_id, level=level)
    with pytest.raises(NotFound) as unknown:
        world.page(STRANGER, "nonesuch")
    assert hidden.value.message.replace(kind, "nonesuch") == unknown.value.message
    with pytest.raises(NotFound):
        read.kind(world.conn, STRANGER, kind)
    assert kind not in {each["name"] for each in read.kinds(world.conn, STRANGER)}
    assert kind in {each["name"] for each in read.kinds(world.conn, ANN)}
    assert ids(world, ANN, kind) == [entry_id]


def test_a_person_knows_of_closed_kinds_of_their_own(world: World) -> None:
    world.endpoint("diary", is_public=0, created_by_id=2)
    world.endpoint("used", is_public=0)
    world.endpoint("foreign", is_public=0, created_by_id=1)
    world.entry("used", IDEA, owner=2, visibility="private")
    names = {each["name"] for each in read.kinds(world.conn, BEN)}
    assert {"diary", "used", "ideas"} <= names
    assert "foreign" not in names
    assert ids(world, BEN, "diary") == []
    with pytest.raises(NotFound):
        world.page(BEN, "foreign")


def test_a_list_of_kinds_survives_odd_rows(world: World) -> None:
    world.endpoint("Bad Name!\ud83d".encode("utf-8", "replace").decode(), schema="{", description=None)
    world.endpoint("", schema="null", created_at="yesterday")
    found = read.kinds(world.conn, STRANGER)
    assert len(found) == len(built_in()) + 2
    json.dumps(found, allow_nan=False)
    assert found[2]["name"] == "ideas"
    assert found[2]["is_builtin"]
    assert not found[-1]["is_builtin"]


# -- levels, settings, rules


def test_a_kind_without_a_place_on_the_card_is_not_part_of_it(world: World) -> None:
    entry_id = world.entry("ideas", IDEA)
    world.settings(1, business_card_mode=1)
    assert ids(world, STRANGER) == []
    with pytest.raises(NotFound, match="no such entry"):
        world.item(STRANGER, "ideas", entry_id)
    resume = world.entry("resume", {"name": "n", "title": "t", "summary": "s"})
    assert world.item(STRANGER, "resume", resume)["data"] == {"name": "n", "title": "t"}


def test_the_ceiling_of_the_installation_binds(world: World) -> None:
    entry_id = world.entry("ideas", {"content": "mail a@b.example"})
    masked = {"content": "mail ***REDACTED***"}
    for level in (None, "public_full", "professional", "ai_safe"):
        assert world.item(STRANGER, "ideas", entry_id, level=level, ceiling="professional")["data"] == masked
    assert ids(world, STRANGER, ceiling="business_card") == []


def test_an_unknown_level_is_an_error_for_everybody(world: World) -> None:
    entry_id = world.entry("ideas", IDEA)
    for viewer in (STRANGER, BEN, ANN, LOCAL):
        for level in ("none", "", "PUBLIC_FULL"):
            with pytest.raises(UnknownLevel):
                world.page(viewer, "ideas", level=level)
            with pytest.raises(UnknownLevel):
                world.item(viewer, "ideas", entry_id, level=level)


def test_who_lets_no_assistant_in_is_not_there_for_one(world: World) -> None:
    entry_id = world.entry("ideas", IDEA)
    world.settings(1, ai_assistant_access=0)
    assert ids(world, STRANGER, level="ai_safe") == []
    with pytest.raises(NotFound):
        world.item(STRANGER, "ideas", entry_id, level="ai_safe")
    assert ids(world, STRANGER) == [entry_id]


def test_settings_belong_to_the_owner_of_the_entry(world: World) -> None:
    world.settings(2, show_location=0)
    theirs = world.entry("about", {"name": "n", "location": "l"}, owner=2)
    mine = world.entry("about", {"name": "n", "location": "l"})
    assert world.item(STRANGER, "about", theirs)["data"] == {"name": "n"}
    assert world.item(STRANGER, "about", mine)["data"] == {"name": "n", "location": "l"}


def test_a_settings_row_with_the_old_defaults_shows_what_no_row_shows(world: World) -> None:
    entry_id = world.entry(
        "resume", {"name": "n", "title": "t", "contact": {"email": "a@b.example", "phone": "1"}}
    )
    without = [world.item(STRANGER, "resume", entry_id, level=level) for level in (None, "ai_safe")]
    world.settings(1)
    assert without == [world.item(STRANGER, "resume", entry_id, level=level) for level in (None, "ai_safe")]


ODD_SWITCH = pytest.param("yes", True, marks=pytest.mark.only_on("sqlite"))


@pytest.mark.parametrize(("is_active", "is_hidden"), [(1, True), (None, True), ODD_SWITCH, (0, False)])
def test_rules_hold_unless_switched_off(world: World, is_active: Any, is_hidden: bool) -> None:
    world.rule(field_name="rating", privacy_level="public_full", is_active=is_active)
    entry_id = world.entry("ideas", {"content": "c", "rating": 5})
    assert ("rating" not in world.item(STRANGER, "ideas", entry_id)["data"]) == is_hidden


def test_rules_do_not_bind_the_owner(world: World) -> None:
    world.rule(field_name="content", pattern="c")
    entry_id = world.entry("ideas", IDEA)
    assert world.item(ANN, "ideas", entry_id)["data"] == IDEA


# -- pages


def test_pages_are_full_however_much_is_hidden(world: World) -> None:
    shown = []
    for number in range(30):
        shown.append(world.entry("ideas", {"content": str(number)}))
        for _ in range(3):
            world.entry("ideas", IDEA, visibility="private")
    found: list[int] = []
    cursor: str | None = None
    sizes = []
    while True:
        page = world.page(STRANGER, "ideas", part=by_cursor(7, cursor))
        sizes.append(len(page.items))
        found += [view["id"] for view in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert found == shown
    assert sizes == [7, 7, 7, 7, 2]


def test_a_last_page_that_is_full_has_no_next(world: World) -> None:
    for _ in range(4):
        world.entry("ideas", IDEA)
    world.entry("ideas", IDEA, visibility="private")
    assert world.page(STRANGER, "ideas", part=by_cursor(4)).next is None
    assert world.page(STRANGER, "ideas", part=by_cursor(4)).as_json()["next"] is None


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_limit_out_of_range_is_an_error(world: World, limit: int) -> None:
    with pytest.raises(UsageError):
        world.page(STRANGER, "ideas", part=by_cursor(limit))


def test_a_foreign_cursor_is_an_error(world: World) -> None:
    with pytest.raises(UsageError):
        world.page(STRANGER, "ideas", part=by_cursor(cursor="MQ"))


# -- odd entries


ODD: list[Any] = [
    '{"content": NaN, "rating": Infinity}',
    '{"content": "\\ud83d"}',
    '{"content": 1, "content": 2}',
    '{"content": ' + "9" * 5000 + "}",
    '{"content": ' + "[" * 900 + "]" * 900 + "}",
    "[" * 50_000,
    "{",
    "",
    "null",
    '"text"',
    "7",
    "[1, {}]",
    b'{"content": "\xff\xfe"}',
    '{"content": {"deep": 1}, "meta": [1], "tags": {"a": 1}}',
    '{"content": 1e999}',
]


def test_one_odd_entry_never_breaks_a_list(world: World) -> None:
    made = [world.entry("ideas", data, created_at="yesterday", updated_at=7) for data in ODD]
    made.append(world.entry("ideas", IDEA))
    for viewer in (STRANGER, ANN):
        page = world.page(viewer, "ideas")
        assert [view["id"] for view in page.items] == made
        json.dumps(page.as_json(), allow_nan=False, ensure_ascii=False).encode()
    for level in ("professional", "ai_safe", "public_full"):
        page = world.page(STRANGER, "ideas", level=level)
        json.dumps(page.as_json(), allow_nan=False, ensure_ascii=False).encode()
        assert [view["id"] for view in page.items] == made


def test_the_owner_gets_the_text_of_what_cannot_be_read(world: World) -> None:
    entry_id = world.entry("ideas", "{broken")
    assert world.item(ANN, "ideas", entry_id)["stored_text"] == "{broken"
    assert world.item(STRANGER, "ideas", entry_id)["data"] is None
    assert "stored_text" not in world.item(STRANGER, "ideas", entry_id)


def test_reading_changes_nothing(world: World) -> None:
    for data in ODD:
        world.entry("ideas", data)
    query = "SELECT id, data, updated_at FROM data_entries ORDER BY id"
    before = world.conn.exec_driver_sql(query).all()
    world.page(STRANGER, "ideas")
    world.page(ANN, "ideas")
    assert world.conn.exec_driver_sql(query).all() == before


# -- non-interference


def everything_a_stranger_gets(world: World) -> str:
    found: list[Any] = [read.kinds(world.conn, STRANGER)]
    kinds = [each["name"] for each in found[0]]
    for level in (None, "business_card", "professional", "ai_safe", "public_full"):
        for kind in kinds:
            for owner in (None, "ann", "ben"):
                cursor = None
                while True:
                    page = world.page(STRANGER, kind, owner, level=level, part=by_cursor(2, cursor))
                    found.append(page.as_json())
                    cursor = page.next
                    if cursor is None:
                        break
            found += [_item_or_error(world, kind, entry_id, level) for entry_id in range(1, 30)]
    return json.dumps(found)


def _item_or_error(world: World, kind: str, entry_id: int, level: str | None) -> Any:
    try:
        return world.item(STRANGER, kind, entry_id, level=level)
    except NotFound as error:
        return [error.message, error.hint, error.details]


def test_what_is_hidden_cannot_be_inferred(world: World) -> None:
    world.person(3, "gone", is_active=0)
    world.endpoint("diary", is_public=0)
    moment = {"created_at": "2026-01-02 03:04:05"}
    resume = {
        "name": "n",
        "title": "t",
        "contact": {"email": "a@b.example", "phone": "HIDDEN"},
        "x": "HIDDEN",
    }
    for owner in (1, 2, 3, None, 99):
        world.entry("resume", resume, owner=owner, **moment)
        world.entry("ideas", {"content": "c", "meta": {"title": "t", "x": ["HIDDEN"]}}, owner=owner, **moment)
        world.entry("ideas", {"content": "HIDDEN"}, owner=owner, visibility="private", **moment)
        world.entry("ideas", {"content": "HIDDEN"}, owner=owner, is_active=0, **moment)
        world.entry("diary", {"content": "HIDDEN"}, owner=owner, **moment)
    world.settings(2, custom_privacy_rules='{"title": "redact"}')
    before = everything_a_stranger_gets(world)
    assert "HIDDEN" not in before
    changed = world.conn.exec_driver_sql(
        "UPDATE data_entries SET data = replace(data, 'HIDDEN', '4711 or so')"
    )
    assert changed.rowcount == 25
    world.conn.exec_driver_sql("UPDATE users SET username = 'left', email = 'other' WHERE id = 3")
    world.conn.exec_driver_sql("UPDATE endpoints SET description = 'other' WHERE name = 'diary'")
    assert everything_a_stranger_gets(world) == before


# -- query plans


@pytest.mark.only_on("sqlite")  # whose plan does not depend on how many rows there are
@pytest.mark.parametrize(
    ("viewer", "index"),
    [
        (
            STRANGER,
            "shown (endpoint_id=? AND created_by_id=? AND is_active=? AND visibility=? AND <expr>>?)",
        ),
        (BEN, "own (endpoint_id=? AND created_by_id=? AND is_active=? AND <expr>>?)"),
        (ANN, "ordered (endpoint_id=? AND is_active=? AND <expr>>?)"),
    ],
)
def test_lists_use_an_index_and_do_not_sort(world: World, viewer: Viewer, index: str) -> None:
    world.entry("ideas", IDEA)
    statements: list[tuple[str, Any]] = []

    engine = world.conn.engine

    def note(conn: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if "data_entries.endpoint_id = " in statement and "LIMIT" in statement:
            statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    world.page(viewer, "ideas")
    event.remove(engine, "before_cursor_execute", note)
    ((statement, parameters),) = statements
    plan = [row[3] for row in world.conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    assert any(index in step for step in plan), plan
    assert not [step for step in plan if "TEMP B-TREE" in step or step.startswith("SCAN")], plan
