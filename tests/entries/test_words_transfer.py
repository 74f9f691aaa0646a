"""Do a person's words go with them, readable by no one on the way, and is who comes without them private?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app import clock
from app.entries import never_words
from app.entries.export import export_user
from app.entries.export_folder import Exported, read_export
from app.entries.import_visibility import CLOSED_WORDS
from app.entries.import_writing import run_import
from app.entries.importing import Import, plan_import
from app.entries.never_words import add_word, never_list_of
from app.errors import UsageError
from app.privacy.levels import MOST_OPEN
from app.privacy.viewer import STRANGER
from app.tables import data_entries, privacy_secrets
from tests.databases import Databases
from tests.entries.conftest import World, made_world

PASSPHRASE = "eight horses and a cart"
IDEA = {"content": "With Anna-Mária at Copperline."}


def exported(world: World, folder: Path, passphrase: str | None) -> Exported:
    for name, content in export_user(world.conn, "ben", MOST_OPEN, passphrase).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return read_export(folder)


@pytest.fixture
def there(world: World) -> World:
    """Ben has an idea with two words of his list in it, one of which colleagues may read."""
    add_word(world.conn, 1, "Elsewhere")
    add_word(world.conn, 2, "Anna Maria")
    add_word(world.conn, 2, "Copperline", "professional")
    world.entry("ideas", IDEA, owner=2, created_at="2026-01-01 00:00:00")
    return world


def imported(here: World, found: Exported, passphrase: str | None) -> tuple[Import, int]:
    plan = plan_import(here.conn, found, MOST_OPEN, into=None, is_admin=False, passphrase=passphrase)
    target, _ = run_import(here.conn, plan, clock.now())
    return plan, target.id


def new_world(here: World) -> None:
    here.conn.exec_driver_sql("UPDATE users SET username = 'bert', username_key = 'bert' WHERE id = 2")
    here.conn.exec_driver_sql("UPDATE users SET email = 'bert@x.example' WHERE id = 2")


def test_words_come_along_with_the_passphrase(there: World, databases: Databases, tmp_path: Path) -> None:
    found = exported(there, tmp_path, PASSPHRASE)
    with made_world(databases) as here:
        new_world(here)
        add_word(here.conn, 1, "Their own")
        plan, user_id = imported(here, found, PASSPHRASE)
        assert plan.closed == {}
        words = never_words.words_of(here.conn, user_id)
        assert [(word["length"], word["privacy_level"]) for word in words] == [
            (9, None),
            (10, "professional"),
        ]
        listed = here.page(STRANGER, "ideas", "ben", level="professional").items
        assert [item["content"] for item in listed] == ["With ***REDACTED*** at Copperline."]
        added = add_word(here.conn, user_id, "Falcon")
        assert add_word(here.conn, user_id, "ANNA maria")["id"] == words[0]["id"]
        looked = never_list_of(here.conn, user_id)
        assert looked is not None
        assert len(looked.find("Falcon and Anna Maria and Their own")) == 2
        assert added["id"] not in [word["id"] for word in words]
        again = plan_import(here.conn, found, MOST_OPEN, into=None, is_admin=False, passphrase=PASSPHRASE)
        run_import(here.conn, again, clock.now())
        assert len(never_words.words_of(here.conn, user_id)) == 3


@pytest.mark.parametrize("given", [None, PASSPHRASE])
def test_who_comes_without_the_words_is_private(
    there: World, databases: Databases, tmp_path: Path, given: str | None
) -> None:
    found = exported(there, tmp_path, given)
    with made_world(databases) as here:
        new_world(here)
        plan, user_id = imported(here, found, None)
        assert set(plan.closed.values()) == {CLOSED_WORDS}
        assert len(plan.closed) == 1
        assert never_words.words_of(here.conn, user_id) == []
        kept = select(data_entries.c.visibility).where(data_entries.c.created_by_id == user_id)
        assert here.conn.execute(kept).scalars().all() == ["private"]


def test_another_passphrase_imports_nothing(there: World, databases: Databases, tmp_path: Path) -> None:
    found = exported(there, tmp_path, PASSPHRASE)
    with made_world(databases) as here:
        new_world(here)
        with pytest.raises(UsageError, match="another passphrase"):
            imported(here, found, PASSPHRASE + "!")
        with pytest.raises(UsageError, match="another passphrase"):
            imported(here, exported(there, tmp_path / "without", None), PASSPHRASE)
        assert here.count(privacy_secrets) == 0


def test_an_export_tells_neither_key_nor_hash(there: World, databases: Databases, tmp_path: Path) -> None:
    kept = never_words.everything_of(there.conn, 2)
    secrets: list[Any] = [*kept.keys, *there.conn.execute(select(privacy_secrets.c.secret)).scalars()]
    secrets += [word["word_hash"] for word in kept.words]
    assert len(secrets) == 4
    for passphrase in (None, PASSPHRASE):
        contents = export_user(there.conn, "ben", MOST_OPEN, passphrase)
        assert not [one for one in secrets for body in contents.values() if one.encode() in body]
    first, second = (export_user(there.conn, "ben", MOST_OPEN, PASSPHRASE) for _ in range(2))
    assert first["never_words.json"] != second["never_words.json"]
    [row] = json.loads(export_user(there.conn, "ben", MOST_OPEN)["never_words.json"])["rows"]
    assert row == {"count": 2}
    with pytest.raises(UsageError, match="at least 8"):
        export_user(there.conn, "ben", MOST_OPEN, "short")


def test_without_words_there_is_no_file(world: World) -> None:
    assert "never_words.json" not in export_user(world.conn, "ben", MOST_OPEN, PASSPHRASE)


def test_the_hashes_of_two_people_differ_for_the_same_word(world: World) -> None:
    for user_id in (1, 2):
        add_word(world.conn, user_id, "Anna")
    hashes = [never_words.everything_of(world.conn, user_id).words[0]["word_hash"] for user_id in (1, 2)]
    assert hashes[0] != hashes[1]
    world.conn.execute(update(privacy_secrets).values(secret="another"))
    looked = never_list_of(world.conn, 1)
    assert looked is not None
    assert looked.find("Anna") == []
