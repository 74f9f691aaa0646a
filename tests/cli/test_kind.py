"""Does ``daemon kind`` make, change and remove a person's own kinds, and say what does not fit?"""

from __future__ import annotations

import json
from pathlib import Path

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
