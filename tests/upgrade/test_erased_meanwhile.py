"""Does what was erased after a rollback stay erased, when the next upgrade brings back what was kept?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app import clock, erased_people, erasures
from app.settings import Settings
from app.storage.registry import storage_at
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from tests.upgrade.places import execute, value

SINCE_0_9 = """
    SELECT (SELECT group_concat(body) FROM messages) || '|' || (SELECT group_concat(id) FROM pictures)
        || '|' || (SELECT count(*) FROM picture_sizes)
"""


def message(number: int, user_id: int) -> str:
    return (
        "INSERT INTO messages (id, user_id, received_at, came_by, body)"
        f" VALUES ({number}, {user_id}, '2026-01-01 00:00:00', 'api', 'for {user_id}')"
    )


def picture(number: int, entry_id: int) -> tuple[str, ...]:
    return (
        "INSERT INTO pictures (id, user_id, entry_id, number, bytes_count, created_at)"
        f" VALUES ({number}, 1, {entry_id}, 1, 1, '2026-01-01 00:00:00')",
        "INSERT INTO picture_sizes (picture_id, size, address, media_type, width, height, content)"
        f" VALUES ({number}, 'small', 'a{number}', 'image/webp', 1, 1, x'00')",
    )


def test_what_was_erased_after_a_rollback_does_not_come_back(
    old: Callable[[str], Path], settings: Settings
) -> None:
    path = old("layout_a")
    assert run_upgrade(settings, target="0.8.0").state == "done"
    made = (
        "INSERT INTO data_entries (id, endpoint_id, data, is_active, created_by_id, visibility, created_at)"
        " VALUES ({0}, 3, '{{}}', 1, 1, 'private', '2026-01-01 00:00:00')"
    )
    execute(path, made.format(9001), made.format(9002))
    assert run_upgrade(settings).state == "done"
    execute(path, message(1, 1), message(2, 2), *picture(1, 9001), *picture(2, 9002))
    before = value(path, SINCE_0_9)
    assert before == "for 1,for 2|1,2|2"
    assert run_rollback(settings).state == "done"
    erase_as_the_older_server_does(path)
    assert run_upgrade(settings).state == "done"
    assert value(path, SINCE_0_9) == "for 1|2|1"


def erase_as_the_older_server_does(path: Path) -> None:
    at = erasures.precise(clock.now())
    with storage_at(path).migration_connection() as migration:
        made = str(erasures.created_at(migration, 9001))
        line = erasures.Erasure(erasures.installation_id(migration), erasures.ENTRIES, 9001, made, at, 1)
        erasures.erase(migration, 9001)
        erasures.record(migration, line)
        erased_people.erase_whole(migration, 2, at)
        migration.commit_durably()
