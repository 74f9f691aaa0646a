"""Do random ids, the order of lists and slugs come through a rollback and the next upgrade?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.settings import Settings
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from tests.upgrade.places import execute, value

Old = Callable[[str], Path]
ADDED = (
    "INSERT INTO data_entries (endpoint_id, data, is_active, created_by_id, visibility)"
    " VALUES (3, '{}', 1, 1, 'private')"
)
NEW = (
    "INSERT INTO data_entries (id, position, slug, endpoint_id, data, is_active, created_by_id, visibility)"
    " VALUES (%d, %d, 'idea-%d', 3, '{}', 1, 1, 'private')"
)
IDS = (2**52 + 900, 2**52 + 17, 2**53 - 2**32 - 1)


def test_ids_order_and_slugs_come_again(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    assert run_upgrade(settings, target="0.5.0").state == "done"
    before = value(path, "SELECT group_concat(id, ' ') FROM data_entries WHERE endpoint_id = 3")
    assert run_upgrade(settings).state == "done"
    assert order_of(path) == sorted(int(each) for each in str(before).split()), "by their ids, as before"
    for place, entry_id in enumerate(IDS):
        execute(path, NEW % (entry_id, 5_000 + place, place))
    written = order_of(path)
    assert written[-3:] == list(IDS)

    down = run_rollback(settings)
    assert (down.state, down.exit_code) == ("done", 0), down.message
    assert value(path, f"SELECT count(*) FROM data_entries WHERE id IN {IDS}") == len(IDS)
    execute(path, ADDED)  # the older server goes on from the highest id
    of_old_server = value(path, "SELECT max(id) FROM data_entries")
    assert of_old_server == max(IDS) + 1

    up = run_upgrade(settings)
    assert up.state == "done", up.message
    assert order_of(path) == [*written, of_old_server]
    slugs = [value(path, f"SELECT slug FROM data_entries WHERE id = {each}") for each in IDS]
    assert slugs == ["idea-0", "idea-1", "idea-2"]
    assert not list(path.parent.glob("*.rollback_*.json")), up.notes


def order_of(path: Path) -> list[int]:
    rows = "SELECT id FROM data_entries WHERE endpoint_id = 3 ORDER BY coalesce(position, id), id"
    query = f"SELECT group_concat(id, ' ') FROM ({rows})"
    return [int(each) for each in str(value(path, query)).split()]
