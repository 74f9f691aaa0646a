"""Does ``daemon kind`` make, change and remove a person's own kinds, and say what does not fit?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.database import open_database
from app.entries import write
from app.privacy.viewer import Viewer
from app.settings import load_settings
from tests.cli.conftest import Typed
from tests.cli.test_user import PASSWORD

SCHEMA = {"type": "object", "required": ["dish"], "properties": {"dish": {"type": "string"}}}


def test_from_making_to_removing(typed: Typed, tmp_path: Path) -> None:
    typed("init")
    typed("user", "create", "ann", "ann@example.org", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
    schema, example, odd = (tmp_path / name for name in ("schema.json", "example.json", "odd.json"))
    schema.write_text(json.dumps(SCHEMA))
    example.write_text('{"dish": "Soup"}')
    odd.write_text('{"dish": 7}')
    of_files = ("--schema", str(schema), "--example", str(example))

    assert "version 1" in typed("kind", "create", "ann", "recipes", *of_files, "--title", "Meals").out
    refused = typed("kind", "create", "ann", "more", "--schema", str(schema), "--example", str(odd), status=2)
    assert "/example/dish: must be string" in refused.err
    assert "address of Daemon's own" in typed("kind", "create", "ann", "search", *of_files, status=2).err
    (found,) = typed("kind", "list", "ann", "--json").json["kinds"]
    assert (found["name"], found["title"], found["schema"], found["is_public"]) == (
        *("recipes", "Meals", SCHEMA),
        False,
    )
    example.write_text('{"dish": "Tea"}')
    assert "version 2" in typed("kind", "change", "ann", "recipes", "--example", str(example), "--public").out
    assert [
        row["version"] for row in typed("kind", "versions", "ann", "recipes", "--json").json["versions"]
    ] == [1, 2]
    assert "no kind recipes any more" in typed("kind", "remove", "ann", "recipes").out
    assert typed("kind", "remove", "ann", "recipes", status=1).err.startswith("Error: ")


def test_a_kind_is_taken_out_of_use_by_its_id(typed: Typed) -> None:
    typed("init")
    kinds = typed("kind", "all", "--json").json["kinds"]
    ideas = next(each for each in kinds if each["name"] == "ideas")
    assert ideas["is_active"]
    assert "not in use" in typed("kind", "use", str(ideas["id"]), "--off").out
    assert typed("kind", "use", str(ideas["id"]), "--on", "--json").json["is_active"]
    assert "no kind 999" in typed("kind", "use", "999", "--off", status=1).err


def test_deleted_entries_past_their_time_are_counted_and_then_erased(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("init")
    assert "kept for ever" in typed("entry", "cleanup", "--yes").err
    database = open_database(load_settings())
    with database.writing() as connection:
        made = write.create(connection, Viewer("admin"), "ideas", {"content": "bees"}).id
        write.delete(connection, Viewer("admin"), "ideas", made)
        connection.exec_driver_sql("UPDATE data_entries SET updated_at = '2020-01-01 00:00:00'")
    database.close()
    monkeypatch.setenv("DELETED_DAYS", "30")
    seen = typed("entry", "cleanup", "--json").json
    assert (seen["kinds"], seen["erased"]) == ({"ideas": 1}, 0)
    assert "1 deleted entries are erased" in typed("entry", "cleanup", "--yes").err
    assert typed("entry", "cleanup", "--json").json["kinds"] == {}
