"""Does ``daemon privacy`` show and steer what people here show?"""

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


def test_settings_are_shown_and_changed(ann: Typed) -> None:
    assert "show_location           yes" in ann("privacy", "settings", "ann").out
    changed = ann(
        "privacy", "settings", "ann", "show_location=no", "privacy_level=professional", "--json"
    ).json
    assert (changed["show_location"], changed["privacy_level"]) == (False, "professional")
    assert "privacy_level           none" in ann("privacy", "settings", "ann", "privacy_level=none").out


@pytest.mark.parametrize("word", ["show_location", "show_location=perhaps", "privacy_level=all", "user_id=1"])
def test_what_is_no_setting_is_refused(ann: Typed, word: str) -> None:
    assert ann("privacy", "settings", "ann", word, status=2).err.startswith("Error: ")


def test_rules_of_a_person_from_making_to_taking_away(ann: Typed) -> None:
    assert "hidden" in ann("privacy", "rules", "add", "ann", "contact.website").out
    assert "redacted" in ann("privacy", "rules", "add", "ann", "title", "--redact").out
    listed = ann("privacy", "rules", "list", "ann", "--json").json["rules"]
    assert [each["id"] for each in listed] == ["own:contact.website", "own:title"]
    ann("privacy", "rules", "remove", "own:title", status=2)
    ann("privacy", "rules", "remove", "own:title", "ann")
    assert len(ann("privacy", "rules", "list", "ann", "--json").json["rules"]) == 1
    ann("privacy", "rules", "remove", "own:title", "ann", status=1)


def test_all_rules_are_listed_with_whose_they_are(ann: Typed) -> None:
    ann("privacy", "rules", "add", "ann", "contact.website")
    listed = ann("privacy", "rules", "list", "--all", "--json").json["rules"]
    assert [(each["of"], each["owner"]) for each in listed] == [("installation", None)] * 14 + [
        ("own", "ann")
    ]
    assert "own:contact.website" in ann("privacy", "rules", "list", "--all").out
    ann("privacy", "rules", "list", "ann", "--all", status=2)


def test_rules_of_the_installation_from_making_to_taking_away(ann: Typed) -> None:
    made = ann("privacy", "rules", "install", "--kind", "resume", "--field-name", "website", "--json").json
    assert (made["kind"], made["field_name"], made["path"]) == ("resume", "website", "*")
    assert "off" in ann("privacy", "rules", "change", made["id"], "--off").out
    assert "nothing (off)" in ann("privacy", "rules", "list").out
    ann("privacy", "rules", "remove", made["id"])
    assert len(ann("privacy", "rules", "list", "--json").json["rules"]) == 14
    for words in (("install",), ("change", "999", "--on"), ("remove", "999"), ("remove", "x")):
        assert ann("privacy", "rules", *words, status=None).status in (1, 2)


def test_words_go_on_the_never_list_and_off_it_and_are_written_down_nowhere(
    ann: Typed, tmp_path: Path
) -> None:
    added = ann("privacy", "never-list", "add", "ann", "--word-stdin", "--json", stdin="Wrenfield\n").json
    assert added["privacy_level"] is None
    ann("privacy", "never-list", "add", "ann", status=2)
    assert b"Wrenfield" not in b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    listed = ann("privacy", "never-list", "list", "ann", "--json").json["words"]
    assert [(each["id"], each["length"]) for each in listed] == [(added["id"], 9)]
    assert "no level" in ann("privacy", "never-list", "list", "ann").out
    ann("privacy", "never-list", "remove", "ann", str(added["id"]))
    ann("privacy", "never-list", "remove", "ann", str(added["id"]), status=1)


def test_a_preview_as_every_audience(ann: Typed) -> None:
    found = ann("privacy", "preview", "ann", "resume", "--json").json["previews"]
    assert [each["as"] for each in found] == [*["stranger"] * 4, "assistant", "person", "key"]
    assert "As stranger at ai_safe" in ann("privacy", "preview", "ann", "resume", "--level", "ai_safe").out
    ann("privacy", "preview", "ann", "resume", "--as", "him", status=2)


def test_findings_are_listed_released_and_hidden_again(ann: Typed) -> None:
    assert ann("privacy", "findings", "list", "ann", "--json").json == {"findings": []}
    ann("privacy", "findings", "release", "ann", status=2)
    ann("privacy", "findings", "release", "ann", "--entry", "7", status=1)
    (made,) = ann("privacy", "findings", "release", "ann", "--found", "mail", "--everywhere", "--json").json[
        "releases"
    ]
    assert (made["detector"], made["entry_id"], made["kind"]) == ("mail", None, None)
    assert "any" in ann("privacy", "findings", "releases", "ann").out
    ann("privacy", "findings", "withdraw", "ann", str(made["id"]))
    assert ann("privacy", "findings", "releases", "ann", "--json").json == {"releases": []}


def test_an_entry_that_is_not_there_is_not_explained(ann: Typed) -> None:
    assert ann("privacy", "explain", "ann", "7", status=1).err.startswith("Error: ")
