"""Is every state of an entry kept, told, compared and brought back, and a deleted one too?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import clock, erasures
from app.entries import erase, history, read, revisions, undo, write
from app.entries.endpoints import Endpoint
from app.entries.entry import View
from app.errors import Conflict, NotFound, UsageError
from app.privacy.viewer import STRANGER, Viewer
from app.tables import audit_logs, data_entries, entry_revisions
from tests.entries.conftest import ANN, BEN, World

KIND = "ideas"
SECRET = "a text that no one else may read"


def endpoint(world: World) -> Endpoint:
    return read.known_endpoint(world.conn, ANN, KIND)


def put(world: World, entry_id: int, content: str, **more: Any) -> None:
    write.replace(world.conn, BEN, KIND, entry_id, {"content": content, **more})


def written(world: World, count: int = 3) -> int:
    """Ben's entry, with so many states: "text 1" and so on."""
    entry_id = write.create(world.conn, BEN, KIND, {"content": "text 1"}).id
    for number in range(2, count + 1):
        put(world, entry_id, f"text {number}")
    return entry_id


def states(world: World, entry_id: int, viewer: Viewer = BEN, **more: Any) -> list[View]:
    row = history.kept_entry(world.conn, viewer, endpoint(world), entry_id)
    return history.states(world.conn, row, **more).items


def content(world: World, entry_id: int, number: int) -> Any:
    row = history.kept_entry(world.conn, BEN, endpoint(world), entry_id)
    return history.state_view(history.state(world.conn, row, number))["data"]["content"]


def test_every_state_is_kept_and_a_new_entry_writes_none(world: World) -> None:
    entry_id = written(world, 1)
    assert world.count(entry_revisions) == 0
    assert [state["number"] for state in states(world, entry_id)] == [1]
    put(world, entry_id, "text 2")
    put(world, entry_id, "text 3", visibility="private")
    write.delete(world.conn, BEN, KIND, entry_id)
    found = states(world, entry_id)
    assert [state["number"] for state in found] == [4, 3, 2, 1]
    assert [state["is_current"] for state in found] == [True, False, False, False]
    assert [state["is_deleted"] for state in found] == [True, False, False, False]
    assert [state["visibility"] for state in found] == ["private", "private", "public", "public"]
    assert [content(world, entry_id, number) for number in (1, 2, 3, 4)] == [
        "text 1",
        "text 2",
        "text 3",
        "text 3",
    ]


def test_states_come_in_parts(world: World) -> None:
    entry_id = written(world, 5)
    row = history.kept_entry(world.conn, BEN, endpoint(world), entry_id)
    found, below = [], None
    while True:
        part = history.states(world.conn, row, below=below, most=2)
        found += [state["number"] for state in part.items]
        if part.next is None:
            break
        below = part.next
    assert found == [5, 4, 3, 2, 1]


def test_only_its_owner_and_admins_know_of_its_history(world: World) -> None:
    entry_id = written(world)
    assert len(states(world, entry_id, ANN)) == 3
    for viewer in (STRANGER, Viewer("person", 7, "cleo"), Viewer("local")):
        with pytest.raises(NotFound):
            history.kept_entry(world.conn, viewer, endpoint(world), entry_id)
    with pytest.raises(NotFound):
        history.kept_entry(world.conn, BEN, endpoint(world), 999)


def difference(world: World, entry_id: int, *numbers: int | None) -> View:
    row = history.kept_entry(world.conn, BEN, endpoint(world), entry_id)
    return history.difference(world.conn, row, *numbers)


