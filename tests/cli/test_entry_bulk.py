"""Does ``daemon entry bulk`` write the entries of a file, all of them or none?"""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Typed
from tests.cli.test_user import PASSWORD


def test_all_of_a_file_or_none(typed: Typed, tmp_path: Path) -> None:
    typed("init")
    typed("user", "create", "ann", "ann@example.org", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
    array, lines = tmp_path / "ideas.json", tmp_path / "ideas.ndjson"
    array.write_text(json.dumps([{"content": {"content": "a"}, "slug": "a"}, {"content": {"content": "b"}}]))
    assert typed("entry", "bulk", "ann", "ideas", str(array)).out == "2 new, 0 replaced.\n"
    items = [{"content": {"content": "a2"}, "slug": "a"}, {"content": {"content": 7}}]
    lines.write_text("\n".join(json.dumps(each) for each in items))
    refused = typed("entry", "bulk", "ann", "ideas", str(lines), status=2)
    assert "  /1/content/content: " in refused.err
    lines.write_text(json.dumps(items[0]) + "\n")
    assert typed("entry", "bulk", "ann", "ideas", str(lines), "--mode", "create", status=2).err
    assert typed("entry", "bulk", "ann", "ideas", str(lines), "--json").json["replaced_count"] == 1
