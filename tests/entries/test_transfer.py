"""Does an export hold everything of a person, exactly, and nothing of anyone else's?"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from sqlalchemy import insert

from app.entries import write
from app.entries.export import export_user
from app.errors import NotFound
from app.tables import api_keys
from tests.entries.conftest import ANN, BEN, World

EXACT = '{"content":   "caf\\u00e9", "n": NaN, "s": "\\ud83d", "a": 1, "a": 2}'


@pytest.fixture
def files(world: World) -> dict[str, Any]:
    world.settings(2, show_location=0)
    world.rule(field_name="phone", pattern="x")
    world.endpoint("Bad/../Name!")
    world.entry("ideas", EXACT, owner=2, visibility="private")
    world.entry("ideas", {"content": "deleted"}, owner=2, is_active=0)
    world.entry("ideas", b'{"content": "\xff"}', owner=2)
    world.entry("quotes", "7", owner=2)
    world.entry("Bad/../Name!", "{", owner=2)
    world.entry("ideas", {"content": "canary of ann"}, owner=1)
    world.conn.execute(insert(api_keys).values(name="k1", key_hash="canary-hash", user_id=2, is_active=1))
    write.create(world.conn, BEN, "goals", {"content": "written"})
    write.create(world.conn, ANN, "goals", {"content": "canary of ann"})
    world.conn.exec_driver_sql("UPDATE users SET hashed_password = 'canary-password'")
    return {path: json.loads(body) for path, body in export_user(world.conn, "ben", "public_full").items()}


def test_the_files_that_are_there(files: dict[str, Any]) -> None:
    assert set(files) == {
        *(
            "user.json",
            "privacy_settings.json",
            "privacy_rules.json",
            "kinds.json",
            "api_keys.json",
            "audit.json",
            "manifest.json",
        ),
        *(
            "entries/ideas.json",
            "entries/quotes.json",
            "entries/goals.json",
            "entries/Bad%2F%2E%2E%2FName%21.json",
        ),
    }


@pytest.mark.only_on("sqlite")  # a column of PostgreSQL keeps no bytes that are no text
def test_stored_bytes_are_exact(files: dict[str, Any]) -> None:
    rows = files["entries/ideas.json"]["rows"]
    assert rows[2].get("stored") is None
    assert base64.b64decode(rows[2]["stored_base64"]) == b'{"content": "\xff"}'


def test_stored_text_is_exact(files: dict[str, Any]) -> None:
    rows = files["entries/ideas.json"]["rows"]
    assert [row["stored"] for row in rows[:2]] == [EXACT, '{"content": "deleted"}']
    assert [(row["visibility"], row["is_active"], row["kind"]) for row in rows] == [
        ("private", 1, "ideas"),
        ("public", 0, "ideas"),
        ("public", 1, "ideas"),
    ]
    assert files["entries/quotes.json"]["rows"][0]["stored"] == "7"


def test_nothing_secret_and_nothing_of_others_is_in_it(files: dict[str, Any]) -> None:
    assert "canary" not in json.dumps(files)
    assert "hashed_password" not in files["user.json"]["rows"][0]
    assert files["user.json"]["rows"][0]["username"] == "ben"
    assert [row["name"] for row in files["api_keys.json"]["rows"]] == ["k1"]
    assert [row["action"] for row in files["audit.json"]["rows"]] == ["CREATE"]
    assert files["privacy_settings.json"]["rows"][0]["show_location"] == 0
    assert len(files["privacy_rules.json"]["rows"]) == 1


def test_the_manifest_counts_and_proves_every_file(world: World, files: dict[str, Any]) -> None:
    manifest = files["manifest.json"]
    assert manifest["format"] == 1
    assert manifest["username"] == "ben"
    assert set(manifest["files"]) == set(files) - {"manifest.json"}
    exported = export_user(world.conn, "ben", "public_full")
    for path, facts in manifest["files"].items():
        assert facts == {
            "rows": len(files[path]["rows"]),
            "bytes": len(exported[path]),
            "sha256": hashlib.sha256(exported[path]).hexdigest(),
        }


def test_an_unknown_person_is_an_error(world: World) -> None:
    with pytest.raises(NotFound):
        export_user(world.conn, "nobody", "public_full")
