"""Many entries at once: is the same left behind as by one after the other, whatever came between?"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select

from app import clock
from app.accounts.audit_verify import verify
from app.entries import bulk, gone_entries, never_words, new_entries, storage_use, write
from app.entries.bulk_items import BulkItem
from app.entries.draft import draft_of
from app.entries.entry import Origin
from app.entries.findings import content_hash
from app.entries.new_entries import NewOne
from app.entries.searched_texts import SearchedTexts
from app.errors import BulkRefused, NotFound
from app.privacy.viewer import Viewer
from app.tables import (
    audit_logs,
    data_entries,
    entry_revisions,
    finding_releases,
    text_findings,
    view_changes,
    webhook_events,
    webhooks,
)
from tests.entries.conftest import BEN, World

CID = Viewer("person", 3, "cid")
CONTENTS = (
    {"content": "a plain one"},
    {"content": "write to cid@example.org, or call +1 415 555 0134", "visibility": "unlisted"},
    {"content": "of Rumpelstiltskin", "meta": {"visibility": "private", "tags": ["a"]}},
    {"content": "of tomorrow", "meta": {"publish_at": "2099-01-01T00:00:00Z"}},
)
LATER = {"basics": {"name": "Cid", "url": "https://cid.example"}}
ORIGIN = Origin("192.0.2.7", "a program", 12)


@pytest.fixture
def three(world: World) -> World:
    """Ben and Cid, who have the same word on their never-lists, and a webhook."""
    world.person(3, "cid")
    for user_id in (2, 3):
        never_words.add_word(world.conn, user_id, "Rumpelstiltskin")
        hook = {"id": user_id, "user_id": user_id, "url": "https://x.example", "secret": "x", "is_active": 1}
        hook |= {"created_at": clock.stored(clock.now()), "failed_count": 0}
        world.conn.execute(insert(webhooks).values(hook))
    return world


def items(kind: str = "ideas", contents: tuple[dict[str, Any], ...] = CONTENTS) -> list[BulkItem]:
    return [BulkItem(draft_of(kind, each), slug=f"s-{at}") for at, each in enumerate(contents)]


def left_by(world: World, viewer: Viewer) -> dict[str, Any]:
    """All that writing leaves behind, without what is another person's or random."""
    entry, line = data_entries.c, audit_logs.c
    rows = world.conn.execute(
        select(data_entries).where(entry.created_by_id == viewer.user_id).order_by(entry.position)
    ).all()
    order = {row.id: at for at, row in enumerate(rows)}
    first = min((row.position for row in rows), default=0)
    found = world.conn.execute(select(text_findings)).all()
    assert all(
        row.content_hash == content_hash(viewer.user_id, rows[order[row.entry_id]].data)
        for row in found
        if row.entry_id in order
    )
    return {
        "entries": [(*row[1:6], row.visibility, row.position - first, *row[9:]) for row in rows],
        "findings": sorted((order[row.entry_id], *row[2:]) for row in found if row.entry_id in order),
        "audit": [
            (row.action, order[row.record_id], row.old_values, row.new_values, *row[7:9], row.api_key_id)
            for row in world.conn.execute(
                select(audit_logs).where(line.user_id == viewer.user_id).order_by(line.id)
            )
        ],
        "events": [
            (row.event, row.publishes, row.kind, order[row.entry_id])
            for row in world.conn.execute(
                select(webhook_events)
                .where(webhook_events.c.user_id == viewer.user_id)
                .order_by(webhook_events.c.id)
            )
        ],
        "states": sorted(
            (order[row.entry_id], *row[1:7])
            for row in world.conn.execute(select(entry_revisions))
            if row.entry_id in order
        ),
        "use": storage_use.use_of(world.conn, viewer.user_id or 0),
        "later": [
            row.detector
            for row in world.conn.execute(
                select(finding_releases).where(finding_releases.c.user_id == viewer.user_id)
            )
        ],
    }


def write_all(world: World, viewer: Viewer, said: list[BulkItem], kind: str = "ideas") -> list[int]:
    prepared = bulk.prepare(bulk.look(world.conn, viewer, kind, said, origin=ORIGIN))
    assert prepared.plan is not None
    assert new_entries.holds(world.conn, viewer, ORIGIN, prepared.plan.new)
    done = bulk.write_all(world.conn, viewer, kind, said, origin=ORIGIN, prepared=prepared)
    return [each.id for each in done]


def one_by_one(world: World, viewer: Viewer, said: list[BulkItem], kind: str = "ideas") -> None:
    for each in said:
        write.create(world.conn, viewer, kind, each.draft, origin=ORIGIN, slug=each.slug)


