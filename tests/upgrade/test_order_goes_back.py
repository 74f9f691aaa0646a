"""Do random ids, the order of lists and slugs come through a rollback and the next upgrade?"""

from __future__ import annotations

from app.settings import Settings
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from tests.upgrade.on_either_engine import asked, change

ADDED = (
    "INSERT INTO data_entries (endpoint_id, data, is_active, created_by_id, visibility)"
    " VALUES (1, '{}', 1, 1, 'private')"
)
NEW = (
    "INSERT INTO data_entries (id, position, slug, endpoint_id, data, is_active, created_by_id, visibility)"
    " VALUES (%d, %d, 'idea-%d', 1, '{}', 1, 1, 'private')"
)
IDS = (2**52 + 900, 2**52 + 17, 2**53 - 2**32 - 1)


def test_ids_order_and_slugs_come_again(behind: Settings) -> None:
    before = [number for (number,) in asked(behind, "SELECT id FROM data_entries WHERE endpoint_id = 1")]
    assert run_upgrade(behind).state == "done"
    assert order_of(behind) == sorted(before), "by their ids, as before"
    change(behind, *(NEW % (entry_id, 5_000 + place, place) for place, entry_id in enumerate(IDS)))
    written = order_of(behind)
    assert written[-3:] == list(IDS)

    down = run_rollback(behind)
    assert (down.state, down.exit_code) == ("done", 0), down.message
    assert asked(behind, f"SELECT count(*) FROM data_entries WHERE id IN {IDS}") == [(len(IDS),)]
    change(behind, ADDED)  # the older server goes on from the highest id
    [(of_old_server,)] = asked(behind, "SELECT max(id) FROM data_entries")
    assert of_old_server == max(IDS) + 1

    up = run_upgrade(behind)
    assert up.state == "done", up.message
    assert order_of(behind) == [*written, of_old_server]
    slugs = asked(behind, f"SELECT slug FROM data_entries WHERE id IN {IDS} ORDER BY slug")
    assert slugs == [("idea-0",), ("idea-1",), ("idea-2",)]
    assert not list(behind.data_dir.glob("*.rollback_*.json")), up.notes


def order_of(settings: Settings) -> list[object]:
    query = "SELECT id FROM data_entries WHERE endpoint_id = 1 ORDER BY coalesce(position, id), id"
    return [number for (number,) in asked(settings, query)]
