"""Doubtful drafts: does an upgrade name the public entries whose words about times no one heard before?"""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from app.storage.registry import storage_at
from app.upgrade.legacy.doubtful_drafts import notes_of
from tests.databases import SQLiteDatabases

ENTRIES = {
    101: ({"content": "x", "meta": {"status": " Draft"}}, "public", 1, None),
    102: ({"content": "x", "meta": {"publish_at": "2099-01-01", "expires_at": None}}, "public", 1, None),
    103: ({"content": "x", "meta": {"status": "draft"}}, "private", 1, None),
    104: ({"content": "x", "meta": {"status": "draft"}}, "public", 0, None),
    105: ({"content": "x", "meta": {"status": "draft"}}, "public", 1, "9999-12-31 23:59:59"),
    106: ({"content": "my draft", "status": "draft", "meta": {"status": "published"}}, "public", 1, None),
    107: (["draft"], "public", 1, None),
}


def test_public_entries_with_such_words_are_listed_and_no_others(
    tmp_path: Path, sqlite_databases: SQLiteDatabases
) -> None:
    path = shutil.copyfile(sqlite_databases.template(), tmp_path / "daemon.db")
    with storage_at(path).peek() as connection:
        assert notes_of(connection) == ()
    with closing(sqlite3.connect(path)) as raw, raw:
        ((kind_id,),) = raw.execute("SELECT id FROM endpoints WHERE name = 'ideas'").fetchall()
        for entry_id, (content, visibility, is_active, shown_from) in ENTRIES.items():
            raw.execute(
                "INSERT INTO data_entries (id, endpoint_id, data, visibility, is_active, shown_from)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (entry_id, kind_id, json.dumps(content), visibility, is_active, shown_from),
            )
    with storage_at(path).peek() as connection:
        (note,) = notes_of(connection)
    assert "ideas 101 (status); ideas 102 (publish_at)." in note
    assert note.startswith("2 public entries say")
