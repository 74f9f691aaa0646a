"""Does ``daemon key`` list, make, change and revoke keys, and show the text of one only once?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Typed
from tests.cli.test_user import PASSWORD


@pytest.fixture
def ann(typed: Typed) -> Typed:
    """An installation that ann has claimed."""
    typed("init")
    typed("user", "create", "ann", "ann@example.org", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
    return typed


def listed(typed: Typed, *words: str) -> list[tuple[int, str, bool]]:
    keys = typed("key", "list", *words, "--json").json["keys"]
    return [(each["id"], each["name"], each["can_write"]) for each in keys]


def test_from_making_to_revoking(ann: Typed, tmp_path: Path) -> None:
    said = ann("key", "create", "ann", "my phone")
    text = said.out.strip()
    assert text.startswith("dmn_")
    assert "reads only" in said.err
    assert listed(ann) == [(1, "my phone", False)]
    assert "reads and writes" in ann("key", "change", "1", "--write").out
    assert listed(ann) == [(1, "my phone", True)]
    assert "reads only" in ann("key", "change", "1", "--read-only").out
    assert f"{text[:8]}  ann    read " in ann("key", "list").out
    assert "opens nothing" in ann("key", "revoke", "1").out
    assert listed(ann) == []
    assert text.encode() not in b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())


def test_a_key_for_so_many_days(ann: Typed) -> None:
    made = ann("key", "create", "ann", "a", "--days", "7", "--write", "--json").json
    assert made["can_write"] is True
    assert made["expires_at"] > made["created_at"]
    assert made["key"].startswith("dmn_")


def test_of_one_person(ann: Typed) -> None:
    ann("user", "create", "ben", "--password-stdin", stdin=PASSWORD)
    for name in ("ann", "ben", "ben"):
        ann("key", "create", name, f"of {name}")
    assert [each[0] for each in listed(ann, "ben")] == [2, 3]
    assert ann("key", "list", "nobody", status=1).err.startswith("Error: ")


@pytest.mark.parametrize(
    "words",
    [
        ("key", "create", "nobody", "x"),
        ("key", "create", "ann", ""),
        ("key", "revoke", "9"),
        ("key", "change", "9", "--write"),
        ("key", "change", "1"),
        ("key", "revoke", "x"),
        ("key", "create", "ann", "x", "--days", "0"),
    ],
)
def test_what_cannot_be_done_changes_nothing(ann: Typed, words: tuple[str, ...]) -> None:
    ann("key", "create", "ann", "first")
    assert ann(*words, status=None).status in (1, 2)
    assert listed(ann) == [(1, "first", False)]


def test_a_deactivated_account_gets_no_key(ann: Typed) -> None:
    ann("user", "create", "ben", "--password-stdin", stdin=PASSWORD)
    ann("user", "deactivate", "ben")
    assert "daemon user activate ben" in ann("key", "create", "ben", "x", status=1).err


def test_a_new_password_ends_the_keys_only_where_that_is_said(ann: Typed) -> None:
    for name in ("a", "b"):
        ann("key", "create", "ann", name)
    said = ann("user", "password", "ann", "--password-stdin", stdin="another long one\n")
    assert "API keys that go on working: 2 (daemon key list ann)" in said.out
    assert len(listed(ann)) == 2
    said = ann("user", "password", "ann", "--end-keys", "--password-stdin", stdin="a third long one\n")
    assert "API keys that ended: 2" in said.out
    assert listed(ann) == []


def test_a_key_is_limited_when_it_is_made(ann: Typed) -> None:
    said = ann("key", "create", "ann", "blog", "--verb", "create", "--kind", "ideas", "--kind", "skills")
    assert "may create, entries of ideas, skills" in said.err
    ann("key", "create", "ann", "card", "--level", "business_card")
    first, second = ann("key", "list", "--json").json["keys"]
    assert (first["verbs"], first["kinds"], first["privacy_level"]) == (["create"], ["ideas", "skills"], None)
    assert (second["verbs"], second["kinds"], second["privacy_level"]) == (["read"], None, "business_card")
    assert "create ideas, skills" in ann("key", "list").out
    for odd in (("--kind", "no_such_kind"), ("--level", "business_card", "--write"), ("--verb", "erase")):
        assert ann("key", "create", "ann", "x", *odd, status=None).status == 2
