"""Does ``daemon link`` list, make and revoke share links, and show the address of one only once?"""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Typed
from tests.cli.test_user import PASSWORD


def test_from_making_to_revoking(typed: Typed, tmp_path: Path) -> None:
    typed("init")
    typed("user", "create", "ann", "ann@example.org", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
    said = typed(
        "link", "create", "ann", "--kind", "ideas", "--days", "7", "--views", "20", "--label", "friend"
    )
    address = said.out.strip()
    assert address.startswith("/api/v1/shared/")
    (one,) = typed("link", "list", "ann", "--json").json["links"]
    assert (one["label"], one["kinds"], one["views_most"], one["is_over"]) == ("friend", ["ideas"], 20, False)
    assert "0 of 20" in typed("link", "list", "ann").out
    token = address.rpartition("/")[2].encode()
    assert token not in b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    assert typed("link", "create", "ann", "--kind", "nothing", status=2).err.startswith("Error: ")
    assert "shows nothing any more" in typed("link", "revoke", "ann", str(one["id"])).out
    assert typed("link", "list", "ann", "--json").json["links"] == []