def test_states_are_compared(world: World) -> None:
    entry_id = write.create(world.conn, BEN, KIND, {"content": "one\ntwo", "meta": {"tags": ["a"]}}).id
    put(world, entry_id, "one\n2", meta={"tags": ["a", "b"], "title": "x"}, visibility="private")
    found = difference(world, entry_id)
    assert (found["from"], found["to"]) == (1, 2)
    assert found["differences"][:3] == [
        {
            "pointer": "/content",
            "change": "changed",
            "before": "one\ntwo",
            "after": "one\n2",
            "lines": ["@@ -1,2 +1,2 @@", " one", "-two", "+2"],
        },
        {"pointer": "/meta/tags/1", "change": "added", "after": "b"},
        {"pointer": "/meta/title", "change": "added", "after": "x"},
    ]
    assert found["beside"] == [{"name": "visibility", "before": "public", "after": "private"}]
    assert difference(world, entry_id, 2, 2)["differences"] == []
    assert difference(world, entry_id, 2, 1)["differences"][1]["change"] == "removed"
    for numbers in ((1, 9), (9, 1)):
        with pytest.raises(NotFound):
            difference(world, entry_id, *numbers)
    with pytest.raises(UsageError):
        difference(world, written(world, 1))


def test_a_state_comes_back_and_is_a_state_of_its_own(world: World) -> None:
    entry_id = written(world)
    done = undo.restore(world.conn, BEN, endpoint(world), entry_id, 1)
    assert done.item["content"] == "text 1"
    assert content(world, entry_id, 3) == "text 3"
    assert [state["number"] for state in states(world, entry_id)] == [4, 3, 2, 1]
    said = world.conn.execute(select(audit_logs.c.action).order_by(audit_logs.c.id.desc()).limit(1)).scalar()
    assert said == "RESTORE"
    for number, error in ((4, Conflict), (9, NotFound)):
        with pytest.raises(error):
            undo.restore(world.conn, BEN, endpoint(world), entry_id, number)


@pytest.mark.parametrize(
    ("then", "now", "shown"),
    [
        ("public", "private", "private"),
        ("private", "public", "private"),
        ("unlisted", "private", "private"),
        ("public", "public", "public"),
    ],
)
def test_restoring_shows_no_one_more_than_now(world: World, then: str, now: str, shown: str) -> None:
    entry_id = write.create(world.conn, BEN, KIND, {"content": "a", "visibility": then}).id
    put(world, entry_id, "b", visibility=now)
    undo.restore(world.conn, BEN, endpoint(world), entry_id, 1)
    assert states(world, entry_id)[0]["visibility"] == shown
    if shown != "public":
        with pytest.raises(NotFound):
            world.item(STRANGER, KIND, entry_id)


def test_what_no_longer_fits_its_kind_is_restored_all_the_same(world: World) -> None:
    entry_id = world.entry(KIND, {"anything": 1}, owner=2)
    put(world, entry_id, "new")
    assert undo.restore(world.conn, BEN, endpoint(world), entry_id, 1).item["data"] == {"anything": 1}


@pytest.mark.parametrize("stored", ["[1]", "no json"])
def test_what_is_no_object_is_not_restored(world: World, stored: str) -> None:
    entry_id = world.entry(KIND, stored, owner=2)
    put(world, entry_id, "new")
    with pytest.raises(Conflict):
        undo.restore(world.conn, BEN, endpoint(world), entry_id, 1)


def test_a_deleted_entry_comes_back_as_it_was(world: World) -> None:
    entry_id = write.create(world.conn, BEN, KIND, {"content": "text"}, slug="an-idea").id
    with pytest.raises(Conflict):
        undo.undelete(world.conn, BEN, endpoint(world), entry_id)
    write.delete(world.conn, BEN, KIND, entry_id)
    with pytest.raises(Conflict):
        undo.restore(world.conn, BEN, endpoint(world), entry_id, 1)
    assert [row.id for row in undo.deleted(world.conn, 2, None, 10)] == [entry_id]
    item = undo.undelete(world.conn, BEN, endpoint(world), entry_id).item
    assert (item["content"], item["slug"], item["visibility"]) == ("text", "an-idea", "public")
    assert world.item(STRANGER, KIND, entry_id)["content"] == "text"
    assert undo.deleted(world.conn, 2, None, 10) == []