@pytest.mark.parametrize("rounds", [1, 2])
def test_the_same_is_left_behind(three: World, monkeypatch: pytest.MonkeyPatch, rounds: int) -> None:
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    for part in (items()[:2], items()[2:])[:rounds]:
        one_by_one(three, BEN, part)
        ids = write_all(three, CID, part)
        assert len(set(ids)) == len(part)
    left = left_by(three, CID)
    assert left == left_by(three, BEN)
    assert len(left["entries"]) == len(left["audit"]) == 2 * rounds
    is_planned = rounds == 2  # one of them is shown later
    assert len(left["events"]) == 2 * rounds + is_planned
    assert verify(three.conn).is_whole


def test_the_same_is_left_where_many_are_deleted(three: World, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    there: dict[Viewer, list[int]] = {}
    for viewer in (BEN, CID):
        there[viewer] = write_all(three, viewer, items())
        write.merge(three.conn, viewer, "ideas", there[viewer][0], {"content": "changed"}, origin=ORIGIN)
    for entry_id in there[BEN]:
        write.delete(three.conn, BEN, "ideas", entry_id, origin=ORIGIN)
    theirs = [("ideas", entry_id) for entry_id in there[CID]]
    gone_entries.delete(three.conn, gone_entries.make_ready(three.conn, 3, theirs, ORIGIN))
    left = left_by(three, CID)
    assert left == left_by(three, BEN)
    assert [number for _, number, *_ in left["states"]] == [1, 2, 1, 1, 1]
    assert three.count(view_changes) == 0
    assert verify(three.conn).is_whole


def test_members_that_came_later_are_shown_of_the_first_who_has_any(three: World) -> None:
    said = items("resume", ({"name": "Cid", "title": "Gardener"}, LATER, LATER))
    one_by_one(three, BEN, said, "resume")
    write_all(three, CID, said, "resume")
    assert left_by(three, CID)["later"] == left_by(three, BEN)["later"] != []


def test_a_word_of_a_never_list_that_came_meanwhile_is_looked_for(three: World) -> None:
    said = items()
    prepared = bulk.prepare(bulk.look(three.conn, CID, "ideas", said))
    never_words.add_word(three.conn, 3, "plain")
    done = bulk.write_all(three.conn, CID, "ideas", said, prepared=prepared)
    three.conn.execute(data_entries.update().values(visibility="public"))
    shown = three.item(Viewer(), "ideas", done[0].id, owner="cid")
    assert "plain" not in str(shown)


def test_what_is_there_meanwhile_is_replaced_and_not_written_twice(three: World) -> None:
    said = items()
    prepared = bulk.prepare(bulk.look(three.conn, CID, "ideas", said))
    there = write.create(three.conn, CID, "ideas", {"content": "there"}, slug="s-1").id
    done = bulk.write_all(three.conn, CID, "ideas", said, prepared=prepared)
    assert [each.status for each in done] == [201, 200, 201, 201]
    assert done[1].id == there


def test_a_kind_that_is_not_in_use_takes_nothing_not_even_an_empty_bulk(three: World) -> None:
    three.change_endpoint("ideas", is_active=0)
    for said in ([], items()):
        with pytest.raises(NotFound):
            bulk.look(three.conn, CID, "ideas", said)
        with pytest.raises(NotFound):
            bulk.write_all(three.conn, CID, "ideas", said, prepared=bulk.Prepared(SearchedTexts()))


def test_where_there_is_no_room_each_that_has_none_is_named(three: World) -> None:
    said = items()
    prepared = bulk.prepare(bulk.look(three.conn, CID, "ideas", said))
    storage_use.set_limits(three.conn, 3, 2, None)
    with pytest.raises(BulkRefused) as refused:
        bulk.write_all(three.conn, CID, "ideas", said, prepared=prepared)
    told: Any = refused.value.details["items"]
    assert [(each["index"], each["status"]) for each in told] == [(2, 403), (3, 403)]


def test_others_prepared_by_someone_else_are_not_taken(three: World) -> None:
    looked = new_entries.look(three.conn, CID, ["ideas"], 1, ORIGIN)
    ready = new_entries.make_ready(looked, [NewOne("ideas", draft_of("ideas", CONTENTS[0]))])
    assert new_entries.holds(three.conn, CID, ORIGIN, ready)
    assert not new_entries.holds(three.conn, BEN, ORIGIN, ready)
    assert not new_entries.holds(three.conn, CID, Origin(), ready)
    three.change_endpoint("ideas", is_public=0)
    assert not new_entries.holds(three.conn, CID, ORIGIN, ready)
