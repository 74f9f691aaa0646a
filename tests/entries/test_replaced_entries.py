"""Many entries replaced at once: is the same left behind as by one after the other, whatever they were?"""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update

from app import audit_chain, clock, ids
from app.accounts.audit_verify import verify
from app.entries import bulk, never_words, policies, storage_use, write
from app.entries.bulk import PlanIsOutdated, Prepared
from app.entries.bulk_items import BulkItem
from app.entries.draft import draft_of
from app.entries.entry import Origin
from app.entries.findings import content_hash
from app.entries.searched_texts import SearchedTexts
from app.entries.spans import Spans
from app.errors import BulkRefused
from app.prepared_statements import PreparedStatement
from app.privacy.rules import Rule
from app.privacy.viewer import Viewer
from app.tables import (
    data_entries,
    entry_revisions,
    finding_releases,
    metadata,
    text_findings,
    unclaimed_entries,
    users,
    webhooks,
)
from tests.databases import Databases
from tests.entries.conftest import BEN, World, made_world

ORIGIN = Origin("192.0.2.7", "a program", 12)
AT = datetime.fromisoformat("2026-03-04T05:06:07+00:00")
CONTENTS: tuple[dict[str, Any], ...] = (
    {"content": "a plain one"},
    {"content": "a plain one", "is": "no member of its kind"},
    {"content": "write to ben@example.org, or call +1 415 555 0134", "visibility": "unlisted"},
    {"content": "write to ben@example.org", "visibility": "public"},
    {"content": "of Rumpelstiltskin", "meta": {"visibility": "private", "tags": ["a"]}},
    {"content": "of Rumpelstiltskin, for all", "meta": {"visibility": "public"}},
    {"content": "of tomorrow", "meta": {"publish_at": "2099-01-01T00:00:00Z"}},
    {"content": "of yesterday", "meta": {"expires_at": "2020-01-01T00:00:00Z"}},
    {"content": "until tomorrow", "meta": {"expires_at": "2099-01-01T00:00:00Z"}, "visibility": "public"},
)
ODD: tuple[tuple[str, dict[str, Any]], ...] = (
    ('{"content": "two  spaces"}', {"visibility": None}),
    ('{"content": "private, it says", "visibility": "private"}', {}),
    ("no JSON at all", {"visibility": "unlisted"}),
    ('{"content": "of before"}', {"revision": 7, "updated_at": "2026-01-02 03:04:05.000000"}),
    ('{"content": "planned before"}', {"shown_from": "2026-01-02 03:04:05"}),
)
LEFT_OUT = {
    "audit_logs": {"changes_hash", "events_hash"},
    "users": {"created_at"},
    "endpoints": {"created_at"},
}


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The time, which stands still, and what else is drawn: the same each time."""
    now = [AT]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    monkeypatch.setattr(audit_chain, "new_salt", lambda: f"{'a' * 30}.{'b' * 30}")
    monkeypatch.setattr(secrets, "token_hex", lambda size: "ab" * size)
    return now


@pytest.fixture
def filled(databases: Databases, moment: list[datetime]) -> Iterator[World]:
    with made_world(databases) as world:
        fill(world, moment)
        yield world


def fill(world: World, moment: list[datetime]) -> list[int]:
    """Give Ben entries of all sorts, half of them changed once; return their ids."""
    moment[0], drawn = AT, count(ids.RANDOM_FROM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids, "draw", lambda _table: next(drawn))
        never_words.add_word(world.conn, 2, "Rumpelstiltskin")
        hook = {"id": 2, "user_id": 2, "url": "https://x.example", "secret": "x", "is_active": 1}
        world.conn.execute(insert(webhooks).values({**hook, "created_at": "2026-01-01", "failed_count": 0}))
        made = [
            write.create(world.conn, BEN, "ideas", each, slug=f"s-{at}" if at % 2 else None).id
            for at, each in enumerate(CONTENTS * 2)
        ]
        moment[0] += timedelta(minutes=1)
        for entry_id in made[::2]:
            write.merge(world.conn, BEN, "ideas", entry_id, {"content": f"changed {entry_id % 5}"})
    then = {"owner": 2, "created_at": "2026-01-01 00:00:00"}
    made += [world.entry("ideas", stored, **{**then, **values}) for stored, values in ODD]
    waits = {"entry_id": made[0], "size_bytes": 5, "received_at": "2026-01-01"}
    world.conn.execute(insert(unclaimed_entries).values(waits))
    moment[0] += timedelta(hours=1)
    return made


def some_items(world: World, made: list[int], seed: int) -> list[BulkItem]:
    """Return items that replace most entries by id or by slug, new ones among them, in any order."""
    drawn = random.Random(seed)
    slugs = {row[0]: row[1] for row in world.conn.execute(select(data_entries.c.id, data_entries.c.slug))}
    items = []
    for at, entry_id in enumerate(drawn.sample(made, len(made) - 3)):
        draft = draft_of("ideas", drawn.choice(CONTENTS))
        named = slugs[entry_id]
        if named and drawn.random() < 0.5:
            items.append(BulkItem(draft, slug=named))
        else:
            slug = drawn.choice([None, named, f"other-{at}", ""])
            items.append(BulkItem(draft, entry_id, slug))
    new = [
        BulkItem(draft_of("ideas", each), slug=drawn.choice([None, f"n-{at}"]))
        for at, each in enumerate(CONTENTS)
    ]
    items += new[: drawn.choice([0, 1, len(new)])]
    drawn.shuffle(items)
    return items


def all_rows(world: World) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table; an entry is called by its place, since ids of new ones are drawn."""
    rows = world.conn.execute(select(data_entries.c.id, data_entries.c.position))
    places = {row[0]: f"at {row[1]}" for row in rows if row[1] is not None}
    plans = {-entry_id: f"planned {place}" for entry_id, place in places.items()}
    named = {"data_entries": {"id": places}, "webhook_events": {"id": plans}}

    def called(name: str, row: dict[str, Any]) -> dict[str, Any]:
        names = {"entry_id": places, "record_id": places, **named.get(name, {})}
        return {key: names[key].get(row[key], row[key]) if key in names else row[key] for key in row}

    found = {}
    for name, table in metadata.tables.items():
        columns = [column for column in table.c if column.name not in LEFT_OUT.get(name, ())]
        stored = world.conn.execute(select(*columns))
        found[name] = sorted((called(name, dict(row._mapping)) for row in stored), key=repr)
    return found