def test_a_slug_that_another_entry_has_by_now_stays_with_that(world: World) -> None:
    entry_id = write.create(world.conn, BEN, KIND, {"content": "text"}, slug="an-idea").id
    write.delete(world.conn, BEN, KIND, entry_id)
    write.create(world.conn, BEN, KIND, {"content": "another"}, slug="an-idea")
    assert "slug" not in undo.undelete(world.conn, BEN, endpoint(world), entry_id).item


def test_what_an_older_version_deleted_comes_back(world: World) -> None:
    entry_id = world.entry(KIND, {"content": "old"}, owner=2, is_active=0, visibility=None)
    assert undo.undelete(world.conn, BEN, endpoint(world), entry_id).item["visibility"] == "private"


def test_numbers_go_on_where_an_older_server_forgot_them(world: World) -> None:
    entry_id = written(world)
    world.conn.execute(data_entries.update().values(revision=None))
    assert [state["number"] for state in states(world, entry_id)] == [3, 2, 1]
    put(world, entry_id, "text 4")
    assert [state["number"] for state in states(world, entry_id)] == [4, 3, 2, 1]
    assert [content(world, entry_id, number) for number in (1, 3, 4)] == ["text 1", "text 3", "text 4"]


def test_states_go_in_their_time(world: World) -> None:
    entry_id = written(world, 4)
    now = clock.now()
    assert revisions.clear(world.conn, now - timedelta(days=1)) == 0
    assert revisions.clear(world.conn, now + timedelta(days=1)) == 3
    assert [state["number"] for state in states(world, entry_id)] == [4]
    put(world, entry_id, "text 5")
    assert [state["number"] for state in states(world, entry_id)] == [5, 4]


def test_an_erased_entry_is_in_no_table(world: World) -> None:
    entry_id = write.create(world.conn, BEN, KIND, {"content": f"{SECRET}, call +49 30 901820"}).id
    put(world, entry_id, f"{SECRET} still, ann@example.org")
    write.delete(world.conn, BEN, KIND, entry_id)
    other = written(world)
    erase.erase(world.conn, BEN, endpoint(world), entry_id)
    for table in data_entries.metadata.sorted_tables:
        rows = world.conn.execute(select(table)).all()
        assert SECRET not in repr(rows), table.name
        assert entry_id not in [row._mapping.get("entry_id") for row in rows], table.name
    assert content(world, other, 1) == "text 1"
    for viewer in (BEN, ANN):
        with pytest.raises(NotFound):
            history.kept_entry(world.conn, viewer, endpoint(world), entry_id)


def test_every_table_is_erased_from_or_says_why_not() -> None:
    tables = {table.name: table for table in data_entries.metadata.sorted_tables}
    assert erasures.BY_ENTRY.keys() | erasures.NOT_OF_ENTRIES.keys() == tables.keys()
    assert not erasures.BY_ENTRY.keys() & erasures.NOT_OF_ENTRIES.keys()
    told = {"webhook_events", "webhook_deliveries"}  # ids and times, as in the ledger: that it is gone
    for name, table in tables.items():
        assert "entry_id" not in table.c or name in erasures.BY_ENTRY.keys() | told, name


@pytest.mark.parametrize("is_draft_now", [True, False])
def test_restoring_shows_no_draft(world: World, is_draft_now: bool) -> None:
    draft, done = {"content": "a", "meta": {"status": "draft"}}, {"content": "b"}
    first, second = (done, draft) if is_draft_now else (draft, done)
    entry_id = write.create(world.conn, BEN, KIND, first).id
    write.replace(world.conn, BEN, KIND, entry_id, second)
    undo.restore(world.conn, BEN, endpoint(world), entry_id, 1)
    with pytest.raises(NotFound):
        world.item(STRANGER, KIND, entry_id)
