"""Is what was exported answered in another installation as it was, and is importing twice importing once?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from app.accounts import users as accounts
from app.accounts.passwords import verify_password
from app.entries import endpoints as endpoint_rows
from app.entries import erase, erased_before, importing, own_kinds, write
from app.entries.export import export_user
from app.entries.export_folder import read_export
from app.entries.import_writing import run_import
from app.entries.importing import plan_import
from app.entries.parts import by_cursor
from app.entries.question import Question
from app.entries.read import item, page
from app.errors import Conflict, DaemonError, NotFound, UsageError
from app.ids import LARGEST_ID
from app.privacy.levels import MOST_OPEN, NAMES
from app.privacy.viewer import STRANGER, Viewer
from app.tables import (
    audit_logs,
    data_entries,
    data_privacy_rules,
    endpoints,
    metadata,
    users,
)
from tests.databases import Databases
from tests.entries.conftest import BEN, World, made_world

PEOPLE = ("ann", "ben", "cid")
KINDS = ("ideas", "own", "closed", "off", "contact_info")
NOW = datetime(2026, 5, 4, tzinfo=UTC)
Ids = dict[int, int]
TEXTS: tuple[Any, ...] = (
    {"content": "Call +1 212 555 0142 or mail x@y.example", "title": "t", "meta": {"tags": ["a"]}},
    {"content": "said private", "meta": {"visibility": "private"}},
    {"content": "said unlisted", "visibility": "unlisted"},
    '{"content":   "caf\\u00e9", "n": NaN, "s": "\\ud83d", "a": 1, "a": 2}',
    b'{"content": "\xff"}',
    "7",
    "{",
    '{"content": "same", "code": "ABC-123"}',
    '{"content": "same", "code": "ABC-123"}',
)


def fill(world: World) -> None:
    """Three people, kinds of all sorts, every visibility, odd texts, settings and rules."""
    world.person(3, "cid", is_active=0, created_at="2020-01-01 00:00:00")
    world.endpoint("own", schema='{"code": {"type": "string"}}', created_by_id=2, description="Ben's own")
    world.endpoint("closed", schema="{}", is_public=0)
    world.endpoint("off", is_active=0)
    world.settings(
        2, show_contact_info=0, custom_privacy_rules='{"title": "hide"}', privacy_level="professional"
    )
    world.rule(pattern="ABC-[0-9]+")
    world.rule(field_name="canary", is_active=0)
    number = 0
    for owner in (1, 2, 3):
        for kind in KINDS:
            for text in TEXTS:
                for visibility, is_active in (("public", 1), ("unlisted", 1), (None, 1), ("public", 0)):
                    number += 1
                    at = f"2021-02-03 04:{number % 60:02d}:{number // 60 % 60:02d}"
                    more = {"created_at": at, "updated_at": at if number % 3 else None}
                    world.entry(kind, text, owner=owner, visibility=visibility, is_active=is_active, **more)


@contextmanager
def empty_world(databases: Databases) -> Iterator[World]:
    with made_world(databases) as made:
        made.conn.execute(delete(users))
        yield made


@pytest.fixture
def there(databases: Databases) -> Iterator[World]:
    with made_world(databases) as made:
        fill(made)
        yield made


@pytest.fixture
def here(databases: Databases) -> Iterator[World]:
    with empty_world(databases) as made:
        yield made


Export = Callable[..., Path]


@pytest.fixture
def export(there: World, tmp_path: Path) -> Export:
    def write(username: str, level: str = MOST_OPEN, world: World = there) -> Path:
        folder = tmp_path / f"{username}{len(list(tmp_path.iterdir()))}"
        for name, content in export_user(world.conn, username, level).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return folder

    return write


def imported(
    world: World, folder: Path, *, into: str | None = None, is_admin: bool = False, level: str = MOST_OPEN
) -> tuple[importing.Import, Ids]:
    plan = plan_import(world.conn, read_export(folder), level, into=into, is_admin=is_admin)
    return plan, run_import(world.conn, plan, NOW)[1]


def all_imported(world: World, export: Export) -> Ids:
    """Everyone, in another order than there, so that no id but the first account's is the same."""
    ids: Ids = {}
    for name in ("ann", "cid", "ben"):
        ids |= imported(world, export(name), is_admin=name == "ann")[1]
    return ids


# -- the crawl


def viewers(world: World) -> dict[str, Viewer]:
    found = {each.username: each.id for each in accounts.list_users(world.conn)}
    people = {name: Viewer("admin" if name == "ann" else "person", found[name], name) for name in PEOPLE}
    return {"stranger": STRANGER, **people}


