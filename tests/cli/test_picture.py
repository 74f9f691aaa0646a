"""Does ``daemon picture`` add, list and remove pictures of a person, and of no one else?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Typed
from tests.cli.test_user import PASSWORD
from tests.web.test_pictures import SECRET, photo


@pytest.fixture
def ann(typed: Typed) -> Typed:
    """An installation that ann has claimed, and ben uses, with a photo beside it."""
    typed("init")
    for name, how in (("ann", ["--admin"]), ("ben", [])):
        words = ("user", "create", name, f"{name}@example.org", *how, "--password-stdin")
        typed(*words, stdin=PASSWORD + "\n")
    Path("me.jpg").write_bytes(photo())
    return typed


def test_pictures_are_added_listed_and_removed(ann: Typed) -> None:
    Path("one.json").write_text(json.dumps([{"content": {"content": "Hives"}, "slug": "hives"}]))
    written = ann("entry", "bulk", "ann", "ideas", "one.json", "--json").json["items"]
    entry = str(written[0]["id"])
    face = ann("picture", "add", "ann", "me.jpg", "--json").json
    other = ann("picture", "add", "ann", "me.jpg", "--entry", entry, "--alt", "Hives", "--json").json
    listed = ann("picture", "list", "ann", "--json").json["items"]
    assert [(each["id"], each["entry_id"], each["alt"]) for each in listed] == [
        (face["id"], None, ""),
        (other["id"], int(entry), "Hives"),
    ]
    assert "themselves" in ann("picture", "list", "ann").out
    assert SECRET.decode() not in ann("picture", "list", "ann", "--json").out
    assert face["replaced"] is False
    assert "in the place of the one before" in ann("picture", "add", "ann", "me.jpg").out
    again = ann("picture", "add", "ann", "me.jpg", "--json").json
    assert again["replaced"] is True
    assert ann("picture", "remove", "ann", str(face["id"]), status=None).status != 0, "another took its place"
    for wrong in (
        ["ben", "me.jpg", "--entry", entry],
        ["ann", "one.json"],
        ["ann", "me.jpg", "--entry", "99999999"],
    ):
        assert ann("picture", "add", *wrong, status=None).status != 0
    assert ann("picture", "remove", "ben", str(other["id"]), status=None).status != 0
    for made in (again, other):
        assert "is gone" in ann("picture", "remove", "ann", str(made["id"])).out
    assert ann("picture", "list", "ann", "--json").json == {"items": []}
