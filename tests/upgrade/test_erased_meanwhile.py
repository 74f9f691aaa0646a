"""Does what was erased after a rollback stay erased, when the next upgrade brings back what was kept?"""

from __future__ import annotations

from app import clock, erased_people, erasures
from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from tests.upgrade.on_either_engine import asked, change

SINCE_0_9 = (
    "SELECT body FROM messages ORDER BY id",
    "SELECT id FROM pictures ORDER BY id",
    "SELECT picture_id FROM picture_sizes ORDER BY picture_id",
)


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
        f" VALUES ({number}, 'small', 'a{number}', 'image/webp', 1, 1, :content)",
    )


def test_what_was_erased_after_a_rollback_does_not_come_back(behind: Settings) -> None:
    assert run_upgrade(behind, target="0.8.0").state == "done"
    made = (
        "INSERT INTO data_entries (id, endpoint_id, data, is_active, created_by_id, visibility, created_at)"
        " VALUES ({0}, 1, '{{}}', 1, 1, 'private', '2026-01-01 00:00:00')"
    )
    ben = (
        "INSERT INTO users (id, username, email, hashed_password, is_active, is_admin)"
        " VALUES (2, 'ben', 'ben@example.org', 'x', 1, 0)"
    )
    change(behind, ben, made.format(9001), made.format(9002))
    assert run_upgrade(behind).state == "done"
    change(behind, message(1, 1), message(2, 2), *picture(1, 9001), *picture(2, 9002), content=b"\0")
    assert since_0_9(behind) == [["for 1", "for 2"], [1, 2], [1, 2]]
    assert run_rollback(behind).state == "done"
    erase_as_the_older_server_does(behind)
    assert run_upgrade(behind).state == "done"
    assert since_0_9(behind) == [["for 1"], [2], [2]]


def since_0_9(settings: Settings) -> list[list[object]]:
    return [[value for (value,) in asked(settings, query)] for query in SINCE_0_9]


def erase_as_the_older_server_does(settings: Settings) -> None:
    at = erasures.precise(clock.now())
    with storage_for(settings.database_url).migration_connection() as migration:
        made = str(erasures.created_at(migration, 9001))
        line = erasures.Erasure(erasures.installation_id(migration), erasures.ENTRIES, 9001, made, at, 1)
        erasures.erase(migration, 9001)
        erasures.record(migration, line)
        erased_people.erase_whole(migration, 2, at)
        migration.commit_durably()