def crawl(world: World, ids: Ids | None = None) -> dict[tuple[Any, ...], Any]:
    """Return what every viewer is answered to every question; ids as they are in ``ids``' terms."""
    back = {here: there for there, here in (ids or {}).items()}
    named = select(data_entries.c.id, endpoints.c.name).join(endpoints)
    kind_of = {row.id: row.name for row in world.conn.execute(named)}
    answers: dict[tuple[Any, ...], Any] = {}
    for who, viewer in viewers(world).items():
        for kind in KINDS:
            for level in (None, *NAMES):
                for owner in (None, *PEOPLE):
                    question = Question(kind, viewer, owner, level=level)
                    answers[who, kind, level, owner] = _pages(world, question, back)
            for entry_id in (each for each in kind_of if kind_of[each] == kind):
                asked = Question(kind, viewer, entry_id=entry_id)
                answer = _answer(lambda asked=asked: item(world.conn, asked).view)  # type: ignore[misc]
                answers[who, kind, "item", back.get(entry_id, entry_id)] = _mapped(answer, back)
        known = endpoint_rows.known_endpoints(world.conn, viewer)
        answers[who, "kinds"] = {each.name: each.is_open for each in known}
    return answers


def _pages(world: World, question: Question, back: Ids) -> Any:
    found: list[Any] = []
    cursor = None
    while True:
        part = replace(question, part=by_cursor(200, cursor))
        answer = _answer(lambda part=part: page(world.conn, part))  # type: ignore[misc]
        if isinstance(answer, str):
            return answer
        found += [_mapped(each, back) for each in answer.items]
        cursor = answer.next
        if cursor is None:
            return found


