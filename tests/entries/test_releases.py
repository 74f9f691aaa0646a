"""Does a release show what its owner named, and nothing else? And what does an owner read of it all?"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.entries import release_rows, releases, write
from app.errors import NotFound, UsageError
from app.privacy.levels import NAMES
from app.privacy.masks import REDACTED
from app.privacy.viewer import STRANGER
from app.tables import audit_logs, finding_releases, privacy_secrets
from tests.entries.conftest import ANN, BEN, World

MAIL, PHONE, OTHER = "ann@work.example", "+1 415 555 0134", "+1 415 555 0199"
SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
TEXT = f"Write to {MAIL} or call {PHONE}."


def written(world: World, text: str = TEXT, kind: str = "ideas", **more: Any) -> int:
    return write.create(world.conn, BEN, kind, {"content": text, **more}).id


def shown(world: World, entry_id: int, level: str | None = None, kind: str = "ideas") -> str:
    return str(world.item(STRANGER, kind, entry_id, level=level)["data"]["content"])


def found(world: World, entry_id: int) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in world.item(BEN, "ideas", entry_id)["findings"]}


def release_one(world: World, entry_id: int, kind: str) -> None:
    releases.release(world.conn, 2, **found(world, entry_id)[kind]["release"])


@pytest.mark.parametrize("level", [None, "professional", "ai_safe", "public_full"])
def test_a_value_that_was_released_is_shown_and_nothing_beside_it(world: World, level: str) -> None:
    entry_id, other_id = written(world), written(world)
    release_one(world, entry_id, "phone")
    assert shown(world, entry_id, level) == f"Write to {REDACTED} or call {PHONE}."
    assert shown(world, other_id, level) == f"Write to {REDACTED} or call {REDACTED}."


def test_a_release_survives_edits_elsewhere_and_never_covers_a_new_value(world: World) -> None:
    entry_id = written(world)
    release_one(world, entry_id, "phone")
    write.merge(world.conn, BEN, "ideas", entry_id, {"content": f"New: {PHONE}!", "title": PHONE})
    assert shown(world, entry_id) == f"New: {PHONE}!"
    write.merge(world.conn, BEN, "ideas", entry_id, {"content": f"Now {OTHER}"})
    assert shown(world, entry_id) == f"Now {REDACTED}"


def test_what_an_entry_has_now_is_released_together_but_for_secrets(world: World) -> None:
    entry_id = written(world, f"{MAIL}, {PHONE}, {SECRET}")
    assert len(releases.release(world.conn, 2, entry_id=entry_id)) == 2
    assert shown(world, entry_id) == f"{MAIL}, {PHONE}, {REDACTED}"
    write.merge(world.conn, BEN, "ideas", entry_id, {"content": f"{MAIL}, {OTHER}"})
    assert shown(world, entry_id) == f"{MAIL}, {REDACTED}"


def test_a_kind_of_entries_or_all_texts_may_show_mail_addresses(world: World) -> None:
    idea, book = written(world), written(world, kind="favorite_books")
    (made,) = releases.release(world.conn, 2, kind="ideas", detector="mail")
    assert shown(world, idea) == f"Write to {MAIL} or call {REDACTED}."
    assert shown(world, book, kind="favorite_books") == f"Write to {REDACTED} or call {REDACTED}."
    assert releases.release(world.conn, 2, kind="ideas", detector="mail") == (made,)
    releases.withdraw(world.conn, 2, made.id)
    releases.release(world.conn, 2, detector="mail")
    for entry_id, kind in ((idea, "ideas"), (book, "favorite_books"), (written(world), "ideas")):
        assert shown(world, entry_id, kind=kind) == f"Write to {MAIL} or call {REDACTED}."


def test_a_secret_takes_a_release_of_its_own(world: World) -> None:
    entry_id = written(world, f"token {SECRET} of {MAIL}")
    releases.release(world.conn, 2)
    assert shown(world, entry_id) == f"token {REDACTED} of {MAIL}"
    for wide in ({}, {"entry_id": entry_id}, {"kind": "ideas"}):
        with pytest.raises(UsageError, match="one value at a time"):
            releases.release(world.conn, 2, detector="secret", **wide)
    release_one(world, entry_id, "secret")
    assert shown(world, entry_id) == f"token {SECRET} of {MAIL}"


def test_a_release_that_is_withdrawn_hides_again_and_is_its_owners_alone(world: World) -> None:
    entry_id = written(world)
    release_one(world, entry_id, "phone")
    (row,) = release_rows.releases_of(world.conn, 2).rows
    assert (row.entry_id, row.detector) == (entry_id, "phone")
    with pytest.raises(NotFound):
        releases.withdraw(world.conn, 1, row.id)
    releases.withdraw(world.conn, 2, row.id)
    assert shown(world, entry_id) == f"Write to {REDACTED} or call {REDACTED}."
    actions = world.conn.execute(
        select(audit_logs.c.action).where(audit_logs.c.table_name == "finding_releases")
    )
    assert list(actions.scalars()) == ["CREATE", "DELETE"]


def test_only_an_entry_of_ones_own_is_released(world: World) -> None:
    entry_id = written(world)
    with pytest.raises(NotFound, match="no such entry"):
        releases.release(world.conn, ANN.user_id or 0, entry_id=entry_id)
    with pytest.raises(NotFound, match="Nothing like that"):
        releases.release(world.conn, 2, entry_id=entry_id, detector="phone", value_hash="0" * 32)
    with pytest.raises(NotFound, match="no kind"):
        releases.release(world.conn, 2, kind="nothing", detector="mail")
    assert world.count(finding_releases) == 0


@pytest.mark.parametrize(
    "odd",
    [
        {"detector": "shoe size"},
        {"detector": "never_list"},
        {"value_hash": "0" * 32},
        {"entry_id": 1, "kind": "ideas"},
        {"entry_id": 1, "value_hash": "0" * 32},
    ],
    ids=str,
)
def test_what_cannot_be_released_is_refused(world: World, odd: Any) -> None:
    with pytest.raises(UsageError):
        releases.release(world.conn, 2, **odd)


def test_show_contact_info_hides_what_was_released(world: World) -> None:
    world.settings(2, show_contact_info=0)
    entry_id = written(world, f"{MAIL} on 192.0.2.1")
    releases.release(world.conn, 2)
    assert shown(world, entry_id) == f"{REDACTED} on 192.0.2.1"


def test_a_shipped_rule_leaves_alone_what_was_released_and_an_owners_rule_does_not(world: World) -> None:
    shipped = r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Z|a-z]{2,}\b"
    world.rule(field_name="email", pattern=shipped, privacy_level="public_full")
    entry_id = written(world)
    releases.release(world.conn, 2)
    assert shown(world, entry_id) == TEXT
    world.rule(pattern=r"work\.example", privacy_level="public_full")
    assert shown(world, entry_id) == f"Write to ann@{REDACTED} or call {PHONE}."


# -- the owner's answer


def test_the_owners_answer_says_what_was_found_and_what_each_level_shows(world: World) -> None:
    answer = write.create(world.conn, BEN, "ideas", {"content": TEXT, "secret_plan": PHONE})
    mail, phone, plan = answer.item["findings"]
    assert mail == {
        "pointer": "/content",
        "in_name": False,
        "kind": "mail",
        "start": TEXT.index(MAIL),
        "end": TEXT.index(MAIL) + len(MAIL),
        "value_hash": mail["value_hash"],
        "levels": {**dict.fromkeys(NAMES, "hidden"), "business_card": "left out"},
        "released": None,
        "release": {"entry_id": answer.id, "detector": "mail", "value_hash": mail["value_hash"]},
        "hint": mail["hint"],
    }
    assert phone["levels"] == mail["levels"]
    assert plan["levels"] == dict.fromkeys(NAMES, "left out")
    assert world.item(BEN, "ideas", answer.id) == answer.item == world.page(BEN, "ideas").items[0]
    (made,) = releases.release(world.conn, 2, **mail["release"])
    mail, phone, _ = world.item(BEN, "ideas", answer.id)["findings"]
    assert mail["levels"] == {**dict.fromkeys(NAMES, "shown"), "business_card": "left out"}
    assert (mail["released"], mail["release"]) == (made.id, None)
    assert phone["levels"]["public_full"] == "hidden"


def test_findings_are_for_the_owner_alone(world: World) -> None:
    entry_id = written(world)
    for viewer, level in ((STRANGER, None), (ANN, None), (BEN, "public_full"), (ANN, "ai_safe")):
        assert "findings" not in world.item(viewer, "ideas", entry_id, level=level)
    assert write.merge(world.conn, BEN, "ideas", entry_id, {"content": "none"}).item["findings"] == []


def test_a_rule_that_hides_what_was_released_is_seen_in_the_answer(world: World) -> None:
    entry_id = written(world)
    releases.release(world.conn, 2)
    world.rule(pattern="555", privacy_level="professional")
    levels = found(world, entry_id)["phone"]["levels"]
    assert (levels["public_full"], levels["professional"]) == ("shown", "hidden")


def test_the_hash_of_a_value_is_made_with_a_key_of_this_database(world: World) -> None:
    entry_id = written(world)
    key = world.conn.execute(select(privacy_secrets)).one()
    assert (key.name, len(key.secret)) == ("finding_values", 64)
    value_hash = found(world, entry_id)["mail"]["value_hash"]
    assert len(value_hash) == 32
    assert key.secret not in value_hash
