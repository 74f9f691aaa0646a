"""Is what was sent kept exactly, with its audit row, and never shown to more than was meant?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, select
from sqlalchemy.engine import Row

from app import clock, ids
from app.accounts import claim
from app.accounts.users import NewUser
from app.database import open_database
from app.entries import store_writing, write
from app.entries.entry import Origin
from app.entries.write import merge_patch
from app.errors import Conflict, InvalidContent, NotAllowed, NotAuthenticated, NotFound
from app.privacy.viewer import LOCAL, STRANGER, Viewer
from app.settings import Settings
from app.tables import audit_logs, data_entries
from app.upgrade.operations.init import initialise
from tests.entries.conftest import ANN, BEN, World
from tests.postgresql import PostgreSQL

TEXT = 'it\'s <b>&</b> "q" {{x}} ../ one = 1 http://localhost/x javascript:x \U0001f600 é'


def stored(world: World, entry_id: int) -> Row[Any]:
    return world.conn.execute(select(data_entries).where(data_entries.c.id == entry_id)).one()


def audit(world: World) -> list[Row[Any]]:
    return list(world.conn.execute(select(audit_logs).order_by(audit_logs.c.id)))


def test_what_is_kept_is_what_was_sent(world: World) -> None:
    content = {"z": None, "content": TEXT, "a": {"unknown": [1, 2.5, True]}}
    written = write.create(world.conn, BEN, "ideas", content)
    row = stored(world, written.id)
    assert row.data == json.dumps(content)
    assert (row.created_by_id, row.is_active, row.visibility, row.updated_at) == (2, 1, "public", None)
    assert written.item["data"]["content"] == TEXT
    assert (written.visibility, written.item["owner"]) == ("public", "ben")


@pytest.mark.parametrize(
    ("kind", "meta", "visibility"),
    [
        ("ideas", None, "public"),
        ("ideas", {"visibility": "private"}, "private"),
        ("ideas", {"visibility": "unlisted"}, "unlisted"),
        ("contacts", None, "private"),
        ("contacts", {"visibility": "public"}, "public"),
        ("contact_info", None, "unlisted"),
    ],
)
def test_the_visibility_of_a_new_entry(world: World, kind: str, meta: Any, visibility: str) -> None:
    content = {"content": "c"} | ({"meta": meta} if meta else {})
    assert write.create(world.conn, BEN, kind, content).visibility == visibility


def test_of_two_words_the_strictest_wins(world: World) -> None:
    content = {"content": "c", "visibility": "unlisted", "meta": {"visibility": "public"}}
    assert write.create(world.conn, BEN, "ideas", content).visibility == "unlisted"


def test_custom_kinds_follow_their_row(world: World) -> None:
    world.endpoint("open")
    world.endpoint("closed", is_public=0, created_by_id=2)
    assert write.create(world.conn, BEN, "open", {"x": 1}).visibility == "public"
    assert write.create(world.conn, BEN, "closed", {"x": 1}).visibility == "private"


def test_audit_rows_have_the_old_form(world: World) -> None:
    origin = Origin("127.0.0.1", "agent/1")
    entry_id = write.create(world.conn, BEN, "ideas", {"content": "a"}, origin=origin).id
    write.replace(world.conn, BEN, "ideas", entry_id, {"content": "b"}, origin=origin)
    write.merge(world.conn, ANN, "ideas", entry_id, {"content": "c"}, origin=origin)
    write.delete(world.conn, BEN, "ideas", entry_id, origin=origin)
    a, b, c = ('{"content": "a"}', '{"content": "b"}', '{"content": "c"}')
    written = audit(world)
    (by_admin,) = [row for row in written if row.action == "ADMIN_CHANGE"]  # for the person to see
    written.remove(by_admin)
    assert (by_admin.table_name, by_admin.record_id, by_admin.user_id) == ("users", 2, 1)
    assert [(row.action, row.old_values, row.new_values, row.user_id) for row in written] == [
        ("CREATE", "null", a, 2),
        ("UPDATE", a, b, 2),
        ("UPDATE", b, c, 1),
        ("DELETE", c, "null", 2),
    ]
    assert {(row.table_name, row.record_id, row.ip_address, row.user_agent) for row in written} == {
        ("data_entries", entry_id, "127.0.0.1", "agent/1")
    }


def test_an_edit_never_publishes(world: World) -> None:
    entry_id = write.create(world.conn, BEN, "ideas", {"content": "a", "meta": {"visibility": "private"}}).id
    assert write.replace(world.conn, BEN, "ideas", entry_id, {"content": "b"}).visibility == "private"
    assert write.merge(world.conn, BEN, "ideas", entry_id, {"content": "c"}).visibility == "private"
    assert write.merge(world.conn, BEN, "ideas", entry_id, {"meta": {"title": "t"}}).visibility == "private"
    assert write.merge(world.conn, BEN, "ideas", entry_id, {"meta": None}).visibility == "private"
    assert stored(world, entry_id).visibility == "private"
    said = {"content": "d", "meta": {"visibility": "public"}}
    assert write.replace(world.conn, BEN, "ideas", entry_id, said).visibility == "public"
    assert (
        write.merge(world.conn, BEN, "ideas", entry_id, {"meta": {"visibility": "unlisted"}}).visibility
        == "unlisted"
    )


def test_an_edit_keeps_a_missing_visibility_private(world: World) -> None:
    entry_id = world.entry("ideas", {"content": "a"}, owner=2, visibility=None)
    assert write.replace(world.conn, BEN, "ideas", entry_id, {"content": "b"}).visibility == "private"


def test_taking_a_word_back_publishes_nothing(world: World) -> None:
    entry_id = world.entry(
        "ideas",
        {"content": "a", "visibility": "private", "meta": {"visibility": "public"}},
        owner=2,
        visibility="private",
    )
    patch = {"visibility": None}
    assert write.merge(world.conn, BEN, "ideas", entry_id, patch).visibility == "private"


@pytest.mark.parametrize("word", ["Public", "secret", "", None, 1, ["public"]])
def test_an_unknown_word_is_refused(world: World, word: object) -> None:
    for content, pointer in (
        ({"content": "c", "meta": {"visibility": word}}, "/meta/visibility"),
        ({"content": "c", "visibility": word}, "/visibility"),
    ):
        with pytest.raises(InvalidContent) as caught:
            write.create(world.conn, BEN, "personal_story", content)
        assert caught.value.details["errors"][0]["pointer"] == pointer  # type: ignore[index]
    assert world.count(data_entries) == 0
    assert world.count(audit_logs) == 0


@pytest.mark.parametrize(
    "content", [[], "text", None, 7, {}, {"content": 7}, {"content": "c", "x": float("nan")}]
)
def test_content_that_does_not_fit_is_refused(world: World, content: object) -> None:
    entry_id = world.entry("ideas", {"content": "a"}, owner=2)
    with pytest.raises(InvalidContent):
        write.create(world.conn, BEN, "ideas", content)
    with pytest.raises(InvalidContent):
        write.replace(world.conn, BEN, "ideas", entry_id, content)
    assert world.count(audit_logs) == 0


# -- who may


def test_who_may_change_what(world: World) -> None:
    public = world.entry("ideas", {"content": "a"}, owner=1)
    private = world.entry("ideas", {"content": "a"}, owner=1, visibility="private")
    ownerless = world.entry("ideas", {"content": "a"}, owner=None)
    bens = world.entry("ideas", {"content": "a"}, owner=2, visibility="private")

    def refused(viewer: Viewer, entry_id: int) -> type[Exception] | None:
        changes: list[Callable[[], object]] = [
            lambda: write.replace(world.conn, viewer, "ideas", entry_id, {"content": "b"}),
            lambda: write.merge(world.conn, viewer, "ideas", entry_id, {"content": "b"}),
            lambda: write.delete(world.conn, viewer, "ideas", entry_id),
        ]
        (only,) = {outcome(change) for change in changes}
        return only

    def outcome(change: Callable[[], object]) -> type[Exception] | None:
        try:
            change()
        except (NotAllowed, NotAuthenticated, NotFound) as error:
            return type(error)
        world.conn.exec_driver_sql("UPDATE data_entries SET is_active = 1")
        return None

    assert [refused(STRANGER, each) for each in (public, private, 999)] == [NotAuthenticated] * 3
    assert [refused(BEN, each) for each in (public, private, ownerless, 999)] == [
        NotAllowed,
        NotFound,
        NotFound,
        NotFound,
    ]
    assert refused(BEN, bens) is None
    assert [refused(ANN, each) for each in (public, private, ownerless, bens)] == [None] * 4
    assert [refused(LOCAL, each) for each in (public, private, ownerless)] == [NotAllowed, NotFound, NotFound]


def test_a_stranger_cannot_create_and_nobody_in_an_unknown_or_closed_kind(world: World) -> None:
    with pytest.raises(NotAuthenticated):
        write.create(world.conn, STRANGER, "ideas", {"content": "c"})
    world.endpoint("resting", is_active=0)
    for viewer in (BEN, ANN):
        for kind in ("nonesuch", "resting"):
            with pytest.raises(NotFound):
                write.create(world.conn, viewer, kind, {"content": "c"})


def test_an_id_belongs_to_its_kind(world: World) -> None:
    entry_id = world.entry("ideas", {"content": "a"}, owner=2)
    with pytest.raises(NotFound):
        write.replace(world.conn, BEN, "goals", entry_id, {"content": "b"})
    with pytest.raises(NotFound):
        world.item(BEN, "goals", entry_id)


def test_a_deleted_entry_is_gone_for_everybody(world: World) -> None:
    entry_id = write.create(world.conn, BEN, "ideas", {"content": "a"}).id
    write.create(world.conn, BEN, "quotes", {"content": "so that strangers know of ben"})
    write.delete(world.conn, BEN, "ideas", entry_id)
    assert stored(world, entry_id).is_active == 0
    for viewer in (STRANGER, BEN, ANN):
        with pytest.raises(NotFound):
            world.item(viewer, "ideas", entry_id)
        assert world.page(viewer, "ideas", "ben").items == ()
    for viewer in (BEN, ANN):
        with pytest.raises(NotFound):
            write.delete(world.conn, viewer, "ideas", entry_id)
        with pytest.raises(NotFound):
            write.replace(world.conn, viewer, "ideas", entry_id, {"content": "b"})


# -- ids


@pytest.mark.usefixtures("random_ids")
def test_a_new_id_tells_nothing_of_what_others_have_written(world: World) -> None:
    world.entry("ideas", {"content": "a"}, id=40)
    made = [write.create(world.conn, BEN, "ideas", {"content": "a"}).id for _ in range(3)]
    assert all(2**52 <= each < 2**53 for each in made)
    assert len({made[0], made[1] - 1, made[2] - 2}) == 3, "none follows the one before it"


@pytest.mark.usefixtures("random_ids")
def test_an_id_is_tried_again_where_it_is_or_was_someone_elses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_ann, erased, free = 2**52 + 1, 2**52 + 2, 2**52 + 3
    world.entry("skills", {"content": "a"}, id=of_ann)
    audit_row = {"action": "DELETE", "table_name": "data_entries", "old_values": "null", "new_values": "null"}
    world.conn.execute(insert(audit_logs).values(**audit_row, record_id=erased))
    drawn = iter([of_ann, erased, of_ann, free])
    monkeypatch.setattr(ids, "draw", lambda _: next(drawn))
    assert write.create(world.conn, BEN, "ideas", {"content": "a"}).id == free
    monkeypatch.setattr(ids, "draw", lambda _: erased)
    with pytest.raises(Conflict):
        write.create(world.conn, BEN, "ideas", {"content": "a"})


class EveryIdIsFree:
    """What a transaction sees of ids that others have taken, and not committed yet."""

    def value(self, *_asked: object) -> int:
        return 0


@pytest.mark.usefixtures("random_ids")
def test_an_id_that_someone_else_takes_at_the_same_time_is_drawn_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, free = 2**52 + 1, 2**52 + 2
    world.entry("skills", {"content": "theirs"}, id=taken)
    drawn = iter([taken, taken, free])
    monkeypatch.setattr(ids, "draw", lambda _: next(drawn))
    monkeypatch.setattr(store_writing, "_IS_GIVEN", EveryIdIsFree())
    assert write.create(world.conn, BEN, "ideas", {"content": "mine"}).id == free
    assert "theirs" in stored(world, taken).data
    assert "mine" in stored(world, free).data
    assert [row.record_id for row in audit(world)] == [free]
    monkeypatch.setattr(ids, "draw", lambda _: taken)
    with pytest.raises(Conflict):
        write.create(world.conn, BEN, "ideas", {"content": "a"})


IS_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.mark.needs("postgresql")
@pytest.mark.usefixtures("random_ids")
def test_two_transactions_that_draw_one_id_at_once_both_succeed(
    postgresql_server: PostgreSQL, postgresql_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(database_url=postgresql_server.url(postgresql_database), backup_enabled=False)
    initialise(settings)
    database, other = open_database(settings), create_engine(settings.database_url)
    with database.writing() as connection:
        ann = claim.create_account(connection, NewUser("ann", "a@x.example", "-", is_admin=True), clock.now())
    taken, free = 2**52 + 1, 2**52 + 2
    drawn = iter([taken, free])
    monkeypatch.setattr(ids, "draw", lambda _: next(drawn))

    def create() -> int:
        with database.writing() as connection:
            viewer = Viewer("person", ann.id, "ann")
            return write.create(connection, viewer, "ideas", {"content": "mine"}).id

    columns = "id, endpoint_id, data, is_active, visibility"
    add = f"INSERT INTO data_entries ({columns}) VALUES ({taken}, 1, '{{}}', 1, 'private')"
    with ThreadPoolExecutor(1) as pool, other.connect() as theirs, other.connect() as looks:
        theirs.exec_driver_sql(add)
        mine = pool.submit(create)
        ends = time.monotonic() + 60
        while not looks.exec_driver_sql(IS_WAITING).scalar() and time.monotonic() < ends:
            looks.rollback()
            time.sleep(0.01)
        assert looks.exec_driver_sql(IS_WAITING).scalar(), "it does not wait for the other one's commit"
        assert not mine.done()
        theirs.commit()
        assert mine.result(60) == free
    database.close()
    other.dispose()


@pytest.mark.usefixtures("random_ids")
def test_lists_are_in_the_order_of_writing_whatever_the_ids_are(world: World) -> None:
    old = [world.entry("ideas", {"content": "a"}, owner=2, id=each) for each in (3, 900, 41)]
    new = [write.create(world.conn, BEN, "ideas", {"content": "a"}).id for _ in range(5)]
    of_old_server = world.entry("ideas", {"content": "a"}, owner=2, id=max(new) + 1)
    write.delete(world.conn, BEN, "ideas", new.pop())
    last = write.create(world.conn, BEN, "ideas", {"content": "a"}).id
    wanted = [*sorted(old), *new, of_old_server, last]
    for viewer in (STRANGER, BEN, ANN):
        assert [item["id"] for item in world.page(viewer, "ideas", "ben").items] == wanted


def test_what_an_odd_row_says_of_its_place_counts_for_nothing(world: World) -> None:
    far = world.entry("ideas", {"content": "a"}, owner=2, position=2**63 - 1)
    made = [write.create(world.conn, BEN, "ideas", {"content": "a"}).id for _ in range(2)]
    assert [item["id"] for item in world.page(BEN, "ideas").items] == [*made, far]


# -- merging


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_as_rfc_7396_has_it(target: object, patch: object, result: object) -> None:
    before = json.dumps([target, patch])
    assert merge_patch(target, patch) == result
    assert json.dumps([target, patch]) == before


def test_merging_keeps_what_it_does_not_touch(world: World) -> None:
    odd = '{"content": "a", "n": NaN, "s": "\\ud83d", "big": 123456789012345678901234567890}'
    entry_id = world.entry("personal_story", odd, owner=2)
    write.merge(world.conn, BEN, "personal_story", entry_id, {"content": "b"})
    assert stored(world, entry_id).data == odd.replace('"a"', '"b"')


def test_merging_needs_what_can_be_read_and_fits_as_before(world: World) -> None:
    broken = world.entry("ideas", "{", owner=2)
    with pytest.raises(Conflict):
        write.merge(world.conn, BEN, "ideas", broken, {"content": "b"})
    unfit = world.entry("favorite_books", {"title": "only"}, owner=2)
    assert write.merge(world.conn, BEN, "favorite_books", unfit, {"rating": 3}).item["data"] == {
        "title": "only",
        "rating": 3,
    }
    fit = world.entry("ideas", {"content": "a"}, owner=2)
    for patch in ({"content": None}, {"content": 7}, [1], {"x": float("inf")}):
        with pytest.raises(InvalidContent):
            write.merge(world.conn, BEN, "ideas", fit, patch)


# -- the open local door


def test_what_comes_in_unclaimed_is_shown_through_the_same_door_only(world: World) -> None:
    ownerless = world.entry("ideas", {"content": "old"}, owner=None)
    written = write.create(world.conn, LOCAL, "ideas", {"content": "c"})
    assert [row.action for row in audit(world)] == ["CREATE_UNCLAIMED"]
    assert stored(world, written.id).created_by_id is None
    assert [view["id"] for view in world.page(LOCAL, "ideas").items] == [written.id]
    assert world.item(LOCAL, "ideas", written.id)["content"] == "c"
    assert world.page(STRANGER, "ideas").items == ()
    for viewer, entry_id in ((STRANGER, written.id), (BEN, written.id)):
        with pytest.raises(NotFound):
            world.item(viewer, "ideas", entry_id)
    with pytest.raises(NotFound):
        write.replace(world.conn, LOCAL, "ideas", ownerless, {"content": "x"})
    write.replace(world.conn, LOCAL, "ideas", written.id, {"content": "d"})
    write.delete(world.conn, LOCAL, "ideas", written.id)
    assert world.page(LOCAL, "ideas").items == ()


# -- words that are not heard


UNHEARD = [
    {"draft": True},
    {"published": False},
    {"private": "yes"},
    {"publish_on": "2099-01-01"},
    {"visiblity": "private"},
]


@pytest.mark.parametrize("meta", UNHEARD, ids=str)
def test_a_new_write_with_a_word_that_is_not_heard_is_refused(world: World, meta: dict[str, Any]) -> None:
    entry = world.entry("ideas", {"content": "x"}, owner=2)
    content = {"content": "x", "meta": meta}
    writes: list[Callable[[], object]] = [
        lambda: write.create(world.conn, BEN, "ideas", content),
        lambda: write.replace(world.conn, BEN, "ideas", entry, content),
        lambda: write.merge(world.conn, BEN, "ideas", entry, {"meta": meta}),
        lambda: write.merge(world.conn, BEN, "ideas", entry, meta),
    ]
    for one in writes:
        with pytest.raises(InvalidContent) as caught:
            one()
        assert "visibility" in caught.value.hint
        errors: Any = caught.value.details["errors"]
        assert errors[0]["pointer"].endswith("/" + next(iter(meta)))
    assert json.loads(stored(world, entry).data) == {"content": "x"}
    assert write.create(world.conn, BEN, "ideas", {"content": "x", "meta": {**meta, "visibility": "private"}})


@pytest.mark.parametrize("meta", [*UNHEARD, {"visibility": "Private"}], ids=str)
def test_a_patch_is_judged_by_what_it_changes(world: World, meta: dict[str, Any]) -> None:
    name, value = next(iter(meta.items()))
    entry = world.entry("ideas", {"content": "x", "meta": meta}, owner=2)
    for patch in ({"title": "t"}, {"meta": {"tags": ["a"]}}, {"meta": {name: value}}, {"meta": {name: None}}):
        assert write.merge(world.conn, BEN, "ideas", entry, patch)
    with pytest.raises(InvalidContent):
        write.merge(world.conn, BEN, "ideas", entry, {"meta": meta})


def test_a_patch_that_publishes_is_judged_as_a_whole(world: World) -> None:
    hidden = {"content": "x", "meta": {"draft": True, "visibility": "private"}}
    entry = write.create(world.conn, BEN, "ideas", hidden).id
    with pytest.raises(InvalidContent, match="/meta/draft"):
        write.merge(world.conn, BEN, "ideas", entry, {"meta": {"visibility": "public"}})
    assert (
        write.merge(world.conn, BEN, "ideas", entry, {"meta": {"visibility": None}}).visibility == "private"
    )
    patch = {"meta": {"visibility": "public", "draft": None}}
    assert write.merge(world.conn, BEN, "ideas", entry, patch).visibility == "public"


def test_a_kind_keeps_the_fields_that_it_declares(world: World) -> None:
    world.endpoint("repositories", schema=json.dumps({"private": {"type": "boolean"}}))
    assert (
        write.create(world.conn, BEN, "repositories", {"name": "a", "private": True}).visibility == "public"
    )
    with pytest.raises(InvalidContent):
        write.create(world.conn, BEN, "repositories", {"name": "a", "meta": {"private": True}})
    for kind, content in (
        ("ideas", {"title": "t", "description": "d", "status": "draft"}),
        ("favorite_books", {"title": "t", "author": "a", "published": "2020-01-01"}),
        ("projects", {"content": "x", "private": "a remark", "meta": {"status": "draft"}}),
    ):
        assert write.create(world.conn, BEN, kind, content).visibility == "public"


@pytest.mark.parametrize("change", [{"meta": {"visibility": None}}, {"meta": None}, {"title": "t"}])
def test_what_an_older_server_made_private_in_the_text_alone_stays_private(world: World, change: Any) -> None:
    entry = world.entry("ideas", {"content": "x", "meta": {"visibility": "private"}}, owner=2)
    assert write.merge(world.conn, BEN, "ideas", entry, change).visibility == "private"
    again = world.entry("ideas", {"content": "x", "meta": {"visibility": "unlisted"}}, owner=2)
    assert write.replace(world.conn, BEN, "ideas", again, {"content": "y"}).visibility == "unlisted"