def _answer(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except DaemonError as error:
        return error.code


def _mapped(view: Any, back: Ids) -> Any:
    if not isinstance(view, dict):
        return view
    mapped = {**view, "id": back.get(view["id"], view["id"])}
    if "findings" in view:  # hashes of values, and what names the entry, are the installation's own
        own = {"value_hash", "release"}
        mapped["findings"] = [
            {name: said for name, said in one.items() if name not in own} for one in view["findings"]
        ]
    return mapped


def everything(world: World) -> dict[str, list[Any]]:
    return {
        table.name: [tuple(row) for row in world.conn.execute(select(table))]
        for table in metadata.sorted_tables
    }


def test_every_viewer_is_answered_as_before(there: World, here: World, export: Export) -> None:
    ids = all_imported(here, export)
    before, after = crawl(there), crawl(here, ids)
    assert len([each for each in before.values() if each not in ([], "not_found")]) > 500
    assert [key for key in before if before[key] != after.get(key)] == []
    assert set(before) == set(after)
    assert len([there for there, here in ids.items() if there != here]) > 100


def test_importing_twice_is_importing_once(there: World, here: World, export: Export) -> None:
    ids = all_imported(here, export)
    before = everything(here)
    for name in PEOPLE:
        plan, done = imported(here, export(name))
        assert (plan.add, plan.kinds, plan.rules, plan.changed, done) == ((), (), (), (), {})
        assert set(plan.kept.items()) <= set(ids.items())
    assert everything(here) == before


def test_what_was_changed_or_deleted_here_since_is_not_brought_back(here: World, export: Export) -> None:
    all_imported(here, export)
    here.conn.execute(update(data_entries).values(data='{"content": "another"}', is_active=0))
    before = everything(here)
    imported(here, export("ben"))
    assert everything(here) == before


def test_what_came_there_since_is_added_and_what_changed_is_told(
    there: World, here: World, export: Export
) -> None:
    all_imported(here, export)
    new = there.entry("ideas", {"content": "new"}, owner=2)
    there.conn.execute(update(data_entries).where(data_entries.c.id == new - 1).values(data='{"a": 1}'))
    there.conn.execute(update(data_entries).where(data_entries.c.id == new - 1).values(created_by_id=2))
    first = there.conn.execute(select(data_entries.c.id).where(data_entries.c.created_by_id == 2)).scalars()
    changed = next(iter(first))
    there.conn.execute(update(data_entries).where(data_entries.c.id == changed).values(data='{"b": 1}'))
    plan, _ = imported(here, export("ben"))
    assert {each.id for each in plan.add} == {new - 1, new}
    assert plan.changed == (changed,)


def test_into_the_installation_that_it_came_from_nothing_is_added(there: World, export: Export) -> None:
    before = there.count(data_entries)
    plan, _ = imported(there, export("ben"), into="ben")
    assert plan.add == ()
    assert there.count(data_entries) == before


def test_a_plan_writes_nothing(here: World, export: Export) -> None:
    before = everything(here)
    plan = plan_import(here.conn, read_export(export("ann")), MOST_OPEN, into=None, is_admin=True)
    assert len(plan.add) == len(KINDS) * len(TEXTS) * 4
    assert everything(here) == before


def test_the_account_has_a_password_that_nobody_knows_and_is_no_admin_unless_it_is_said(
    there: World, here: World, export: Export
) -> None:
    there.conn.execute(update(users).values(is_admin=1))
    with pytest.raises(UsageError, match="first account must be an admin"):
        imported(here, export("ann"))
    all_imported(here, export)
    found = {each.username: each for each in accounts.list_users(here.conn)}
    assert {name: (one.is_admin, one.is_active) for name, one in found.items()} == {
        "ann": (True, True),
        "ben": (False, True),
        "cid": (False, False),
    }
    assert str(found["ben"].stored_hash).startswith("$argon2id$")
    assert not verify_password("hash", found["ben"].stored_hash).right
    assert found["cid"].created_at == "2020-01-01 00:00:00"
    with pytest.raises(UsageError, match="--admin is for an account that is made"):
        imported(here, export("ann"), is_admin=True)


@pytest.mark.parametrize("taken", [{"username": "BEN"}, {"username": "eve", "email": "Ben@x.example"}])
def test_a_name_or_mail_address_that_is_taken_is_refused(
    here: World, export: Export, taken: dict[str, Any]
) -> None:
    here.person(1, **taken)
    before = everything(here)
    with pytest.raises(Conflict, match="mail address"):
        imported(here, export("ben"))
    assert everything(here) == before


def test_into_an_account_of_another_name_and_never_into_two(here: World, export: Export) -> None:
    here.person(1, "robert")
    here.person(2, "eve")
    with pytest.raises(NotFound):
        imported(here, export("ben"), into="nobody")
    plan, ids = imported(here, export("ben"), into="robert")
    assert len(ids) == len(plan.add)
    with pytest.raises(Conflict, match="imported into robert before"):
        imported(here, export("ben"), into="eve")
    assert imported(here, export("ben"))[0].add == ()
    assert [each.username for each in accounts.list_users(here.conn)] == ["robert", "eve"]


# -- never shown to more


def shown_to_strangers(world: World, name: str) -> int:
    found = (_pages(world, Question(kind, STRANGER, name), {}) for kind in KINDS)
    return sum(len(each) for each in found if isinstance(each, list))


def _settings_are_others(there: World, here: World) -> None:
    here.settings(1)


def _level_is_stricter_there(there: World, here: World) -> None:
    here.settings(
        1, show_contact_info=0, custom_privacy_rules='{"title": "hide"}', privacy_level="professional"
    )


def _account_is_inactive_there(there: World, here: World) -> None:
    _level_is_stricter_there(there, here)
    there.conn.execute(update(users).values(is_active=0))


def _kinds_are_closed_there(there: World, here: World) -> None:
    _level_is_stricter_there(there, here)
    here.endpoint("own", schema='{"code": {}}')
    there.conn.execute(update(endpoints).values(is_public=0))


@pytest.mark.parametrize(
    ("prepare", "level"),
    [
        (_settings_are_others, MOST_OPEN),
        (_level_is_stricter_there, "business_card"),
        (_account_is_inactive_there, MOST_OPEN),
        (_kinds_are_closed_there, MOST_OPEN),
    ],
)
def test_what_would_be_shown_to_more_becomes_private(
    there: World, here: World, export: Export, prepare: Callable[[World, World], None], level: str
) -> None:
    here.person(1, "robert")
    prepare(there, here)
    plan, ids = imported(here, export("ben", level), into="robert")
    assert plan.closed
    assert shown_to_strangers(here, "robert") == 0
    kept = here.conn.execute(
        select(data_entries.c.id).where(data_entries.c.visibility == "private")
    ).scalars()
    assert {ids[each] for each in plan.closed} <= set(kept)


def test_with_the_same_settings_level_and_kinds_nothing_is_closed(
    there: World, here: World, export: Export
) -> None:
    here.person(1, "robert")
    _level_is_stricter_there(there, here)
    plan, _ = imported(here, export("ben"), into="robert")
    assert plan.closed == {}
    assert shown_to_strangers(here, "robert") == shown_to_strangers(there, "ben") > 0


def test_a_kind_that_declares_more_here_closes(there: World, here: World, export: Export) -> None:
    here.endpoint("own", schema='{"code": {}, "secret": {}}')
    plan, _ = imported(here, export("ann"), is_admin=True)
    own = here.conn.execute(select(endpoints.c.id).where(endpoints.c.name == "own")).scalar_one()
    found = here.conn.execute(
        select(data_entries.c.visibility).where(data_entries.c.endpoint_id == own)
    ).scalars()
    assert "public" not in set(found)
    assert set(plan.closed.values()) == {"the kind own shows more here than there"}


def test_rules_that_hold_there_hold_here_once(there: World, here: World, export: Export) -> None:
    all_imported(here, export)
    assert there.count(data_privacy_rules) == 2
    rows = here.conn.execute(select(data_privacy_rules.c.pattern, data_privacy_rules.c.is_active)).all()
    assert [tuple(row) for row in rows] == [("ABC-[0-9]+", 1)]


def test_an_entry_without_a_kind_is_told_and_left(there: World, here: World, export: Export) -> None:
    lost = there.entry("off", {"content": "lost"}, owner=1)
    there.conn.execute(update(data_entries).where(data_entries.c.id == lost).values(endpoint_id=LARGEST_ID))
    plan, ids = imported(here, export("ann"), is_admin=True)
    assert plan.refused == {lost: "its kind is gone"}
    assert lost not in ids


def test_the_audit_says_where_everything_came_from(there: World, here: World, export: Export) -> None:
    _, ids = imported(here, export("ann"), is_admin=True)
    row = audit_logs.c
    noted = here.conn.execute(
        select(row.record_id, row.table_name, row.new_values).where(row.action == "IMPORT")
    )
    said = [(table, record, json.loads(text)) for record, table, text in noted]
    assert {record: one["id"] for table, record, one in said if table == "data_entries"} == {
        new: old for old, new in ids.items()
    }
    assert {one["from"]["username"] for _, _, one in said} == {"ann"}


def test_slugs_that_are_free_and_the_times_of_an_entry_come_with_it(
    there: World, here: World, export: Export
) -> None:
    held = {"slug": "bees", "shown_from": "9999-12-31 23:59:59", "shown_until": "9999-12-31 23:59:59"}
    entry_id = there.entry("ideas", {"content": "c"}, owner=2, **held)
    ids = all_imported(here, export)
    row = here.conn.execute(select(data_entries).where(data_entries.c.id == ids[entry_id])).one()
    assert {name: row._mapping[name] for name in held} == held


def test_kinds_of_one_s_own_come_with_their_versions(there: World, here: World, export: Export) -> None:
    said = {"schema": {"type": "object", "properties": {"dish": {}}}, "example": {"dish": "Soup"}}
    own_kinds.create_kind(there.conn, 2, "recipes", {**said, "title": "Meals"})
    own_kinds.change_kind(there.conn, 2, "recipes", {"example": {"dish": "Tea"}})
    kept = write.create(there.conn, BEN, "recipes", {"dish": "Bread"}).id
    here.endpoint("recipes")
    ids = all_imported(here, export)
    ben = Viewer("person", accounts.get_user(here.conn, "ben").id, "ben")
    assert ben.user_id is not None
    made = own_kinds.get_kind(here.conn, ben.user_id, "recipes")
    assert (made["title"], made["version"], made["example"]) == ("Meals", 2, {"dish": "Tea"})
    versions = own_kinds.versions_of(here.conn, ben.user_id, "recipes")
    assert [each["example"] for each in versions] == [{"dish": "Soup"}, {"dish": "Tea"}]
    assert here.item(ben, "recipes", ids[kept])["data"] == {"dish": "Bread"}
    assert imported(here, export("ben"))[1] == {}


def test_what_was_erased_is_refused_and_told(there: World, here: World, export: Export) -> None:
    """Where it was written, and where an earlier import had brought it."""
    folder = export("ben")
    ids = imported(here, folder, is_admin=True)[1]
    for world, gone in ((there, min(ids)), (here, ids[min(ids)])):
        ben = Viewer("admin", accounts.get_user(world.conn, "ben").id, "ben")
        kind = endpoint_rows.find_named(world.conn, "ideas")
        assert kind is not None
        erase.erase(world.conn, ben, kind, gone)
        before = everything(world)["data_entries"]
        plan, new = imported(world, folder, into="ben")
        assert (plan.refused, new) == ({min(ids): erased_before.ERASED}, {})
        assert everything(world)["data_entries"] == before