def prepared_for(world: World, items: list[BulkItem], viewer: Viewer = BEN) -> Prepared:
    prepared = bulk.prepare(bulk.look(world.conn, viewer, "ideas", items, origin=ORIGIN))
    assert prepared.plan is not None
    return prepared


def write_all(world: World, items: list[BulkItem], prepared: Prepared, **more: Any) -> list[int]:
    done = bulk.write_all(world.conn, BEN, "ideas", items, origin=ORIGIN, prepared=prepared, **more)
    return [each.status for each in done]


@pytest.mark.parametrize("seed", range(4))
def test_the_same_is_left_behind(
    databases: Databases, moment: list[datetime], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    with made_world(databases) as world:
        items = some_items(world, fill(world, moment), seed)
        one_by_one = write_all(world, items, Prepared(SearchedTexts()))
        wanted = all_rows(world)
    with made_world(databases) as world:
        assert repr(some_items(world, fill(world, moment), seed)) == repr(items)
        prepared = prepared_for(world, items)
        monkeypatch.delattr(write, "replace")  # one by one it would be
        assert write_all(world, items, prepared, may_come_again=True) == one_by_one
        left = all_rows(world)
        assert verify(world.conn).is_whole
    for name, rows in wanted.items():
        assert [row for row in left[name] if row not in rows] == [
            row for row in rows if row not in left[name]
        ]
    assert len(left["entry_revisions"]) > len(items) // 2
    assert left["view_changes"]
    assert left["webhook_events"]


def replaced(world: World, count: int = 3, **content: Any) -> list[BulkItem]:
    said = {"content": "another text", "visibility": "public", **content}
    return [BulkItem(draft_of("ideas", said), slug=f"s-{at}") for at in range(1, 2 * count, 2)]


def test_a_table_takes_a_statement_however_many_they_are(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    for name in ("run", "run_all"):
        monkeypatch.setattr(PreparedStatement, name, noted(getattr(PreparedStatement, name), asked))
    filled.conn.execute(update(webhooks).values(is_active=0))
    event.listen(filled.conn, "before_cursor_execute", lambda *_said: asked.append("SQLAlchemy"))
    counts = []
    for number, content in ((1, "first"), (2, "second"), (9, "third")):
        items = replaced(filled, number, content=content)
        prepared = prepared_for(filled, items)
        asked.clear()
        write_all(filled, items, prepared, is_as_planned=True)
        counts.append(len(asked))
    assert max(counts) <= 24  # of data_entries one for those of which the same columns change


def noted(run: Any, asked: list[object]) -> Any:
    def noting(statement: PreparedStatement, *given: Any) -> Any:
        asked.append(statement)
        return run(statement, *given)

    return noting


def test_what_was_changed_meanwhile_is_looked_at_again(filled: World) -> None:
    items = replaced(filled)
    prepared = prepared_for(filled, items)
    entry_id = ids_by_slug(filled)["s-3"]
    write.merge(filled.conn, BEN, "ideas", entry_id, {"content": "of someone who was faster"})
    with pytest.raises(PlanIsOutdated):
        write_all(filled, items, prepared, may_come_again=True)
    assert write_all(filled, items, prepared) == [200] * 3  # one by one, where it may not come again
    kept = select(entry_revisions.c.data).where(entry_revisions.c.entry_id == entry_id)
    assert "of someone who was faster" in str(filled.conn.execute(kept).scalars().all())
    assert verify(filled.conn).is_whole


def ids_by_slug(world: World) -> dict[str, int]:
    query = select(data_entries.c.slug, data_entries.c.id).where(data_entries.c.slug.is_not(None))
    return {row[0]: row[1] for row in world.conn.execute(query)}


def _hide_by_rule(world: World) -> None:
    policies.add_rule(world.conn, Rule("ideas", "content", None, None, None), clock.now())


def _list_a_word(world: World) -> None:
    never_words.add_word(world.conn, 2, "another")


def _close_the_kind(world: World) -> None:
    world.change_endpoint("ideas", is_public=0)


def _put_the_account_out_of_use(world: World) -> None:
    world.conn.execute(update(users).where(users.c.id == 2).values(is_active=0))


def _release(world: World) -> None:
    values = {"id": 5, "user_id": 2, "detector": "email", "created_at": "2026-01-01"}
    world.conn.execute(insert(finding_releases).values(values))


def _take_a_slug(world: World) -> None:
    write.create(world.conn, BEN, "ideas", {"content": "faster"}, slug="wanted")


@pytest.mark.parametrize(
    "change",
    [_hide_by_rule, _list_a_word, _close_the_kind, _put_the_account_out_of_use, _release, _take_a_slug],
)
def test_what_views_hang_on_is_looked_at_again(filled: World, change: Any) -> None:
    items = [*replaced(filled), BulkItem(draft_of("ideas", {"content": "new"}), slug="wanted")]
    prepared = prepared_for(filled, items)
    change(filled)
    with pytest.raises(PlanIsOutdated):
        write_all(filled, items, prepared, may_come_again=True)


def test_texts_that_were_searched_meanwhile_are_in_the_way_of_nothing(filled: World) -> None:
    """Of an entry that no one had searched there is a row of findings now."""
    query = select(data_entries.c.id, data_entries.c.data).where(data_entries.c.position.is_(None))
    odd = filled.conn.execute(query.where(data_entries.c.created_by_id == 2)).all()
    items = [BulkItem(draft_of("ideas", CONTENTS[0]), row.id) for row in odd]
    prepared = prepared_for(filled, items)
    Spans(filled.conn).findings.keep(odd[0].id, 2, odd[0].data, clock.now())
    assert write_all(filled, items, prepared, may_come_again=True) == [200] * len(ODD)
    searched = filled.conn.execute(select(text_findings.c.entry_id, text_findings.c.content_hash))
    hashes = {row.entry_id: row.content_hash for row in searched}
    assert {hashes[row.id] for row in odd} == {content_hash(2, items[0].draft.text)}


def test_a_time_that_came_meanwhile_is_heard(filled: World, moment: list[datetime]) -> None:
    soon = (moment[0] + timedelta(seconds=2)).isoformat()
    later = replaced(filled, meta={"publish_at": soon})
    prepared = prepared_for(filled, later)
    moment[0] += timedelta(seconds=3)
    with pytest.raises(PlanIsOutdated):
        write_all(filled, later, prepared, is_as_planned=True, may_come_again=True)
    assert write_all(filled, later, prepared) == [200] * 3


def test_a_time_that_was_to_come_of_what_is_replaced_is_heard(filled: World, moment: list[datetime]) -> None:
    soon = (moment[0] + timedelta(seconds=2)).isoformat()
    later = replaced(filled, meta={"publish_at": soon})
    write_all(filled, later, prepared_for(filled, later))
    items = replaced(filled)
    prepared = prepared_for(filled, items)
    moment[0] += timedelta(seconds=3)
    with pytest.raises(PlanIsOutdated):
        write_all(filled, items, prepared, is_as_planned=True, may_come_again=True)


def test_where_one_may_not_be_replaced_or_has_no_room_each_is_named(filled: World) -> None:
    items = replaced(filled, content="a text that is longer than that before it " * 9)
    storage_use.set_limits(filled.conn, 2, None, storage_use.use_of(filled.conn, 2).bytes + 500)
    with pytest.raises(BulkRefused) as refused:
        write_all(filled, items, prepared_for(filled, items))
    told: Any = refused.value.details["items"]
    assert [each["status"] for each in told] == [403] * len(told)
    assert 0 < len(told) < 3
    items = replaced(filled)
    with pytest.raises(BulkRefused) as refused:
        write_all(filled, items, prepared_for(filled, items), check_may_replace=bulk.refuse_to_replace)
    told = refused.value.details["items"]
    assert [(each["index"], each["status"]) for each in told] == [(0, 409), (1, 409), (2, 409)]


@pytest.mark.parametrize("name", ["theirs", "swapped", "twice", "gone"])
def test_what_is_in_the_way_is_left_to_one_by_one(filled: World, name: str) -> None:
    one, other = replaced(filled, 2)
    by_slug = ids_by_slug(filled)
    theirs = write.create(filled.conn, Viewer("admin", 1, "ann"), "ideas", {"content": "x"}).id
    items = {
        "theirs": [one, BulkItem(one.draft, theirs)],
        "swapped": [BulkItem(one.draft, by_slug["s-1"], "s-3"), BulkItem(one.draft, by_slug["s-3"], "s-1")],
        "twice": [one, BulkItem(one.draft, by_slug["s-1"])],
        "gone": [other, BulkItem(one.draft, 10**9)],
    }[name]
    prepared = bulk.prepare(bulk.look(filled.conn, BEN, "ideas", items, origin=ORIGIN))
    assert prepared.plan is None
    with pytest.raises(BulkRefused):
        write_all(filled, items, prepared)


def test_members_that_came_later_are_decided_one_by_one(filled: World) -> None:
    later = {"basics": {"name": "Ben", "url": "https://ben.example"}}
    made = write.create(filled.conn, BEN, "resume", {"name": "Ben", "title": "Gardener"}).id
    items = [BulkItem(draft_of("resume", later), made)]
    looked = bulk.look(filled.conn, BEN, "resume", items)
    assert looked.entries is None
    assert bulk.write_all(filled.conn, BEN, "resume", items, prepared=bulk.prepare(looked))[0].status == 200
    assert filled.count(finding_releases) == 1
    assert bulk.look(filled.conn, BEN, "resume", items).entries is not None  # it is decided now
